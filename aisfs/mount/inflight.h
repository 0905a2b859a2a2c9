// SPDX-License-Identifier: MIT
#pragma once
#include <boost/asio/cancellation_signal.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "common/async/task.h"

namespace aisfs::mount {

/// A kernel request on its way.
struct Running {
  std::uint64_t id = 0;
  const char* operation = "";
  std::shared_ptr<Deadline> deadline;  // the mount's shard moves it for large transfers
  asio::cancellation_signal signal;    // the mount's shard only
  bool overdue = false;                // the mount's shard only: cancelled for its deadline

  // Guarded by the table's mutex.
  bool interrupted = false;
  TimePoint interrupted_at;
};

/// All requests on their way, so that an interrupt finds its own and none outlives its deadline.
/// Thread-safe. Interrupts refer to a request by id: its answer may be on its way already.
class Inflight {
 public:
  std::shared_ptr<Running> add(const char* operation, std::shared_ptr<Deadline> deadline);
  void remove(std::uint64_t id);
  /// The kernel's process got a signal.
  void interrupt(std::uint64_t id);
  std::size_t size() const;

  /// Cancels what was interrupted a grace ago (many signals are not meant to end a system call:
  /// timers, Go's preemption) and what is past its deadline. On the mount's shard.
  void cancel_late();

 private:
  std::vector<std::shared_ptr<Running>> all() const;
  bool wants_out(const Running& running) const;

  mutable std::mutex mutex_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<Running>> running_;
};

}  // namespace aisfs::mount
