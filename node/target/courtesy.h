// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <optional>

#include "common/async/clock.h"
#include "common/async/limiter.h"
#include "common/auth/identity.h"

namespace aisfs::target {

/// Turns for work on names that nobody waits for: many at once while no client is here, few while
/// one is, who would wait behind all of them for the disks. Thread-safe.
class Courtesy {
 public:
  /// `clock` outlives it, as it does all turns.
  Courtesy(asio::any_io_executor ex, const Clock& clock)
      : clock_(clock), all_(ex, kAll), most_(ex, kMost), few_(ex, kFew) {}

  // Of all targets that send names here. At level full they share barriers, so more are faster.
  static constexpr std::size_t kAll = 128;
  // Of them, those whose bytes are on their way.
  static constexpr std::size_t kMost = 32;
  // Beside 100 cold GETs a second 6, 12 and 32 moved 216, 212 and 233 MB/s; the slowest of a
  // hundred GETs took 11, 11 and 13 ms (as in rebalance_grid.sh, level none, two cores).
  static constexpr std::size_t kFew = 12;
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
    std::optional<Limiter::Permit> bytes;

    /// What is left is waiting for a barrier, which keeps no reader waiting.
    void bytes_are_here() { bytes.reset(); }
  };
  Task<Turn> turn() {
    auto one = co_await all_.acquire();
    if (!is_client_here()) {
      auto bytes = co_await most_.acquire();
      // Meanwhile one may have come.
      if (!is_client_here()) co_return Turn{std::move(one), std::move(bytes)};
    }
    auto bytes = co_await few_.acquire();
    co_return Turn{std::move(one), std::move(bytes)};
  }

 private:
  bool is_client_here() const {
    const TimePoint::duration last(last_.load(std::memory_order_relaxed));
    return last.count() != 0 && clock_.now().time_since_epoch() - last < kLately;
  }

  const Clock& clock_;
  Limiter all_, most_, few_;
  std::atomic<TimePoint::rep> last_ = 0;
};

}  // namespace aisfs::target
