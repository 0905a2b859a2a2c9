// SPDX-License-Identifier: MIT
#pragma once
#include "common/auth/cluster_key.h"
#include "node/config.h"
#include "node/control/control_plane.h"
#include "node/control/node_state.h"

namespace aisfs::node {

struct BootstrapDeps {
  const NodeConfig& config;
  const control::NodeIdentity& identity;
  bool embedded = false;  // the map is kept by this node, not by etcd
  control::ControlPlane& plane;
  const auth::ClusterKey& key;
};

/// Of a gateway that opens the cluster's store: the cluster, its uuid, and an administrator with
/// new keys are there afterwards, made here when there were none and the configuration lets it.
/// unreachable and such when the store has not answered within join_timeout; permission_denied when
/// the cluster has another key. What it is given outlives the call.
Task<Status> prepare_cluster(BootstrapDeps deps);

}  // namespace aisfs::node
