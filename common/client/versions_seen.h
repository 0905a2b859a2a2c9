// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <map>
#include <mutex>
#include <string>

#include "common/model/version.h"

namespace aisfs {

/// The newest version that each node has said to have given. Thread-safe.
class VersionsSeen {
 public:
  void note(const std::string& node, Version last) {
    const std::lock_guard lock(mutex_);
    Version& known = known_[node];
    known = std::max(known, last);
  }

  /// The zero version of a node that has not said any.
  Version of(const std::string& node) const {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(node);
    return found == known_.end() ? Version() : found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Version> known_;  // guarded by mutex_; as many as the cluster has had nodes
};

}  // namespace aisfs
