// SPDX-License-Identifier: MIT
#include "aisfs/fs/names.h"
#include "aisfs/ops/lost_answers.h"
#include "aisfs/ops/observe.h"
#include "aisfs/ops/open_file.h"
#include "aisfs/ops/ops.h"
#include "aisfs/ops/promises.h"

namespace aisfs::ops {
namespace {

/// When the answer is lost it may be gone all the same: it is asked for once more, by its number,
/// because whoever has got the name meanwhile is not meant.
Task<Status> remove_object(
    Mount& mount, Call call, fs::InodePtr directory, std::string name, std::uint64_t ino) {
  CO_TRY(fs::Place place, mount.inodes.place(*directory));
  place.path = fs::join(place.path, name);
  RemoveOptions options{.lower_level = true};
  Status done = co_await mount.cluster.objects.remove(call.context(), place.file(), options);
  if (ino == 0) co_return done;
  options.conditions.if_ino = ino;
  for (int i = 1; i < kAttemptsMax && !done && may_have_happened(call, done.error()); ++i) {
    done = co_await mount.cluster.objects.remove(call.context(), place.file(), options);
    const bool gone =
        !done && (done.error() == Errc::not_found || done.error() == Errc::precondition_failed);
    if (gone) co_return Status();
  }
  co_return done;
}

/// Handles that are open keep the file: its bytes come here before the object goes.
Task<Status> unlink_open(Mount& mount, Call call, fs::InodePtr directory, fs::InodePtr inode) {
  const auto file = inode->open;
  const auto permit = co_await file->turn.acquire();
  CO_CHECK_OK(co_await bring_all(mount, call, inode));
  CO_CHECK_OK(co_await remove_object(mount, call, directory, inode->name, inode->attr.ino));
  file->unlinked = true;
  inode->attr.ctime_ns = fs::now_ns();
  co_return Status();
}

}  // namespace

Task<Status> unlink(Mount& mount, Call call, NodeId parent, std::string name) {
  CO_TRY(const fs::InodePtr directory, inode_of(mount, parent));
  if (directory->kind == fs::Kind::kRoot) co_return Error(Errc::is_directory, "a bucket");
  CO_CHECK_OK(co_await make_explicit(mount, call, directory));
  const fs::InodePtr inode = mount.inodes.child(*directory, name);
  CO_CHECK_OK(co_await name_left(mount, call, parent, name));
  if (inode) {
    CO_CHECK_OK(co_await settle_content(mount, call, inode));
    CO_CHECK_OK(co_await arrive(mount, call, inode));
  }
  if (inode && inode->open) {
    CO_CHECK_OK(co_await unlink_open(mount, call, directory, inode));
  } else {
    const std::uint64_t ino = inode ? inode->attr.ino : 0;
    CO_CHECK_OK(co_await remove_object(mount, call, directory, name, ino));
  }
  mount.touch(*directory);
  if (inode) mount.inodes.detach(inode);
  co_return Status();
}

}  // namespace aisfs::ops
