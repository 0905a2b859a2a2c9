// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "node/control/job_service.h"
#include "node/jobs/runner.h"

namespace aisfs::node {

/// What a node has to do with jobs: it answers about them, a gateway brings them to their end, a
/// target works on them.
class NodeJobs {
 public:
  /// All of it outlives it.
  struct Deps {
    std::string node_id;
    control::NodeMapSource& maps;
    Clock& clock;
    Transport& peers;  // to control listeners
    AdminApi& admin;
    control::ControlPlane* plane = nullptr;  // on gateways
    std::function<Task<Result<bool>>(Context, BucketName)> bucket_is_empty;
  };
  explicit NodeJobs(Deps deps);
  ~NodeJobs();

  control::JobService& service() { return *service_; }
  /// Of a gateway: until cancelled.
  Task<void> keep() { return keeper_->run(); }
  /// Of a target: until cancelled.
  Task<void> work(jobs::JobDeps deps);

 private:
  static Task<Result<wire::JobsReply>> report(NodeJobs& self, wire::ReportJobsRequest request);
  static Task<Result<wire::JobNames>> names(NodeJobs& self, std::string id);
  Context context() const;

  const Deps deps_;
  std::unique_ptr<control::JobKeeper> keeper_;
  std::unique_ptr<control::JobService> service_;
  std::unique_ptr<jobs::JobRunner> runner_;
};

}  // namespace aisfs::node
