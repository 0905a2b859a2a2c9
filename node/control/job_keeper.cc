// SPDX-License-Identifier: MIT
#include "node/control/job_keeper.h"

#include "common/obs/log.h"
#include "node/control/job_rules.h"
#include "node/control/ops/ops.h"

namespace aisfs::control {
namespace {

constexpr Duration kLookEvery = std::chrono::seconds(1);
constexpr Duration kListedFor = std::chrono::milliseconds(300);
constexpr Duration kEmptyMax = std::chrono::seconds(30);  // to find out whether a bucket is
// A bucket that is written to all the time never gets empty.
constexpr std::uint32_t kRoundsMax = 20;

}  // namespace

Task<void> JobKeeper::run() {
  while (true) {
    const auto seen = wanted_.count();
    const Status looked = co_await look();
    if (!looked) LOG_DEBUG("jobs are not looked after", "why", looked.error().what());
    co_await wanted_.wait(seen, Deadline::after(kLookEvery));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
  }
}

Task<Status> JobKeeper::look() {
  CO_TRY(std::vector<Job> live, co_await jobs_.live());
  if (live.empty()) co_return Status{};
  CO_TRY(const auto draft, co_await deps_.plane.maps().load());
  CO_TRY(const auto leases, co_await deps_.plane.maps().alive());
  std::set<std::string> alive;
  for (const auto& [id, _] : leases) alive.insert(id);
  for (Job& job : live) {
    const std::string shown = display_of(job);
    const Status done = co_await act(std::move(job), draft.map, alive);
    if (!done) LOG_WARN("a job does not get on", "job", shown, "why", done.error().what());
  }
  co_return Status{};
}

Task<Status> JobKeeper::act(Job job, const ClusterMap& map, const std::set<std::string>& alive) {
  JobVerdict verdict = judge(job, map, alive);
  if (verdict.what == JobVerdict::What::kClose) co_return co_await close(std::move(job));
  if (verdict.what == JobVerdict::What::kWait) co_return Status{};
  co_return co_await jobs_.end(job.id, verdict.state, std::move(verdict.error));
}

/// The bucket that was moved goes, once nothing is left in it: what was put there while the job ran
/// is moved as well.
Task<Status> JobKeeper::close(Job job) {
  const MapSnapshot map = deps_.plane.known().current();
  const Bucket* bucket = map->find_bucket(job.bucket_id);
  if (bucket != nullptr) {
    const auth::Identity self = auth::node_identity(deps_.plane.self());
    const BucketName name = bucket->name;
    Context context{.who = self, .deadline = Deadline::after(kEmptyMax), .trace = job.id};
    CO_TRY(const bool empty, co_await deps_.bucket_is_empty(std::move(context), name));
    if (!empty && job.round >= kRoundsMax) {
      co_return co_await jobs_.end(job.id, JobState::kFailed,
                                   "bucket \"" + name.display() + "\" is written to all the time");
    }
    if (!empty) {
      const JobStore::Edit again = [round = job.round](Job& edited) -> Status {
        if (edited.round == round) ++edited.round;
        return {};
      };
      co_return co_await jobs_.change(job.id, again);
    }
    const Status gone = co_await ops::destroy_bucket(deps_.plane, self, name);
    if (!gone && gone.error() != Errc::not_found) co_return gone;
  }
  co_return co_await jobs_.end(job.id, JobState::kFinished, "");
}

/// Every target asks once a second, and most of the time nothing has changed.
Task<Result<std::vector<Job>>> JobKeeper::records(bool fresh) {
  const TimePoint now = deps_.clock.now();
  if (!fresh) {
    const std::lock_guard lock(mutex_);
    if (now - listed_at_ < kListedFor) co_return listed_;
  }
  CO_TRY(std::vector<Job> jobs, co_await jobs_.live_records());
  const std::lock_guard lock(mutex_);
  listed_ = jobs;
  listed_at_ = now;
  co_return jobs;
}

Task<Result<wire::JobsReply>> JobKeeper::report(wire::ReportJobsRequest request) {
  bool ends = false, tells = !request.reports.empty();
  for (wire::JobReport& report : request.reports) {
    ends = ends || report.progress.done || report.progress.stopped || report.progress.fatal;
    CO_CHECK_OK(co_await jobs_.report(request.node, std::move(report)));
  }
  if (ends) wanted_.notify();
  wire::JobsReply reply;
  CO_TRY(reply.jobs, co_await records(tells));
  CO_CHECK_OK(co_await jobs_.add_progress_of(request.node, reply.jobs));
  co_return reply;
}

}  // namespace aisfs::control
