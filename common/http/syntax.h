// SPDX-License-Identifier: MIT
// The character classes of RFC 9110 5.6.2 and 5.5.
#pragma once
#include <algorithm>
#include <array>
#include <string_view>

namespace aisfs::http {

inline constexpr std::array<bool, 256> kTokenChars = [] {
  std::array<bool, 256> is{};
  for (char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    is[static_cast<unsigned char>(c)] = true;
  }
  return is;
}();

inline bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return kTokenChars[static_cast<unsigned char>(c)];
  });
}

/// Field content: no control character but the tab. Bytes above 127 are opaque.
inline bool is_field_value(std::string_view text) {
  bool bad = false;  // no early end: so the compiler looks at 16 bytes at once
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    bad |= (u < 0x20 && u != '\t') || u == 0x7f;
  }
  return !bad;
}

}  // namespace aisfs::http
