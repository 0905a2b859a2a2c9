// SPDX-License-Identifier: MIT
#include "tests/kit/fake_jobs.h"

#include <algorithm>

namespace aisfs::tests {

Task<Result<std::string>> FakeJobs::start_job(Context context, JobSpec spec, std::string id) {
  const JobKind* kind = find_job_kind(spec.kind);
  if (kind == nullptr) co_return Error(Errc::invalid_argument, "no such kind");
  const std::lock_guard lock(mutex_);
  Job job{.id = id.empty() ? "job" + std::to_string(jobs_.size() + 1) : id,
          .spec = std::move(spec),
          .owner = context.who.user(),
          .started_ns = 1'700'000'000'000'000'000};
  job.spec.kind = kind->name;
  job.names_count = job.spec.names.size();
  jobs_.push_back(job);
  co_return job.id;
}

Task<Status> FakeJobs::stop_jobs(Context, JobQuery query) {
  const std::lock_guard lock(mutex_);
  bool any = false;
  for (Job& job : jobs_) {
    if (!query.matches(job)) continue;
    any = true;
    if (job.is_running()) job.stopping = true;
  }
  co_return any ? Status{} : Status(Error(Errc::not_found, "no such job runs"));
}

Task<Result<std::vector<Job>>> FakeJobs::list_jobs(Context, JobQuery query) {
  const std::lock_guard lock(mutex_);
  if (looks_ > 0 && --looks_ == 0) {
    for (Job& job : jobs_) {
      if (!job.is_running()) continue;
      job.state = job.stopping ? JobState::kStopped : JobState::kFinished;
      job.ended_ns = job.started_ns + 1;
    }
  }
  std::vector<Job> found;
  std::copy_if(jobs_.begin(), jobs_.end(), std::back_inserter(found),
               [&query](const Job& job) { return query.matches(job); });
  co_return found;
}

bool FakeJobs::edit(const std::string& id, const std::function<void(Job&)>& change) {
  const std::lock_guard lock(mutex_);
  for (Job& job : jobs_) {
    if (job.id != id) continue;
    change(job);
    return true;
  }
  return false;
}

std::vector<Job> FakeJobs::all() const {
  const std::lock_guard lock(mutex_);
  return jobs_;
}

void FakeJobs::finish_on_look(int looks) {
  const std::lock_guard lock(mutex_);
  looks_ = looks;
}

}  // namespace aisfs::tests
