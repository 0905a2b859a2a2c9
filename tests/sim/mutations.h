// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace aisfs::tests::sim {

/// Rules of the protocols that can be broken on purpose, to see whether anybody notices: at a seam
/// of the simulation, or in place of a function of the product, which the linker leads here
/// (--wrap, CMakeLists.txt).
///
/// From now on, in this process, that rule is broken; "" breaks none.
void begin_mutation(std::string_view name);

/// Those that a hundred lives are enough for.
std::vector<std::string> all_mutations();
bool is_mutation(std::string_view name);
/// Troubles in which it shows sooner than in others, as --troubles has them.
std::string troubles_for(std::string_view mutation);

}  // namespace aisfs::tests::sim
