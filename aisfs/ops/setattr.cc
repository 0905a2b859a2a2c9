// SPDX-License-Identifier: MIT
#include "aisfs/ops/lost_answers.h"
#include "aisfs/ops/observe.h"
#include "aisfs/ops/open_file.h"
#include "aisfs/ops/ops.h"

namespace aisfs::ops {
namespace {

bool changes_attrs(const AttrRequest& r) {
  return r.mode || r.uid || r.gid || r.atime_ns || r.mtime_ns;
}

fs::Attr with(fs::Attr attr, const AttrRequest& request) {
  if (request.mode) attr.mode = (attr.mode & S_IFMT) | (*request.mode & 07777);
  if (request.uid) attr.uid = *request.uid;
  if (request.gid) attr.gid = *request.gid;
  if (request.atime_ns) attr.atime_ns = *request.atime_ns;
  if (request.mtime_ns) attr.mtime_ns = *request.mtime_ns;
  attr.ctime_ns = fs::now_ns();
  return attr;
}

/// Single fields for an object that has attributes; all of them for one that has none yet.
AttrChange change_of(const fs::Inode& inode, const AttrRequest& request) {
  const fs::Attr next = with(inode.attr, request);
  AttrChange change;
  if (!inode.attr.has_posix) {
    change.posix = fs::posix_of(next);
    return change;
  }
  if (request.mode) change.mode = next.mode;
  change.uid = request.uid;
  change.gid = request.gid;
  change.atime_ns = request.atime_ns;
  change.mtime_ns = request.mtime_ns;
  return change;
}

Task<Status> send(Mount& mount, Call call, fs::InodePtr inode, AttrRequest request) {
  if (inode->kind == fs::Kind::kDirectory) CO_CHECK_OK(co_await make_explicit(mount, call, inode));
  CO_TRY(const fs::Place place, mount.inodes.place(*inode));
  const bool directory = inode->kind == fs::Kind::kDirectory;
  const ObjectName name = directory ? place.marker() : place.file();
  const AttrChange change = change_of(*inode, request);
  const auto change_attrs = [&](bool) {
    return mount.cluster.objects.set_attrs(call.context(), name, change, {});
  };
  CO_TRY(ObjectInfo info, co_await until_answered(call, change_attrs));
  mount.changed(*inode);
  if (directory) {
    if (request.mtime_ns) inode->touched_ns = 0;
    take_directory(mount, *inode, &info, info.ino);
  } else {
    const bool local = inode->open && inode->open->is_dirty();
    if (!local) take_file(mount, *inode, info);
    if (inode->open) inode->open->base.meta_version = info.meta_version;
    if (!inode->open && mount.leases.holds(inode->lease)) mount.keep_info(inode, std::move(info));
  }
  mark_seen(mount, call, *inode);
  co_return Status();
}

Task<Status> truncate_closed(Mount& mount, Call call, fs::InodePtr inode, std::uint64_t size) {
  CO_CHECK_OK(co_await settle(mount, call, inode));
  CO_TRY(const fs::Place place, mount.inodes.place(*inode));
  PatchOptions options{.conditions = {.if_ino = inode->attr.ino},
                       .truncate_to = size,
                       .level = close_level(mount, place),
                       .lower_level = true,
                       .mtime_ns = fs::now_ns(),
                       .ctime_ns = fs::now_ns()};
  StringSource nothing("");
  const auto patch = [&](bool) {
    return mount.cluster.objects.patch(call.context(), place.file(), options, nothing);
  };
  CO_TRY(const ObjectInfo info, co_await until_answered(call, patch));
  mount.changed(*inode);
  take_file(mount, *inode, info);
  co_return Status();
}

Task<Status> truncate(Mount& mount, Call call, fs::InodePtr inode, std::uint64_t size) {
  if (!inode->attr.is_regular()) co_return Error(Errc::invalid_argument, "not a regular file");
  const auto file = inode->open;
  if (file == nullptr) co_return co_await truncate_closed(mount, call, inode, size);
  const auto permit = co_await file->turn.acquire();
  // The last handle may have been released while we waited for its publish.
  if (inode->open != file) co_return co_await truncate_closed(mount, call, inode, size);
  CO_CHECK_OK(co_await set_size(mount, inode, size));
  // truncate(2) by name on a file that others hold open is visible at once, as on a closed one.
  co_return Status();
}

/// Attributes of a bucket's folder are this mount's: there is no object to keep them.
void set_on_bucket(Mount& mount, fs::Inode& inode, const AttrRequest& request) {
  if (request.mtime_ns) inode.touched_ns = 0;
  inode.attr = with(inode.attr, request);
  mount.bucket_attrs[inode.bucket_id] = inode.attr;
}

/// Sent before anybody else can look.
void set_here(Mount& mount, const fs::InodePtr& inode, const AttrRequest& request) {
  if (inode->is_directory() && request.mtime_ns) inode->touched_ns = 0;
  inode->attr = with(inode->attr, request);
  mount.changed(*inode);
  mount.delegations.defer(inode);
}

}  // namespace

Task<Result<fs::Attr>> setattr(Mount& mount, Call call, NodeId node, AttrRequest request) {
  CO_TRY(const fs::InodePtr inode, inode_of(mount, node));
  if (inode->kind == fs::Kind::kRoot)
    co_return Error(Errc::not_permitted, "the root holds buckets");
  if (inode->kind == fs::Kind::kBucket) {
    set_on_bucket(mount, *inode, request);
    co_return shown(*inode);
  }
  if (request.size) CO_CHECK_OK(co_await truncate(mount, call, inode, *request.size));
  if (changes_attrs(request)) {
    const auto file = inode->open;
    const bool waits = file && (file->fresh || file->content_dirty || file->unlinked);
    if (waits || !inode->has_name()) {
      inode->attr = with(inode->attr, request);
      if (file) file->attrs_dirty = true;
      mount.changed(*inode);
    } else if (mount.delegations.is_sole(*inode) && inode->attr.has_posix) {
      set_here(mount, inode, request);
    } else {
      CO_CHECK_OK(co_await settle(mount, call, inode));
      CO_CHECK_OK(co_await send(mount, call, inode, request));
    }
  }
  co_return shown(*inode);
}

}  // namespace aisfs::ops
