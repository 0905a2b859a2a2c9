// SPDX-License-Identifier: MIT
#include "node/control/ops/ops.h"
#include "node/control/ops/rights.h"

namespace aisfs::control::ops {

Task<Result<Bucket>> set_bucket_props(ControlPlane& plane,
                                      auth::Identity who,
                                      BucketName name,
                                      BucketProps props) {
  CO_CHECK_OK(check_props(props));
  const MapStore::Edit edit = [=](MapDraft& draft) -> Status {
    TRY(Bucket * bucket, own_bucket(draft.map, name, who));
    const bool had_versions = bucket->props.versioning != Versioning::kOff;
    const BucketProps wanted = with_copies_of_slices(props);
    const bool more = wanted.copies > bucket->props.copies ||
                      wanted.erasure.slices() > bucket->props.erasure.slices();
    if (more) CHECK_OK(check_copies(draft.map, wanted));
    const std::uint32_t copies = bucket->props.copies;
    bucket->props = wanted;
    CHECK_OK(change_copies(draft.map, *bucket, copies));
    // What is kept of its objects stays, so the most that can be turned off is to keep more.
    if (had_versions && props.versioning == Versioning::kOff) {
      bucket->props.versioning = Versioning::kSuspended;
    }
    return {};
  };
  CO_TRY(auto draft, co_await plane.change(edit));
  co_return draft.map.buckets.at(name.uname());
}

}  // namespace aisfs::control::ops
