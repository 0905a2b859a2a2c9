// SPDX-License-Identifier: MIT
#include "common/model/meta_time.h"

#include "common/base/text.h"

namespace aisfs {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kSecondsMax = 9'000'000'000;  // nanoseconds in 64 bits end in 2262

}  // namespace

std::optional<std::int64_t> parse_meta_time(std::string_view text) {
  const auto dot = text.find('.');
  const auto seconds = parse_i64(text.substr(0, dot));
  if (!seconds || *seconds > kSecondsMax || *seconds < -kSecondsMax) return std::nullopt;
  if (dot == text.npos) return *seconds * kSecond;
  const std::string_view digits = text.substr(dot + 1);
  if (digits.empty() || digits.size() > 20) return std::nullopt;
  std::int64_t fraction = 0;
  for (std::size_t i = 0; i < 9 || i < digits.size(); ++i) {
    const char c = i < digits.size() ? digits[i] : '0';
    if (c < '0' || c > '9') return std::nullopt;
    if (i < 9) fraction = fraction * 10 + (c - '0');
  }
  return *seconds * kSecond + fraction;
}

std::optional<std::int64_t> mtime_of(const ObjectInfo& info) {
  if (info.posix) return info.posix->mtime_ns;
  const auto it = info.user.find("mtime");
  return it == info.user.end() ? std::nullopt : parse_meta_time(it->second);
}

}  // namespace aisfs
