// SPDX-License-Identifier: MIT
// Logs are events with fields: LOG_INFO("map installed", "epoch", 7, "targets", 3).
//
// error: somebody must act. warn: degraded and healing. info: decisions. debug: a request's path.
// Never payloads, keys or tokens.
#pragma once
#include <fmt/core.h>

#include <string>
#include <string_view>

namespace aisfs::log {

enum class Level : int { kDebug, kInfo, kWarn, kError };

struct Options {
  Level level = Level::kInfo;
  std::string file;  // empty: stderr
  std::string name;  // of the program, in every line
};

/// Once, early in main. Before it, events go to stderr at level info.
void init(const Options& options);
/// debug, info, warn or error; false for anything else.
bool parse_level(std::string_view text, Level& level);
void set_level(Level level);
bool enabled(Level level);
void write(Level level, std::string_view line);

namespace detail {
inline void append(std::string&) {}
template <class V, class... Rest>
void append(std::string& out, std::string_view key, const V& value, const Rest&... rest) {
  // Not format_to: clang 19 mangles its vformat_to unlike the gcc that built Debian's libfmt.
  out += fmt::format(" {}={}", key, value);
  append(out, rest...);
}
}  // namespace detail

template <class... Fields>
void event(Level level, std::string_view what, const Fields&... fields) {
  static_assert(sizeof...(Fields) % 2 == 0, "fields come as name, value");
  std::string line(what);
  detail::append(line, fields...);
  write(level, line);
}

}  // namespace aisfs::log

#define AISFS_LOG_(level, ...)                                               \
  do {                                                                       \
    if (::aisfs::log::enabled(level)) ::aisfs::log::event(level, __VA_ARGS__); \
  } while (false)
#define LOG_DEBUG(...) AISFS_LOG_(::aisfs::log::Level::kDebug, __VA_ARGS__)
#define LOG_INFO(...) AISFS_LOG_(::aisfs::log::Level::kInfo, __VA_ARGS__)
#define LOG_WARN(...) AISFS_LOG_(::aisfs::log::Level::kWarn, __VA_ARGS__)
#define LOG_ERROR(...) AISFS_LOG_(::aisfs::log::Level::kError, __VA_ARGS__)
