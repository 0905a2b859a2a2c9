// SPDX-License-Identifier: MIT
#include "node/control/job_views.h"

#include <algorithm>

#include "common/async/gather.h"
#include "common/base/text.h"
#include "node/control/ops/job_ops.h"

namespace aisfs::control {
namespace {

// One that does not answer must not keep the others' numbers from whoever asks.
constexpr Duration kAnswerMax = std::chrono::seconds(3);

constexpr std::string_view kRebalance = "rebalance", kResilver = "resilver", kScrub = "scrub";

std::vector<std::string> targets_of(const ClusterMap& map) {
  std::vector<std::string> ids;
  for (const auto& [id, node] : map.nodes) {
    if (node.stores() && node.state != NodeState::kAway) ids.push_back(id);
  }
  return ids;
}

/// What every target says; empty for one that does not answer.
template <class T, class Ask>
Task<std::map<std::string, T>> ask_all(MapSnapshot map, Ask ask) {
  const std::vector<std::string> ids = targets_of(*map);
  std::vector<Task<Result<T>>> calls;
  for (const std::string& id : ids) calls.push_back(ask(id));
  auto answers = co_await gather(std::move(calls));
  std::map<std::string, T> said;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (answers[i]) said[ids[i]] = *std::move(answers[i]);
  }
  co_return said;
}

/// Times and state of the whole, from those of its targets.
void add_target(Job& job, const std::string& id, JobProgress progress, std::int64_t ended_ns) {
  if (progress.started_ns != 0 && (job.started_ns == 0 || progress.started_ns < job.started_ns)) {
    job.started_ns = progress.started_ns;
  }
  job.ended_ns = std::max(job.ended_ns, ended_ns);
  job.targets[id] = std::move(progress);
}

Job view(std::string id, std::string_view kind) {
  Job job{.id = std::move(id)};
  job.spec.kind = kind;
  job.state = JobState::kFinished;
  return job;
}

Job rebalance_view(const ClusterMap& map, const std::map<std::string, RebalanceProgress>& said) {
  Job job = view("g" + std::to_string(map.placement.since), kRebalance);
  for (const auto& [id, p] : said) {
    if (p.placement != map.placement.since || p.started_ns == 0) continue;
    JobProgress progress{.done = !p.running,
                         .counts = {.objects = p.names_moved, .bytes = p.bytes_moved},
                         .total = p.names_total,
                         .started_ns = p.started_ns};
    add_target(job, id, std::move(progress), p.ended_ns);
  }
  if (!map.placement.settled()) job.state = JobState::kRunning;
  return job;
}

Job resilver_view(const std::map<std::string, StorageInfo>& said) {
  Job job = view(std::string(kResilver), kResilver);
  for (const auto& [id, storage] : said) {
    const ResilverProgress& p = storage.resilver;
    if (p.started_ns == 0) continue;
    JobProgress progress{.done = !p.running,
                         .counts = {.objects = p.names_moved, .bytes = p.bytes_moved},
                         .total = p.names_total,
                         .error = p.names_left == 0 ? std::string() : p.why,
                         .started_ns = p.started_ns};
    add_target(job, id, std::move(progress), p.ended_ns);
    if (p.running) job.state = JobState::kRunning;
  }
  return job;
}

Job scrub_view(const std::map<std::string, ScrubProgress>& said) {
  Job job = view(std::string(kScrub), kScrub);
  for (const auto& [id, p] : said) {
    if (p.started_ns == 0) continue;
    JobProgress progress{.done = !p.running,
                         .counts = {.objects = p.objects,
                                    .bytes = p.bytes,
                                    .errors = p.damaged - std::min(p.damaged, p.healed)},
                         .total = p.objects_total,
                         .started_ns = p.started_ns};
    add_target(job, id, std::move(progress), p.ended_ns);
    if (p.running) job.state = JobState::kRunning;
  }
  return job;
}

void add_if_meant(std::vector<Job>& jobs, const JobQuery& query, Job job) {
  if (job.state == JobState::kRunning) job.ended_ns = 0;
  if (job.started_ns == 0 && job.state != JobState::kRunning) return;  // it has never been
  if (query.matches(job)) jobs.push_back(std::move(job));
}

/// Whether a view of this kind can be what the query means.
bool may_be_meant(const JobQuery& query, std::string_view kind) {
  if (!query.bucket.name.empty()) return false;
  if (!query.kind.empty() && query.kind != kind) return false;
  if (query.id.empty()) return true;
  return kind == kRebalance ? query.id.starts_with('g') : query.id == kind;
}

}  // namespace

bool is_view_id(std::string_view id) {
  if (id == kResilver || id == kScrub) return true;
  return id.starts_with('g') && parse_u64(id.substr(1)).has_value();
}

Task<std::vector<Job>> job_views(AdminApi& admin,
                                 Context context,
                                 MapSnapshot map,
                                 JobQuery query) {
  context.deadline = context.deadline.earlier(Deadline::after(kAnswerMax));
  std::vector<Job> jobs;
  if (may_be_meant(query, kRebalance)) {
    auto ask = [&](const std::string& id) { return admin.rebalance(context, id); };
    const auto said = co_await ask_all<RebalanceProgress>(map, std::move(ask));
    Job job = rebalance_view(*map, said);
    // A later change of the targets takes over what is left of an earlier one.
    const auto asked = parse_u64(query.id.empty() ? "" : std::string_view(query.id).substr(1));
    if (asked && *asked < map->placement.since) {
      job = view(query.id, kRebalance);
      job.started_ns = job.ended_ns = 1;
    }
    add_if_meant(jobs, query, std::move(job));
  }
  if (may_be_meant(query, kResilver)) {
    auto ask = [&](const std::string& id) { return admin.storage(context, id); };
    const auto said = co_await ask_all<StorageInfo>(map, std::move(ask));
    add_if_meant(jobs, query, resilver_view(said));
  }
  if (may_be_meant(query, kScrub)) {
    auto ask = [&](const std::string& id) { return admin.scrub(context, id, ScrubAction::kShow); };
    const auto said = co_await ask_all<ScrubProgress>(map, std::move(ask));
    add_if_meant(jobs, query, scrub_view(said));
  }
  co_return jobs;
}

Task<Status> stop_view(AdminApi& admin, Context context, MapSnapshot map, Job job) {
  CO_CHECK_OK(ops::may_stop_job(context.who, job));
  context.deadline = context.deadline.earlier(Deadline::after(kAnswerMax));
  for (const std::string& id : targets_of(*map)) {
    const auto told = co_await admin.scrub(context, id, ScrubAction::kStop);
    if (!told) co_return told.error();
  }
  co_return Status{};
}

}  // namespace aisfs::control
