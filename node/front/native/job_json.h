// SPDX-License-Identifier: MIT
// Jobs in AIStore's words. Pure.
#pragma once
#include <boost/json/object.hpp>

#include "common/model/job.h"

namespace aisfs::native {

/// What ?what=status answers: end_time is 0 while it runs.
boost::json::object job_status_json(const Job& job);

/// What one target says of it ("snap"). Of a target that has said nothing yet `progress` is empty:
/// it is not idle, so nobody takes the job for one that has ended.
boost::json::object job_snap_json(const Job& job, const JobProgress& progress);

/// The targets' snaps by their ids: of a job that runs all active ones, else those that took part.
void add_snaps(boost::json::object& by_target, const ClusterMap& map, const Job& job);

/// Of a kind that AIStore keeps for a minute after its last work ("idle"); clients look for it
/// among the jobs that run.
bool seems_to_run(const Job& job, std::int64_t now_ns);

}  // namespace aisfs::native
