// SPDX-License-Identifier: MIT
#include "node/store/object_file.h"

#include <fcntl.h>

#include "common/base/hash.h"
#include "common/disk/posix.h"
#include "node/store/layout.h"

namespace aisfs::store {

Result<WorkFile> WorkFile::create(Mountpath& mountpath) {
  std::string path = mountpath.new_work_path();
  TRY(UniqueFd fd, disk::open_beneath(mountpath.root(), path, O_CREAT | O_EXCL | O_RDWR));
  return WorkFile(mountpath.root(), std::move(path), std::move(fd));
}

Result<WorkFile> WorkFile::reuse(Mountpath& mountpath,
                                 BucketId bucket,
                                 std::uint64_t size,
                                 std::uint64_t& stale) {
  stale = 0;
  auto spare = mountpath.spares().take(bucket, size);
  if (!spare) return create(mountpath);
  auto file = adopt(mountpath, std::move(spare->path));
  if (!file) return create(mountpath);
  TRY(const auto stat, disk::stat_of(file->fd()));
  if (stat.nlink != 1) return create(mountpath);  // it is somebody's content under another name
  stale = stat.size;
  return file;
}

Result<WorkFile> WorkFile::adopt(Mountpath& mountpath, std::string path) {
  TRY(UniqueFd fd, disk::open_beneath(mountpath.root(), path, O_RDWR));
  return WorkFile(mountpath.root(), std::move(path), std::move(fd));
}

WorkFile::~WorkFile() {
  if (path_.empty()) return;
  // What cannot be removed now is removed at the next start.
  [[maybe_unused]] const Status removed = disk::unlink_beneath(root_, path_);
}

std::string dir_of(const BucketName& bucket) {
  auto dir = layout::bucket_dir(bucket);
  AISFS_ASSERT(dir.ok());
  return *std::move(dir);
}

std::string path_of(const std::string& bucket_dir, std::string_view key, bool escaped) {
  return escaped ? layout::escaped_path(bucket_dir, key).path
                 : layout::object_path(bucket_dir, key).path;
}

Result<StoredMeta> read_meta(const Mountpath& mountpath, const std::string& bucket_dir, int fd) {
  TRY(const std::string xattr, disk::get_xattr(fd, kMetaXattr));
  TRY(const auto side, side_of(xattr));
  std::string bytes;
  if (side) {
    const auto path = layout::side_path(bucket_dir, side->key_hash, side->meta_version);
    auto read = disk::read_file(mountpath.root(), path, kMetaSideBytesMax);
    if (!read) return Error(Errc::corrupt, "metadata: " + read.error().what());
    bytes = *std::move(read);
  }
  return decode_meta(xattr, bytes);
}

Result<std::string> write_side(const Mountpath& mountpath,
                               const std::string& bucket_dir,
                               const StoredMeta& meta) {
  EncodedMeta encoded = encode_meta(meta);
  if (encoded.side.empty()) return std::move(encoded.xattr);
  const auto path =
      layout::side_path(bucket_dir, layout::key_hash(meta.key), meta.info.meta_version);
  CHECK_OK(disk::make_parent_dirs(mountpath.root(), path));
  TRY(const UniqueFd fd,
      disk::open_beneath(mountpath.root(), path, O_CREAT | O_TRUNC | O_WRONLY));
  CHECK_OK(disk::pwrite_all(fd.get(), as_bytes(encoded.side), 0));
  return std::move(encoded.xattr);
}

void remove_side(const Mountpath& mountpath,
                 const std::string& bucket_dir,
                 std::string_view key,
                 Version meta_version) {
  const auto path = layout::side_path(bucket_dir, layout::key_hash(key), meta_version);
  [[maybe_unused]] const Status removed = disk::unlink_beneath(mountpath.root(), path);
}

namespace {

/// Another name's file or folder is where this one wants to go.
bool in_the_way(const Error& e) {
  switch (e.code()) {
    case Errc::not_directory:
    case Errc::is_directory:
    case Errc::not_empty:
    case Errc::already_exists:
      return true;
    default:
      return false;
  }
}

Status rename_making_dirs(int root, const std::string& from, const std::string& to) {
  // A concurrent delete may prune the folder between the two steps: a few rounds are enough.
  for (int round = 0; round < 16; ++round) {
    Status st = disk::rename_beneath(root, from, to);
    if (st.ok() || st.error().code() != Errc::not_found) return st;
    CHECK_OK(disk::make_parent_dirs(root, to));
  }
  return disk::rename_beneath(root, from, to);
}

}  // namespace

Result<layout::ObjectPath> place(const Mountpath& mountpath,
                                 const std::string& bucket_dir,
                                 std::string_view key,
                                 std::optional<bool> there_escaped,
                                 const std::string& work_path) {
  if (!there_escaped || !*there_escaped) {
    const auto plain = layout::object_path(bucket_dir, key);
    Status st = rename_making_dirs(mountpath.root(), work_path, plain.path);
    if (st.ok()) return plain;
    if (there_escaped || plain.escaped || !in_the_way(st.error())) return std::move(st).error();
  }
  const auto escaped = layout::escaped_path(bucket_dir, key);
  CHECK_OK(rename_making_dirs(mountpath.root(), work_path, escaped.path));
  return escaped;
}

Result<std::shared_ptr<OpenFile>> open_object_file(const Mountpath& mountpath,
                                                   const std::string& bucket_dir,
                                                   const std::string& path) {
  TRY(UniqueFd fd, disk::open_beneath(mountpath.root(), path, O_RDONLY));
  auto read = read_meta(mountpath, bucket_dir, fd.get());
  if (!read && read.error() == Errc::no_attribute) {
    return Error(Errc::corrupt, path + " has no metadata");
  }
  TRY(StoredMeta meta, std::move(read));
  TRY(const auto stat, disk::stat_of(fd.get()));
  if (stat.size != meta.info.size) {
    return Error(Errc::corrupt, path + " has " + std::to_string(stat.size) + " bytes, not " +
                                    std::to_string(meta.info.size));
  }
  auto file = std::make_shared<OpenFile>(block_count(meta.info.size));
  file->fd = std::move(fd);
  file->meta = std::move(meta);
  return file;
}

namespace {

Status check_block(const OpenFile& file, std::uint64_t block, ConstBytes bytes) {
  const BlockHashes& hashes = file.meta.hashes;
  const std::uint64_t hash = xxh3_64(bytes);
  const bool right = hashes.blocks.empty() ? root_of({hash}) == hashes.root
                                           : hashes.blocks.at(block) == hash;
  if (right) return {};
  return Error(Errc::corrupt, "object " + file.meta.key + ": the 1 MiB at " +
                                  std::to_string(block * kHashBlockBytes) +
                                  " are not what was written");
}

void note_verified(OpenFile& file, std::uint64_t block) {
  file.blocks[block].store(true, std::memory_order_relaxed);
  for (const auto& done : file.blocks) {
    if (!done.load(std::memory_order_relaxed)) return;
  }
  file.verified.store(true, std::memory_order_release);
}

}  // namespace

std::size_t block_size(const OpenFile& file, std::uint64_t block) {
  return std::min<std::uint64_t>(kHashBlockBytes, file.meta.info.size - block * kHashBlockBytes);
}

Status load_block(OpenFile& file, std::uint64_t block, MutableBytes into, VerifyRead mode) {
  CHECK_OK(disk::pread_exactly(file.fd.get(), into, block * kHashBlockBytes));
  const bool trusted = mode == VerifyRead::kNever ||
                       (mode == VerifyRead::kFirst &&
                        (file.verified.load(std::memory_order_acquire) ||
                         file.blocks[block].load(std::memory_order_relaxed)));
  if (trusted) return {};
  CHECK_OK(check_block(file, block, into));
  note_verified(file, block);
  return {};
}

}  // namespace aisfs::store
