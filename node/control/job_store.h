// SPDX-License-Identifier: MIT
// The records of jobs as keys of a MetaStore, beside the cluster map:
//
//   aisfs/jobs/live/<id>         Job, while it runs
//   aisfs/jobs/names/<id>        wire::JobNames, while it runs, if it has a list
//   aisfs/jobs/at/<id>/<node>    JobProgress of a target, while it runs
//   aisfs/jobs/past/<id>         Job with the progress of its targets, when it has ended
//
// A target writes its own key alone, so that reports do not race with each other; a job ends by one
// transaction that moves it from one kind of key to the other.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "common/async/clock.h"
#include "common/wire/jobs.h"
#include "node/control/meta_store.h"

namespace aisfs::control {

/// All of the above.
inline constexpr std::string_view kJobsPrefix = "aisfs/jobs/";
/// More than these at once are refused (overloaded).
inline constexpr std::size_t kJobsMax = 64;
/// So many that have ended are known, and those of the last hour up to kPastJobsMax.
inline constexpr std::size_t kPastJobsKept = 256;
inline constexpr std::size_t kPastJobsMax = 1024;
/// Of the names of a list together, as they are stored.
inline constexpr std::size_t kJobNamesBytesMax = 768 * 1024;
/// Of the record without them.
inline constexpr std::size_t kJobBytesMax = 32 * 1024;

/// Any gateway may use it, at the same time as others. Errors beside those named are MetaStore's.
class JobStore {
 public:
  /// Both outlive it.
  JobStore(MetaStore& meta, const Clock& clock) : meta_(meta), clock_(clock) {}

  /// Success too when there is a job of this id already. too_large for the bounds above.
  Task<Status> add(Job job, std::vector<std::string> names);

  /// All that run, with the progress of all targets; the oldest first.
  Task<Result<std::vector<Job>>> live();
  /// The same without progress.
  Task<Result<std::vector<Job>>> live_records();
  /// Adds what is known of this target alone.
  Task<Status> add_progress_of(std::string node, std::vector<Job>& jobs);
  /// Those that have ended; the one that ended first comes first.
  Task<Result<std::vector<Job>>> past();
  /// Either; not_found.
  Task<Result<Job>> find(std::string id);
  /// The list of a job that runs; empty when it has none.
  Task<Result<std::vector<std::string>>> names(std::string id);

  /// Nothing when the job runs no more.
  Task<Status> report(std::string node, wire::JobReport report);

  /// Applies `edit` to the newest record of a job that runs, and writes it; anew when somebody else
  /// was faster. not_found when it runs no more. The progress of targets is not part of it.
  using Edit = std::function<Status(Job&)>;
  Task<Status> change(std::string id, Edit edit);

  /// It runs no more, from now on. Success too when it has ended already. The oldest of those that
  /// have ended are forgotten.
  Task<Status> end(std::string id, JobState state, std::string error);

 private:
  struct Live {
    Job job;
    meta::Revision revision = 0;
  };
  Task<Result<Live>> load(std::string id);
  Task<Status> prune();

  MetaStore& meta_;
  const Clock& clock_;
};

}  // namespace aisfs::control
