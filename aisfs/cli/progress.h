// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <deque>
#include <string>

#include "common/async/task.h"

namespace aisfs::cli {

/// Where a transfer of many files stands.
struct ProgressState {
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;  // 0: not known (standard input)
  std::uint64_t files_done = 0;
  std::uint64_t files_total = 0;
  std::uint64_t bytes_per_second = 0;
};

/// "[=====>    ] 52%  1.2 GiB of 2.3 GiB  3/7  310 MiB/s  ETA 0:04", cut to `width` columns.
std::string progress_line(const ProgressState& state, std::size_t width);

/// Where names that move to other targets stand.
struct MoveState {
  std::uint64_t names_done = 0;
  std::uint64_t names_total = 0;  // 0: not known yet
  std::uint64_t bytes_moved = 0;
  std::uint64_t bytes_per_second = 0;
  std::uint64_t names_per_second = 0;
};

/// "[=====>    ] 52%  1200 of 2300 names  1.2 GiB moved  310 MiB/s  ETA 0:04", cut as above.
std::string move_line(const MoveState& state, std::size_t width);

/// "[=====>    ] 52%  1200 of 2300 names"; `total` is not 0.
std::string names_bar(std::uint64_t done, std::uint64_t total);

/// The time for so many names at that rate; "-:--" when there is no telling.
std::string eta_text(std::uint64_t names, std::uint64_t names_per_second);

/// The rate of the last few seconds, so that a stall shows and the start does not weigh for ever.
class RateMeter {
 public:
  static constexpr Duration kWindow = std::chrono::seconds(5);

  /// `bytes` is the running total; times never go back.
  void record(TimePoint now, std::uint64_t bytes);
  std::uint64_t bytes_per_second() const;
  /// Whether there is a span of time to tell a rate of.
  bool is_known() const;

 private:
  struct Sample {
    TimePoint at;
    std::uint64_t bytes;
  };
  std::deque<Sample> samples_;  // at most one per 100 ms of the window
};

}  // namespace aisfs::cli
