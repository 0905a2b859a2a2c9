// SPDX-License-Identifier: MIT
// What targets do by themselves, shown as jobs: the moving of names to other targets ("g" and the
// epoch that made it, as AIStore calls it), to other mountpaths ("resilver"), the look for damage
// ("scrub"). They have no records; how far they are their targets say.
#pragma once
#include "common/client/admin_api.h"
#include "common/model/job.h"

namespace aisfs::control {

/// Whether a job of this id is one of them.
bool is_view_id(std::string_view id);

/// Those that the query means. Targets are asked for a few seconds at most; one that does not
/// answer is left out.
Task<std::vector<Job>> job_views(AdminApi& admin, Context context, MapSnapshot map, JobQuery query);

/// Ends it on all targets. permission_denied, unsupported: as may_stop_job.
Task<Status> stop_view(AdminApi& admin, Context context, MapSnapshot map, Job job);

}  // namespace aisfs::control
