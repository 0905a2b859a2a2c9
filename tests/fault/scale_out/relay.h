// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "common/async/clock.h"
#include "common/base/unique_fd.h"
#include "common/model/cluster_map.h"

namespace aisfs::tests::scale {

/// Passes TCP connections on to one address, and knows how long each request waited: from the last
/// byte that went there until the first that came back. So what a program itself takes does not
/// count, however slow the machine is. Where nobody listens, the connection ends at once.
class Relay {
 public:
  explicit Relay(Endpoint to);
  /// Ends all connections.
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  const Endpoint& endpoint() const { return endpoint_; }

  struct Seen {
    Duration longest{};
    std::size_t broken = 0;  // connections that were refused, or ended before the answer
  };
  /// Since it was last asked.
  Seen take();
  /// Returns when somebody listens there; false if nobody does in time.
  bool wait_for_listener(const Deadline& deadline) const;

 private:
  void accept_all();
  void serve(UniqueFd client);
  void pass_on(int client, int server);
  void note(Duration waited, bool broken);

  const Endpoint to_;
  Endpoint endpoint_;
  UniqueFd listener_;
  std::atomic<bool> ending_ = false;
  std::mutex mutex_;
  Seen seen_;                         // guarded by mutex_
  std::set<int> open_;                // guarded by mutex_; sockets of connections
  std::vector<std::thread> threads_;  // of accept_all() but the first
  std::thread acceptor_;
};

}  // namespace aisfs::tests::scale
