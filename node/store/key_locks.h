// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "node/store/resume.h"

namespace aisfs::store {

/// Locks on names, by a hash of them: mutations of one name happen one after the other. Two names
/// with one hash share a lock, which costs a wait and nothing else.
///
/// A waiter is a suspended coroutine, resumed in the order of arrival on its own executor. Whoever
/// needs two locks takes the lower hash first. Waiting is not cancelled: the holder's disk work
/// bounds it, or the deadlines of its calls. Thread-safe; outlives its guards.
class KeyLocks {
 public:
  class [[nodiscard]] Guard {
   public:
    Guard() = default;
    Guard(KeyLocks* owner, std::uint64_t hash) : owner_(owner), hash_(hash) {}
    Guard(Guard&& o) noexcept : owner_(std::exchange(o.owner_, nullptr)), hash_(o.hash_) {}
    Guard& operator=(Guard&& o) noexcept {
      release();
      owner_ = std::exchange(o.owner_, nullptr);
      hash_ = o.hash_;
      return *this;
    }
    ~Guard() { release(); }

    void release() {
      if (auto* owner = std::exchange(owner_, nullptr)) owner->unlock(hash_);
    }

   private:
    KeyLocks* owner_ = nullptr;
    std::uint64_t hash_ = 0;
  };

  Task<Guard> lock(std::uint64_t hash);
  /// Both, without a dead-lock; the second guard is empty when the hashes are equal.
  Task<std::pair<Guard, Guard>> lock_both(std::uint64_t a, std::uint64_t b);

 private:
  struct Locked {};
  using Waiter = Resume<Locked>;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, std::deque<Waiter>> held;
  };

  Shard& shard_of(std::uint64_t hash) { return shards_[hash % shards_.size()]; }
  bool try_lock(std::uint64_t hash);
  void wait(std::uint64_t hash, Waiter waiter);
  void unlock(std::uint64_t hash);

  std::array<Shard, 64> shards_;
};

}  // namespace aisfs::store
