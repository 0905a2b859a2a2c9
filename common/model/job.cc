// SPDX-License-Identifier: MIT
#include "common/model/job.h"

#include <algorithm>

namespace aisfs {

std::string_view to_string(JobState state) {
  switch (state) {
    case JobState::kRunning:
      return "running";
    case JobState::kFinished:
      return "finished";
    case JobState::kStopped:
      return "stopped";
    case JobState::kFailed:
      return "failed";
  }
  return "?";
}

const std::vector<JobKind>& job_kinds() {
  using Of = JobKind::Of;
  static const std::vector<JobKind> kinds = {
      {.name = "copy-bck", .shown = "copy-bucket", .needs_to = true},
      {.name = "move-bck", .shown = "rename-bucket", .needs_to = true},
      {.name = "copy-listrange", .shown = "copy-objects", .needs_to = true, .needs_names = true},
      {.name = "delete-listrange", .shown = "delete-objects", .needs_names = true},
      {.name = "rebalance",
       .shown = "rebalance",
       .of = Of::kTargets,
       .startable = true,
       .stoppable = false},
      {.name = "resilver",
       .shown = "resilver",
       .of = Of::kTargets,
       .startable = true,
       .stoppable = false},
      {.name = "scrub", .shown = "scrub", .of = Of::kTargets, .startable = true},
      {.name = "cleanup-store", .shown = "cleanup", .of = Of::kTargets, .startable = true},
      {.name = "ec-encode", .shown = "ec-encode", .of = Of::kTargets, .startable = true},
      {.name = "make-n-copies", .shown = "mirror", .of = Of::kTargets, .startable = true},
  };
  return kinds;
}

const JobKind* find_job_kind(std::string_view name) {
  const auto& kinds = job_kinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(), [name](const JobKind& kind) {
    return kind.name == name || kind.shown == name;
  });
  return found == kinds.end() ? nullptr : &*found;
}

bool JobQuery::matches(const Job& job) const {
  if (!id.empty() && id != job.id) return false;
  if (id.empty() && !ended && !job.is_running()) return false;
  const JobKind* meant = find_job_kind(kind);
  if (!kind.empty() && job.spec.kind != (meant == nullptr ? kind : meant->name)) return false;
  return bucket.name.empty() || bucket == job.spec.bucket || bucket == job.spec.to;
}

JobProgress sum_of(const Job& job) {
  JobProgress sum;
  for (const auto& [_, target] : job.targets) {
    sum.counts.objects += target.counts.objects;
    sum.counts.bytes += target.counts.bytes;
    sum.counts.skipped += target.counts.skipped;
    sum.counts.errors += target.counts.errors;
    sum.total += target.total;
    sum.updated_ns = std::max(sum.updated_ns, target.updated_ns);
    if (!target.error.empty()) sum.error = target.error;
    if (!target.waiting.empty()) sum.waiting = target.waiting;
  }
  return sum;
}

std::string display_of(const Job& job) { return job.spec.kind + "[" + job.id + "]"; }

}  // namespace aisfs
