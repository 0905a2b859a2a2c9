// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

#include "tests/fault/cluster/client.h"

namespace aisfs::tests::storm {

/// Who reads then.
inline constexpr std::uint32_t kLookingClient = 1'000'000;

/// What must be true when nobody breaks anything any more.
///
/// Waits until all names are at home, reads every key (which goes into the history), compares that
/// with LIST, and looks at each target's disks: each name once, and at its owner. What is wrong; a
/// line each.
std::vector<std::string> look_at_the_end(Ledger& ledger, Doors& doors);

}  // namespace aisfs::tests::storm
