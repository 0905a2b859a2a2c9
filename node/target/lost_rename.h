// SPDX-License-Identifier: MIT
// A committed rename of which the target that had prepared the new name is away for longer than its
// lease, or has been given up. It had published the name, or not: what anybody has seen of it its
// other holders have, where names have copies. Versions of the new name are compared with the one
// that it had got when it was prepared: the clocks of two targets say nothing of each other.
#pragma once
#include "node/store/store.h"
#include "node/target/rename_log.h"

namespace aisfs::target {

struct LostRename {
  const std::string& node_id;  // of this target, the source's owner
  store::Store& store;
  Peers& peers;
  MapSnapshot map;
  RenameIntent intent;
  BucketName bucket;

  ObjectName to() const { return {bucket, intent.destination}; }
};

/// Whether who was to publish it cannot be asked what has become of it, by this map.
bool has_lost_its_taker(const ClusterMap& map, const RenameIntent& intent);

/// Whether what is there under the new name is what the rename has made, changed since perhaps.
bool is_made_by(const RenameIntent& intent, const ObjectInfo& there);

/// Whether the new name has come to be, whatever has become of it since. What is given outlives the
/// call. Errors of who owns the name now.
Task<Result<bool>> was_published(const LostRename& rename, Context context);

/// Of one that was not: whether the old name is gone all the same, or newer than its going.
Result<bool> is_over(const LostRename& rename);

/// Of one that is not: has the owner of the new name by this map prepare it, whose id is left in
/// `owner`; the version that it gives the name. precondition_failed: somebody has made the name
/// meanwhile, and it is his, or the old one has changed. not_ready: ask anew.
Task<Result<Version>> prepare_again(const LostRename& rename, std::string& owner, Context context);

}  // namespace aisfs::target
