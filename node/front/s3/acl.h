// SPDX-License-Identifier: MIT
#pragma once
#include "node/front/s3/request.h"

namespace aisfs::front::s3 {

/// InvalidArgument for a canned ACL that S3 does not know. What a known one would grant beyond the
/// owner is not granted: buckets are private here until there are policies.
Status check_canned_acl(const Request& r);

}  // namespace aisfs::front::s3
