// SPDX-License-Identifier: MIT
// The dates of RFC 9110 5.6.7, without locale and without time zone files.
#include <array>
#include <chrono>

#include "common/base/text.h"
#include "common/http/message.h"

namespace aisfs::http {
namespace {

using std::chrono::sys_days;

constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t kSecond = 1'000'000'000;

/// Takes pieces off the front of a text; one that does not fit makes all that follow fail.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  void literal(std::string_view expected) {
    ok_ = ok_ && text_.starts_with(expected);
    if (ok_) text_.remove_prefix(expected.size());
  }
  int number(std::size_t digits) {
    const auto value = parse_u64(text_.substr(0, digits));
    ok_ = ok_ && text_.size() >= digits && value.has_value();
    if (!ok_) return 0;
    text_.remove_prefix(digits);
    return static_cast<int>(*value);
  }
  /// The index of the name that comes next, of which only `letters` are written (0: all).
  template <std::size_t N>
  unsigned one_of(const std::array<std::string_view, N>& names, std::size_t letters) {
    for (unsigned i = 0; ok_ && i < N; ++i) {
      const std::string_view name = letters == 0 ? names[i] : names[i].substr(0, letters);
      if (!text_.starts_with(name)) continue;
      text_.remove_prefix(name.size());
      return i;
    }
    ok_ = false;
    return 0;
  }
  bool skip(char c) {
    if (!ok_ || !text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool at_end() const { return ok_ && text_.empty(); }

 private:
  std::string_view text_;
  bool ok_ = true;
};

struct Moment {
  int year = 0, day = 0, hour = 0, minute = 0, second = 0;
  unsigned month = 0;  // from 0
};

void scan_time(Scanner& in, Moment& m) {
  m.hour = in.number(2);
  in.literal(":");
  m.minute = in.number(2);
  in.literal(":");
  m.second = in.number(2);
}

std::optional<std::int64_t> to_unix_ns(const Moment& m) {
  const std::chrono::year_month_day date{std::chrono::year(m.year), std::chrono::month(m.month + 1),
                                         std::chrono::day(static_cast<unsigned>(m.day))};
  const bool valid = date.ok() && m.hour < 24 && m.minute < 60 && m.second <= 60;
  // Nanoseconds in 64 bits end in April 2262.
  if (!valid || m.year < 1678 || m.year > 2261) return std::nullopt;
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  return (days * 86400 + m.hour * 3600 + m.minute * 60 + m.second) * kSecond;
}

/// Sun, 06 Nov 1994 08:49:37 GMT
std::optional<std::int64_t> parse_imf(std::string_view text) {
  Scanner in(text);
  Moment m;
  in.one_of(kDays, 3);
  in.literal(", ");
  m.day = in.number(2);
  in.literal(" ");
  m.month = in.one_of(kMonths, 0);
  in.literal(" ");
  m.year = in.number(4);
  in.literal(" ");
  scan_time(in, m);
  in.literal(" GMT");
  return in.at_end() ? to_unix_ns(m) : std::nullopt;
}

/// Sunday, 06-Nov-94 08:49:37 GMT
std::optional<std::int64_t> parse_rfc850(std::string_view text) {
  Scanner in(text);
  Moment m;
  in.one_of(kDays, 0);
  in.literal(", ");
  m.day = in.number(2);
  in.literal("-");
  m.month = in.one_of(kMonths, 0);
  in.literal("-");
  const int year = in.number(2);
  m.year = year < 70 ? 2000 + year : 1900 + year;  // POSIX's reading of two digits
  in.literal(" ");
  scan_time(in, m);
  in.literal(" GMT");
  return in.at_end() ? to_unix_ns(m) : std::nullopt;
}

/// Sun Nov  6 08:49:37 1994
std::optional<std::int64_t> parse_asctime(std::string_view text) {
  Scanner in(text);
  Moment m;
  in.one_of(kDays, 3);
  in.literal(" ");
  m.month = in.one_of(kMonths, 0);
  in.literal(" ");
  m.day = in.number(in.skip(' ') ? 1 : 2);
  in.literal(" ");
  scan_time(in, m);
  in.literal(" ");
  m.year = in.number(4);
  return in.at_end() ? to_unix_ns(m) : std::nullopt;
}

void append_digits(std::string& out, long value, int count) {
  char digits[4];
  for (int i = count; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out.append(digits, static_cast<std::size_t>(count));
}

}  // namespace

// With every object that is read, so without the format strings of printf.
std::string http_date(std::int64_t unix_ns) {
  using namespace std::chrono;
  const sys_seconds at(floor<seconds>(nanoseconds(unix_ns)));
  const sys_days day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss<seconds> time(at - day);
  std::string text;
  text.reserve(sizeof "Sun, 06 Nov 1994 08:49:37 GMT");
  text.append(kDays[weekday(day).c_encoding()].substr(0, 3)).append(", ");
  append_digits(text, static_cast<unsigned>(date.day()), 2);
  text.append(" ").append(kMonths[static_cast<unsigned>(date.month()) - 1]).append(" ");
  append_digits(text, static_cast<int>(date.year()), 4);  // 64-bit nanoseconds end in 2262
  const long parts[] = {time.hours().count(), time.minutes().count(), time.seconds().count()};
  for (const char* separator = " "; const long part : parts) {
    text.append(separator);
    append_digits(text, part, 2);
    separator = ":";
  }
  return text.append(" GMT");
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  text = trim(text);
  if (const auto at = parse_imf(text)) return at;
  if (const auto at = parse_rfc850(text)) return at;
  return parse_asctime(text);
}

}  // namespace aisfs::http
