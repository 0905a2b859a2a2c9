// SPDX-License-Identifier: MIT
// The clock seam: everything that waits or orders by time gets its time from here.
#pragma once
#include "common/async/task.h"

namespace aisfs {

class Clock {
 public:
  virtual ~Clock() = default;

  /// Monotonic; goes on while the machine sleeps (CLOCK_BOOTTIME), so leases end on time.
  virtual TimePoint now() const = 0;
  /// Wall clock, nanoseconds since 1970; may jump.
  virtual std::int64_t unix_ns() const = 0;
  /// Resumes at `at`; cancelled when the caller is.
  virtual Task<Status> sleep_until(TimePoint at) = 0;

  Task<Status> sleep(Duration d) { return sleep_until(now() + d); }
};

/// The machine's clocks.
class RealClock final : public Clock {
 public:
  TimePoint now() const override;
  std::int64_t unix_ns() const override;
  Task<Status> sleep_until(TimePoint at) override;
};

}  // namespace aisfs
