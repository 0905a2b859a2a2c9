// SPDX-License-Identifier: MIT
#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/placement/prefix_map.h"
#include "node/control/ops/ops.h"

namespace aisfs::control::ops {

Task<Result<Epoch>> rename_prefix(ControlPlane& plane, wire::RenamePrefixRequest request) {
  const std::string hidden = placement::hidden_prefix(to_hex(as_bytes(random_bytes(8))));
  const MapStore::Edit edit = [=](MapDraft& draft) -> Status {
    if (draft.map.epoch != request.seen) {
      return Error(Errc::stale_map, "the cluster map has changed since epoch " +
                                        std::to_string(request.seen));
    }
    if (draft.map.find_bucket(request.bucket) == nullptr) {
      return Error(Errc::not_found, "the bucket does not exist any more");
    }
    return placement::rename_prefix(draft.map, request.bucket, request.from, request.to, hidden);
  };
  CO_TRY(const auto draft, co_await plane.change(edit));
  co_return draft.map.epoch;
}

Task<Result<Epoch>> end_mapping(ControlPlane& plane, PrefixMapping mapping) {
  const MapStore::Edit edit = [=](MapDraft& draft) -> Status {
    placement::end_mapping(draft.map, mapping);
    return {};
  };
  CO_TRY(const auto draft, co_await plane.change(edit));
  co_return draft.map.epoch;
}

}  // namespace aisfs::control::ops
