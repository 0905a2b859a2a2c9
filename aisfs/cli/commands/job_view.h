// SPDX-License-Identifier: MIT
// How jobs look, and how a command waits for one.
#pragma once
#include <string>
#include <vector>

#include "aisfs/cli/session.h"
#include "aisfs/cli/table.h"
#include "common/model/job.h"

namespace aisfs::cli {

/// A line a job.
Table job_table(const std::vector<Job>& jobs);
/// A line a target of one job.
Table target_table(const Job& job);
JsonObject job_json(const Job& job);

/// "[=====>   ] 19%  277 of 1430 names  12.0 MiB  310 MiB/s", cut to `width` columns; without a bar
/// when it is not known how many there are.
std::string job_line(const Job& job, std::uint64_t bytes_per_second, std::size_t width);

/// What a command that has started a job says: how to look at it, or, when `wait` is set, its
/// outcome.
Task<Status> follow_started(Session& s, std::string id, std::string what, bool wait);

/// Waits until the job has ended, with a progress bar on a terminal, and says how. An error unless
/// it has finished: of one that was stopped cancelled, of one that failed io; timed_out at the
/// deadline.
Task<Status> wait_for_job(Session& s, std::string id, Deadline deadline);

}  // namespace aisfs::cli
