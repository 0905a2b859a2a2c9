// SPDX-License-Identifier: MIT
#include "common/s3/date.h"

#include <chrono>
#include <cstdio>

#include "common/base/text.h"

namespace aisfs::s3 {
namespace {

using std::chrono::days;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::sys_days;

struct Civil {
  int year;
  unsigned month, day, hour, minute, second, millisecond;
};

Civil civil_of(std::int64_t unix_ns) {
  const auto at = std::chrono::sys_time<nanoseconds>(nanoseconds(unix_ns));
  const auto midnight = std::chrono::floor<days>(at);
  const std::chrono::year_month_day date(midnight);
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(at - midnight).count();
  return {static_cast<int>(date.year()),           static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),       static_cast<unsigned>(ms / 3'600'000),
          static_cast<unsigned>(ms / 60'000 % 60), static_cast<unsigned>(ms / 1000 % 60),
          static_cast<unsigned>(ms % 1000)};
}

std::optional<unsigned> digits(std::string_view text, std::size_t at, std::size_t count) {
  unsigned value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(text[i] - '0');
  }
  return value;
}

/// The digits of a date at the given offsets, checked against the calendar.
std::optional<std::int64_t> unix_ns_of(std::string_view text, const std::size_t (&at)[6]) {
  const auto year = digits(text, at[0], 4);
  const auto month = digits(text, at[1], 2), day = digits(text, at[2], 2);
  const auto hour = digits(text, at[3], 2), minute = digits(text, at[4], 2);
  const auto second = digits(text, at[5], 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  // Nanoseconds in 64 bits end in 2262.
  if (!date.ok() || *year < 1970 || *year > 2200) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const auto when =
      sys_days(date).time_since_epoch() + seconds(*hour * 3600 + *minute * 60 + *second);
  return nanoseconds(when).count();
}

}  // namespace

std::string iso_date(std::int64_t unix_ns) {
  const Civil c = civil_of(unix_ns);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02u:%02u:%02u.%03uZ", c.year, c.month, c.day,
                c.hour, c.minute, c.second, c.millisecond);
  return text;
}

std::string amz_date(std::int64_t unix_ns) {
  const Civil c = civil_of(unix_ns);
  std::string text;  // made for every signed request, hence without printf
  text.reserve(16);
  const auto add = [&text](unsigned two_digits) {
    text.push_back(static_cast<char>('0' + two_digits / 10 % 10));
    text.push_back(static_cast<char>('0' + two_digits % 10));
  };
  const auto year = static_cast<unsigned>(c.year);
  add(year / 100);
  add(year);
  add(c.month);
  add(c.day);
  text.push_back('T');
  add(c.hour);
  add(c.minute);
  add(c.second);
  text.push_back('Z');
  return text;
}

std::optional<std::int64_t> parse_amz_date(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  return unix_ns_of(text, {0, 4, 6, 9, 11, 13});
}

std::optional<std::int64_t> parse_iso_date(std::string_view text) {
  if (text.size() < 20 || text.size() > 32 || text.back() != 'Z') return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const std::string_view fraction = text.substr(19, text.size() - 20);
  const bool plain = fraction.empty();
  const bool dotted = fraction.size() > 1 && fraction[0] == '.' && parse_u64(fraction.substr(1));
  if (!plain && !dotted) return std::nullopt;
  return unix_ns_of(text, {0, 5, 8, 11, 14, 17});
}

}  // namespace aisfs::s3
