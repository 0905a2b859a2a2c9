// SPDX-License-Identifier: MIT
#include "common/base/hash.h"
#include "node/control/ops/ops.h"
#include "node/control/ops/rights.h"

namespace aisfs::control::ops {
namespace {

/// Never given before: epochs do not repeat. The low half keeps ids of two clusters apart.
BucketId fresh_id(Epoch epoch) {
  std::uint32_t low = 0;
  std::memcpy(&low, random_bytes(sizeof low).data(), sizeof low);
  return BucketId{std::uint64_t{epoch} << 32 | low};
}

}  // namespace

Task<Result<Bucket>> create_bucket(ControlPlane& plane,
                                   auth::Identity who,
                                   BucketName name,
                                   BucketProps props) {
  CO_CHECK_OK(need_user(who));
  CO_CHECK_OK(validate_bucket_name(name.name));
  CO_CHECK_OK(check_props(props));
  const std::string uname = name.uname();
  const std::int64_t now = plane.clock().unix_ns();
  const MapStore::Edit edit = [=](MapDraft& draft) -> Status {
    if (draft.map.find_bucket(name) != nullptr) {
      return Error(Errc::already_exists, "bucket \"" + name.display() + "\" already exists");
    }
    draft.map.buckets[uname] = Bucket{.id = fresh_id(draft.map.epoch + 1),
                                      .name = name,
                                      .owner = who.user(),
                                      .created_ns = now,
                                      .props = props};
    return {};
  };
  CO_TRY(auto draft, co_await plane.change(edit));
  co_return draft.map.buckets.at(uname);
}

}  // namespace aisfs::control::ops
