// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace aisfs::tests::sim {

/// From now on one rule of the protocols is broken; "" breaks none.
void begin_mutation(std::string_view name);
bool is_mutation(std::string_view name);

}  // namespace aisfs::tests::sim
