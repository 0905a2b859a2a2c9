// SPDX-License-Identifier: MIT
// Jobs as AIStore's clients start, stop and look at them.
#pragma once
#include "node/front/native/call.h"

namespace aisfs::native {

/// PUT /v1/cluster with start or stop. start: answers the job's id; 400 for a kind that cannot be
/// started so. stop: 400 with neither id nor kind, 404 when none is meant.
Task<void> serve_job_action(Call& call, ActionMessage message);

/// GET ?what=status, status_all, running_all, qryxstats; of a node itself getxstats.
bool is_job_question(std::string_view what);
Task<void> reply_jobs(Call& call, std::string what);

}  // namespace aisfs::native
