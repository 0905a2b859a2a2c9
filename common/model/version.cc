// SPDX-License-Identifier: MIT
#include "common/model/version.h"

#include <charconv>
#include <iterator>

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
  char* end = text;
  const auto append = [&](auto part) { end = std::to_chars(end, std::end(text), part, 16).ptr; };
  append(epoch);
  *end++ = '.';
  append(hlc);
  *end++ = '.';
  append(incarnation);
  return {text, end};
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
