// SPDX-License-Identifier: MIT
// Times, durations and sizes as people write and read them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/async/task.h"

namespace aisfs::cli {

/// "2026-11-22 13:37:46" in the user's time zone; "-" for 0 (not known).
std::string local_time(std::int64_t unix_ns);
/// "2026-11-22T13:37:46.000000001Z", for JSON.
std::string iso_time(std::int64_t unix_ns);

/// "500ms", "90s" (or "90"), "5m", "12h", "30d". invalid_argument for anything else.
Result<Duration> parse_duration(std::string_view text);
/// "0:07", "12:05", "3:04:05" for a progress line.
std::string clock_of(Duration duration);

/// "-rw-r--r--" of a mode with its type bits.
std::string mode_text(std::uint32_t mode);

/// "1 object", "2 objects".
std::string count_of(std::uint64_t count, std::string_view noun);

}  // namespace aisfs::cli
