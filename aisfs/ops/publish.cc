// SPDX-License-Identifier: MIT
// From dirty bytes and attributes to one request: PUT for new and small files, PATCH for changes
// in large ones, an attribute change when the bytes are as they were.
#include "aisfs/ops/lost_answers.h"
#include "aisfs/ops/observe.h"
#include "aisfs/ops/open_file.h"
#include "aisfs/ops/promises.h"

namespace aisfs::ops {
namespace {

constexpr std::uint64_t kPiece = 1_MiB;

/// The bytes of the given ranges of an open file, local or not, as a body.
class FileSource final : public BodySource {
 public:
  FileSource(Mount& mount, Call call, fs::InodePtr inode, std::vector<ByteRange> ranges)
      : mount_(mount),
        call_(std::move(call)),
        inode_(std::move(inode)),
        ranges_(std::move(ranges)) {
    for (const ByteRange& range : ranges_) left_ += range.length;
  }

  Task<Result<std::size_t>> read(MutableBytes into) override {
    if (buffer_.size() == at_) CO_CHECK_OK(co_await refill());
    const std::size_t n = std::min(into.size(), buffer_.size() - at_);
    std::memcpy(into.data(), buffer_.data() + at_, n);
    at_ += n;
    left_ -= n;
    co_return n;
  }
  std::optional<std::uint64_t> remaining() const override { return left_; }

 private:
  Task<Status> refill() {
    buffer_.clear();
    at_ = 0;
    if (index_ == ranges_.size()) co_return Status();
    ByteRange& range = ranges_[index_];
    const ByteRange piece{range.offset, std::min(kPiece, range.length)};
    CO_TRY(buffer_, co_await read_bytes(mount_, call_, inode_, piece));
    if (buffer_.size() != piece.length)
      co_return Error(Errc::io, "the file is shorter than it was");
    range.offset += piece.length;
    range.length -= piece.length;
    if (range.length == 0) ++index_;
    co_return Status();
  }

