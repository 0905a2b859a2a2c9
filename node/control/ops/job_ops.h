// SPDX-License-Identifier: MIT
// Operations on jobs; as those of ops.h.
#pragma once
#include "node/control/control_plane.h"
#include "node/control/job_store.h"

namespace aisfs::control::ops {

/// Makes the destination of a copy if there is none, and records the job under `id`; returns the id
/// of the one that runs (JobsApi::start_job).
Task<Result<std::string>> start_job(ControlPlane& plane,
                                    auth::Identity who,
                                    JobSpec spec,
                                    std::string id);

/// Records that they are to stop; targets hear of it with their next report. What there is a record
/// of: a rebalance and others that targets do by themselves have none.
Task<Status> stop_jobs(ControlPlane& plane, auth::Identity who, JobQuery query);

/// Whoever started it and administrators; what targets do by themselves everybody.
bool may_see_job(const auth::Identity& who, const Job& job);
Status may_stop_job(const auth::Identity& who, const Job& job);

}  // namespace aisfs::control::ops
