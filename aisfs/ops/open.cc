// SPDX-License-Identifier: MIT
#include <fcntl.h>

#include "aisfs/ops/observe.h"
#include "aisfs/ops/open_file.h"
#include "aisfs/ops/ops.h"
#include "aisfs/ops/promises.h"

namespace aisfs::ops {
namespace {

struct Fetched {
  ObjectInfo info;
  std::optional<std::string> whole;
};

Error replaced() { return Error(Errc::precondition_failed, "the file was replaced"); }

/// A small file that is not in the kernel's cache comes whole with the answer that revalidates it.
Task<Result<Fetched>> fetch(Mount& mount, Call call, fs::InodePtr inode, bool want_bytes) {
  CO_TRY(const fs::Place place, mount.inodes.place(*inode));
  if (!want_bytes) {
    Conditions none;
    CO_TRY(ObjectInfo info,
           co_await mount.cluster.objects.head(call.context(), place.file(), none));
    co_return Fetched{std::move(info), std::nullopt};
  }
  GetOptions options{.range = {0, mount.options.small_file}};
  CO_TRY(ObjectStream stream,
         co_await mount.cluster.objects.get(call.context(), place.file(), std::move(options)));
  Fetched fetched{std::move(stream.info), std::nullopt};
  if (fetched.info.size > mount.options.small_file) co_return fetched;  // it has grown
  CO_TRY(fetched.whole, co_await read_all(*stream.body, mount.options.small_file));
  co_return fetched;
}

/// A first handle: the newest version is pinned (close-to-open).
Task<Status> open_first(Mount& mount, Call call, fs::InodePtr inode, int flags) {
  const bool reads = (flags & O_ACCMODE) != O_WRONLY && (flags & O_TRUNC) == 0;
  const bool small = inode->attr.size > 0 && inode->attr.size <= mount.options.small_file;
  const bool in_kernel =
      inode->kernel_pages == inode->attr.content_version && static_cast<bool>(inode->kernel_pages);
  // Nobody has changed it since, and its bytes are here or not wanted.
  if (inode->info && (in_kernel || !reads) && mount.leases.holds(inode->lease) &&
      inode->info->content_version == inode->attr.content_version) {
    inode->open = std::make_shared<OpenFile>(mount, *inode->info);
    co_return Status();
  }
  CO_CHECK_OK(co_await settle(mount, call, inode));
  CO_TRY(Fetched fetched, co_await fetch(mount, call, inode, reads && small && !in_kernel));
  if (inode->open) co_return Status();  // another open was faster
  if (fetched.info.ino != inode->attr.ino) co_return replaced();
  take_file(mount, *inode, fetched.info);
  const Version version = fetched.info.content_version;
  inode->open = std::make_shared<OpenFile>(mount, std::move(fetched.info));
  if (!fetched.whole) co_return Status();
  CO_TRY(const fs::Place place, mount.inodes.place(*inode));
  read::Pinned pinned{place.file(), version, inode->attr.size};
  inode->open->reader = std::make_shared<read::Reader>(mount.cluster.objects, mount.background,
                                                       mount.read_budget, std::move(pinned));
  inode->open->reader->preload(*std::move(fetched.whole));
  co_return Status();
}

/// A further handle shares the state of the others: it must be of the newest version, or dirty.
Task<Status> open_again(Mount& mount, Call call, fs::InodePtr inode) {
  const auto file = inode->open;
  if (file->is_dirty() || !inode->has_name()) co_return Status();
  if (mount.leases.holds(inode->lease)) co_return Status();
  CO_TRY(const Fetched now, co_await fetch(mount, call, inode, false));
  if (file->is_dirty() || now.info.content_version <= file->base.content_version)
    co_return Status();
  if (file->take_same_bytes(now.info)) co_return Status();
  co_return replaced();  // the kernel looks it up anew and gets another inode
}

}  // namespace

Task<Result<Opened>> open(Mount& mount, Call call, NodeId node, int flags) {
  CO_TRY(const fs::InodePtr inode, inode_of(mount, node));
  if (inode->is_directory()) co_return Error(Errc::is_directory, inode->name);
  if (inode->sending) CO_CHECK_OK(co_await arrive(mount, call, inode));
  if (inode->open == nullptr) {
    CO_CHECK_OK(co_await open_first(mount, call, inode, flags));
  } else {
    CO_CHECK_OK(co_await open_again(mount, call, inode));
  }
  const auto file = inode->open;
  if (file == nullptr) co_return replaced();  // closed again meanwhile
  ++file->handles;
  const HandleId handle = ++mount.last_handle;
  mount.files[handle] = FileHandle{inode, file, flags};
  if ((flags & O_TRUNC) != 0) {
    const auto permit = co_await file->turn.acquire();
    file->content_dirty = file->content_dirty || file->size > 0;
    CO_CHECK_OK(co_await set_size(mount, inode, 0));
  }
  const Version version = file->base.content_version;
  const bool keep = inode->kernel_pages == version && (flags & O_TRUNC) == 0;
  inode->kernel_pages = version;
  const bool writes = (flags & O_ACCMODE) != O_RDONLY;
  co_return Opened{.handle = handle, .keep_cache = keep, .writes = writes};
}

}  // namespace aisfs::ops
