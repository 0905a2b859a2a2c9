// SPDX-License-Identifier: MIT
// flush, fsync and release: the ways in which dirty bytes reach the cluster.
#include <fcntl.h>

#include "aisfs/ops/open_file.h"
#include "aisfs/ops/ops.h"
#include "common/obs/log.h"

namespace aisfs::ops {
namespace {

Task<Status> publish_at_close(Mount& mount, Call call, fs::InodePtr inode) {
  const auto place = mount.inodes.place(*inode);
  const Durability level = place ? close_level(mount, *place) : Durability::kFull;
  co_return co_await publish(mount, std::move(call), inode, level);
}

}  // namespace

Task<Status> flush(Mount& mount, Call call, HandleId handle) {
  CO_TRY(const FileHandle file, handle_of(mount, handle));
  if (!file.file->is_dirty() || (file.flags & O_ACCMODE) == O_RDONLY) co_return Status();
  const auto permit = co_await file.file->turn.acquire();
  co_return co_await publish_at_close(mount, std::move(call), file.inode);
}

Task<Status> fsync(Mount& mount, Call call, HandleId handle) {
  CO_TRY(const FileHandle file, handle_of(mount, handle));
  const auto permit = co_await file.file->turn.acquire();
  if (file.file->is_dirty() || file.file->unlinked || !file.inode->has_name()) {
    co_return co_await publish(mount, std::move(call), file.inode, Durability::kFull);
  }
  CO_CHECK_OK(co_await settle(mount, call, file.inode));
  // Published at close or by another host, perhaps at a lower level.
  CO_TRY(const fs::Place place, mount.inodes.place(*file.inode));
  ObjectName name = place.file();
  co_return co_await mount.cluster.objects.sync(call.context(), std::move(name));
}

Task<Status> release(Mount& mount, Call call, HandleId handle) {
  CO_TRY(const FileHandle file, handle_of(mount, handle));
  mount.files.erase(handle);
  Status done;
  {
    const auto permit = co_await file.file->turn.acquire();
    if (file.file->handles == 1)
      done = co_await publish_at_close(mount, std::move(call), file.inode);
  }
  if (!done) {
    LOG_ERROR("data of a closed file is lost", "name", file.inode->name, "why",
              done.error().what());
  }
  if (--file.file->handles == 0 && file.inode->open == file.file) {
    if (done && mount.leases.holds(file.inode->lease)) {
      mount.keep_info(file.inode, std::move(file.file->base));
    }
    file.inode->open.reset();
    mount.inodes.forget(file.inode->nodeid, 0);  // it may have been kept by the handle alone
  }
  co_return done;
}

}  // namespace aisfs::ops
