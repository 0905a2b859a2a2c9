// SPDX-License-Identifier: MIT
#pragma once
#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace aisfs::ec {

/// So many of either kind: 32 slices need 32 targets, and every lost one makes a repair read `data`
/// slices.
inline constexpr unsigned kDataMax = 16;
inline constexpr unsigned kParityMax = 16;
inline constexpr unsigned kSlicesMax = kDataMax + kParityMax;

/// Slices of one object by index: data slices first, then parity slices.
using SliceSet = std::bitset<kSlicesMax>;

/// Into how many slices an object is split, and how many of them may be lost.
struct Geometry {
  std::uint8_t data = 0;
  std::uint8_t parity = 0;

  bool operator==(const Geometry&) const = default;

  unsigned slices() const { return unsigned{data} + parity; }

  /// invalid_argument unless both are in 1..16.
  Status validate() const;
  /// "4+2"
  std::string to_string() const;

  template <class A>
  void serialize(A& ar) {
    ar(data, parity);
  }
};

/// Ascending.
std::vector<unsigned> indices(const SliceSet& slices);
/// "0, 4, 5", as messages name them.
std::string to_string(const SliceSet& slices);

}  // namespace aisfs::ec
