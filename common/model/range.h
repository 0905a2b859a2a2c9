// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <limits>

namespace aisfs {

/// [offset, offset + length) of an object; the default is all of it.
struct ByteRange {
  static constexpr std::uint64_t kToEnd = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t offset = 0;
  std::uint64_t length = kToEnd;

  bool operator==(const ByteRange&) const = default;

  /// The part of the range that an object of `size` has; empty past its end.
  ByteRange within(std::uint64_t size) const {
    if (offset >= size) return {size, 0};
    return {offset, length < size - offset ? length : size - offset};
  }

  template <class A>
  void serialize(A& ar) {
    ar(offset, length);
  }
};

}  // namespace aisfs
