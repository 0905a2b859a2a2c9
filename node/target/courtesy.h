// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <optional>

#include "common/async/clock.h"
#include "common/async/limiter.h"
#include "common/auth/identity.h"

namespace aisfs::target {

/// Turns for work on names that nobody waits for: many at once while no client is here, few while
/// one is, who would wait behind all of them for the threads of a mountpath. Thread-safe.
class Courtesy {
 public:
  /// `clock` outlives it, as it does all turns.
  Courtesy(asio::any_io_executor ex, const Clock& clock)
      : clock_(clock), most_(ex, kMost), few_(ex, kFew) {}

  // Of all targets that send names here. At level full they share barriers, so more are faster.
  static constexpr std::size_t kMost = 32;
  // One less than a mountpath has threads (disk::IoPoolOptions): a client's read finds one free.
  // With 4 or 8 the slowest reads took longer and names moved no faster; with 2 rsync was faster.
  static constexpr std::size_t kFew = 3;
  static constexpr Duration kLately = std::chrono::seconds(1);

  /// Somebody is served.
  void note(const auth::Identity& who) {
    if (who.kind() != auth::Identity::Kind::kNode) client_came();
  }
  void client_came() {
    last_.store(clock_.now().time_since_epoch().count(), std::memory_order_relaxed);
  }

  struct [[nodiscard]] Turn {
    Limiter::Permit one;
    std::optional<Limiter::Permit> few;

    /// What is left is waiting for a barrier, which keeps no reader waiting.
    void bytes_are_here() { few.reset(); }
  };
  Task<Turn> turn() {
    auto one = co_await most_.acquire();
    if (!is_client_here()) co_return Turn{std::move(one), std::nullopt};
    auto few = co_await few_.acquire();
    co_return Turn{std::move(one), std::move(few)};
  }

 private:
  bool is_client_here() const {
    const TimePoint::duration last(last_.load(std::memory_order_relaxed));
    return last.count() != 0 && clock_.now().time_since_epoch() - last < kLately;
  }

  const Clock& clock_;
  Limiter most_, few_;
  std::atomic<TimePoint::rep> last_ = 0;
};

}  // namespace aisfs::target
