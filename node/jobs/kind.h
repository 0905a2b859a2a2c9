// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "common/async/clock.h"
#include "common/client/object_api.h"
#include "common/model/job.h"
#include "node/store/store.h"
#include "node/target/local_target.h"
#include "node/target/rebalancer.h"
#include "node/target/scrubber.h"

namespace aisfs::jobs {

/// What jobs work with; all of it outlives them.
struct JobDeps {
  std::string node_id;
  MapSource& maps;
  Clock& clock;
  ObjectApi& cluster;  // any name, wherever it is
  ObjectApi& here;     // this target's share of listings
  /// Of kinds that a target does as a whole; null in tests of the others.
  store::Store* store = nullptr;
  target::LocalTarget* target = nullptr;
  target::Rebalancer* rebalancer = nullptr;
  target::Scrubber* scrubber = nullptr;
};

/// One job on this target, while it is worked on. On one shard.
class JobRun {
 public:
  JobRun(const JobDeps& d, Job record, JobProgress so_far)
      : deps(d), job(std::move(record)), progress(std::move(so_far)) {}
  JobRun(const JobRun&) = delete;
  JobRun& operator=(const JobRun&) = delete;

  const JobDeps& deps;
  Job job;               // as the gateways said last
  JobProgress progress;  // what they are told next

  /// The list of a job that has one, fetched before it begins.
  std::vector<std::string> names;

  /// It has been told to stop, or is known no more.
  bool is_stopped() const { return stopped_; }
  void stop() { stopped_ = true; }

  /// What was done for a name may have been done before: by an earlier run that has said less than
  /// it did, or by the target that owned it then. What others have changed since the job began must
  /// not be undone by doing it twice.
  bool is_repeated() const;

  /// Of this target's own work, with enough time to move so many bytes.
  Context context(std::uint64_t bytes = 0) const;

  void note_error(const Error& error);

 private:
  bool stopped_ = false;
};

/// How a kind of job works on this target; a constant that all jobs of the kind share.
class Kind {
 public:
  virtual ~Kind() = default;
  /// To the end of this target's share, or until run.is_stopped(); `progress` says how far it is.
  /// An error ends the job for all targets.
  virtual Task<Status> run(JobRun& run) const = 0;
};

/// A kind that does the same for many names, each at the target that owns it.
class NameKind : public Kind {
 public:
  struct Name {
    ObjectName object;
    std::optional<ObjectInfo> info;  // of one that was listed: its summary
    bool again = false;              // it was tried before, and may have been done
  };
  struct Done {
    bool changed = true;  // false: there was nothing to do
    std::uint64_t bytes = 0;
  };
  /// What is to be done for one name. Errors that may pass (it is away, it is busy) are tried again
  /// by the walk for as long as the job runs, others are counted; several names are on their way
  /// at a time.
  virtual Task<Result<Done>> act(JobRun& run, Name name) const = 0;

  /// Whether it leaves nothing in the source, so that one which has gone has nothing left to do.
  virtual bool empties_source() const { return false; }

  /// walk.cc
  Task<Status> run(JobRun& run) const final;
};

/// Of that name (JobKind::name); null for one that this release does not know.
const Kind* find_kind(std::string_view name);

}  // namespace aisfs::jobs
