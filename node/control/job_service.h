// SPDX-License-Identifier: MIT
#pragma once
#include <functional>

#include "common/client/admin_api.h"
#include "common/client/remote_jobs.h"
#include "common/client/transport.h"
#include "common/wire/jobs.h"
#include "node/control/control_plane.h"
#include "node/control/job_keeper.h"

namespace aisfs::control {

struct JobServiceDeps {
  NodeMapSource& maps;
  AdminApi& admin;                // of this node: what targets do by themselves
  Transport& peers;               // to control listeners
  ControlPlane* plane = nullptr;  // on gateways; null: they are asked
  JobKeeper* keeper = nullptr;    // on gateways
};

/// JobsApi as every node's fronts use it, and what targets say of jobs. A gateway answers itself,
/// the others ask one gateway after the other until one answers: all of it can be asked twice.
/// Thread-safe.
class JobService final : public JobsApi {
 public:
  explicit JobService(JobServiceDeps deps) : deps_(deps) {}

  Task<Result<std::string>> start_job(Context context, JobSpec spec, std::string id) override;
  Task<Status> stop_jobs(Context context, JobQuery query) override;
  Task<Result<std::vector<Job>>> list_jobs(Context context, JobQuery query) override;

  // Of targets, in their own name.
  Task<Result<wire::JobsReply>> report(Context context, wire::ReportJobsRequest request);
  /// The list of names of a job that has one; empty when it runs no more.
  Task<Result<wire::JobNames>> names(Context context, std::string id);

 private:
  /// step(jobs, gateway) at one after the other while they cannot be reached.
  template <class Step>
  auto at_gateway(Step step) const -> std::invoke_result_t<Step&, RemoteJobs&, const NodeInfo&>;
  Task<Result<std::vector<Job>>> list_here(Context context, JobQuery query);
  Task<Status> stop_here(Context context, JobQuery query);

  const JobServiceDeps deps_;
};

}  // namespace aisfs::control
