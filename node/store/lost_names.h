// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <functional>
#include <set>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/model/bucket.h"

namespace aisfs::store {

using Name = std::pair<BucketId, std::string>;

/// Names of which a mountpath knows only that it has had them: their files could not be read when
/// its index was made anew. Nobody is told that they do not exist; who has them from elsewhere may
/// bring them back. A name with a record in an index is lost no more.
///
/// Lies in %lost (man/aisfs-formats.7). Thread-safe after load().
class LostNames {
 public:
  /// More of them are not one damaged file here and there: the disk is no good.
  static constexpr std::size_t kNamesMax = 100'000;

  /// `root`: of the mountpath; outlives it. Blocks.
  Status load(int root);
  /// Durable when it returns; corrupt when there are too many. Blocks.
  Status add(const std::vector<Name>& names);
  /// Forgets those that `is_known`. Blocks when there are any.
  Status drop(const std::function<bool(const Name&)>& is_known);

  bool empty() const { return count_.load(std::memory_order_acquire) == 0; }
  bool contains(BucketId bucket, const std::string& key) const;
  bool any_of(BucketId bucket) const;
  std::vector<Name> all() const;

 private:
  Status save(const std::set<Name>& names) const;

  int root_ = -1;
  std::atomic<std::size_t> count_ = 0;
  mutable std::shared_mutex mutex_;
  std::set<Name> names_;  // guarded by mutex_
};

}  // namespace aisfs::store
