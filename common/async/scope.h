// SPDX-License-Identifier: MIT
#pragma once
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <list>

#include "common/async/task.h"

namespace aisfs {

/// Owns the coroutines it spawns: join() returns only when none is left. One executor, not
/// thread-safe; call spawn, cancel and join on that executor's thread.
class TaskScope {
 public:
  explicit TaskScope(asio::any_io_executor ex)
      : ex_(std::move(ex)), idle_(ex_, std::chrono::steady_clock::time_point::max()) {}
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  ~TaskScope() { AISFS_ASSERT(live_.empty()); }  // join() first

  void spawn(Task<void> task) {
    auto it = live_.emplace(live_.end());
    asio::co_spawn(ex_, std::move(task),
                   asio::bind_cancellation_slot(it->slot(), [this, it](std::exception_ptr e) {
                     live_.erase(it);
                     if (e && !first_error_) {
                       first_error_ = e;
                       cancel();
                     }
                     if (live_.empty()) idle_.cancel();
                   }));
  }

  std::size_t size() const { return live_.size(); }
  asio::any_io_executor executor() const { return ex_; }

  void cancel() {
    for (auto& signal : live_) signal.emit(asio::cancellation_type::all);
  }

  /// Waits until no child is left. A cancelled caller cancels the children and still waits for
  /// them. Rethrows the first exception of a child (the others were cancelled because of it).
  Task<void> join() {
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!live_.empty()) {
      co_await idle_.async_wait(use_ec);
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) cancel();
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    if (first_error_) std::rethrow_exception(std::exchange(first_error_, nullptr));
  }

 private:
  asio::any_io_executor ex_;
  asio::steady_timer idle_;
  std::list<asio::cancellation_signal> live_;
  std::exception_ptr first_error_;
};

}  // namespace aisfs
