// SPDX-License-Identifier: MIT
#include "node/control/ops/ops.h"

namespace aisfs::control::ops {

Task<Result<Epoch>> allow_implied_dirs(ControlPlane& plane, BucketId id) {
  const MapStore::Edit edit = [=](MapDraft& draft) -> Status {
    for (auto& [uname, bucket] : draft.map.buckets) {
      if (bucket.id != id) continue;
      bucket.implied_dirs = true;
      return {};
    }
    return Error(Errc::not_found, "the bucket does not exist any more");
  };
  CO_TRY(const auto draft, co_await plane.change(edit));
  co_return draft.map.epoch;
}

}  // namespace aisfs::control::ops
