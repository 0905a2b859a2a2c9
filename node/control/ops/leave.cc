// SPDX-License-Identifier: MIT
#include "node/control/ops/ops.h"
#include "node/control/ops/rights.h"

namespace aisfs::control::ops {

Task<Status> leave(ControlPlane& plane, auth::Identity who, wire::LeaveRequest request) {
  const bool itself = who.kind() == auth::Identity::Kind::kNode && who.user() == request.node;
  if (!itself) CO_CHECK_OK(need_admin(who));
  const MapStore::Edit edit = [=](MapDraft& draft) -> Status {
    const NodeInfo* node = draft.map.find_node(request.node);
    if (node == nullptr) return Error(Errc::not_found, "no node " + request.node);
    if (node->stores() && !draft.map.buckets.empty()) {
      return Error(Errc::unsupported, "target " + request.node +
                                          " may hold objects; decommission it, so that "
                                          "they move to others first");
    }
    if (request.node == draft.map.store_node) {
      return Error(Errc::busy, "gateway " + request.node + " holds the cluster map");
    }
    draft.map.nodes.erase(request.node);
    draft.records.erase(request.node);
    return {};
  };
  CO_TRY(const auto draft, co_await plane.change(edit));
  static_cast<void>(draft);
  co_return Status{};
}

}  // namespace aisfs::control::ops