  Mount& mount_;
  Call call_;
  fs::InodePtr inode_;
  std::vector<ByteRange> ranges_;
  std::size_t index_ = 0;
  std::string buffer_;
  std::size_t at_ = 0;
  std::uint64_t left_ = 0;
};

/// New content brings the pending attributes along; without any, it keeps those that are there.
PutOptions put_options(const fs::Inode& inode, Durability level) {
  const OpenFile& file = *inode.open;
  PutOptions options{.conditions = {.if_ino = file.base.ino},
                     .level = level,
                     .lower_level = level != Durability::kFull,
                     .size = file.size,
                     .has_parent = true};
  options.posix = fs::posix_of(inode.attr);
  if (file.unsent) {
    options.conditions = {.must_not_exist = true};
    options.ino = file.base.ino;
    return options;
  }
  if (!file.attrs_dirty && !file.fresh) {
    options.keep_attrs = true;
    return options;
  }
  options.conditions.if_meta_version = file.base.meta_version;
  options.content_type = file.base.content_type;
  options.headers = file.base.headers;
  options.user = file.base.user;
  options.xattrs = file.base.xattrs;
  options.ino = file.base.ino;
  return options;
}

Task<Result<ObjectInfo>> put_whole(
    Mount& mount, Call call, fs::InodePtr inode, ObjectName name, PutOptions options) {
  const auto file = inode->open;
  std::vector<ByteRange> all;
  if (file->size > 0) all.push_back({0, file->size});
  FileSource body(mount, call, inode, std::move(all));
  ExpectedChecksums unknown;
  Context context = call.context();
  if (call.answer) context.sent = [answer = call.answer] { answer({}); };
  co_return co_await mount.cluster.objects.put(std::move(context), std::move(name),
                                               std::move(options), std::move(unknown), body);
}

/// Someone changed the attributes since we read them: take over what we do not set, and try again.
Task<Result<ObjectInfo>> put_over(
    Mount& mount, Call call, fs::InodePtr inode, ObjectName name, Durability level) {
  Conditions same{.if_ino = inode->open->base.ino};
  CO_TRY(const ObjectInfo now, co_await mount.cluster.objects.head(call.context(), name, same));
  inode->open->base.xattrs = now.xattrs;
  inode->open->base.user = now.user;
  PutOptions options = put_options(*inode, level);
  options.conditions.if_meta_version.reset();
  co_return co_await put_whole(mount, call, inode, std::move(name), std::move(options));
}

Task<Result<ObjectInfo>> publish_whole(
    Mount& mount, Call call, fs::InodePtr inode, ObjectName name, Durability level) {
  PutOptions options = put_options(*inode, level);
  const bool guarded = options.conditions.if_meta_version.has_value();
  auto put = co_await put_whole(mount, call, inode, name, std::move(options));
  // Of another host's, or of our own earlier attempt whose answer was lost: the inode number tells.
  const bool there = inode->open->unsent && !put && put.error() == Errc::already_exists;
  if (there) inode->open->unsent = false;
  if (put || (!guarded && !there) || !(there || put.error() == Errc::precondition_failed)) {
    co_return put;
  }
  co_return co_await put_over(mount, call, inode, std::move(name), level);
}

PatchOptions patch_options(const fs::Inode& inode, Durability level) {
  const OpenFile& file = *inode.open;
  PatchOptions options{
      .conditions = {.if_content_version = file.base.content_version, .if_ino = file.base.ino},
      .extents = file.dirty.ranges(),
      .level = level,
      .lower_level = level != Durability::kFull,
      .mtime_ns = inode.attr.mtime_ns,
      .ctime_ns = inode.attr.ctime_ns};
  if (file.base_visible < file.base.size) options.truncate_to = file.base_visible;
  // A file that was extended without being written to its end: one zero gives it its size.
  const std::uint64_t reached = std::max(file.base_visible, file.dirty.end());
  if (file.size > reached) options.extents.push_back({file.size - 1, 1});
  return options;
}

Task<Result<ObjectInfo>> publish_patch(
    Mount& mount, Call call, fs::InodePtr inode, ObjectName name, Durability level) {
  PatchOptions options = patch_options(*inode, level);
  FileSource body(mount, call, inode, options.extents);
  auto patched = co_await mount.cluster.objects.patch(call.context(), name, options, body);
  if (patched || !(patched.error() == Errc::precondition_failed)) co_return patched;
  // Another host published in between. As on NFS, each wins where it wrote last.
  Conditions same{.if_ino = inode->open->base.ino};
  CO_TRY(const ObjectInfo now, co_await mount.cluster.objects.head(call.context(), name, same));
  options.conditions.if_content_version = now.content_version;
  FileSource again(mount, call, inode, options.extents);
  inode->open->local = inode->open->dirty;
  inode->kernel_pages = {};
  co_return co_await mount.cluster.objects.patch(call.context(), std::move(name),
                                                 std::move(options), again);
}

// What one patch takes: its extents travel in a header, the owner keeps its bytes in memory.
constexpr std::size_t kPatchExtentsMax = 512;
constexpr std::uint64_t kPatchBytesMax = 64_MiB;

bool patch_is_cheaper(const Mount& mount, const OpenFile& file) {
  if (file.dirty.count() > kPatchExtentsMax || file.dirty.bytes() > kPatchBytesMax) return false;
  return file.base.size >= mount.options.patch_from && file.base_visible > 0 && !file.fresh &&
         file.dirty.bytes() < file.size / 2;
}

Task<Status> publish_attrs(Mount& mount, Call call, fs::InodePtr inode, ObjectName name) {
  const auto file = inode->open;
  AttrChange change{.posix = fs::posix_of(inode->attr)};
  Conditions same{.if_ino = file->base.ino};
  const auto send = [&](bool) {
    return mount.cluster.objects.set_attrs(call.context(), name, change, same);
  };
  CO_TRY(ObjectInfo info, co_await until_answered(call, send));
  file->base = std::move(info);
  file->attrs_dirty = false;
  mount.changed(*inode);
  co_return Status();
}

void published(Mount& mount, fs::Inode& inode, ObjectInfo info) {
  OpenFile& file = *inode.open;
  const bool pages_are_ours = inode.kernel_pages == file.base.content_version;
  if (pages_are_ours) inode.kernel_pages = info.content_version;
  file.rebase(std::move(info));
  file.dirty.clear();
  file.content_dirty = file.fresh = file.unsent = false;
  inode.attr.content_version = file.base.content_version;
  inode.attr.ino = file.base.ino;
  inode.attr.has_posix = file.base.posix.has_value();
  mount.changed(inode);
}

}  // namespace

Durability close_level(const Mount& mount, const fs::Place& place) {
  const MapSnapshot map = mount.cluster.map.current();
  const Bucket* bucket = map == nullptr ? nullptr : map->find_bucket(place.bucket);
  return bucket == nullptr ? Durability::kFull : bucket->props.close_level;
}

Task<Status> publish(Mount& mount, Call call, fs::InodePtr inode, Durability level) {
  const auto file = inode->open;
  if (file->unlinked || !file->is_dirty()) co_return Status();
  // They go along; those that are on their way already arrive before. A rename that is answered
  // waits for what is promised.
  if (!file->promised) CO_CHECK_OK(co_await arrive(mount, call, inode));
  if (std::exchange(inode->attrs_unsent, false)) file->attrs_dirty = true;
  auto known = name_in_cluster(mount, *inode);
  if (!known)
    co_return Error(Errc::precondition_failed, "another host removed or replaced the file");
  ObjectName name = *std::move(known);
  // A new file is published even without bytes: that ends its reservation.
  const bool bytes_changed = file->content_dirty || file->fresh;
  if (!bytes_changed) co_return co_await publish_attrs(mount, call, inode, std::move(name));
  call.allow_for(file->size, mount.options);
  const bool patch = patch_is_cheaper(mount, *file);
  const std::uint64_t as_of = inode->changed_at;
  Overtaking overtaking(inode->parent);
  // Made twice it is the same: of an earlier attempt's work the second takes over the version.
  const auto send = [&](bool) {
    return patch ? publish_patch(mount, call, inode, name, level)
                 : publish_whole(mount, call, inode, name, level);
  };
  auto info = co_await until_answered(call, send);
  if (!info && overtaking.is_why(info.error())) {
    CO_CHECK_OK(co_await arrive(mount, call, overtaking.directory()));
    info = co_await publish_whole(mount, call, inode, name, level);
  }
  if (!info && info.error() == Errc::not_found) {
    co_return Error(Errc::precondition_failed, name.display() + " was removed by another host");
  }
  if (!info) co_return std::move(info).error().context("publish " + name.display());
  const bool newer = inode->changed_at != as_of;  // set while it was on its way
  published(mount, *inode, *std::move(info));
  if (!patch && !newer) file->attrs_dirty = false;
  if (!patch && newer && mount.delegations.is_sole(*inode)) {
    file->attrs_dirty = false;
    mount.delegations.defer(inode);
  }
  if (file->attrs_dirty) co_return co_await publish_attrs(mount, call, inode, std::move(name));
  co_return Status();
}

}  // namespace aisfs::ops
