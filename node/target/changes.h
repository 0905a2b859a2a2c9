// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "common/async/notifier.h"
#include "common/model/cluster_map.h"

namespace aisfs::target {

/// A path and its marker are one name to whoever looks it up.
inline std::string_view path_of(std::string_view key) {
  if (key.ends_with('/')) key.remove_suffix(1);
  return key;
}

/// The changes under way, by the epoch of the map that each was admitted by. A newer map is in
/// force here when none of an older one goes on. Thread-safe; outlives its tickets.
class ChangesUnderWay {
 public:
  /// Held while a change is under way.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept
        : of_(std::exchange(other.of_, nullptr)), epoch_(other.epoch_) {}
    Ticket& operator=(Ticket&& other) noexcept {
      std::swap(of_, other.of_);
      std::swap(epoch_, other.epoch_);
      return *this;
    }
    ~Ticket() {
      if (of_ != nullptr) of_->end(epoch_);
    }
    bool empty() const { return of_ == nullptr; }

   private:
    friend class ChangesUnderWay;
    Ticket(ChangesUnderWay& of, Epoch epoch) : of_(&of), epoch_(epoch) {}

    ChangesUnderWay* of_ = nullptr;
    Epoch epoch_ = 0;
  };

  Ticket begin(Epoch epoch) {
    std::lock_guard lock(mutex_);
    ++counts_[epoch];
    return Ticket(*this, epoch);
  }

  /// True when all that is under way was admitted by `epoch` or a later one; false at the deadline.
  Task<bool> wait_for_older(Epoch epoch, Deadline deadline) {
    for (;;) {
      const auto seen = ended_.count();
      if (!has_older(epoch)) co_return true;
      if (deadline.expired()) {
        give_up(epoch);
        co_return false;
      }
      co_await ended_.wait(seen, deadline);
    }
  }

  /// Whether something is under way that an older map let in.
  bool has_older(Epoch epoch) const {
    std::lock_guard lock(mutex_);
    return !counts_.empty() && counts_.begin()->first < epoch;
  }

  /// Changes that a map older than this let in were not waited for any more: what they change may
  /// be somebody else's by now.
  Epoch given_up() const { return given_up_.load(); }

 private:
  void give_up(Epoch epoch) {
    Epoch known = given_up_.load();
    while (known < epoch && !given_up_.compare_exchange_weak(known, epoch)) {
    }
  }

  void end(Epoch epoch) {
    {
      std::lock_guard lock(mutex_);
      const auto it = counts_.find(epoch);
      if (--it->second != 0) return;
      counts_.erase(it);
    }
    ended_.notify();
  }

  mutable std::mutex mutex_;
  std::map<Epoch, std::size_t> counts_;  // guarded by mutex_
  Notifier ended_;
  std::atomic<Epoch> given_up_ = 0;
};

}  // namespace aisfs::target
