// SPDX-License-Identifier: MIT
#include "common/model/may_end.h"

namespace aisfs {

Status may_end(const ClusterMap& map, const std::string& id) {
  const NodeInfo* node = map.find_node(id);
  if (node == nullptr) {
    return Error(Errc::not_found, "the cluster has no node " + id + "; see ais show cluster");
  }
  if (id == map.store_node) {
    return Error(Errc::busy, "gateway " + id +
                                 " holds the cluster map, and the cluster does not go on without "
                                 "it; to have it stop all the same, end its process");
  }
  if (!node->stores()) return {};
  if (node->state != NodeState::kMaintenance && node->state != NodeState::kDecommission) {
    return Error(Errc::precondition_failed, "node " + id +
                                                " takes part in the cluster; first: ais cluster "
                                                "add-remove-nodes start-maintenance --wait " +
                                                id);
  }
  if (map.placement.has_past(id) || map.placement.next.contains(id)) {
    return Error(Errc::busy, "node " + id +
                                 " still holds names that others lack; wait until they have "
                                 "moved: ais show rebalance");
  }
  return {};
}

}  // namespace aisfs
