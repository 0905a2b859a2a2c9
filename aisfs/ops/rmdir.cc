// SPDX-License-Identifier: MIT
#include "aisfs/fs/names.h"
#include "aisfs/ops/lost_answers.h"
#include "aisfs/ops/observe.h"
#include "aisfs/ops/ops.h"
#include "aisfs/ops/promises.h"

namespace aisfs::ops {
namespace {

/// When the answer is lost it may be gone all the same.
Task<Status> remove_directory(Mount& mount, Call call, fs::Place place) {
  Status done = co_await mount.cluster.objects.remove_dir(call.context(), place.bucket, place.path);
  for (int i = 1; i < kAttemptsMax && !done && may_have_happened(call, done.error()); ++i) {
    done = co_await mount.cluster.objects.remove_dir(call.context(), place.bucket, place.path);
    if (!done && done.error() == Errc::not_found) co_return Status();
  }
  co_return done;
}

}  // namespace

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
    CO_CHECK_OK(co_await remove_directory(mount, call, std::move(place)));
  }
  mount.touch(*directory);
  if (const auto inode = mount.inodes.child(*directory, name)) mount.inodes.detach(inode);
  co_return Status();
}

}  // namespace aisfs::ops
