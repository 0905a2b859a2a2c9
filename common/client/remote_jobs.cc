// SPDX-License-Identifier: MIT
#include "common/client/remote_jobs.h"

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/client/remote_call.h"
#include "common/wire/jobs.h"

namespace aisfs {

std::string make_job_id() { return "j-" + to_hex(as_bytes(random_bytes(6))); }

Task<Result<std::string>> RemoteJobs::start_job(Context context, JobSpec spec, std::string id) {
  if (id.empty()) id = make_job_id();
  wire::StartJobRequest request{std::move(id), std::move(spec)};
  CO_TRY(auto reply,
         co_await call<wire::JobIdReply>(transport_, node_, std::move(context),
                                         std::string(wire::kStartJobMethod), std::move(request)));
  co_return std::move(reply.id);
}

Task<Status> RemoteJobs::stop_jobs(Context context, JobQuery query) {
  wire::JobsRequest request{std::move(query)};
  CO_CHECK_OK(co_await call<wire::Nothing>(transport_, node_, std::move(context),
                                           std::string(wire::kStopJobsMethod), std::move(request)));
  co_return Status{};
}

Task<Result<std::vector<Job>>> RemoteJobs::list_jobs(Context context, JobQuery query) {
  wire::JobsRequest request{std::move(query)};
  CO_TRY(auto reply,
         co_await call<wire::JobsReply>(transport_, node_, std::move(context),
                                        std::string(wire::kListJobsMethod), std::move(request)));
  co_return std::move(reply.jobs);
}

}  // namespace aisfs
