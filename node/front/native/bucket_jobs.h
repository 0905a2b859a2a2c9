// SPDX-License-Identifier: MIT
#pragma once
#include "node/front/native/call.h"

namespace aisfs::native {

/// Whether the action of /v1/buckets/<bucket> starts a job.
bool is_bucket_job(http::Method method, std::string_view action);

/// POST copy-bck, move-bck (to the query's bck_to), copy-listrange (to value.tobck); DELETE
/// delete-listrange. Answers the job's id. Prefetching and evicting a native bucket is 400: its
/// objects are nowhere else.
Task<void> serve_bucket_job(Call& call, BucketName bucket, ActionMessage action);

}  // namespace aisfs::native
