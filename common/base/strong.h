// SPDX-License-Identifier: MIT
// Named integers, so that swapped arguments do not compile.
#pragma once
#include <compare>
#include <cstddef>
#include <functional>

namespace aisfs {

/// using BucketId = Strong<std::uint64_t, struct BucketIdTag>;
template <class T, class Tag>
struct Strong {
  T value{};

  constexpr auto operator<=>(const Strong&) const = default;
  constexpr explicit operator bool() const { return value != T{}; }

  template <class Archive>
  void serialize(Archive& ar) {
    ar(value);
  }
};

}  // namespace aisfs

template <class T, class Tag>
struct std::hash<aisfs::Strong<T, Tag>> {
  std::size_t operator()(const aisfs::Strong<T, Tag>& s) const { return std::hash<T>{}(s.value); }
};
