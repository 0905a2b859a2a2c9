// SPDX-License-Identifier: MIT
#include "aisfs/ops/open_file.h"

#include "aisfs/ops/promises.h"

namespace aisfs::ops {
namespace {

constexpr std::uint64_t kStep = 4_MiB;
constexpr std::uint64_t kFileBytesMax = std::uint64_t{1} << 46;
// A renamed name moves home and becomes a plain object again: two versions, close together.
constexpr int kReopens = 4;

Task<Result<std::string>> read_base(Mount& mount, Call call, fs::InodePtr inode, ByteRange range) {
  const auto file = inode->open;
  // A rename that is on its way waits for what is promised.
  const bool precedes = file->promised && file->left;
  if (inode->sending && !precedes) CO_CHECK_OK(co_await arrive(mount, call, inode));
  if (file->reader == nullptr) {
    ObjectName name;
    if (auto known = name_in_cluster(mount, *inode); known.ok()) name = *std::move(known);
    read::Pinned pinned{std::move(name), file->base.content_version, file->base.size};
    file->reader = std::make_shared<read::Reader>(mount.cluster.objects, mount.background,
                                                  mount.read_budget, std::move(pinned));
  }
  const auto reader = file->reader;
  // Its name may have changed since (rename), the version has not.
  if (auto known = name_in_cluster(mount, *inode); known.ok()) reader->renamed(*std::move(known));
  co_return co_await reader->read(range, call.context());
}

bool version_is_gone(const Error& error) {
  return error == Errc::precondition_failed || error == Errc::not_found;
}

/// The version that was opened has gone: goes on with the newest one, if it has the same bytes
/// (moved in the background after a rename) or nobody has seen any of the old one. False if
/// neither.
Task<Result<bool>> reopen(Mount& mount, Call call, fs::InodePtr inode) {
  CO_TRY(const fs::Place place, mount.inodes.place(*inode));
  const auto file = inode->open;
  Conditions same_file{.if_ino = file->base.ino};
  auto now =
      co_await mount.cluster.objects.head(call.context(), place.file(), std::move(same_file));
  if (!now && version_is_gone(now.error())) co_return false;
  if (!now) co_return std::move(now).error();
  if (file->take_same_bytes(*now)) co_return true;
  if (file->delivered || file->is_dirty()) co_return false;
  file->rebase(*std::move(now));
  inode->attr.size = file->size;
  inode->kernel_pages = {};
  co_return true;
}

}  // namespace

Result<ObjectName> name_in_cluster(const Mount& mount, const fs::Inode& inode) {
  if (inode.open && inode.open->left) return *inode.open->left;
  TRY(const fs::Place place, mount.inodes.place(inode));
  return place.file();
}

OpenFile::OpenFile(Mount& mount, ObjectInfo info)
    : turn(mount.shard, 1),
      base(std::move(info)),
      size(base.size),
      base_visible(base.size),
      scratch(mount.disk, mount.options.cache_dir, mount.options.small_file) {}

void OpenFile::rebase(ObjectInfo info) {
  if (info.content_version != base.content_version) reader.reset();
  base = std::move(info);
  size = base_visible = base.size;
}

bool OpenFile::take_same_bytes(const ObjectInfo& info) {
  const bool same = !info.etag.empty() && info.etag == base.etag && info.size == base.size;
  if (!same) return false;
  if (info.content_version != base.content_version) reader.reset();
  base.content_version = info.content_version;
  base.meta_version = info.meta_version;
  return true;
}

Task<Result<std::string>> read_bytes(Mount& mount, Call call, fs::InodePtr inode, ByteRange range) {
  const auto file = inode->open;
  range = range.within(file->size);
  std::string out;
  while (out.size() < range.length) {
    const ByteRange rest{range.offset + out.size(), range.length - out.size()};
    const auto piece = file->local.piece_at(rest);
    if (piece.inside) {
      CO_TRY(const std::string part,
             co_await file->scratch.read(piece.range.offset, piece.range.length));
      out += part;
      continue;
    }
    const ByteRange of_base = piece.range.within(file->base_visible);
    if (of_base.length == 0) {
      out.append(piece.range.length, '\0');
      continue;
    }
    auto part = co_await read_base(mount, call, inode, of_base);
    for (int left = kReopens; left > 0; --left) {
      if (part || !version_is_gone(part.error()) || !inode->has_name()) break;
      CO_TRY(const bool again, co_await reopen(mount, call, inode));
      if (!again) break;
      range = ByteRange{range.offset, range.length}.within(file->size);
      part = co_await read_base(mount, call, inode, of_base);
    }
    if (!part && part.error() == Errc::not_found) {
      co_return Error(Errc::precondition_failed, "the version that was opened is gone");
    }
    if (!part) co_return std::move(part).error();
    if (part->empty()) break;
    file->delivered = true;
    out += *part;
  }
  co_return out;
}

Task<Status> write_bytes(Mount& mount,
                         fs::InodePtr inode,
                         std::uint64_t offset,
                         std::string bytes) {
  const auto file = inode->open;
  const ByteRange range{offset, bytes.size()};
  if (offset + bytes.size() > kFileBytesMax) co_return Error(Errc::too_large, "file over 64 TiB");
  CO_CHECK_OK(co_await file->scratch.write(offset, std::move(bytes)));
  file->local.add(range);
  file->dirty.add(range);
  file->size = std::max(file->size, range.offset + range.length);
  file->content_dirty = true;
  inode->attr.size = file->size;
  inode->attr.mtime_ns = inode->attr.ctime_ns = fs::now_ns();
  mount.changed(*inode);
  co_return Status();
}

Task<Status> set_size(Mount& mount, fs::InodePtr inode, std::uint64_t size) {
  const auto file = inode->open;
  if (size > kFileBytesMax) co_return Error(Errc::too_large, "file over 64 TiB");
  if (size < file->size) {
    CO_CHECK_OK(co_await file->scratch.truncate(size));
    file->local.truncate(size);
    file->dirty.truncate(size);
    file->base_visible = std::min(file->base_visible, size);
  }
  file->content_dirty = file->content_dirty || size != file->size;
  file->size = size;
  inode->attr.size = size;
  inode->attr.mtime_ns = inode->attr.ctime_ns = fs::now_ns();
  mount.changed(*inode);
  co_return Status();
}

Task<Status> bring_all(Mount& mount, Call call, fs::InodePtr inode) {
  const auto file = inode->open;
  if (file == nullptr || (file->reader && file->reader->preloaded())) co_return Status();
  call.allow_for(file->base_visible, mount.options);
  std::uint64_t at = 0;
  while (at < file->base_visible) {
    const auto piece = file->local.piece_at({at, std::min(kStep, file->base_visible - at)});
    at += piece.range.length;
    if (piece.inside) continue;
    CO_TRY(std::string bytes, co_await read_base(mount, call, inode, piece.range));
    CO_CHECK_OK(co_await file->scratch.write(piece.range.offset, std::move(bytes)));
    file->local.add(piece.range);
  }
  co_return Status();
}

}  // namespace aisfs::ops
