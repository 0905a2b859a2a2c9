// SPDX-License-Identifier: MIT
// What is lost in tests, and bytes to lose.
#pragma once
#include <cstring>
#include <functional>
#include <random>
#include <string>

#include "node/ec/geometry.h"

namespace aisfs::ec {

/// Bytes that no two places share.
inline std::string content(std::size_t size, unsigned seed = 1) {
  std::mt19937_64 random(seed);
  std::string out(size + 8, '\0');
  for (std::size_t at = 0; at < size; at += 8) {
    const std::uint64_t word = random();
    std::memcpy(out.data() + at, &word, sizeof word);
  }
  out.resize(size);
  return out;
}

/// Calls `visit` with every set of `count` out of `slices`.
inline void for_each_loss(unsigned slices,
                          unsigned count,
                          const std::function<void(const SliceSet&)>& visit) {
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << slices; ++bits) {
    if (const SliceSet lost(bits); lost.count() == count) visit(lost);
  }
}

inline SliceSet random_loss(std::mt19937_64& random, unsigned slices, unsigned count) {
  SliceSet lost;
  while (lost.count() < count) lost.set(random() % slices);
  return lost;
}

}  // namespace aisfs::ec
