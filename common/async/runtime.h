// SPDX-License-Identifier: MIT
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "common/async/task.h"

namespace aisfs {

/// The io threads of a program: one io_context a thread (a shard). A connection, an open handle,
/// a job lives on one shard for life, so its state needs no lock. Those that serve come first;
/// behind them may be some for background work (background.h).
///
///   Runtime runtime(2);
///   asio::co_spawn(runtime.shard(0), serve(...), ...);
///   runtime.start();  ...  runtime.stop();
///
/// start and stop from one thread; shard and current_shard from any.
class Runtime {
 public:
  using Executor = asio::io_context::executor_type;

  explicit Runtime(std::size_t serving, std::size_t background = 0);
  ~Runtime();  // stops
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// How many serve: the shards [0, size()).
  std::size_t size() const { return serving_; }
  /// The shards [size(), all()) are for background work.
  std::size_t all() const { return contexts_.size(); }
  asio::io_context& shard(std::size_t index) { return *contexts_[index]; }

  /// The shard that the calling thread runs, or 0 on a thread that runs none. Stays the same
  /// over co_await, because a coroutine stays on its shard.
  static std::size_t current_shard();

  /// Starts the threads. The shards run until stop(), also when idle.
  void start();
  /// Between start() and stop(). From the thread that calls these.
  bool running() const { return !threads_.empty(); }
  /// Lets no new work begin, ends the loops and joins the threads. Idempotent.
  void stop();

  /// Runs `task` on shard `index` and waits for it. Not from an io thread.
  template <class T>
  T run_on(std::size_t index, Task<T> task);

 private:
  const std::size_t serving_;
  std::vector<std::unique_ptr<asio::io_context>> contexts_;
  std::vector<std::thread> threads_;
};

template <class T>
T Runtime::run_on(std::size_t index, Task<T> task) {
  if constexpr (std::is_void_v<T>) {
    asio::co_spawn(shard(index), std::move(task), asio::use_future).get();
  } else {
    std::promise<std::optional<T>> done;  // Asio asks for a default constructor, T need not have one
    auto keep = [](Task<T> t, std::optional<T>& out) -> Task<void> {
      out.emplace(co_await std::move(t));
    };
    std::optional<T> out;
    asio::co_spawn(shard(index), keep(std::move(task), out), [&](std::exception_ptr error) {
      error ? done.set_exception(error) : done.set_value(std::move(out));
    });
    return std::move(*done.get_future().get());
  }
}

}  // namespace aisfs
