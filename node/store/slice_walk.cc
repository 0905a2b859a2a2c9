// SPDX-License-Identifier: MIT
#include "node/store/slice_walk.h"

#include <fcntl.h>

#include "common/disk/posix.h"
#include "common/obs/log.h"
#include "node/store/file_walk.h"
#include "node/store/object_file.h"
#include "node/store/put.h"

namespace aisfs::store {
namespace {

Error cut_off() { return {Errc::corrupt, "slice: it is cut off"}; }

Result<SliceTail> tail_behind(std::uint64_t blocks, std::string_view envelope) {
  TRY(SliceTail tail, decode_tail(envelope));
  if (tail.header.layout().slice_bytes() == blocks) return tail;
  return Error(Errc::corrupt, "slice: it has " + std::to_string(blocks) + " bytes of blocks");
}

}  // namespace

Key home_of_slices(BucketId bucket, BucketName name, const Reference& content) {
  return make_key(bucket, {std::move(name), std::string(sliced_key(content))});
}

std::string slice_path_of(const Key& home, const Reference& content, unsigned index) {
  return layout::slice_path(dir_of(home.name.bucket), layout::key_hash(home.key()),
                            content.content_version, index);
}

Result<SliceTail> read_slice_tail(int fd) {
  TRY(const auto stat, disk::stat_of(fd));
  std::string end(kSliceEndBytes, '\0');
  if (stat.size < end.size()) return cut_off();
  const auto fill = [fd](std::string& text, std::uint64_t offset) {
    const MutableBytes bytes(reinterpret_cast<std::byte*>(text.data()), text.size());
    return disk::pread_exactly(fd, bytes, offset);
  };
  CHECK_OK(fill(end, stat.size - end.size()));
  TRY(const std::uint64_t bytes, tail_bytes(end));
  if (bytes > stat.size - end.size()) return cut_off();
  std::string envelope(bytes, '\0');
  const std::uint64_t blocks = stat.size - end.size() - bytes;
  CHECK_OK(fill(envelope, blocks));
  return tail_behind(blocks, envelope);
}

Result<std::optional<SliceTail>> slice_tail_in(std::string_view last, std::uint64_t size) {
  if (last.size() < kSliceEndBytes || last.size() > size) return std::optional<SliceTail>();
  const std::size_t before_end = last.size() - kSliceEndBytes;
  TRY(const std::uint64_t bytes, tail_bytes(last.substr(before_end)));
  if (bytes > size - kSliceEndBytes) return cut_off();
  if (bytes > before_end) return std::optional<SliceTail>();
  TRY(SliceTail tail,
      tail_behind(size - kSliceEndBytes - bytes, last.substr(before_end - bytes, bytes)));
  return std::optional(std::move(tail));
}

Status set_slice_aside(Mountpath& mountpath, const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string to = std::string(layout::kBadDir) + "/slice-" + path.substr(slash + 1);
  LOG_WARN("a damaged slice is set aside", "mountpath", mountpath.path(), "slice", path, "to", to);
  return disk::rename_beneath(mountpath.root(), path, to);
}

namespace {

/// The slice at `path`; nullopt for a file that is none (any more), or one that belongs elsewhere:
/// nobody would find it, and whoever should be here would never be missed.
Result<std::optional<HeldSlice>> held_at(Mountpath& mountpath,
                                         BucketId bucket,
                                         const BucketName& name,
                                         const std::string& path) {
  const auto fd = disk::open_beneath(mountpath.root(), path, O_RDONLY);
  if (!fd && fd.error() == Errc::not_found) return std::optional<HeldSlice>();
  if (!fd) return fd.error();
  const auto tail = read_slice_tail(fd->get());
  const auto meta = tail ? unpack_meta(tail->header.meta) : Result<StoredMeta>(tail.error());
  if (!meta && meta.error() != Errc::corrupt) return meta.error();
  if (!meta || meta->bucket != bucket) {
    CHECK_OK(set_slice_aside(mountpath, path));
    return std::optional<HeldSlice>();
  }
  TRY(const auto stat, disk::stat_of(fd->get()));
  HeldSlice held{.content = sliced(meta->key, tail->header.geometry, tail->header.version),
                 .index = tail->header.index,
                 .bytes = stat.size};
  if (slice_path_of(home_of_slices(bucket, name, held.content), held.content, held.index) != path) {
    CHECK_OK(set_slice_aside(mountpath, path));
    return std::optional<HeldSlice>();
  }
  return std::optional(std::move(held));
}

}  // namespace

Result<SlicePage> page_of_slices(Mountpath& mountpath,
                                 BucketId bucket,
                                 const BucketName& name,
                                 const std::string& after,
                                 std::size_t limit) {
  const std::string slices = layout::slices_dir(dir_of(name));
  SlicePage page;
  TRY(const FolderNames folders, names_in(mountpath.root(), slices));
  for (const std::string& folder : folders.folders) {
    if (folder < after.substr(0, folder.size())) continue;
    TRY(const FolderNames names, names_in(mountpath.root(), slices + "/" + folder));
    for (const std::string& file : names.files) {
      std::string path = folder + "/" + file;
      if (path <= after) continue;
      if (page.slices.size() >= limit) {
        page.more = true;
        return page;
      }
      TRY(auto held, held_at(mountpath, bucket, name, slices + "/" + path));
      if (held) page.slices.push_back(*std::move(held));
      page.next = std::move(path);
    }
  }
  return page;
}

Status copy_slice(const Mountpath& from, Mountpath& to, const std::string& path) {
  TRY(const auto fd, disk::open_beneath(from.root(), path, O_RDONLY));
  TRY(const auto stat, disk::stat_of(fd.get()));
  CHECK_OK(to.check_space(stat.size));
  TRY(WorkFile work, WorkFile::create(to));
  CHECK_OK(copy_bytes(fd.get(), work.fd(), stat.size));
  CHECK_OK(disk::make_parent_dirs(to.root(), path));
  CHECK_OK(disk::rename_beneath(to.root(), work.path(), path));
  work.published();
  return {};
}

}  // namespace aisfs::store
