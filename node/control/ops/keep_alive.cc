// SPDX-License-Identifier: MIT
#include "node/control/ops/ops.h"

namespace aisfs::control::ops {

Task<Result<wire::KeepAliveReply>> keep_alive(ControlPlane& plane, wire::KeepAliveRequest request) {
  const MapSnapshot map = plane.known().current();
  const NodeInfo* node = map->find_node(request.node);
  if (node != nullptr && node->incarnation > request.state.incarnation) {
    co_return Error(Errc::not_found, "a later start of " + request.node + " has the lease");
  }
  CO_TRY(const Duration ttl, co_await plane.meta().keep_alive(request.lease));
  CO_CHECK_OK(co_await plane.note_alive(request));
  CO_TRY(const Epoch epoch, co_await plane.maps().epoch());
  co_return wire::KeepAliveReply{ttl.count(), epoch};
}

}  // namespace aisfs::control::ops
