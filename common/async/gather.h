// SPDX-License-Identifier: MIT
#pragma once
#include <vector>

#include "common/async/scope.h"

namespace aisfs {

/// Runs all operations at once on the caller's executor and waits for every one of them.
/// The results are in the order of the operations.
template <class T>
Task<std::vector<Result<T>>> gather(std::vector<Task<Result<T>>> operations) {
  TaskScope scope(co_await asio::this_coro::executor);
  std::vector<Result<T>> results(operations.size(), Result<T>(Errc::cancelled));
  auto run = [](Task<Result<T>> op, Result<T>& out) -> Task<void> { out = co_await std::move(op); };
  for (std::size_t i = 0; i < operations.size(); ++i) {
    scope.spawn(run(std::move(operations[i]), results[i]));
  }
  co_await scope.join();
  co_return results;
}

}  // namespace aisfs
