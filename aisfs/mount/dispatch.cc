// SPDX-License-Identifier: MIT
// The callbacks of names, attributes and the rest; those of open files are in dispatch_files.cc.
#include "aisfs/mount/dispatch.h"

#include <sys/xattr.h>

#include "aisfs/mount/dispatch_files.h"
#include "aisfs/mount/init_caps.h"
#include "aisfs/mount/run.h"

namespace aisfs::mount {
namespace {

std::int64_t ns_of(const timespec& t) { return t.tv_sec * 1'000'000'000 + t.tv_nsec; }

void on_init(void* data, fuse_conn_info* connection) {
  negotiate(*connection);
  (void)data;
}

auto entry_answer(ops::Mount& mount) {
  return [&mount](Reply reply, ops::Entry entry) {
    const bool sent = std::move(reply).entry(entry, ops::valid_for(mount, entry));
    if (!sent && entry.nodeid != 0) ops::forget(mount, entry.nodeid, 1);
  };
}
constexpr Done kOk;
auto attr_answer(ops::Mount& mount, fuse_ino_t node) {
  return [&mount, node](Reply reply, const fs::Attr& attr) {
    std::move(reply).attr(attr, ops::valid_for(mount, node).attr);
  };
}

void on_lookup(fuse_req_t req, fuse_ino_t parent, const char* name) {
  auto& mount = dispatch_of(req).mount;
  if (const auto known = ops::lookup_now(mount, fuse_req_ctx(req)->pid, parent, name)) {
    entry_answer(mount)(Reply(req), *known);
    return;
  }
  const ops::Call call = call_of(req);
  run(req, "lookup", call, ops::lookup(mount, call, parent, name), entry_answer(mount));
}

void on_forget(fuse_req_t req, fuse_ino_t node, std::uint64_t lookups) {
  ops::forget(dispatch_of(req).mount, node, lookups);
  fuse_reply_none(req);
}

void on_forget_multi(fuse_req_t req, std::size_t count, fuse_forget_data* forgets) {
  ops::Mount& mount = dispatch_of(req).mount;
  for (std::size_t i = 0; i < count; ++i) ops::forget(mount, forgets[i].ino, forgets[i].nlookup);
  fuse_reply_none(req);
}

void on_getattr(fuse_req_t req, fuse_ino_t node, fuse_file_info*) {
  ops::Mount& mount = dispatch_of(req).mount;
  if (const auto attr = ops::getattr_now(mount, fuse_req_ctx(req)->pid, node)) {
    attr_answer(mount, node)(Reply(req), *attr);
    return;
  }
  const ops::Call call = call_of(req);
  run(req, "getattr", call, ops::getattr(mount, call, node), attr_answer(mount, node));
}

void on_setattr(fuse_req_t req, fuse_ino_t node, struct stat* st, int what, fuse_file_info*) {
  ops::AttrRequest request;
  if ((what & FUSE_SET_ATTR_MODE) != 0) request.mode = st->st_mode;
  if ((what & FUSE_SET_ATTR_UID) != 0) request.uid = st->st_uid;
  if ((what & FUSE_SET_ATTR_GID) != 0) request.gid = st->st_gid;
  if ((what & FUSE_SET_ATTR_SIZE) != 0) request.size = static_cast<std::uint64_t>(st->st_size);
  if ((what & FUSE_SET_ATTR_ATIME) != 0) request.atime_ns = ns_of(st->st_atim);
  if ((what & FUSE_SET_ATTR_MTIME) != 0) request.mtime_ns = ns_of(st->st_mtim);
  if ((what & FUSE_SET_ATTR_ATIME_NOW) != 0) request.atime_ns = fs::now_ns();
  if ((what & FUSE_SET_ATTR_MTIME_NOW) != 0) request.mtime_ns = fs::now_ns();
  auto& mount = dispatch_of(req).mount;
  const ops::Call call = call_of(req);
  run(req, "setattr", call, ops::setattr(mount, call, node, request), attr_answer(mount, node));
}

void on_readlink(fuse_req_t req, fuse_ino_t node) {
  const ops::Call call = call_of(req);
  run(req, "readlink", call, ops::readlink(dispatch_of(req).mount, call, node),
      [](Reply reply, const std::string& target) { std::move(reply).link(target); });
}

void on_mknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t rdev) {
  auto& mount = dispatch_of(req).mount;
  const ops::Call call = call_of(req);
  run(req, "mknod", call, ops::mknod(mount, call, parent, name, mode, rdev), entry_answer(mount));
}

void on_mkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode) {
  auto& mount = dispatch_of(req).mount;
  const auto begin = [&](const ops::Call& call) {
    return ops::mkdir(mount, call, parent, name, mode);
  };
  run_ahead(req, "mkdir", begin, entry_answer(mount));
}

void on_symlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name) {
  auto& mount = dispatch_of(req).mount;
  const ops::Call call = call_of(req);
  run(req, "symlink", call, ops::symlink(mount, call, target, parent, name), entry_answer(mount));
}

