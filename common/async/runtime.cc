// SPDX-License-Identifier: MIT
#include "common/async/runtime.h"

#include <boost/asio/executor_work_guard.hpp>
#include <csignal>

namespace aisfs {
namespace {
thread_local std::size_t t_shard = 0;
}  // namespace

Runtime::Runtime(std::size_t shards) {
  std::signal(SIGPIPE, SIG_IGN);  // sendfile has no MSG_NOSIGNAL
  for (std::size_t i = 0; i < shards; ++i) {
    contexts_.push_back(std::make_unique<asio::io_context>(1));
  }
}

Runtime::~Runtime() { stop(); }

std::size_t Runtime::current_shard() { return t_shard; }

void Runtime::start() {
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    threads_.emplace_back([this, i] {
      t_shard = i;
      auto work = asio::make_work_guard(*contexts_[i]);
      contexts_[i]->run();
    });
  }
}

void Runtime::stop() {
  for (auto& context : contexts_) context->stop();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace aisfs
