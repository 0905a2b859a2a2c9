// SPDX-License-Identifier: MIT
#pragma once
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "common/base/bytes.h"

namespace aisfs::fs {

/// What objects without POSIX attributes show.
struct AttrDefaults {
  std::uint32_t uid = ::getuid();
  std::uint32_t gid = ::getgid();
  std::uint32_t file_mode = 0644;
  std::uint32_t dir_mode = 0755;
  std::int64_t time_ns = 0;  // of implied directories: when the mount began
};

struct Options {
  AttrDefaults defaults;
  std::string cache_dir = "/var/tmp";  // of files that are open for writing
  std::chrono::nanoseconds op_timeout = std::chrono::seconds(30);
  /// Kernel requests of one thread within this time after it saw an object are answered from what
  /// it saw: LOOKUP and GETATTR of one stat(2), the directories of one path. Never at open.
  std::chrono::nanoseconds same_call = std::chrono::milliseconds(10);
  /// Whether directories in which this mount alone works are asked for.
  bool delegations = true;
  /// A directory that others wanted back is not asked for again for so long, which doubles with
  /// every time up to 256 times.
  std::chrono::nanoseconds delegate_again = std::chrono::seconds(1);
  /// An rsync temporary that was closed is sent after so long, if it has not been renamed.
  std::chrono::nanoseconds await_name = std::chrono::milliseconds(10);
  /// For so long after a request the mount looks for the next one before it sleeps.
  std::chrono::nanoseconds spin = std::chrono::microseconds(50);
  std::uint64_t read_memory = 256_MiB;        // read-ahead of all open files together
  std::uint64_t small_file = 1_MiB;           // fetched whole at open, written from memory
  std::uint64_t patch_from = 4_MiB;           // smaller files are published whole
  std::uint64_t slowest_bytes_per_s = 4_MiB;  // a publish of n bytes may take n / this longer
  bool read_only = false;
};

}  // namespace aisfs::fs
