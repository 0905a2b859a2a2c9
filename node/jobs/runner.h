// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/async/notifier.h"
#include "common/async/scope.h"
#include "common/wire/jobs.h"
#include "node/jobs/kind.h"

namespace aisfs::jobs {

/// This target's share of all jobs. Once a second it tells a gateway how far it is and hears which
/// jobs run: it begins what it has not done, begins again what a change of targets, a round or a
/// restart has left undone, and ends what is to stop or is known no more. While no gateway answers
/// it goes on with what it knows. One shard.
class JobRunner {
 public:
  struct Deps {
    JobDeps work;
    /// To a gateway, and its answer.
    std::function<Task<Result<wire::JobsReply>>(wire::ReportJobsRequest)> report;
    /// The list of names of a job.
    std::function<Task<Result<wire::JobNames>>(std::string id)> names;
    Duration report_every = std::chrono::seconds(1);
  };
  explicit JobRunner(Deps deps) : deps_(std::move(deps)) {}

  /// Until cancelled; nothing of a job goes on here then.
  Task<void> run();

 private:
  struct Active {
    Active(const JobDeps& work, Job job, JobProgress so_far, const Kind* its_kind)
        : run(work, std::move(job), std::move(so_far)), kind(its_kind) {}
    JobRun run;
    const Kind* kind;
    JobProgress told;      // what a gateway has written
    bool is_told = false;  // there is one
    bool begun = false;    // told.runs counts this run: it may begin
    bool working = false;
    bool is_known = true;
  };

  Task<void> look_on(TaskScope& scope);
  /// One report and its answer.
  Task<void> exchange();
  void note(const Job& job);
  void forget_ended();
  void begin_due(TaskScope& scope);
  /// Whether there is something left to do of it, or again.
  bool is_due(const Active& active) const;
  bool is_active_target() const;
  Task<void> work(Active& active);
  Task<Status> fetch_names(JobRun& run);

  const Deps deps_;
  std::map<std::string, std::unique_ptr<Active>> active_;  // by id
  Notifier wanted_;                                        // there is something to tell
};

}  // namespace aisfs::jobs
