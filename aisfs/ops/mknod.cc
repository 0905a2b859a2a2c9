// SPDX-License-Identifier: MIT
// mknod and symlink: objects that are all attributes.
#include "aisfs/fs/names.h"
#include "aisfs/ops/lost_answers.h"
#include "aisfs/ops/make_object.h"
#include "aisfs/ops/observe.h"
#include "aisfs/ops/open_file.h"
#include "aisfs/ops/ops.h"
#include "aisfs/ops/promises.h"
#include "common/model/ino.h"

namespace aisfs::ops {

constexpr std::size_t kSymlinkBytesMax = 4095;  // PATH_MAX without the NUL

PosixAttrs new_posix(const Call& call, const fs::Inode& parent, std::uint32_t mode) {
  const std::int64_t now = fs::now_ns();
  PosixAttrs posix{.mode = mode,
                   .uid = call.uid,
                   .gid = call.gid,
                   .atime_ns = now,
                   .mtime_ns = now,
                   .ctime_ns = now};
  if ((parent.attr.mode & S_ISGID) == 0) return posix;
  posix.gid = parent.attr.gid;
  if (S_ISDIR(mode)) posix.mode |= S_ISGID;
  return posix;
}

bool is_made_here(const Mount& mount, const fs::Inode& parent, const std::string& name) {
  const fs::InodePtr there = mount.inodes.child(parent, name);
  return there && there->open && there->open->unsent;
}

namespace {

/// Nobody else can make the name, or look for it, before it is sent.
MadeObject make_here(Mount& mount,
                     const Call& call,
                     const fs::InodePtr& parent,
                     const std::string& name,
                     PosixAttrs posix) {
  ObjectInfo info{.ino = new_ino(), .posix = std::move(posix)};
  const fs::InodePtr inode = mount.inodes.add(parent, name, fs::Kind::kFile);
  inode->lease = mount.delegations.lease_in(*parent);
  mount.delegations.will_make(*parent, name);
  take_file(mount, *inode, info);
  mount.changed(*inode);
  mount.touch(*parent);
  mark_seen(mount, call, *inode);
  return {inode, std::move(info), true};
}

/// `again`: what has the name may be an earlier attempt's work.
Task<Result<ObjectInfo>> make_at(
    Mount& mount, Call call, ObjectName name, PutOptions options, bool again) {
  StringSource content(options.posix->symlink);  // where S3 tools look for the target
  const Conditions same{.if_ino = options.ino};
  ExpectedChecksums unknown;
  auto made = co_await mount.cluster.objects.put(call.context(), name, std::move(options),
                                                 std::move(unknown), content);
  if (!again || made || made.error() != Errc::already_exists) co_return made;
  auto ours = co_await mount.cluster.objects.head(call.context(), std::move(name), same);
  if (ours) co_return ours;
  co_return made;
}

}  // namespace

Task<Result<MadeObject>> make_object(
    Mount& mount, Call call, fs::InodePtr parent, std::string name, NewObject object) {
  if (parent->kind == fs::Kind::kRoot) {
    co_return Error(Errc::not_permitted, "the root holds buckets only: make a directory");
  }
  CO_CHECK_OK(fs::validate_component(name));
  CO_CHECK_OK(co_await see_parent(mount, call, parent));
  CO_TRY(fs::Place place, mount.inodes.place(*parent));
  place.path = fs::join(place.path, name);
  if (place.path.size() > kKeyBytesMax)
    co_return Error(Errc::name_too_long, "path over 1024 bytes");
  PutOptions options{.conditions = {.must_not_exist = true},
                     .level = close_level(mount, place),
                     .lower_level = true,
                     .size = object.posix.symlink.size(),
                     .reservation = object.reservation,
                     .has_parent = true};
  if (is_made_here(mount, *parent, name)) co_return Error(Errc::already_exists, place.path);
  co_await mount.delegations.ask_if_busy(call, parent);
  CO_CHECK_OK(co_await name_left(mount, call, parent->nodeid, name));
  if (object.reservation && mount.delegations.is_free(*parent, name)) {
    co_return make_here(mount, call, parent, name, std::move(object.posix));
  }
  CO_CHECK_OK(co_await arrive(mount, call, parent));
  mount.delegations.will_make(*parent, name);
  const std::uint64_t before = mount.sequence;
  fs::Lease lease = mount.delegations.lease_in(*parent);
  if (lease.term == 0) lease = mount.leases.begin(place);
  options.posix = std::move(object.posix);
  options.ino = new_ino();
  const auto send = [&](bool again) { return make_at(mount, call, place.file(), options, again); };
  CO_TRY(ObjectInfo info, co_await until_answered(call, send));
  const bool crossed = parent->revoked_at > before;
  const fs::InodePtr inode = mount.inodes.add(parent, name, fs::Kind::kFile);
  if (!crossed) inode->lease = lease;
  take_file(mount, *inode, info);
  mount.changed(*inode);
  mount.touch(*parent);
  mark_seen(mount, call, *inode);
  co_return MadeObject{inode, std::move(info), false};
}

Task<Result<Entry>> mknod(Mount& mount,
                          Call call,
                          NodeId parent,
                          std::string name,
                          std::uint32_t mode,
                          std::uint64_t rdev) {
  CO_TRY(const fs::InodePtr directory, inode_of(mount, parent));
  if ((mode & S_IFMT) == 0) mode |= S_IFREG;
  NewObject object{.posix = new_posix(call, *directory, mode)};
  object.posix.rdev = rdev;
  CO_TRY(const MadeObject made,
         co_await make_object(mount, call, directory, std::move(name), std::move(object)));
  co_return entry_of(mount, made.inode);
}

Task<Result<Entry>> symlink(
    Mount& mount, Call call, std::string target, NodeId parent, std::string name) {
  if (target.size() > kSymlinkBytesMax) co_return Error(Errc::name_too_long, "symlink target");
  CO_TRY(const fs::InodePtr directory, inode_of(mount, parent));
  NewObject object{.posix = new_posix(call, *directory, S_IFLNK | 0777)};
  object.posix.symlink = std::move(target);
  CO_TRY(const MadeObject made,
         co_await make_object(mount, call, directory, std::move(name), std::move(object)));
  co_return entry_of(mount, made.inode);
}

}  // namespace aisfs::ops
