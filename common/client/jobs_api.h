// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

#include "common/client/context.h"
#include "common/model/job.h"

namespace aisfs {

/// Work on many names that goes on after it was asked for (common/model/job.h). Thread-safe;
/// operations run on the caller's executor. Errors beside those named: unreachable, timed_out and
/// not_ready when no gateway can be had.
class JobsApi {
 public:
  virtual ~JobsApi() = default;

  /// Returns its id when it is known to the cluster and lost no more: it ends whatever becomes of
  /// the node that was asked. `id` is a fresh one (make_job_id), and says that a second attempt is
  /// the same job; "": one is made. Of a kind of which one at a time runs the id is that of the
  /// one that does. permission_denied; invalid_argument for a kind that is none and for a spec that
  /// makes no sense; unsupported; not_found, already_exists, busy for the buckets; overloaded.
  virtual Task<Result<std::string>> start_job(Context context, JobSpec spec, std::string id) = 0;

  /// Tells them to stop, and returns; they end soon. not_found when none is meant. Of one that has
  /// ended it is a success that changes nothing. unsupported for what cannot be stopped.
  virtual Task<Status> stop_jobs(Context context, JobQuery query) = 0;

  /// Those of the caller; an administrator sees all, and what targets do by themselves everybody.
  /// The newest last.
  virtual Task<Result<std::vector<Job>>> list_jobs(Context context, JobQuery query) = 0;
};

/// Random.
std::string make_job_id();

}  // namespace aisfs
