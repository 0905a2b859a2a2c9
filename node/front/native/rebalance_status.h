// SPDX-License-Identifier: MIT
// The moving of names in AIStore's words: a rebalance is a job, "g" and the epoch that made it.
#pragma once
#include "node/front/native/call.h"

namespace aisfs::native {

std::string rebalance_id(const ClusterMap& map);

/// Whether a question about jobs (its id, its kind) means a rebalance.
bool is_about_rebalance(const boost::json::value& query);

/// What ?what=status answers of it: its end_time is 0 until all names have moved.
Task<void> reply_rebalance_status(Call& call, boost::json::value query);

/// What ?what=qryxstats answers of it: what each target has moved.
Task<void> reply_rebalance_stats(Call& call);

}  // namespace aisfs::native
