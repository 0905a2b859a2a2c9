// SPDX-License-Identifier: MIT
#include "node/control/ops/ops.h"
#include "node/control/ops/rights.h"

namespace aisfs::control::ops {

Task<Status> destroy_bucket(ControlPlane& plane, auth::Identity who, BucketName name) {
  const MapStore::Edit edit = [=](MapDraft& draft) -> Status {
    TRY(const Bucket* bucket, own_bucket(draft.map, name, who));
    std::erase_if(draft.map.mappings, [&](const auto& m) { return m.bucket == bucket->id; });
    draft.map.buckets.erase(name.uname());
    return {};
  };
  CO_TRY(const auto draft, co_await plane.change(edit));
  static_cast<void>(draft);
  co_return Status{};
}

}  // namespace aisfs::control::ops