void on_unlink(fuse_req_t req, fuse_ino_t parent, const char* name) {
  const ops::Call call = call_of(req);
  run(req, "unlink", call, ops::unlink(dispatch_of(req).mount, call, parent, name), kOk);
}

void on_rmdir(fuse_req_t req, fuse_ino_t parent, const char* name) {
  const ops::Call call = call_of(req);
  run(req, "rmdir", call, ops::rmdir(dispatch_of(req).mount, call, parent, name), kOk);
}

void on_rename(fuse_req_t req,
               fuse_ino_t parent,
               const char* name,
               fuse_ino_t new_parent,
               const char* new_name,
               unsigned flags) {
  constexpr unsigned kNoReplace = 1;  // RENAME_NOREPLACE of linux/fs.h
  if ((flags & ~kNoReplace) != 0) {
    fuse_reply_err(req, EINVAL);
    return;
  }
  ops::RenameRequest request{.parent = parent,
                             .name = name,
                             .new_parent = new_parent,
                             .new_name = new_name,
                             .no_replace = (flags & kNoReplace) != 0};
  const auto begin = [&](const ops::Call& call) {
    return ops::rename(dispatch_of(req).mount, call, std::move(request));
  };
  run_ahead(req, "rename", begin, kOk);
}

void on_link(fuse_req_t req, fuse_ino_t, fuse_ino_t, const char*) { fuse_reply_err(req, EPERM); }

void on_statfs(fuse_req_t req, fuse_ino_t) {
  const ops::Call call = call_of(req);
  run(req, "statfs", call, ops::statfs(dispatch_of(req).mount, call),
      [](Reply reply, const struct statvfs& st) { std::move(reply).statfs(st); });
}

/// The kernel asks for security.* at every write: answered here, without a hop.
bool refused_xattr(fuse_req_t req, const char* name) {
  if (std::string_view(name).starts_with("user.")) return false;
  fuse_reply_err(req, EOPNOTSUPP);
  return true;
}

void on_setxattr(fuse_req_t req,
                 fuse_ino_t node,
                 const char* name,
                 const char* value,
                 std::size_t size,
                 int flags) {
  if (refused_xattr(req, name)) return;
  const auto mode = flags == XATTR_CREATE    ? ops::XattrMode::kCreate
                    : flags == XATTR_REPLACE ? ops::XattrMode::kReplace
                                             : ops::XattrMode::kAny;
  const ops::Call call = call_of(req);
  run(req, "setxattr", call,
      ops::setxattr(dispatch_of(req).mount, call, node, name, std::string(value, size), mode), kOk);
}

auto xattr_answer(std::size_t room) {
  return [room](Reply reply, const std::string& value) { std::move(reply).xattr(value, room); };
}

void on_getxattr(fuse_req_t req, fuse_ino_t node, const char* name, std::size_t room) {
  if (refused_xattr(req, name)) return;
  const ops::Call call = call_of(req);
  run(req, "getxattr", call, ops::getxattr(dispatch_of(req).mount, call, node, name),
      xattr_answer(room));
}

void on_listxattr(fuse_req_t req, fuse_ino_t node, std::size_t room) {
  const ops::Call call = call_of(req);
  run(req, "listxattr", call, ops::listxattr(dispatch_of(req).mount, call, node),
      xattr_answer(room));
}

void on_removexattr(fuse_req_t req, fuse_ino_t node, const char* name) {
  if (refused_xattr(req, name)) return;
  const ops::Call call = call_of(req);
  run(req, "removexattr", call, ops::removexattr(dispatch_of(req).mount, call, node, name), kOk);
}

fuse_lowlevel_ops make_table() {
  fuse_lowlevel_ops table = {};
  table.init = on_init;
  table.lookup = on_lookup;
  table.forget = on_forget;
  table.forget_multi = on_forget_multi;
  table.getattr = on_getattr;
  table.setattr = on_setattr;
  table.readlink = on_readlink;
  table.mknod = on_mknod;
  table.mkdir = on_mkdir;
  table.symlink = on_symlink;
  table.unlink = on_unlink;
  table.rmdir = on_rmdir;
  table.rename = on_rename;
  table.link = on_link;
  table.statfs = on_statfs;
  table.setxattr = on_setxattr;
  table.getxattr = on_getxattr;
  table.listxattr = on_listxattr;
  table.removexattr = on_removexattr;
  add_file_operations(table);
  return table;
}

}  // namespace

const fuse_lowlevel_ops& fuse_operations() {
  static const fuse_lowlevel_ops table = make_table();
  return table;
}

}  // namespace aisfs::mount
