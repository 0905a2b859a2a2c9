// SPDX-License-Identifier: MIT
#include "node/jobs/runner.h"

#include <algorithm>

#include "common/obs/log.h"

namespace aisfs::jobs {
namespace {

// The others wait: each has several names on their way.
constexpr std::ptrdiff_t kJobsAtOnce = 4;
constexpr Duration kAgain = std::chrono::milliseconds(500);

}  // namespace

Task<void> JobRunner::run() {
  TaskScope scope(co_await asio::this_coro::executor);
  scope.spawn(look_on(scope));
  co_await scope.join();
}

Task<void> JobRunner::look_on(TaskScope& scope) {
  while (true) {
    const auto seen = wanted_.count();
    co_await exchange();
    begin_due(scope);
    co_await wanted_.wait(seen, Deadline::after(deps_.report_every));
  }
}

bool JobRunner::is_active_target() const {
  const NodeInfo* self = deps_.work.maps.current()->find_node(deps_.work.node_id);
  return self != nullptr && self->state == NodeState::kActive;
}

// --- what gateways and this target tell each other
// ------------------------------------------------

Task<void> JobRunner::exchange() {
  wire::ReportJobsRequest request{.node = deps_.work.node_id, .reports = {}};
  for (auto& [id, active] : active_) {
    if (active->is_told && active->told == active->run.progress) continue;
    active->run.progress.updated_ns = deps_.work.clock.unix_ns();
    request.reports.push_back({id, active->run.progress});
  }
  const std::vector<wire::JobReport> sent = request.reports;
  const auto reply = co_await deps_.report(std::move(request));
  if (!reply) {
    LOG_DEBUG("no gateway hears of jobs", "why", reply.error().what());
    co_return;
  }
  for (const wire::JobReport& report : sent) {
    const auto active = active_.find(report.id);
    if (active == active_.end()) continue;
    active->second->told = report.progress;
    active->second->is_told = true;
  }
  for (auto& [_, active] : active_) active->is_known = false;
  for (const Job& job : reply->jobs) note(job);
  forget_ended();
}

void JobRunner::note(const Job& job) {
  if (!job.spec.node.empty() && job.spec.node != deps_.work.node_id) return;
  auto& active = active_[job.id];
  if (active && active->run.is_stopped() && !job.stopping) {
    if (active->working) return;  // it was thought to have ended; what goes on here ends first
    active.reset();
  }
  if (!active) {
    const auto before = job.targets.find(deps_.work.node_id);
    JobProgress so_far = before == job.targets.end() ? JobProgress{} : before->second;
    so_far.waiting.clear();
    so_far.stopped = so_far.stopped && job.stopping;
    const Kind* kind = find_kind(job.spec.kind);
    active = std::make_unique<Active>(deps_.work, job, std::move(so_far), kind);
    if (kind == nullptr) {
      active->run.progress.fatal = true;
      active->run.progress.error =
          deps_.work.node_id + " knows no job of this kind: its release is older";
    }
  }
  active->is_known = true;
  active->run.job = job;
  if (!job.stopping) return;
  active->run.stop();
  if (!active->working && !active->run.progress.stopped) {
    active->run.progress.stopped = true;
    wanted_.notify();
  }
}

void JobRunner::forget_ended() {
  for (auto it = active_.begin(); it != active_.end();) {
    Active& active = *it->second;
    if (!active.is_known) active.run.stop();
    it = !active.is_known && !active.working ? active_.erase(it) : std::next(it);
  }
}

// --- work ---------------------------------------------------------------------------------------

bool JobRunner::is_due(const Active& active) const {
  const JobProgress& p = active.run.progress;
  if (active.working || active.run.is_stopped() || p.fatal) return false;
  if (!p.done || p.round != active.run.job.round) return true;
  const JobKind* kind = find_job_kind(active.run.job.spec.kind);
  const bool by_placement = kind != nullptr && kind->of == JobKind::Of::kNames;
  return by_placement && p.placement != deps_.work.maps.current()->placement.since;
}

void JobRunner::begin_due(TaskScope& scope) {
  if (!is_active_target()) return;
  auto working = std::count_if(active_.begin(), active_.end(),
                               [](const auto& entry) { return entry.second->working; });
  for (auto& [_, active] : active_) {
    if (!is_due(*active)) continue;
    // That it begins is written before it does: the next run has to know of this one.
    if (!active->begun) {
      JobProgress& p = active->run.progress;
      if (p.started_ns == 0) p.started_ns = deps_.work.clock.unix_ns();
      ++p.runs;
      active->begun = true;
      wanted_.notify();
      continue;
    }
    if (active->told.runs != active->run.progress.runs || working >= kJobsAtOnce) continue;
    ++working;
    active->working = true;
    scope.spawn(work(*active));
  }
}

Task<Status> JobRunner::fetch_names(JobRun& run) {
  while (run.job.names_count != 0 && run.names.empty() && !run.is_stopped()) {
    auto list = co_await deps_.names(run.job.id);
    if (list) run.names = std::move(list->names);
    if (list && !run.names.empty()) break;
    CO_CHECK_OK(co_await deps_.work.clock.sleep(kAgain));
  }
  co_return Status{};
}

Task<void> JobRunner::work(Active& active) {
  JobRun& run = active.run;
  LOG_INFO("job begins here", "job", display_of(run.job), "run", run.progress.runs);
  Status done = co_await fetch_names(run);
  try {
    if (done && !run.is_stopped()) done = co_await active.kind->run(run);
  } catch (const boost::system::system_error&) {
    throw;  // how a cancelled coroutine unwinds
  } catch (const std::exception& e) {
    done = Error(Errc::internal, e.what());
  }
  active.working = false;
  run.progress.waiting.clear();
  if (run.is_stopped()) {
    run.progress.stopped = true;
  } else if (done) {
    run.progress.done = true;
  } else if (done.error() != Errc::cancelled) {  // then this node is ending, and goes on later
    run.progress.fatal = true;
    run.progress.error = done.error().what();
  }
  LOG_INFO("job is over here", "job", display_of(run.job), "objects", run.progress.counts.objects,
           "errors", run.progress.counts.errors, "done", run.progress.done, "error",
           run.progress.error);
  wanted_.notify();
}

}  // namespace aisfs::jobs
