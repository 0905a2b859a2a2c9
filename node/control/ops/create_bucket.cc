// SPDX-License-Identifier: MIT
#include <algorithm>

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

bool has_failure_domains(const ClusterMap& map) {
  const auto targets = map.active_targets();
  return std::any_of(targets.begin(), targets.end(), [&](const NodeInfo* target) {
    return target->host_id != targets.front()->host_id;
  });
}

}  // namespace

Task<Result<Bucket>> create_bucket(ControlPlane& plane,
                                   auth::Identity who,
                                   BucketName name,
                                   BucketProps props) {
  CO_CHECK_OK(need_user(who));
  CO_CHECK_OK(validate_bucket_name(name.name));
  const bool automatic = props.copies == BucketProps::kAutoCopies;
  if (automatic) props.copies = 1;
  CO_CHECK_OK(check_props(props));
  const std::string uname = name.uname();
  const std::int64_t now = plane.clock().unix_ns();
  const MapStore::Edit edit = [=](MapDraft& draft) -> Status {
    if (draft.map.find_bucket(name) != nullptr) {
      return Error(Errc::already_exists, "bucket \"" + name.display() + "\" already exists");
    }
    BucketProps own = props;
    if (automatic) own.copies = has_failure_domains(draft.map) ? 2 : 1;
    own = with_copies_of_slices(std::move(own));
    CHECK_OK(check_copies(draft.map, own));
    draft.map.buckets[uname] = Bucket{.id = fresh_id(draft.map.epoch + 1),
                                      .name = name,
                                      .owner = who.user(),
                                      .created_ns = now,
                                      .props = std::move(own)};
    return {};
  };
  CO_TRY(auto draft, co_await plane.change(edit));
  co_return draft.map.buckets.at(uname);
}

}  // namespace aisfs::control::ops
