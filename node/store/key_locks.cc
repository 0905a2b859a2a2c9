// SPDX-License-Identifier: MIT
#include "node/store/key_locks.h"

namespace aisfs::store {

bool KeyLocks::try_lock(std::uint64_t hash) {
  Shard& shard = shard_of(hash);
  std::lock_guard lock(shard.mutex);
  return shard.held.try_emplace(hash).second;
}

void KeyLocks::wait(std::uint64_t hash, Waiter waiter) {
  Shard& shard = shard_of(hash);
  {
    std::lock_guard lock(shard.mutex);
    auto [it, free] = shard.held.try_emplace(hash);
    if (!free) {
      it->second.push_back(std::move(waiter));
      return;
    }
  }
  std::move(waiter)({});
}

Task<KeyLocks::Guard> KeyLocks::lock(std::uint64_t hash) {
  if (!try_lock(hash)) {
    auto enqueue = [this, hash](Waiter waiter) { wait(hash, std::move(waiter)); };
    co_await suspend<Locked>(std::move(enqueue));
  }
  co_return Guard(this, hash);
}

Task<std::pair<KeyLocks::Guard, KeyLocks::Guard>> KeyLocks::lock_both(std::uint64_t a,
                                                                      std::uint64_t b) {
  Guard first = co_await lock(std::min(a, b));
  Guard second;
  if (a != b) second = co_await lock(std::max(a, b));
  co_return std::pair(std::move(first), std::move(second));
}

void KeyLocks::unlock(std::uint64_t hash) {
  Shard& shard = shard_of(hash);
  Waiter next;
  {
    std::lock_guard lock(shard.mutex);
    auto it = shard.held.find(hash);
    if (it->second.empty()) {
      shard.held.erase(it);
      return;
    }
    next = std::move(it->second.front());  // the lock passes on, it is never free in between
    it->second.pop_front();
  }
  std::move(next)({});
}

}  // namespace aisfs::store
