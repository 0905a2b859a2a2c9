// SPDX-License-Identifier: MIT
#pragma once
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <memory>
#include <utility>

#include "common/async/task.h"

namespace aisfs::store {

/// A suspended coroutine that any thread may resume, once, on its own executor:
///
///   T value = co_await suspend<T>([&](Resume<T> resume) { keep(std::move(resume)); });
template <class T>
class Resume {
 public:
  Resume() = default;
  template <class Handler>
  explicit Resume(Handler handler) : held_(std::make_unique<Held<Handler>>(std::move(handler))) {}

  explicit operator bool() const { return held_ != nullptr; }
  void operator()(T value) && { std::exchange(held_, nullptr)->go(std::move(value)); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void go(T value) = 0;
  };
  template <class Handler>
  struct Held final : Base {
    explicit Held(Handler h)
        : handler(std::move(h)), work(asio::make_work_guard(asio::get_associated_executor(handler))) {}
    void go(T value) override {
      auto ex = work.get_executor();
      // The guard ends on ex: once the caller runs again, ex may be gone before this thread is.
      asio::post(ex, [w = std::move(work), h = std::move(handler), v = std::move(value)]() mutable {
        std::move(h)(std::move(v));
      });
    }
    Handler handler;
    asio::executor_work_guard<asio::associated_executor_t<Handler>> work;
  };
  std::unique_ptr<Base> held_;
};

/// Calls `start` with what resumes the caller. Not cancellable.
template <class T, class Start>
Task<T> suspend(Start start) {
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(
      [&start](auto handler) { start(Resume<T>(std::move(handler))); }, asio::use_awaitable);
}

}  // namespace aisfs::store
