// SPDX-License-Identifier: MIT
#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/thread_pool.hpp>
#include <exception>
#include <optional>

#include "common/async/task.h"

namespace aisfs {

/// Runs a blocking call on `pool`, resumes the caller on its own executor.
///
/// A hop costs 15-60 us: do all of a request's disk work in one. Cancelling does not interrupt
/// the call in flight; the caller waits for it. The caller's runtime outlives the pool.
template <class F>
Task<std::invoke_result_t<F&>> offload(asio::thread_pool& pool, F fn) {
  using R = std::invoke_result_t<F&>;
  auto ex = co_await asio::this_coro::executor;
  auto result = co_await asio::async_initiate<const asio::use_awaitable_t<>,
                                              void(std::exception_ptr, std::optional<R>)>(
      [&pool, ex](auto handler, F f) {
        asio::post(pool, [ex, work = asio::make_work_guard(ex), h = std::move(handler),
                          f = std::move(f)]() mutable {
          std::exception_ptr error;
          std::optional<R> r;
          try {
            r.emplace(f());
          } catch (...) {
            error = std::current_exception();
          }
          // The guard ends on ex: once the caller runs again, ex may be gone before this thread is.
          asio::post(ex, [work = std::move(work), h = std::move(h), error, r = std::move(r)]() mutable {
            std::move(h)(error, std::move(r));
          });
        });
      },
      asio::use_awaitable, std::move(fn));
  co_return std::move(*result);
}

}  // namespace aisfs
