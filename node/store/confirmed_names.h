// SPDX-License-Identifier: MIT
#pragma once
#include <mutex>
#include <unordered_map>

#include "common/base/hash.h"
#include "common/model/version_key.h"
#include "node/store/key.h"

namespace aisfs::store {

/// What somebody who knows has said to be the newest state of a name, while a mountpath that may
/// have a newer one is out of reach. In memory: after a start it is asked again. Thread-safe.
class ConfirmedNames {
 public:
  /// `losses`: MountpathSet::losses; what was said before the last one counts no more.
  void add(std::uint64_t losses, const Key& key, Version newest) {
    const std::lock_guard lock(mutex_);
    if (losses < losses_) return;
    if (losses > losses_ || newest_.size() >= kNamesMax) newest_.clear();
    losses_ = losses;
    Version& known = newest_[hash_of(key)];
    known = std::max(known, newest);
  }
  /// Whether no newer one than `known` was told of. Versions that are kept go with their name.
  bool contains(std::uint64_t losses, const Key& key, Version known) const {
    const std::lock_guard lock(mutex_);
    const auto it = newest_.find(hash_of(key));
    if (losses != losses_ || it == newest_.end()) return false;
    return is_version_key(key.key()) || it->second <= known;
  }

 private:
  static constexpr std::size_t kNamesMax = 500'000;
  static std::uint64_t hash_of(const Key& key) {
    return xxh3_64(as_bytes(plain_key(key.key()))) ^ key.bucket.value * 0x9E3779B97F4A7C15ull;
  }

  mutable std::mutex mutex_;
  std::uint64_t losses_ = 0;                           // guarded by mutex_
  std::unordered_map<std::uint64_t, Version> newest_;  // guarded by mutex_
};

}  // namespace aisfs::store
