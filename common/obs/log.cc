// SPDX-License-Identifier: MIT
#include "common/obs/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>

namespace aisfs::log {
namespace {

std::atomic<Level> g_level = Level::kInfo;

spdlog::level::level_enum spdlog_level(Level level) {
  constexpr std::array kLevels = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                  spdlog::level::err};
  return kLevels[static_cast<std::size_t>(level)];
}

std::shared_ptr<spdlog::logger>& logger() {
  static auto instance = [] {
    auto l = spdlog::stderr_logger_mt("aisfs");
    l->set_level(spdlog::level::debug);  // `enabled` decides
    l->set_pattern("%Y-%m-%dT%H:%M:%S.%f%z %^%L%$ [%n %t] %v");
    return l;
  }();
  return instance;
}

}  // namespace

void init(const Options& options) {
  g_level = options.level;
  const std::string name = options.name.empty() ? "aisfs" : options.name;
  auto fresh = options.file.empty()
                   ? std::make_shared<spdlog::logger>(
                         name, std::make_shared<spdlog::sinks::stderr_sink_mt>())
                   : std::make_shared<spdlog::logger>(
                         name, std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file));
  fresh->set_level(spdlog::level::debug);
  fresh->set_pattern("%Y-%m-%dT%H:%M:%S.%f%z %^%L%$ [%n %t] %v");
  fresh->flush_on(spdlog::level::info);
  logger() = std::move(fresh);
}

bool parse_level(std::string_view text, Level& level) {
  constexpr std::array<std::string_view, 4> kNames = {"debug", "info", "warn", "error"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (text == kNames[i]) {
      level = static_cast<Level>(i);
      return true;
    }
  }
  return false;
}

void set_level(Level level) { g_level = level; }
bool enabled(Level level) { return level >= g_level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view line) {
  logger()->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace aisfs::log
