// SPDX-License-Identifier: MIT
#pragma once
#include <span>

#include "tests/kit/history/operation.h"

namespace aisfs::tests::history {

/// Whether some order of at most 16 operations on one key explains their replies, found by running
/// a register through every order that real time allows and comparing its answers with the
/// recorded ones. Shares nothing with check_linearizable but the meaning of Operation; conditions
/// and HEADs need values.
bool some_order_explains(std::span<const Operation> operations);

}  // namespace aisfs::tests::history
