// SPDX-License-Identifier: MIT
#include "common/async/clock.h"

#include <time.h>

#include <boost/asio/steady_timer.hpp>

namespace aisfs {

TimePoint RealClock::now() const {
  timespec ts{};
  ::clock_gettime(CLOCK_BOOTTIME, &ts);
  return TimePoint(std::chrono::seconds(ts.tv_sec) + std::chrono::nanoseconds(ts.tv_nsec));
}

std::int64_t RealClock::unix_ns() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Task<Status> RealClock::sleep_until(TimePoint at) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(at - now());
  auto [ec] = co_await timer.async_wait(use_ec);
  if (ec) co_return Error(Errc::cancelled);
  co_return Status{};
}

}  // namespace aisfs
