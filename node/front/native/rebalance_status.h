// SPDX-License-Identifier: MIT
// The moving of names in AIStore's words: a rebalance is a job, "g" and the epoch that made it.
#pragma once
#include "node/front/native/call.h"

namespace aisfs::native {

std::string rebalance_id(const ClusterMap& map);

/// GET ?what=status for a rebalance by id or kind: its end_time is 0 until all names have moved.
/// Other jobs are unsupported.
Task<void> reply_job_status(Call& call);

/// GET ?what=qryxstats: what each target has moved, for a rebalance or without a kind; of other
/// kinds there is nothing.
Task<void> reply_job_stats(Call& call);

}  // namespace aisfs::native
