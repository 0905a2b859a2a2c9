// SPDX-License-Identifier: MIT
// A job: work on many names, or on whole targets, that outlives the request which asks for it.
// AIStore calls it an xaction, and its kinds have AIStore's names.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/bucket.h"
#include "common/model/cluster_map.h"

namespace aisfs {

enum class JobState : std::uint8_t {
  kRunning = 0,
  kFinished = 1,
  kStopped = 2,  // somebody told it to stop
  kFailed = 3,   // Job::error says why
};
/// "running", "finished", "stopped", "failed".
std::string_view to_string(JobState state);

/// What is known of a kind before a job of it runs.
struct JobKind {
  std::string_view name;   // AIStore's, and everywhere but at a prompt
  std::string_view shown;  // what people may call it as well
  enum class Of : std::uint8_t {
    kNames,    // of a bucket: each target acts on those that it owns
    kTargets,  // each target does it by itself
  };
  Of of = Of::kNames;
  bool needs_to = false;     // it has a second bucket
  bool needs_names = false;  // a list or a template says which names
  bool startable = false;    // by the action "start", without a bucket's action of its own
  bool stoppable = true;     // else objects would stay where they do not belong
};
/// All that can be started, in the order of the manual.
const std::vector<JobKind>& job_kinds();
/// By either name; null for one that there is not.
const JobKind* find_job_kind(std::string_view name);

/// What a job is to do.
struct JobSpec {
  std::string kind;
  BucketName bucket;                              // name "": none
  BucketName to;                                  // of copies
  std::string prefix;                             // of the names that are meant; "": all of them
  std::string prepend;                            // what copies have before their names
  std::map<std::string, std::string> extensions;  // the new one of a copy, by the old one
  std::vector<std::string> names;                 // a list ...
  std::string name_template;                      // ... or a template (name_template.h)
  std::string node;                               // of kTargets: this one alone; "": all
  bool dry_run = false;                           // counts, and changes nothing
  std::map<std::string, std::string> options;     // what else a kind takes

  bool operator==(const JobSpec&) const = default;
  template <class A>
  void serialize(A& ar) {
    ar(kind, bucket, to, prefix, prepend, extensions, names, name_template, node, dry_run, options);
  }
};

struct JobCounts {
  std::uint64_t objects = 0, bytes = 0;
  std::uint64_t skipped = 0;  // there was nothing to do for them
  std::uint64_t errors = 0;

  bool operator==(const JobCounts&) const = default;
  template <class A>
  void serialize(A& ar) {
    ar(objects, bytes, skipped, errors);
  }
};

/// How far one target is with a job, as it says itself.
struct JobProgress {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;

  std::uint32_t runs = 0;  // how often it has begun; what it did may be done again by the next
  /// The round of the job and the placement (Placement::since) that the rest is about: in another
  /// one it begins anew.
  std::uint32_t round = 0;
  Epoch placement = 0;
  bool done = false;     // with all that it has to do
  bool stopped = false;  // it was told to, and nothing of it goes on here
  bool fatal = false;    // `error` ends the job
  JobCounts counts;
  std::string cursor;       // all before this are done ...
  JobCounts at_cursor;      // ... and this is what has been counted for them
  std::uint64_t total = 0;  // to be looked at, as far as it is known; 0: it is not
  std::string error;        // the last of counts.errors
  std::string waiting;      // for what; "": it gets on
  std::int64_t started_ns = 0, updated_ns = 0;

  bool operator==(const JobProgress&) const = default;
  template <class A>
  void serialize(A& ar) {
    ar(runs, round, placement, done, stopped, fatal, counts, cursor, at_cursor, total, error,
       waiting, started_ns, updated_ns);
  }
  template <class A>
  void fields(A& ar, std::uint16_t) {
    serialize(ar);
  }
};

/// The record of a job. It is kept until long after the job's end.
struct Job {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;

  std::string id;
  JobSpec spec;  // without its list of names, which may be long: it is asked for by itself
  std::uint64_t names_count = 0;
  std::string owner;          // user id of whoever started it
  BucketId bucket_id, to_id;  // of the buckets as they were then
  Epoch placement = 0;        // Placement::since of then
  std::int64_t started_ns = 0, ended_ns = 0;
  JobState state = JobState::kRunning;
  bool stopping = false;    // it has been told to stop
  std::uint32_t round = 0;  // how often targets have had to begin again for more than a placement
  std::string error;
  std::map<std::string, JobProgress> targets;  // by node id

  bool is_running() const { return state == JobState::kRunning; }
  bool operator==(const Job&) const = default;
  template <class A>
  void serialize(A& ar) {
    ar(id, spec, names_count, owner, bucket_id, to_id, placement, started_ns, ended_ns, state,
       stopping, round, error, targets);
  }
  template <class A>
  void fields(A& ar, std::uint16_t) {
    serialize(ar);
  }
};

/// Which jobs are meant; what is empty does not count.
struct JobQuery {
  std::string id;
  std::string kind;    // either name of it
  BucketName bucket;   // one of the job's; name "": any
  bool ended = false;  // those that have ended, too; of one that is named by its id always

  bool matches(const Job& job) const;
  template <class A>
  void serialize(A& ar) {
    ar(id, kind, bucket, ended);
  }
};

/// The counts of all targets together; `error` and `waiting` of one of them.
JobProgress sum_of(const Job& job);

/// "copy-bck[id]", as AIStore calls a job.
std::string display_of(const Job& job);

}  // namespace aisfs
