// SPDX-License-Identifier: MIT
#pragma once
#include "node/config.h"

namespace aisfs::node {

/// Starts a node by its configuration, serves until SIGTERM or SIGINT, and stops in order: no new
/// requests, those in flight finish (bounded), the lease ends by itself. Fails with busy when
/// another process has the data folder, and with what kept it from starting.
Status run_node(const NodeConfig& config);

}  // namespace aisfs::node
