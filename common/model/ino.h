// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace aisfs {

/// An inode number that no other object has: 63 random bits. 0 is none, 1 a mount's root.
std::uint64_t new_ino();

}  // namespace aisfs
