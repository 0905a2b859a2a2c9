// SPDX-License-Identifier: MIT
#include "aisfs/ops/observe.h"

#include <algorithm>

#include "aisfs/fs/names.h"
#include "aisfs/ops/open_file.h"
#include "aisfs/ops/promises.h"

namespace aisfs::ops {
namespace {

using Kind = fs::Kind;

void take_bucket(const Mount& mount, fs::Inode& inode, const Bucket& bucket) {
  fs::AttrDefaults defaults = mount.options.defaults;
  defaults.time_ns = bucket.created_ns;
  inode.bucket_id = bucket.id.value;
  inode.attr = fs::dir_attr(nullptr, fs::implied_ino(bucket.id.value, ""), defaults);
  const auto own = mount.bucket_attrs.find(bucket.id.value);
  if (own != mount.bucket_attrs.end()) inode.attr = own->second;
  if (inode.touched_ns > inode.attr.mtime_ns) {
    inode.attr.mtime_ns = inode.attr.ctime_ns = inode.touched_ns;
  }
}

/// The map is at hand; one that does not have the bucket yet may be old.
Task<Result<Bucket>> find_bucket(Mount& mount, Call call, std::string name) {
  CO_CHECK_OK(fs::validate_component(name));
  if (!validate_bucket_name(name).ok()) co_return Error(Errc::not_found, "no bucket has this name");
  BucketName wanted = native_bucket(std::move(name));
  const MapSnapshot map = mount.cluster.map.current();
  if (map != nullptr) {
    if (const Bucket* bucket = map->find_bucket(wanted)) co_return *bucket;
  }
  co_return co_await mount.cluster.admin.find_bucket(call.context(), std::move(wanted));
}

Task<Result<fs::InodePtr>> see_bucket(Mount& mount,
                                      Call call,
                                      fs::InodePtr root,
                                      std::string name) {
  auto bucket = co_await find_bucket(mount, call, name);
  fs::InodePtr old = mount.inodes.child(*root, name);
  if (!bucket) {
    if (old && bucket.error() == Errc::not_found) mount.inodes.detach(old);
    co_return std::move(bucket).error();
  }
  const bool same = old && old->bucket_id == bucket->id.value;
  fs::InodePtr inode = same ? old : mount.inodes.add(root, name, Kind::kBucket);
  take_bucket(mount, *inode, *bucket);
  co_return inode;
}

bool is_same_directory(const fs::Inode& old, const LookupReply& reply) {
  if (old.kind != Kind::kDirectory) return false;
  return old.implied || !reply.explicit_dir || !reply.info || old.attr.ino == reply.info->ino;
}

fs::InodePtr install_directory(Mount& mount,
                               const fs::InodePtr& parent,
                               const std::string& name,
                               const LookupReply& reply,
                               const fs::Place& place) {
  fs::InodePtr inode = mount.inodes.child(*parent, name);
  if (!inode || !is_same_directory(*inode, reply)) {
    inode = mount.inodes.add(parent, name, Kind::kDirectory);
  }
  inode->implied = !reply.explicit_dir;
  take_directory(mount, *inode, reply.info ? &*reply.info : nullptr,
                 fs::implied_ino(place.bucket_id, place.path));
  return inode;
}

/// A version that came from elsewhere while handles are open gets an inode of its own: the old
/// handles finish on their snapshot, the kernel's pages of the two do not mix.
fs::InodePtr install_file(Mount& mount,
                          const fs::InodePtr& parent,
                          const std::string& name,
                          const ObjectInfo& info) {
  fs::InodePtr inode = mount.inodes.child(*parent, name);
  const bool same = inode && inode->kind == Kind::kFile && inode->attr.ino == info.ino;
  if (same && inode->open) {
    if (inode->open->is_dirty()) return inode;
    if (info.content_version < inode->open->base.content_version) return inode;
    const Version before = inode->open->base.content_version;
    if (info.content_version == before || inode->open->take_same_bytes(info)) {
      if (inode->kernel_pages == before) inode->kernel_pages = info.content_version;
      take_file(mount, *inode, info);
      return inode;
    }
  } else if (same) {
    take_file(mount, *inode, info);
    return inode;
  }
  inode = mount.inodes.add(parent, name, Kind::kFile);
  take_file(mount, *inode, info);
  return inode;
}

using Seen = cachefs::SeenName;

/// Where one target knows every name, nothing is gained by remembering them.
cachefs::NameCache* names_of(const Mount& mount, const fs::Place& place) {
  const MapSnapshot map = mount.cluster.map.current();
  const Bucket* bucket = map == nullptr ? nullptr : map->find_bucket(BucketId{place.bucket_id});
  return bucket != nullptr && bucket->implied_dirs ? mount.cluster.names : nullptr;
}

/// What this mount, or an earlier one, has seen under the path.
std::optional<Seen> seen_before(const Mount& mount,
                                const fs::Place& place,
                                const fs::Inode* known) {
  if (known != nullptr && known->kind == Kind::kFile) {
    return Seen{Seen::Kind::kFile, known->attr.ino, known->attr.content_version};
  }
  if (known != nullptr && known->kind == Kind::kDirectory) {
    if (known->implied) return std::nullopt;
    return Seen{Seen::Kind::kDirectory, known->attr.ino, {}};
  }
  cachefs::NameCache* const names = names_of(mount, place);
  return names == nullptr ? std::nullopt : names->find(BucketId{place.bucket_id}, place.path);
}

void remember(const Mount& mount, const fs::Place& place, const LookupReply& reply) {
  cachefs::NameCache* const names = names_of(mount, place);
  if (names == nullptr) return;
  const BucketId bucket{place.bucket_id};
  const bool file = reply.kind == LookupReply::Kind::kFile;
  if (!reply.info || (!file && !reply.explicit_dir)) return names->forget(bucket, place.path);
  names->learn(bucket, place.path,
               {file ? Seen::Kind::kFile : Seen::Kind::kDirectory, reply.info->ino,
                reply.info->content_version});
}

/// What the path is. What was seen as a file, or as a directory with a marker, and still is the
/// same object, is asked of its owner alone; the rest of whoever may know.
Task<Result<LookupReply>> whats_there(Mount& mount,
                                      Call call,
                                      fs::Place place,
                                      fs::InodePtr known) {
  // One target knows all of a name that can be leased.
  const bool leasable = mount.leases.begin(place).term != 0;
  if (const auto seen = leasable ? std::nullopt : seen_before(mount, place, known.get())) {
    const bool marked = seen->kind == Seen::Kind::kDirectory;
    Conditions same{.if_ino = seen->ino};
    ObjectName name = marked ? place.marker() : place.file();
    auto info = co_await mount.cluster.objects.head(call.context(), std::move(name), same);
    if (info) {
      co_return LookupReply{marked ? LookupReply::Kind::kDirectory : LookupReply::Kind::kFile,
                            marked, *std::move(info)};
    }
    const Errc why = info.error().code();
    if (why != Errc::not_found && why != Errc::precondition_failed) {
      co_return std::move(info).error();
    }
  }
  BucketName bucket = place.bucket;
  std::string path = place.path;
  CO_TRY(LookupReply reply,
         co_await mount.cluster.objects.lookup(call.context(), std::move(bucket), std::move(path)));
  remember(mount, place, reply);
  co_return reply;
}

}  // namespace

void remember_listed(const Mount& mount, const fs::Place& place, const ObjectInfo& info) {
  cachefs::NameCache* const names = names_of(mount, place);
  if (names == nullptr) return;
  names->learn(BucketId{place.bucket_id}, place.path,
               {Seen::Kind::kFile, info.ino, info.content_version});
}

namespace {

/// Whether a thread is answered from what it saw a moment ago: not where a lease tells more.
bool counts_by_sight(const Mount& mount, const fs::Inode& inode) {
  const fs::Inode* at = &inode;
  if (at->kind == Kind::kRoot || at->kind == Kind::kBucket) return true;
  while (at != nullptr && at->kind != Kind::kBucket) at = at->parent.get();
  return at == nullptr || !mount.leases.governs(at->bucket_id);
}

}  // namespace

bool just_seen(const Mount& mount, std::int32_t thread, const fs::Inode& inode) {
  if (thread == 0 || !counts_by_sight(mount, inode)) return false;
  const auto since = std::chrono::steady_clock::now() - mount.options.same_call;
  return mount.sights.is_newer(inode.nodeid, thread, since);
}

bool just_missed(const Mount& mount,
                 const Call& call,
                 const fs::Inode& parent,
                 std::string_view name) {
  const Mount::Missed& m = mount.missed;
  return call.pid != 0 && m.by == call.pid && m.parent == parent.nodeid && m.name == name &&
         std::chrono::steady_clock::now() - m.at < mount.options.same_call;
}

void mark_seen(Mount& mount, const Call& call, const fs::Inode& inode) {
  mount.sights.mark(inode.nodeid, call.pid, std::chrono::steady_clock::now());
}

void take_file(const Mount& mount, fs::Inode& inode, const ObjectInfo& info) {
  inode.attr = fs::file_attr(info, mount.options.defaults);
  if (inode.info && inode.info->meta_version != info.meta_version) inode.info.reset();
  inode.symlink.reset();
  if (info.posix && S_ISLNK(inode.attr.mode)) {
    inode.symlink = std::make_unique<std::string>(info.posix->symlink);
  }
}

void take_directory(const Mount& mount,
                    fs::Inode& inode,
                    const ObjectInfo* marker,
                    std::uint64_t ino) {
  inode.attr = fs::dir_attr(marker, ino, mount.options.defaults);
  if (inode.touched_ns > inode.attr.mtime_ns) {
    inode.attr.mtime_ns = inode.attr.ctime_ns = inode.touched_ns;
  }
}

Task<Result<fs::InodePtr>> see_child(Mount& mount,
                                     Call call,
                                     fs::InodePtr parent,
                                     std::string name) {
  if (parent->kind == Kind::kRoot) {
    co_return co_await see_bucket(mount, std::move(call), std::move(parent), std::move(name));
  }
  CO_CHECK_OK(fs::validate_component(name));
  // An answer that crossed a change of our own may be older than the change: ask again.
  constexpr int kTries = 3;
  for (int left = kTries; left > 0; --left) {
    CO_TRY(fs::Place place, mount.inodes.place(*parent));
    place.path = fs::join(place.path, name);
    if (place.path.size() > kKeyBytesMax)
      co_return Error(Errc::name_too_long, "path over 1024 bytes");
    const std::uint64_t before = mount.sequence;
    const fs::Lease lease = mount.leases.begin(place);
    CO_CHECK_OK(co_await name_left(mount, call, parent->nodeid, name));
    fs::InodePtr old = mount.inodes.child(*parent, name);
    if (old) CO_CHECK_OK(co_await settle(mount, call, old));
    if (!old && mount.delegations.is_free(*parent, name)) {
      co_return Error(Errc::not_found, place.path);
    }
    CO_TRY(const LookupReply reply, co_await whats_there(mount, call, place, old));
    old = mount.inodes.child(*parent, name);
    const bool crossed = std::max(parent->changed_at, parent->revoked_at) > before ||
                         (old && old->changed_at > before);
    if (crossed && left > 1) continue;
    const fs::Lease believed = crossed ? fs::Lease{} : lease;
    if (reply.kind == LookupReply::Kind::kNone) {
      if (old) mount.inodes.detach(old);
      mount.missed = {call.pid, parent->nodeid, name, std::chrono::steady_clock::now()};
      if (believed.term != 0) mount.inodes.miss(*parent, name, believed);
      co_return Error(Errc::not_found, place.path);
    }
    fs::InodePtr inode = reply.kind == LookupReply::Kind::kFile
                             ? install_file(mount, parent, name, *reply.info)
                             : install_directory(mount, parent, name, reply, place);
    inode->lease = believed;
    mark_seen(mount, call, *inode);
    co_return inode;
  }
  co_return Error(Errc::internal, "unreachable");
}

bool is_settled(const Mount& mount, std::int32_t thread, const fs::Inode& inode) {
  if (inode.kind == Kind::kRoot || !inode.has_name()) return true;
  if (inode.open && inode.open->is_dirty()) return true;
  return mount.leases.holds(inode.lease) || just_seen(mount, thread, inode);
}

Task<Status> see_again(Mount& mount, Call call, fs::InodePtr inode) {
  if (is_settled(mount, call.pid, *inode)) co_return Status();
  const fs::InodePtr parent = inode->parent;
  const std::string name = inode->name;
  CO_TRY(const fs::InodePtr now, co_await see_child(mount, std::move(call), parent, name));
  if (now == inode || inode->open) co_return Status();
  co_return Error(Errc::precondition_failed, name + " was replaced");
}

Task<Status> see_parent(Mount& mount, Call call, fs::InodePtr directory) {
  auto seen = co_await see_again(mount, std::move(call), directory);
  if (seen || !(seen.error() == Errc::precondition_failed)) co_return seen;
  co_return Error(Errc::not_found, directory->name + " was removed");
}

Task<Status> make_explicit(Mount& mount, Call call, fs::InodePtr directory) {
  if (directory->kind != Kind::kDirectory || !directory->implied) co_return Status();
  CO_TRY(const fs::Place place, mount.inodes.place(*directory));
  PutOptions options{.conditions = {.must_not_exist = true}, .size = 0, .has_parent = true};
  options.posix = fs::posix_of(directory->attr);
  StringSource nothing("");
  ExpectedChecksums unknown;
  ObjectName marker = place.marker();
  auto made = co_await mount.cluster.objects.put(call.context(), std::move(marker),
                                                 std::move(options), std::move(unknown), nothing);
  if (!made && !(made.error() == Errc::already_exists)) co_return std::move(made).error();
  directory->implied = false;
  if (made) directory->attr.ino = made->ino;
  mount.changed(*directory);
  co_return Status();
}

}  // namespace aisfs::ops
