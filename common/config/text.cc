// SPDX-License-Identifier: MIT
#include "common/config/text.h"

#include <array>
#include <limits>

#include "common/base/text.h"

namespace aisfs::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array<Unit, 5> kSizes = {{{"TiB", std::uint64_t{1} << 40},
                                         {"GiB", std::uint64_t{1} << 30},
                                         {"MiB", std::uint64_t{1} << 20},
                                         {"KiB", std::uint64_t{1} << 10},
                                         {"B", 1}}};
constexpr std::array<Unit, 7> kTimes = {{{"d", 86'400'000'000'000},
                                         {"h", 3'600'000'000'000},
                                         {"min", 60'000'000'000},
                                         {"s", 1'000'000'000},
                                         {"ms", 1'000'000},
                                         {"us", 1'000},
                                         {"ns", 1}}};

Error expected(std::string_view what, std::string_view got) {
  return Error(Errc::invalid_argument,
               "expected " + std::string(what) + ", got \"" + std::string(got) + "\"");
}

template <std::size_t N>
std::optional<std::uint64_t> parse_with_unit(std::string_view text,
                                             const std::array<Unit, N>& units) {
  if (text == "0") return 0;
  const auto digits = text.find_first_not_of("0123456789");
  if (digits == text.npos || digits == 0) return std::nullopt;
  const auto count = parse_u64(text.substr(0, digits));
  const std::string_view name = trim(text.substr(digits));
  for (const Unit& unit : units) {
    if (unit.name != name || !count) continue;
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (*count > kMax / unit.factor) return std::nullopt;
    return *count * unit.factor;
  }
  return std::nullopt;
}

/// In the largest unit that divides the value.
template <std::size_t N>
std::string show_with_unit(std::uint64_t value, const std::array<Unit, N>& units) {
  if (value == 0) return "0";
  for (const Unit& unit : units) {
    if (value % unit.factor == 0) {
      return std::to_string(value / unit.factor) + std::string(unit.name);
    }
  }
  return std::to_string(value);
}

}  // namespace

Result<std::int64_t> Text<std::int64_t>::parse(std::string_view text) {
  if (const auto value = parse_i64(text)) return *value;
  return expected("a whole number", text);
}
std::string Text<std::int64_t>::show(std::int64_t value) { return std::to_string(value); }

Result<bool> Text<bool>::parse(std::string_view text) {
  if (text == "true" || text == "yes" || text == "on" || text == "1") return true;
  if (text == "false" || text == "no" || text == "off" || text == "0") return false;
  return expected("true or false", text);
}
std::string Text<bool>::show(bool value) { return value ? "true" : "false"; }

Result<Bytes> Text<Bytes>::parse(std::string_view text) {
  if (const auto value = parse_with_unit(text, kSizes)) return Bytes{*value};
  return expected("a size with a unit (B, KiB, MiB, GiB, TiB)", text);
}
std::string Text<Bytes>::show(Bytes value) { return show_with_unit(value.count, kSizes); }

Result<Duration> Text<Duration>::parse(std::string_view text) {
  if (const auto value = parse_with_unit(text, kTimes)) {
    return Duration(static_cast<std::int64_t>(*value));
  }
  return expected("a duration with a unit (ns, us, ms, s, min, h, d)", text);
}
std::string Text<Duration>::show(Duration value) {
  return show_with_unit(static_cast<std::uint64_t>(value.count()), kTimes);
}

Result<std::string> Text<std::string>::parse(std::string_view text) { return std::string(text); }
std::string Text<std::string>::show(const std::string& value) { return value; }

Result<StringList> Text<StringList>::parse(std::string_view text) {
  StringList list;
  for (const auto part : split(text, ',')) {
    if (const auto word = trim(part); !word.empty()) list.emplace_back(word);
  }
  return list;
}
std::string Text<StringList>::show(const StringList& value) {
  std::string text;
  for (const auto& word : value) text += (text.empty() ? "" : ",") + word;
  return text;
}

Result<std::size_t> detail::parse_name(std::string_view text,
                                       const std::string_view* names,
                                       std::size_t n) {
  std::string all;
  for (std::size_t i = 0; i < n; ++i) {
    if (names[i] == text) return i;
    all += (i == 0 ? "" : i + 1 == n ? " or " : ", ") + std::string(names[i]);
  }
  return expected(all, text);
}

}  // namespace aisfs::config
