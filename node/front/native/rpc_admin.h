// SPDX-License-Identifier: MIT
#pragma once
#include "common/wire/data.h"
#include "node/front/native/call.h"

namespace aisfs::native {

/// The methods about buckets and users. Checks what the caller may do before it asks AdminApi.
Task<Result<std::string>> run_admin_method(Call& call, wire::DataMethod method, std::string bytes);

/// permission_denied unless the caller may change the bucket: its owner or an administrator.
Task<Status> may_administer(Call& call, BucketName bucket);

}  // namespace aisfs::native
