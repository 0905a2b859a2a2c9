// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/async/clock.h"
#include "common/base/bytes.h"

namespace aisfs::tests::scale {

/// What clients of one kind have done. Thread-safe.
class Tally {
 public:
  struct Counts {
    std::size_t reads = 0, writes = 0, retries = 0, failures = 0;
    Duration longest{};  // that one operation waited

    Counts& operator+=(const Counts& other) {
      reads += other.reads;
      writes += other.writes;
      retries += other.retries;
      failures += other.failures;
      longest = std::max(longest, other.longest);
      return *this;
    }
  };
  enum class Kind : std::uint8_t { kRead, kWrite };

  void did(Kind kind, Duration waited, std::size_t retries = 0) {
    const std::lock_guard lock(mutex_);
    for (Counts* counts : {&step_, &all_}) {
      ++(kind == Kind::kRead ? counts->reads : counts->writes);
      counts->retries += retries;
      counts->longest = std::max(counts->longest, waited);
    }
    changed_.notify_all();
  }
  void failed(std::string what) {
    const std::lock_guard lock(mutex_);
    ++step_.failures;
    ++all_.failures;
    failures_.push_back(std::move(what));
    changed_.notify_all();
  }

  /// Since it was last asked.
  Counts take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(step_, {});
  }
  /// Failures that nobody was told of by this yet.
  std::vector<std::string> take_failures() {
    const std::lock_guard lock(mutex_);
    const auto first = failures_.begin() + static_cast<std::ptrdiff_t>(told_);
    told_ = failures_.size();
    return {first, failures_.end()};
  }
  Counts all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  std::size_t done() const {
    const Counts counts = all();
    return counts.reads + counts.writes;
  }
  /// Waits for so many operations more; false when they do not come, or when something fails.
  bool goes_on(std::size_t operations, Duration limit) {
    std::unique_lock lock(mutex_);
    const auto sum = [this] { return all_.reads + all_.writes; };
    const std::size_t enough = sum() + operations, failures = all_.failures;
    const auto done = [&] { return sum() >= enough || all_.failures != failures; };
    return changed_.wait_for(lock, limit, done) && all_.failures == failures;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Counts step_, all_;                  // guarded by mutex_
  std::vector<std::string> failures_;  // guarded by mutex_
  std::size_t told_ = 0;               // guarded by mutex_; of the failures
};

}  // namespace aisfs::tests::scale
