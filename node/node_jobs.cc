// SPDX-License-Identifier: MIT
#include "node/node_jobs.h"

namespace aisfs::node {
namespace {

// Of one report with all gateways that are asked; the next one comes anyway.
constexpr Duration kReportMax = std::chrono::seconds(15);

}  // namespace

NodeJobs::NodeJobs(Deps deps) : deps_(std::move(deps)) {
  if (deps_.plane != nullptr) {
    control::JobKeeper::Deps keeper{
        .plane = *deps_.plane, .clock = deps_.clock, .bucket_is_empty = deps_.bucket_is_empty};
    keeper_ = std::make_unique<control::JobKeeper>(std::move(keeper));
  }
  service_ =
      std::make_unique<control::JobService>(control::JobServiceDeps{.maps = deps_.maps,
                                                                    .admin = deps_.admin,
                                                                    .peers = deps_.peers,
                                                                    .plane = deps_.plane,
                                                                    .keeper = keeper_.get()});
}

NodeJobs::~NodeJobs() = default;

Context NodeJobs::context() const {
  return {.who = auth::node_identity(deps_.node_id),
          .deadline = Deadline::after(kReportMax),
          .trace = "jobs"};
}

Task<Result<wire::JobsReply>> NodeJobs::report(NodeJobs& self, wire::ReportJobsRequest request) {
  return self.service_->report(self.context(), std::move(request));
}

Task<Result<wire::JobNames>> NodeJobs::names(NodeJobs& self, std::string id) {
  return self.service_->names(self.context(), std::move(id));
}

Task<void> NodeJobs::work(jobs::JobDeps deps) {
  jobs::JobRunner::Deps runner{
      .work = std::move(deps),
      .report =
          [this](wire::ReportJobsRequest request) { return report(*this, std::move(request)); },
      .names = [this](std::string id) { return names(*this, std::move(id)); }};
  runner_ = std::make_unique<jobs::JobRunner>(std::move(runner));
  return runner_->run();
}

}  // namespace aisfs::node
