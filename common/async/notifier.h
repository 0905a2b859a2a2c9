// SPDX-License-Identifier: MIT
#pragma once
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>
#include <mutex>

#include "common/async/task.h"

namespace aisfs {

/// Wakes coroutines on any executor when something has changed. Thread-safe.
///
///   const auto seen = changes.count();
///   if (!(condition)) co_await changes.wait(seen, deadline);   // and look again
class Notifier {
 public:
  /// How often notify() was called.
  std::uint64_t count() const {
    std::lock_guard lock(mutex_);
    return count_;
  }

  void notify() {
    std::list<std::shared_ptr<asio::steady_timer>> waiting;
    {
      std::lock_guard lock(mutex_);
      ++count_;
      waiting.swap(waiting_);
    }
    for (auto& timer : waiting) {
      auto ex = timer->get_executor();  // the timer is touched on its own thread only
      asio::post(ex, [timer = std::move(timer)] { timer->cancel(); });
    }
  }

  /// Returns when count() is no longer `seen`, at the deadline, or when cancelled.
  Task<void> wait(std::uint64_t seen, Deadline deadline) {
    auto timer =
        std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor, deadline.at());
    {
      std::lock_guard lock(mutex_);
      if (count_ != seen) co_return;
      waiting_.push_back(timer);
    }
    co_await timer->async_wait(use_ec);
    std::lock_guard lock(mutex_);
    waiting_.remove(timer);
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t count_ = 0;
  std::list<std::shared_ptr<asio::steady_timer>> waiting_;
};

}  // namespace aisfs
