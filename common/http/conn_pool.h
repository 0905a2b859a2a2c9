// SPDX-License-Identifier: MIT
#pragma once
#include <deque>
#include <list>
#include <map>

#include "common/http/client.h"
#include "common/http/stream.h"

namespace aisfs::http {

/// A connection of a client between or during exchanges.
struct ClientConnection {
  explicit ClientConnection(Socket socket) : stream(std::move(socket)) {}
  Stream stream;
  InBuffer in;
  TimePoint idle_since;
};

/// The connections of one shard to all servers. Used on the shard's thread; shared by the client
/// and by responses that outlive it.
class ConnPool : public std::enable_shared_from_this<ConnPool> {
  struct Waiter;
  struct Peer {
    std::deque<std::unique_ptr<ClientConnection>> idle;  // the longest idle first
    std::size_t in_use = 0;
    std::list<Waiter*> waiters;
  };

 public:
  ConnPool(asio::io_context& io, const ClientOptions& options) : io_(io), options_(options) {}

  /// The right to one connection to a server; gives itself back.
  class Slot {
   public:
    Slot() = default;
    Slot(std::shared_ptr<ConnPool> pool, Peer* peer) : pool_(std::move(pool)), peer_(peer) {}
    Slot(Slot&& o) noexcept : pool_(std::move(o.pool_)), peer_(std::exchange(o.peer_, nullptr)) {}
    Slot& operator=(Slot&& o) noexcept {
      std::swap(pool_, o.pool_);
      std::swap(peer_, o.peer_);
      return *this;
    }
    ~Slot() {
      if (peer_ != nullptr) pool_->release(*peer_);
    }
    /// An idle connection that the server has not closed yet; null when there is none.
    std::unique_ptr<ClientConnection> take_idle() { return pool_->take_idle(*peer_); }
    /// Keeps the connection for the next exchange.
    void keep(std::unique_ptr<ClientConnection> connection) {
      pool_->keep(*peer_, std::move(connection));
    }

   private:
    std::shared_ptr<ConnPool> pool_;
    Peer* peer_ = nullptr;
  };

  /// Waits for a free connection; timed_out at the deadline.
  Task<Result<Slot>> acquire(Endpoint to, Deadline deadline);
  asio::io_context& io() { return io_; }
  void close_idle();

 private:
  struct Waiter {
    explicit Waiter(asio::io_context& io) : timer(io) {}
    asio::steady_timer timer;
    bool granted = false;
  };
  std::unique_ptr<ClientConnection> take_idle(Peer& peer);
  void keep(Peer& peer, std::unique_ptr<ClientConnection> connection);
  void release(Peer& peer);
  void drop_stale(TimePoint now);

  asio::io_context& io_;
  const ClientOptions options_;
  std::map<Endpoint, Peer> peers_;  // stable addresses
  TimePoint next_sweep_;
};

}  // namespace aisfs::http
