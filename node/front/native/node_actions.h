// SPDX-License-Identifier: MIT
#pragma once
#include "node/front/native/call.h"

namespace aisfs::native {

/// PUT /v1/cluster with start-maintenance, stop-maintenance, decommission-node or shutdown-node for
/// value.sid. Answers the id of the rebalance that it makes, "g" and an epoch, or nothing when no
/// name moves. Names move always: skip_rebalance is refused (501). With start or stop: of jobs
/// (job_routes.h).
Task<void> serve_node_action(Call& call);

}  // namespace aisfs::native
