// SPDX-License-Identifier: MIT
#include "aisfs/fs/names.h"
#include "aisfs/ops/observe.h"
#include "aisfs/ops/ops.h"
#include "aisfs/ops/promises.h"

namespace aisfs::ops {

Task<Status> rmdir(Mount& mount, Call call, NodeId parent, std::string name) {
  CO_TRY(const fs::InodePtr directory, inode_of(mount, parent));
  if (directory->kind == fs::Kind::kRoot) {
    BucketName bucket = native_bucket(name);
    CO_CHECK_OK(
        co_await mount.cluster.admin.destroy_bucket(call.context(), std::move(bucket), false));
  } else {
    CO_CHECK_OK(co_await make_explicit(mount, call, directory));
    if (const auto inode = mount.inodes.child(*directory, name)) {
      CO_CHECK_OK(co_await arrive(mount, call, inode));
      CO_CHECK_OK(co_await settle_names(mount, call, inode));
    }
    CO_TRY(fs::Place place, mount.inodes.place(*directory));
    place.path = fs::join(place.path, name);
    CO_CHECK_OK(
        co_await mount.cluster.objects.remove_dir(call.context(), place.bucket, place.path));
  }
  mount.touch(*directory);
  if (const auto inode = mount.inodes.child(*directory, name)) mount.inodes.detach(inode);
  co_return Status();
}

}  // namespace aisfs::ops
