// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "common/client/jobs_api.h"

namespace aisfs::tests {

/// Jobs of which nothing is done until a test says so, with the contract of JobsApi; everybody may
/// do everything. Thread-safe.
class FakeJobs final : public JobsApi {
 public:
  Task<Result<std::string>> start_job(Context context, JobSpec spec, std::string id) override;
  Task<Status> stop_jobs(Context context, JobQuery query) override;
  Task<Result<std::vector<Job>>> list_jobs(Context context, JobQuery query) override;

  /// As a test wants it; false when there is none of this id.
  bool edit(const std::string& id, const std::function<void(Job&)>& change);
  /// Of all that were started, in this order.
  std::vector<Job> all() const;
  /// When they are looked at for the n-th time from now on, all have ended.
  void finish_on_look(int looks);

 private:
  mutable std::mutex mutex_;
  std::vector<Job> jobs_;  // guarded by mutex_
  int looks_ = -1;         // guarded by mutex_
};

}  // namespace aisfs::tests
