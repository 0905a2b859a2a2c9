// SPDX-License-Identifier: MIT
#include "node/control/job_service.h"

#include <algorithm>

#include "common/client/remote_call.h"
#include "common/client/remote_jobs.h"
#include "node/control/job_views.h"
#include "node/control/ops/job_ops.h"
#include "node/control/ops/rights.h"

namespace aisfs::control {
namespace {

/// Another gateway may know more.
bool may_ask_next(const Error& error) {
  return error == Errc::unreachable || error == Errc::timed_out || error == Errc::not_ready;
}

// So that one that hangs leaves time for the next.
constexpr Duration kAskMax = std::chrono::seconds(10);

Context bounded(Context context) {
  context.deadline = context.deadline.earlier(Deadline::after(kAskMax));
  return context;
}

}  // namespace

template <class Step>
auto JobService::at_gateway(Step step) const
    -> std::invoke_result_t<Step&, RemoteJobs&, const NodeInfo&> {
  const std::vector<NodeInfo> gateways = deps_.maps.current()->gateways();
  for (std::size_t i = 0; i < gateways.size(); ++i) {
    RemoteJobs there(deps_.peers, gateways[i]);
    auto task = step(there, gateways[i]);
    auto reply = co_await std::move(task);
    const bool last = i + 1 == gateways.size();
    if (reply.ok() || last || !may_ask_next(reply.error())) co_return reply;
  }
  co_return Error(Errc::not_ready, "no gateway is known yet");
}

Task<Result<std::string>> JobService::start_job(Context context, JobSpec spec, std::string id) {
  if (id.empty()) id = make_job_id();
  if (deps_.plane != nullptr) {
    co_return co_await ops::start_job(*deps_.plane, context.who, std::move(spec), std::move(id));
  }
  auto ask = [&](RemoteJobs& there, const NodeInfo&) {
    return there.start_job(bounded(context), spec, id);
  };
  co_return co_await at_gateway(std::move(ask));
}

Task<Status> JobService::stop_jobs(Context context, JobQuery query) {
  if (deps_.plane != nullptr) co_return co_await stop_here(std::move(context), std::move(query));
  auto ask = [&](RemoteJobs& there, const NodeInfo&) {
    return there.stop_jobs(bounded(context), query);
  };
  co_return co_await at_gateway(std::move(ask));
}

Task<Status> JobService::stop_here(Context context, JobQuery query) {
  const Status stopped = co_await ops::stop_jobs(*deps_.plane, context.who, query);
  if (stopped || stopped.error() != Errc::not_found) co_return stopped;
  const MapSnapshot map = deps_.maps.current();
  std::vector<Job> views = co_await job_views(deps_.admin, context, map, query);
  if (views.empty()) co_return stopped;
  for (Job& job : views) CO_CHECK_OK(co_await stop_view(deps_.admin, context, map, std::move(job)));
  co_return Status{};
}

Task<Result<std::vector<Job>>> JobService::list_jobs(Context context, JobQuery query) {
  if (deps_.plane != nullptr) co_return co_await list_here(std::move(context), std::move(query));
  auto ask = [&](RemoteJobs& there, const NodeInfo&) {
    return there.list_jobs(bounded(context), query);
  };
  co_return co_await at_gateway(std::move(ask));
}

Task<Result<std::vector<Job>>> JobService::list_here(Context context, JobQuery query) {
  CO_CHECK_OK(ops::need_user(context.who));
  if (is_view_id(query.id)) {
    co_return co_await job_views(deps_.admin, std::move(context), deps_.maps.current(), query);
  }
  JobStore store(deps_.plane->meta(), deps_.plane->clock());
  std::vector<Job> jobs;
  if (!query.id.empty()) {
    auto job = co_await store.find(query.id);
    if (!job && job.error() != Errc::not_found) co_return std::move(job).error();
    if (job) jobs.push_back(*std::move(job));
  } else {
    if (query.ended) {
      CO_TRY(jobs, co_await store.past());
    }
    CO_TRY(std::vector<Job> live, co_await store.live());
    std::move(live.begin(), live.end(), std::back_inserter(jobs));
  }
  std::erase_if(jobs, [&](const Job& job) {
    return !query.matches(job) || !ops::may_see_job(context.who, job);
  });
  if (!query.id.empty()) co_return jobs;
  for (Job& job : co_await job_views(deps_.admin, context, deps_.maps.current(), query)) {
    // One that was started is there with its record.
    const bool known = std::any_of(jobs.begin(), jobs.end(), [&job](const Job& other) {
      return other.is_running() && other.spec.kind == job.spec.kind;
    });
    if (!known) jobs.push_back(std::move(job));
  }
  co_return jobs;
}

Task<Result<wire::JobsReply>> JobService::report(Context context, wire::ReportJobsRequest request) {
  if (deps_.keeper != nullptr) co_return co_await deps_.keeper->report(std::move(request));
  auto ask = [&](RemoteJobs&, const NodeInfo& gateway) {
    return call<wire::JobsReply>(deps_.peers, gateway, bounded(context),
                                 std::string(wire::kReportJobsMethod), request);
  };
  co_return co_await at_gateway(std::move(ask));
}

Task<Result<wire::JobNames>> JobService::names(Context context, std::string id) {
  if (deps_.plane != nullptr) {
    JobStore store(deps_.plane->meta(), deps_.plane->clock());
    wire::JobNames reply;
    CO_TRY(reply.names, co_await store.names(std::move(id)));
    co_return reply;
  }
  auto ask = [&](RemoteJobs&, const NodeInfo& gateway) {
    wire::JobNamesRequest request{id};
    return call<wire::JobNames>(deps_.peers, gateway, bounded(context),
                                std::string(wire::kJobNamesMethod), std::move(request));
  };
  co_return co_await at_gateway(std::move(ask));
}

}  // namespace aisfs::control
