// SPDX-License-Identifier: MIT
#include "common/model/version.h"

#include <charconv>
#include <cstdio>

#include "common/base/text.h"

namespace aisfs {
namespace {

template <class Int>
bool parse_hex(std::string_view text, Int& out) {
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return !text.empty() && ec == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::string Version::to_string() const {
  char text[48];
  std::snprintf(text, sizeof text, "%x.%llx.%x", epoch, static_cast<unsigned long long>(hlc),
                incarnation);
  return text;
}

Result<Version> Version::parse(std::string_view text) {
  const auto parts = split(text, '.');
  Version v;
  if (parts.size() != 3 || !parse_hex(parts[0], v.epoch) || !parse_hex(parts[1], v.hlc) ||
      !parse_hex(parts[2], v.incarnation)) {
    return Error(Errc::invalid_argument, "not a version: " + std::string(text));
  }
  return v;
}

}  // namespace aisfs
