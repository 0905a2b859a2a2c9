// SPDX-License-Identifier: MIT
// The map of three targets with one bucket.
#pragma once
#include <memory>
#include <mutex>

#include "common/client/context.h"

namespace aisfs::target {

inline const BucketName kName = native_bucket("b");
inline constexpr BucketId kId{42};

class FixedMap final : public MapSource {
 public:
  FixedMap() {
    ClusterMap map{.uuid = "c", .epoch = 1};
    for (const char* id : {"t1", "t2", "t3"}) map.nodes[id] = NodeInfo{.id = id};
    map.buckets[kName.uname()] = Bucket{.id = kId, .name = kName, .owner = "alice"};
    map_ = std::make_shared<const ClusterMap>(std::move(map));
  }
  MapSnapshot current() const override {
    const std::lock_guard lock(mutex_);
    return map_;
  }
  Task<Result<MapSnapshot>> at_least(Epoch epoch, Deadline) override {
    MapSnapshot map = current();
    if (map->epoch >= epoch) co_return map;
    co_return Error(Errc::unreachable, "there is no newer map");
  }

  /// As the control plane changes it.
  template <class Edit>
  Status change(Edit edit) {
    const std::lock_guard lock(mutex_);
    auto next = std::make_shared<ClusterMap>(*map_);
    CHECK_OK(edit(*next));
    ++next->epoch;
    map_ = std::move(next);
    return {};
  }

 private:
  mutable std::mutex mutex_;
  MapSnapshot map_;
};

}  // namespace aisfs::target
