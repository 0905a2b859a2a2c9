// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <string>

#include "common/async/clock.h"

namespace aisfs::control {

/// Whether this node may still serve: its last renewal that was answered was sent less than half
/// of a lease ago. Counted from the sending, on a clock that goes on while the machine sleeps.
/// Thread-safe.
class Fencing {
 public:
  /// `clock` outlives it.
  explicit Fencing(const Clock& clock) : clock_(clock) {}

  void renewed(TimePoint sent, Duration lease) {
    const auto until = (sent + lease / 2).time_since_epoch().count();
    auto known = until_.load();
    while (known < until && !until_.compare_exchange_weak(known, until)) {
    }
  }
  /// At once, until the next renewal: the lease was refused.
  void fence() { until_.store(0); }

  /// not_ready (503) while fenced. Asked before a request, after its durable step, and before it
  /// is answered.
  Status check() const {
    if (clock_.now().time_since_epoch().count() < until_.load()) return {};
    return Error(Errc::not_ready, "this node has lost contact with the control plane and serves "
                                  "nothing until a gateway answers again");
  }

 private:
  const Clock& clock_;
  std::atomic<Duration::rep> until_{0};
};

}  // namespace aisfs::control
