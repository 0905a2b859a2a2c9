// SPDX-License-Identifier: MIT
#pragma once
#include "common/wire/jobs.h"
#include "node/front/native/call.h"

namespace aisfs::native {

/// start_job, stop_jobs and list_jobs: what users may ask for (common/wire/jobs.h).
bool is_job_method(std::string_view name);
Task<Result<std::string>> run_job_method(Call& call, std::string name, std::string bytes);

}  // namespace aisfs::native
