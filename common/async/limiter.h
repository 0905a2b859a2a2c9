// SPDX-License-Identifier: MIT
#pragma once
#include <boost/asio/experimental/concurrent_channel.hpp>

#include "common/async/task.h"

namespace aisfs {

/// Counting semaphore for coroutines; safe across threads. Permits give themselves back.
class Limiter {
 public:
  Limiter(asio::any_io_executor ex, std::size_t permits) : slots_(std::move(ex), permits) {}

  class [[nodiscard]] Permit {
   public:
    explicit Permit(Limiter* owner) : owner_(owner) {}
    Permit(Permit&& o) noexcept : owner_(std::exchange(o.owner_, nullptr)) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (owner_ != nullptr) owner_->release();
    }

   private:
    Limiter* owner_;
  };

  /// Waits for a free permit.
  Task<Permit> acquire() {
    co_await slots_.async_send(boost::system::error_code{}, asio::use_awaitable);
    co_return Permit(this);
  }
  /// nullopt when none is free now.
  std::optional<Permit> try_acquire() {
    if (!slots_.try_send(boost::system::error_code{})) return std::nullopt;
    return Permit(this);
  }

 private:
  void release() {
    slots_.try_receive([](boost::system::error_code) {});
  }
  asio::experimental::concurrent_channel<void(boost::system::error_code)> slots_;
};

}  // namespace aisfs
