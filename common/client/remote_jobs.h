// SPDX-License-Identifier: MIT
#pragma once
#include "common/client/jobs_api.h"
#include "common/client/transport.h"

namespace aisfs {

/// Jobs as one node answers about them; one attempt each. Thread-safe. It and `transport` outlive
/// its operations.
class RemoteJobs final : public JobsApi {
 public:
  RemoteJobs(Transport& transport, NodeInfo node) : transport_(transport), node_(std::move(node)) {}

  Task<Result<std::string>> start_job(Context context, JobSpec spec, std::string id) override;
  Task<Status> stop_jobs(Context context, JobQuery query) override;
  Task<Result<std::vector<Job>>> list_jobs(Context context, JobQuery query) override;

 private:
  Transport& transport_;
  NodeInfo node_;
};

}  // namespace aisfs
