// SPDX-License-Identifier: MIT
#include "aisfs/cli/units.h"

#include <sys/stat.h>
#include <time.h>

#include <array>
#include <cstdio>

#include "common/base/text.h"

namespace aisfs::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

struct Unit {
  std::string_view suffix;
  std::int64_t ns;
};
// Longer suffixes first: "ms" ends in "s".
constexpr std::array<Unit, 6> kUnits = {{{"ms", kSecond / 1000},
                                         {"s", kSecond},
                                         {"m", 60 * kSecond},
                                         {"h", 3600 * kSecond},
                                         {"d", 86400 * kSecond},
                                         {"", kSecond}}};

std::string format_time(const tm& parts, const char* format) {
  char text[64];
  text[::strftime(text, sizeof text, format, &parts)] = '\0';
  return text;
}

char type_letter(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return 'd';
    case S_IFLNK:
      return 'l';
    case S_IFIFO:
      return 'p';
    case S_IFSOCK:
      return 's';
    case S_IFBLK:
      return 'b';
    case S_IFCHR:
      return 'c';
    default:
      return '-';
  }
}

}  // namespace

std::string local_time(std::int64_t unix_ns) {
  if (unix_ns == 0) return "-";
  const time_t seconds = unix_ns / kSecond;
  tm parts{};
  ::localtime_r(&seconds, &parts);
  return format_time(parts, "%Y-%m-%d %H:%M:%S");
}

std::string iso_time(std::int64_t unix_ns) {
  time_t seconds = unix_ns / kSecond;
  std::int64_t rest = unix_ns % kSecond;
  if (rest < 0) rest += kSecond, --seconds;
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%09lldZ", static_cast<long long>(rest));
  return format_time(parts, "%Y-%m-%dT%H:%M:%S") + fraction;
}

Result<Duration> parse_duration(std::string_view text) {
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.suffix)) continue;
    const auto count = parse_u64(text.substr(0, text.size() - unit.suffix.size()));
    constexpr std::uint64_t kDaysMax = 36500;
    if (count && *count <= kDaysMax * 86400 * kSecond / static_cast<std::uint64_t>(unit.ns)) {
      return Duration(static_cast<std::int64_t>(*count) * unit.ns);
    }
    break;
  }
  return Error(Errc::invalid_argument,
               "not a duration: \"" + std::string(text) + "\"; write 500ms, 90s, 5m, 12h or 30d");
}

std::string clock_of(Duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  char text[48];
  if (seconds >= 3600) {
    std::snprintf(text, sizeof text, "%lld:%02d:%02d", static_cast<long long>(seconds / 3600),
                  static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  } else {
    std::snprintf(text, sizeof text, "%d:%02d", static_cast<int>(seconds / 60),
                  static_cast<int>(seconds % 60));
  }
  return text;
}

std::string mode_text(std::uint32_t mode) {
  std::string text(1, type_letter(mode));
  for (int shift : {6, 3, 0}) {
    text += mode >> shift & 4 ? 'r' : '-';
    text += mode >> shift & 2 ? 'w' : '-';
    text += mode >> shift & 1 ? 'x' : '-';
  }
  const auto special = [&](std::uint32_t bit, std::size_t at, char with_x, char without) {
    if (mode & bit) text[at] = text[at] == 'x' ? with_x : without;
  };
  special(S_ISUID, 3, 's', 'S');
  special(S_ISGID, 6, 's', 'S');
  special(S_ISVTX, 9, 't', 'T');
  return text;
}

std::string count_of(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace aisfs::cli
