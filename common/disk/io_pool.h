// SPDX-License-Identifier: MIT
#pragma once
#include <optional>

#include "common/async/background.h"
#include "common/async/limiter.h"
#include "common/async/offload.h"

namespace aisfs::disk {

struct IoPoolOptions {
  std::size_t threads = 4;     // calls that a disk serves at once
  std::size_t background = 0;  // more of them, for calls of background threads; 0: these share
  std::size_t pending = 256;   // running and waiting; more wait as coroutines, without a queue slot
};

/// The threads of one mountpath: a dying disk can block these and no others.
///
/// From any thread; the pool outlives every task that uses it. The destructor joins.
class IoPool {
 public:
  explicit IoPool(IoPoolOptions options) : serving_(options.threads, options.pending) {
    if (options.background > 0) background_.emplace(options.background, options.pending);
  }
  ~IoPool() { join(); }
  IoPool(const IoPool&) = delete;
  IoPool& operator=(const IoPool&) = delete;

  /// Runs `fn` on a thread of the pool and resumes the caller on its own executor. One hop for all
  /// disk work of a step: it costs 15-60 us. Cancelling waits for the call in flight.
  template <class F>
  Task<std::invoke_result_t<F&>> run(F fn) {
    if (background_ && is_background_thread()) {
      const Limiter::Permit permit = co_await background_->room.acquire();
      co_return co_await offload(background_->threads, [fn = std::move(fn)]() mutable {
        become_background_thread();
        return fn();
      });
    }
    const Limiter::Permit permit = co_await serving_.room.acquire();
    co_return co_await offload(serving_.threads, std::move(fn));
  }

  /// Runs it there some time; waits for nothing.
  template <class F>
  void post(F fn) {
    if (!background_ || !is_background_thread()) return asio::post(serving_.threads, std::move(fn));
    asio::post(background_->threads, [fn = std::move(fn)]() mutable {
      become_background_thread();
      fn();
    });
  }

  asio::any_io_executor executor() { return serving_.threads.get_executor(); }
  /// Waits for what runs; nothing else begins.
  void join() {
    serving_.threads.join();
    if (background_) background_->threads.join();
  }

 private:
  struct Lane {
    Lane(std::size_t count, std::size_t pending)
        : threads(count), room(threads.get_executor(), pending) {}
    asio::thread_pool threads;
    Limiter room;
  };
  Lane serving_;
  std::optional<Lane> background_;
};

}  // namespace aisfs::disk
