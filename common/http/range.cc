// SPDX-License-Identifier: MIT
#include "common/http/range.h"

#include <algorithm>

#include "common/base/text.h"

namespace aisfs::http {
namespace {

constexpr RangeRequest kWhole{};

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// A number too large for 64 bits is past every end, and still a valid one.
std::uint64_t position(std::string_view digits) {
  return parse_u64(digits).value_or(ByteRange::kToEnd);
}

RangeRequest part_of(std::uint64_t first, std::uint64_t last, std::uint64_t size) {
  if (first >= size) return {RangeRequest::Kind::kUnsatisfiable, {}};
  return {RangeRequest::Kind::kPart, {first, std::min(last, size - 1) - first + 1}};
}

}  // namespace

RangeRequest parse_range(std::string_view header, std::uint64_t size) {
  header = trim(header);
  const auto equals = header.find('=');
  if (equals == header.npos || !iequals(header.substr(0, equals), "bytes")) return kWhole;
  const std::string_view spec = trim(header.substr(equals + 1));
  const auto dash = spec.find('-');
  if (dash == spec.npos) return kWhole;
  const std::string_view first = spec.substr(0, dash);
  const std::string_view last = spec.substr(dash + 1);
  if (!all_digits(first) || !all_digits(last)) return kWhole;  // a list of ranges, too

  if (first.empty()) {
    if (last.empty()) return kWhole;
    const std::uint64_t suffix = std::min(position(last), size);
    if (suffix == 0) return {RangeRequest::Kind::kUnsatisfiable, {}};
    return part_of(size - suffix, size - 1, size);
  }
  if (last.empty()) return part_of(position(first), ByteRange::kToEnd, size);
  if (position(last) < position(first)) return kWhole;
  return part_of(position(first), position(last), size);
}

std::string content_range(ByteRange part, std::uint64_t size) {
  const std::uint64_t last = part.offset + part.length - 1;
  return "bytes " + std::to_string(part.offset) + "-" + std::to_string(last) + "/" +
         std::to_string(size);
}

}  // namespace aisfs::http
