// SPDX-License-Identifier: MIT
#pragma once
#include "node/gateway_store.h"

namespace aisfs::node {

/// Starts a node by its configuration, serves until SIGTERM or SIGINT, and stops in order: no new
/// requests, those in flight finish (bounded), the lease ends by itself. Fails with busy when
/// another process has the data folder, and with what kept it from starting.
Status run_node(const NodeConfig& config);

/// Moves the cluster's map between the data folder of this gateway, which does not run, and etcd;
/// says so on standard output. Errors as control::move_map.
Status move_map(const NodeConfig& config, MapPlace to);

}  // namespace aisfs::node
