// SPDX-License-Identifier: MIT
#include "node/front/native/rpc_jobs.h"

#include "common/auth/authorize.h"
#include "common/client/messages.h"

namespace aisfs::native {
namespace {

template <class Request>
Result<Request> request_of(std::string_view bytes) {
  auto request = wire::decode<Request>(bytes);
  if (!request) return Error(Errc::invalid_argument, request.error().what());
  return request;
}

Task<Result<std::string>> run_start(Call& call, JobsApi& jobs, std::string bytes) {
  CO_TRY(auto r, request_of<wire::StartJobRequest>(bytes));
  wire::JobIdReply reply;
  CO_TRY(reply.id, co_await jobs.start_job(call.context, std::move(r.spec), std::move(r.id)));
  co_return wire::encode(reply);
}

Task<Result<std::string>> run_stop(Call& call, JobsApi& jobs, std::string bytes) {
  CO_TRY(auto r, request_of<wire::JobsRequest>(bytes));
  CO_CHECK_OK(co_await jobs.stop_jobs(call.context, std::move(r.query)));
  co_return wire::encode(wire::Nothing{});
}

Task<Result<std::string>> run_list(Call& call, JobsApi& jobs, std::string bytes) {
  CO_TRY(auto r, request_of<wire::JobsRequest>(bytes));
  wire::JobsReply reply;
  CO_TRY(reply.jobs, co_await jobs.list_jobs(call.context, std::move(r.query)));
  co_return wire::encode(reply);
}

}  // namespace

bool is_job_method(std::string_view name) {
  return name == wire::kStartJobMethod || name == wire::kStopJobsMethod ||
         name == wire::kListJobsMethod;
}

Task<Result<std::string>> run_job_method(Call& call, std::string name, std::string bytes) {
  // The first gate; what a job does with buckets is decided with the map in hand.
  CO_CHECK_OK(auth::authorize(call.context.who, auth::Action::kShowCluster));
  CO_TRY(JobsApi* const jobs, call.jobs());
  if (name == wire::kStartJobMethod) co_return co_await run_start(call, *jobs, std::move(bytes));
  if (name == wire::kStopJobsMethod) co_return co_await run_stop(call, *jobs, std::move(bytes));
  co_return co_await run_list(call, *jobs, std::move(bytes));
}

}  // namespace aisfs::native
