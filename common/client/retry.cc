// SPDX-License-Identifier: MIT
#include "common/client/retry.h"

#include <boost/asio/steady_timer.hpp>

namespace aisfs {

bool may_retry(const Error& error, Replay replay) {
  switch (info(error.code()).retry) {
    case Retry::kNever: return false;
    case Retry::kAfterRefresh: return true;  // refused: nothing happened
    case Retry::kBackoff:
      return replay != Replay::kAmbiguous || error.code() != Errc::timed_out;
    // A second replica is the owner's business; a node that is away may come back.
    case Retry::kOtherReplica:
      return error.code() == Errc::unreachable &&
             (replay != Replay::kAmbiguous || error.never_sent());
  }
  return false;
}

Duration Backoff::next() {
  thread_local std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<Duration::rep> spread(step_.count() / 4, step_.count());
  const Duration wait(spread(random));
  step_ = std::min(step_ * 2, kCap);
  return wait;
}

Task<bool> Backoff::wait(Deadline deadline) {
  const Duration pause = next();
  if (deadline.left() <= pause) co_return false;
  asio::steady_timer timer(co_await asio::this_coro::executor, pause);
  auto [ec] = co_await timer.async_wait(use_ec);
  co_return !ec;
}

}  // namespace aisfs
