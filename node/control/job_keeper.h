// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "common/async/clock.h"
#include "common/async/notifier.h"
#include "node/control/control_plane.h"
#include "node/control/job_store.h"

namespace aisfs::control {

/// Brings jobs to their end when targets have done their share (job_rules.h). Every gateway has one
/// and all of them act: a step is one transaction on what it was decided by, and what follows the
/// last one (a bucket that was moved goes) may happen twice. So the loss of any gateway ends
/// nothing. run() on one executor; report() from any.
class JobKeeper {
 public:
  struct Deps {
    ControlPlane& plane;
    Clock& clock;
    /// True when a bucket has no objects on any target.
    std::function<Task<Result<bool>>(Context, BucketName)> bucket_is_empty;
  };
  explicit JobKeeper(Deps deps)
      : deps_(std::move(deps)), jobs_(deps_.plane.meta(), deps_.plane.clock()) {}

  /// Until cancelled.
  Task<void> run();
  /// One look at all jobs that run.
  Task<Status> look();

  /// What a target says of itself; the answer is what it has to know (wire::ReportJobsRequest).
  Task<Result<wire::JobsReply>> report(wire::ReportJobsRequest request);

 private:
  Task<Status> act(Job job, const ClusterMap& map, const std::set<std::string>& alive);
  Task<Status> close(Job job);
  /// Those that run; unless `fresh` perhaps as they were a moment ago.
  Task<Result<std::vector<Job>>> records(bool fresh);

  const Deps deps_;
  JobStore jobs_;
  Notifier wanted_;  // a target is at its end
  std::mutex mutex_;
  std::vector<Job> listed_;  // guarded by mutex_
  TimePoint listed_at_{};    // guarded by mutex_
};

}  // namespace aisfs::control
