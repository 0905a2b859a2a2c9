// SPDX-License-Identifier: MIT
#include "common/http/conn_pool.h"

#include "common/base/defer.h"

namespace aisfs::http {
namespace {

constexpr auto kSweepEvery = std::chrono::seconds(5);

TimePoint now() { return std::chrono::steady_clock::now(); }

}  // namespace

Task<Result<ConnPool::Slot>> ConnPool::acquire(Endpoint to, Deadline deadline) {
  Peer& peer = peers_[to];
  if (peer.in_use < options_.connections_per_endpoint_max) {
    ++peer.in_use;
    co_return Slot(shared_from_this(), &peer);
  }
  Waiter waiter(io_);
  waiter.timer.expires_at(deadline.at());
  peer.waiters.push_back(&waiter);
  const Defer leave([&] { peer.waiters.remove(&waiter); });
  const auto self = shared_from_this();
  co_await waiter.timer.async_wait(use_ec);
  if (waiter.granted) co_return Slot(self, &peer);
  if (!deadline.expired()) co_return Error(Errc::cancelled);
  co_return Error(Errc::timed_out, "no connection to " + to.to_string() + " became free");
}

void ConnPool::release(Peer& peer) {
  if (peer.waiters.empty()) {
    --peer.in_use;
    return;
  }
  Waiter* next = peer.waiters.front();
  peer.waiters.pop_front();
  next->granted = true;
  next->timer.cancel();
}

std::unique_ptr<ClientConnection> ConnPool::take_idle(Peer& peer) {
  const TimePoint oldest = now() - options_.idle_timeout;
  while (!peer.idle.empty()) {
    auto connection = std::move(peer.idle.back());
    peer.idle.pop_back();
    // Bytes nobody asked for, or the end: this connection is of no use.
    if (connection->idle_since > oldest && !connection->stream.readable()) return connection;
  }
  return nullptr;
}

void ConnPool::keep(Peer& peer, std::unique_ptr<ClientConnection> connection) {
  connection->idle_since = now();
  drop_stale(connection->idle_since);
  if (peer.idle.size() >= options_.idle_per_endpoint_max) peer.idle.pop_front();
  peer.idle.push_back(std::move(connection));
}

void ConnPool::drop_stale(TimePoint at) {
  if (at < next_sweep_) return;
  next_sweep_ = at + kSweepEvery;
  for (auto& [endpoint, peer] : peers_) {
    while (!peer.idle.empty() && peer.idle.front()->idle_since < at - options_.idle_timeout) {
      peer.idle.pop_front();
    }
  }
}

void ConnPool::close_idle() {
  for (auto& [endpoint, peer] : peers_) peer.idle.clear();
}

}  // namespace aisfs::http
