// SPDX-License-Identifier: MIT
#pragma once
#include "node/front/native/call.h"

namespace aisfs::native {

/// /v1/buckets[/<bucket>]: list buckets and objects, create, destroy, properties, summaries.
Task<void> serve_buckets(Call& call);

}  // namespace aisfs::native
