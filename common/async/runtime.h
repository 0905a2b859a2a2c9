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
/// a job lives on one shard for life, so its state needs no lock.
///
///   Runtime runtime(2);
///   asio::co_spawn(runtime.shard(0), serve(...), ...);
///   runtime.start();  ...  runtime.stop();
///
/// start and stop from one thread; shard and current_shard from any.
class Runtime {
 public:
  using Executor = asio::io_context::executor_type;

  explicit Runtime(std::size_t shards);
  ~Runtime();  // stops
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  std::size_t size() const { return contexts_.size(); }
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
  std::vector<std::unique_ptr<asio::io_context>> contexts_;
  std::vector<std::thread> threads_;
};

template <class T>
T Runtime::run_on(std::size_t index, Task<T> task) {
  if constexpr (std::is_void_v<T>) {
    asio::co_spawn(shard(index), std::move(task), asio::use_future).get();
  } else {
    // A future of Asio's wants a value that can be made from nothing; a Result cannot.
    auto wrap = [](Task<T> t) -> Task<std::optional<T>> { co_return co_await std::move(t); };
    return *asio::co_spawn(shard(index), wrap(std::move(task)), asio::use_future).get();
  }
}

}  // namespace aisfs
