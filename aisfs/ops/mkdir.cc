// SPDX-License-Identifier: MIT
#include "aisfs/fs/names.h"
#include "aisfs/ops/make_object.h"
#include "aisfs/ops/observe.h"
#include "aisfs/ops/ops.h"

namespace aisfs::ops {
namespace {

Task<Result<Entry>> make_bucket(Mount& mount, Call call, fs::InodePtr root, std::string name) {
  CO_CHECK_OK(fs::validate_component(name));
  CO_CHECK_OK(validate_bucket_name(name));
  BucketName bucket = native_bucket(name);
  BucketProps props;
  CO_CHECK_OK(co_await mount.cluster.admin.create_bucket(call.context(), std::move(bucket), props));
  CO_TRY(const fs::InodePtr inode, co_await see_child(mount, call, root, std::move(name)));
  mount.touch(*root);
  co_return entry_of(mount, inode);
}

}  // namespace

Task<Result<Entry>> mkdir(
    Mount& mount, Call call, NodeId parent, std::string name, std::uint32_t mode) {
  CO_TRY(const fs::InodePtr directory, inode_of(mount, parent));
  if (directory->kind == fs::Kind::kRoot) {
    co_return co_await make_bucket(mount, call, directory, std::move(name));
  }
  CO_CHECK_OK(fs::validate_component(name));
  CO_CHECK_OK(co_await see_parent(mount, call, directory));
  CO_TRY(fs::Place place, mount.inodes.place(*directory));
  place.path = fs::join(place.path, name);
  if (place.path.size() >= kKeyBytesMax)
    co_return Error(Errc::name_too_long, "path over 1024 bytes");
  PosixAttrs posix = new_posix(call, *directory, S_IFDIR | (mode & 07777));
  MakeDirOptions options{std::move(posix), just_missed(mount, call, *directory, name)};
  if (is_made_here(mount, *directory, name)) co_return Error(Errc::already_exists, place.path);
  options.seen_free = options.seen_free || mount.delegations.is_free(*directory, name);
  mount.delegations.will_make(*directory, name);
  const std::uint64_t before = mount.sequence;
  const fs::Lease whole = mount.delegations.lease_in(*directory);
  const fs::Lease lease = whole.term != 0 ? whole : mount.leases.begin(place);
  CO_TRY(const ObjectInfo marker,
         co_await mount.cluster.objects.make_dir(call.context(), place.bucket, place.path,
                                                 std::move(options)));
  const bool crossed = directory->revoked_at > before;
  const fs::InodePtr inode = mount.inodes.add(directory, name, fs::Kind::kDirectory);
  if (!crossed) inode->lease = lease;
  take_directory(mount, *inode, &marker, marker.ino);
  mount.changed(*inode);
  mount.touch(*directory);
  mark_seen(call, *inode);
  const Entry entry = entry_of(mount, inode);
  mount.delegations.made(*inode, whole);
  if (whole.term == 0) co_await mount.delegations.ask(call, inode);
  co_return entry;
}

}  // namespace aisfs::ops
