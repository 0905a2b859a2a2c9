// SPDX-License-Identifier: MIT
#include <fcntl.h>

#include "aisfs/fs/names.h"
#include "aisfs/ops/make_object.h"
#include "aisfs/ops/observe.h"
#include "aisfs/ops/open_file.h"
#include "aisfs/ops/ops.h"

namespace aisfs::ops {

Task<Result<Created>> create(
    Mount& mount, Call call, NodeId parent, std::string name, std::uint32_t mode, int flags) {
  CO_TRY(const fs::InodePtr directory, inode_of(mount, parent));
  NewObject object{.posix = new_posix(call, *directory, S_IFREG | (mode & 07777)),
                   .reservation = true};
  auto made = co_await make_object(mount, call, directory, name, std::move(object));
  if (!made && made.error() == Errc::already_exists && (flags & O_EXCL) == 0) {
    CO_TRY(const fs::InodePtr there, co_await see_child(mount, call, directory, name));
    if (there->is_directory()) co_return Error(Errc::is_directory, name);
    CO_TRY(const Opened opened, co_await open(mount, call, there->nodeid, flags));
    co_return Created{entry_of(mount, there), opened};
  }
  if (!made) co_return std::move(made).error();
  const fs::InodePtr inode = made->inode;
  inode->open = std::make_shared<OpenFile>(mount, std::move(made->info));
  inode->open->fresh = true;
  inode->open->unsent = made->unsent;
  inode->open->handles = 1;
  const HandleId handle = ++mount.last_handle;
  mount.files[handle] = FileHandle{inode, inode->open, flags};
  co_return Created{entry_of(mount, inode), Opened{.handle = handle}};
}

}  // namespace aisfs::ops
