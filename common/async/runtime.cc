// SPDX-License-Identifier: MIT
#include "common/async/runtime.h"

#include <boost/asio/executor_work_guard.hpp>
#include <csignal>

#include "common/async/background.h"

namespace aisfs {
namespace {
thread_local std::size_t t_shard = 0;
}  // namespace

Runtime::Runtime(std::size_t serving, std::size_t background) : serving_(serving) {
  std::signal(SIGPIPE, SIG_IGN);  // sendfile has no MSG_NOSIGNAL
  for (std::size_t i = 0; i < serving + background; ++i) {
    contexts_.push_back(std::make_unique<asio::io_context>(1));
  }
}

Runtime::~Runtime() { stop(); }

std::size_t Runtime::current_shard() { return t_shard; }

void Runtime::start() {
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    threads_.emplace_back([this, i] {
      t_shard = i;
      if (all() > size()) i < size() ? become_prompt_thread() : become_background_thread();
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
