// SPDX-License-Identifier: MIT
#pragma once
#include <random>

#include "common/async/task.h"
#include "common/client/replay.h"

namespace aisfs {

/// Decides by errc.def and the operation whether to try again.
bool may_retry(const Error& error, Replay replay);

/// Waits between attempts: doubling from `first` to `cap`, each with full jitter, so that clients
/// that failed together do not come back together.
class Backoff {
 public:
  static constexpr Duration kFirst = std::chrono::milliseconds(20);
  static constexpr Duration kCap = std::chrono::seconds(1);

  /// The next wait; at least a quarter of the step, so that a loop never spins.
  Duration next();

  /// Sleeps for next(). False, at once, when that would end after the deadline.
  Task<bool> wait(Deadline deadline);

 private:
  Duration step_ = kFirst;
};

}  // namespace aisfs
