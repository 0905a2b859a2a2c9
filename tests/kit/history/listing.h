// SPDX-License-Identifier: MIT
#pragma once
#include <span>

#include "tests/kit/history/operation.h"
#include "tests/kit/history/report.h"

namespace aisfs::tests::history {

/// Whether each listing, over all its pages, shows what it must:
///
///  - no key twice, and none that was not asked for (prefix, `after` of the first page);
///  - every key that is present from before its first page was asked for until after its last page
///    came, unless the listing was given up before its last page;
///  - no key that is absent for all that time.
///
/// A key is certainly present if some PUT was acknowledged before and every mutation that may be
/// in effect meanwhile is a PUT: overwriting makes nothing absent. It is certainly absent if each
/// of them is a DELETE, or if there is none. Unknown mutations may be in effect for ever after.
/// Pages that failed or are unknown are ignored; the client asks for them again.
Report check_listing(std::span<const Operation> operations);

}  // namespace aisfs::tests::history
