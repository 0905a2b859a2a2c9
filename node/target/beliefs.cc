// SPDX-License-Identifier: MIT
// LocalTarget: what mounts may believe, and what they have to themselves (leases.h).
#include "common/placement/prefix_map.h"
#include "node/target/local_target.h"
#include "node/target/rename_log.h"

namespace aisfs::target {

/// Where directories are implied, or renamed ones are being rewritten, no target knows all of a
/// name.
void LocalTarget::lease(const Context& context,
                        const ClusterMap& map,
                        BucketId bucket,
                        std::string_view path) {
  if (context.session == 0 || placement::has_mappings(map, bucket)) return;
  const Bucket* found = map.find_bucket(bucket);
  if (found != nullptr && !found->implied_dirs) leases_->grant(context, bucket, path);
}

/// Only where a target knows all of its names, as for a lease.
Status LocalTarget::delegate(const Context& context, wire::DelegateRequest request) {
  TRY(const Bucket bucket, admit(context, request.bucket));
  if (request.ends) {
    leases_->give_back(context, request.id);
    return {};
  }
  const std::string below = request.path.empty() ? "" : request.path + "/";
  const MapSnapshot map = maps_.current();
  if (bucket.implied_dirs || placement::has_mappings(*map, bucket.id)) {
    return Error(Errc::unsupported, "directories are implied in the bucket, or being renamed");
  }
  if (!map->placement.settled()) {
    return Error(Errc::not_ready, "names are moving to other targets");
  }
  CHECK_OK(leases_->delegate(context, request.id, bucket.id, request.path));
  if (!renames_->touches(bucket.id, below)) return {};
  leases_->give_back(context, request.id);
  return Error(Errc::busy, "a rename to a name in \"" + request.path + "\" is under way");
}

Task<Status> LocalTarget::recall_all(const ClusterMap& map, Deadline deadline) {
  const Context nobody{.who = {}, .deadline = deadline, .trace = "handover"};
  for (const auto& [_, bucket] : map.buckets) {
    if (!leases_->delegates()) break;
    CO_CHECK_OK(co_await leases_->recall(nobody, bucket.id, [](std::string_view) { return true; }));
  }
  co_return Status{};
}

}  // namespace aisfs::target
