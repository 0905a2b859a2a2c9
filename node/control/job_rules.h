// SPDX-License-Identifier: MIT
// What becomes of a job, from what is known of it. Pure.
#pragma once
#include <set>
#include <string>

#include "common/model/job.h"

namespace aisfs::control {

struct JobVerdict {
  enum class What : std::uint8_t {
    kWait,   // targets have not done all of it
    kClose,  // they have; what is left is the gateway's (has_closing)
    kEnd,    // with this state and error
  };
  What what = What::kWait;
  JobState state = JobState::kFinished;
  std::string error;
};

/// `alive`: nodes with a lease. Of a job over names every active target must have done its share in
/// the placement of now: names that a change of targets has moved were perhaps looked at by nobody.
/// Who does not live does nothing, so nobody waits for it to stop.
JobVerdict judge(const Job& job, const ClusterMap& map, const std::set<std::string>& alive);

/// Whether the gateway has something to do when all targets are done: a bucket that was moved goes.
bool has_closing(const Job& job);

/// permission_denied, already_exists, busy: why `other`, which runs, keeps `spec` from being
/// started; ok when both go together.
Status check_beside(const JobSpec& spec, const Job& other);

/// Whether the running job is what `spec` asks for: of a kind of which one at a time runs.
bool is_same_work(const JobSpec& spec, const Job& running);

}  // namespace aisfs::control
