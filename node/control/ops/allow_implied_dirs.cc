// SPDX-License-Identifier: MIT
#include "node/control/ops/ops.h"

namespace aisfs::control::ops {

Task<Result<Epoch>> allow_implied_dirs(ControlPlane& plane, BucketId id) {
  const MapStore::Edit edit = [=](MapDraft& draft) -> Status {
    const Bucket* bucket = draft.map.find_bucket(id);
    if (bucket == nullptr) return Error(Errc::not_found, "the bucket does not exist any more");
    draft.map.buckets.at(bucket->name.uname()).implied_dirs = true;
    return {};
  };
  CO_TRY(const auto draft, co_await plane.change(edit));
  co_return draft.map.epoch;
}

}  // namespace aisfs::control::ops
