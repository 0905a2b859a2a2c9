// SPDX-License-Identifier: MIT
#include "node/control/job_rules.h"

#include <algorithm>

namespace aisfs::control {
namespace {

bool is_of_targets(const JobSpec& spec) {
  const JobKind* kind = find_job_kind(spec.kind);
  return kind != nullptr && kind->of == JobKind::Of::kTargets;
}

/// Whether the target is one of those that the job is for.
bool takes_part(const JobSpec& spec, const NodeInfo& target) {
  return spec.node.empty() || spec.node == target.id;
}

JobVerdict ended(JobState state, std::string error = {}) {
  return {JobVerdict::What::kEnd, state, std::move(error)};
}

JobVerdict outcome(const Job& job) {
  const JobProgress sum = sum_of(job);
  const JobCounts& c = sum.counts;
  if (c.errors == 0) return ended(JobState::kFinished);
  return ended(JobState::kFailed, std::to_string(c.errors) + " of " +
                                      std::to_string(c.errors + c.objects + c.skipped) +
                                      " failed; the last: " + sum.error);
}

bool is_done_by(const Job& job, const ClusterMap& map, const NodeInfo& target) {
  const auto found = job.targets.find(target.id);
  if (found == job.targets.end()) return false;
  const JobProgress& p = found->second;
  if (!p.done || p.round != job.round) return false;
  return is_of_targets(job.spec) || p.placement == map.placement.since;
}

bool has_stopped(const Job& job, const std::string& target, const std::set<std::string>& alive) {
  const auto found = job.targets.find(target);
  if (!alive.contains(target)) return true;
  return found != job.targets.end() && found->second.stopped;
}

bool uses(const Job& job, const BucketName& bucket) {
  return !bucket.name.empty() && (job.spec.bucket == bucket || job.spec.to == bucket);
}

}  // namespace

JobVerdict judge(const Job& job, const ClusterMap& map, const std::set<std::string>& alive) {
  std::vector<const NodeInfo*> targets = map.active_targets();
  std::erase_if(targets, [&](const NodeInfo* t) { return !takes_part(job.spec, *t); });
  if (job.stopping) {
    const bool quiet = std::all_of(targets.begin(), targets.end(), [&](const NodeInfo* target) {
      return has_stopped(job, target->id, alive);
    });
    return quiet ? ended(JobState::kStopped, "it was told to stop") : JobVerdict{};
  }
  for (const auto& [_, progress] : job.targets) {
    if (progress.fatal) return ended(JobState::kFailed, progress.error);
  }
  if (targets.empty() || !map.placement.next.empty()) return {};
  const bool done = std::all_of(targets.begin(), targets.end(), [&](const NodeInfo* target) {
    return is_done_by(job, map, *target);
  });
  if (!done) return {};
  const JobVerdict end = outcome(job);
  // What could not be moved stays where it is.
  if (end.state != JobState::kFinished || !has_closing(job)) return end;
  return {.what = JobVerdict::What::kClose};
}

bool has_closing(const Job& job) { return job.spec.kind == "move-bck" && !job.spec.dry_run; }

Status check_beside(const JobSpec& spec, const Job& other) {
  const bool moves = spec.kind == "move-bck" || other.spec.kind == "move-bck";
  if (!moves || (!uses(other, spec.bucket) && !uses(other, spec.to))) return {};
  return Error(Errc::busy, "job " + display_of(other) + " works on bucket \"" +
                               other.spec.bucket.display() + "\"; wait for it or stop it");
}

bool is_same_work(const JobSpec& spec, const Job& running) {
  return running.is_running() && !running.stopping && is_of_targets(spec) &&
         running.spec.kind == spec.kind && running.spec.node == spec.node;
}

}  // namespace aisfs::control
