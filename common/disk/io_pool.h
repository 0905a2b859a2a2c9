// SPDX-License-Identifier: MIT
#pragma once
#include "common/async/limiter.h"
#include "common/async/offload.h"

namespace aisfs::disk {

struct IoPoolOptions {
  std::size_t threads = 4;    // calls that a disk serves at once
  std::size_t pending = 256;  // running and waiting; more wait as coroutines, without a queue slot
};

/// The threads of one mountpath: a dying disk can block these and no others.
///
/// run() from any executor; the pool outlives every task that uses it. The destructor joins.
class IoPool {
 public:
  explicit IoPool(IoPoolOptions options)
      : pool_(options.threads), limiter_(pool_.get_executor(), options.pending) {}
  ~IoPool() { pool_.join(); }
  IoPool(const IoPool&) = delete;
  IoPool& operator=(const IoPool&) = delete;

  /// Runs `fn` on a thread of the pool and resumes the caller on its own executor. One hop for all
  /// disk work of a step: it costs 15-60 us. Cancelling waits for the call in flight.
  template <class F>
  Task<std::invoke_result_t<F&>> run(F fn) {
    const Limiter::Permit permit = co_await limiter_.acquire();
    co_return co_await offload(pool_, std::move(fn));
  }

  asio::thread_pool& threads() { return pool_; }

 private:
  asio::thread_pool pool_;
  Limiter limiter_;
};

}  // namespace aisfs::disk
