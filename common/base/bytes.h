// SPDX-License-Identifier: MIT
// Sizes and spans of bytes with the words people use for them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace aisfs {

using MutableBytes = std::span<std::byte>;
using ConstBytes = std::span<const std::byte>;

inline namespace literals {
constexpr std::uint64_t operator""_KiB(unsigned long long n) { return n << 10; }
constexpr std::uint64_t operator""_MiB(unsigned long long n) { return n << 20; }
constexpr std::uint64_t operator""_GiB(unsigned long long n) { return n << 30; }
}  // namespace literals

inline ConstBytes as_bytes(std::string_view s) {
  return {reinterpret_cast<const std::byte*>(s.data()), s.size()};
}
inline std::string_view as_text(ConstBytes b) {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

}  // namespace aisfs
