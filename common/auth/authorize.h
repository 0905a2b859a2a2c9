// SPDX-License-Identifier: MIT
// Who may do what: the one decision. Default deny.
#pragma once
#include "common/auth/identity.h"
#include "common/model/bucket.h"

namespace aisfs::auth {

enum class Action : std::uint8_t {
  kRead,              // objects, listings, properties of a bucket
  kWrite,             // anything that changes its objects
  kAdministerBucket,  // properties, destruction
  kListBuckets,       // those of one's own
  kCreateBucket,
  kCreateToken,  // for oneself
  kShowCluster,  // nodes and their addresses, capacity
  kManageUsers,
  kManageNodes,
};
std::string_view to_string(Action action);

/// permission_denied unless `who` may do `action` in `bucket`: its owner, administrators, nodes.
Status authorize(const Identity& who, Action action, const Bucket& bucket);

/// For actions that concern no bucket: everybody with an identity may list, create buckets and
/// tokens and see the cluster; users are managed by administrators.
Status authorize(const Identity& who, Action action);

}  // namespace aisfs::auth
