// SPDX-License-Identifier: MIT
// Store: copies, patches, appends: new content made out of content that is here.
#include <fcntl.h>

#include <algorithm>

#include "common/base/hash.h"
#include "common/client/copy_options.h"
#include "common/disk/posix.h"
#include "node/store/conditions.h"
#include "node/store/put.h"

namespace aisfs::store {
namespace {

// A patch waits in memory until the lock is held; whoever has more sends several.
constexpr std::size_t kPatchBytesMax = 256_MiB;

Error no_such_object(const Key& key) {
  return Error(Errc::not_found, "object \"" + key.display() + "\" does not exist");
}

Status copy_range(int from, int to, std::uint64_t size) {
  loff_t in = 0, out = 0;
  while (static_cast<std::uint64_t>(out) < size) {
    const ssize_t n = ::copy_file_range(from, &in, to, &out, size - static_cast<std::uint64_t>(out), 0);
    if (n < 0 && errno == EXDEV && out == 0) return copy_bytes(from, to, size);
    if (n < 0) return errno_error("copy_file_range");
    if (n == 0) return Error(Errc::corrupt, "the file to copy is shorter than its metadata say");
  }
  return {};
}

std::uint64_t bytes_of(const std::vector<ByteRange>& extents) {
  std::uint64_t sum = 0;
  for (const ByteRange& extent : extents) sum += extent.length;
  return sum;
}

/// Applies the patch to a copy of `base` (null: an empty object) and hashes what changed.
class Patch {
 public:
  Patch(Body& body, Mountpath& mp, const OpenFile* base, const std::string& bytes)
      : body_(body), mp_(mp), base_(base), bytes_(bytes) {}

  Status apply(const PatchOptions& options) {
    const std::uint64_t old_size = base_ ? base_->meta.info.size : 0;
    CHECK_OK(copy_into(body_, mp_, base_ ? base_->fd.get() : -1, old_size));
    size_ = options.truncate_to.value_or(old_size);
    unchanged_ = std::min(size_, old_size);
    if (options.truncate_to && ::ftruncate(body_.work->fd(), static_cast<off_t>(size_)) != 0) {
      return errno_error("ftruncate");
    }
    CHECK_OK(write_extents(options));
    CHECK_OK(hash_blocks(old_size));
    body_.size = size_;
    body_.finished = true;
    return options.level >= Durability::kData ? body_.sync_if_large() : Status();
  }

 private:
  Status write_extents(const PatchOptions& options) {
    ConstBytes left = as_bytes(bytes_);
    std::vector<ByteRange> extents = options.extents;
    if (options.append) extents = {{size_, left.size()}};
    for (const ByteRange& extent : extents) {
      CHECK_OK(disk::pwrite_all(body_.work->fd(), left.first(extent.length), extent.offset));
      left = left.subspan(extent.length);
      size_ = std::max(size_, extent.offset + extent.length);
      changed_.push_back(extent);
    }
    return {};
  }

  bool same_as_base(std::uint64_t block, std::uint64_t old_size) const {
    const std::uint64_t begin = block * kHashBlockBytes;
    const std::uint64_t end = std::min(begin + kHashBlockBytes, size_);
    const bool whole = end <= unchanged_ &&
                       (end == begin + kHashBlockBytes || (size_ == old_size && end == size_));
    if (!whole || base_ == nullptr || block >= base_->meta.hashes.blocks.size()) return false;
    return std::none_of(changed_.begin(), changed_.end(), [&](const ByteRange& extent) {
      return extent.offset < end && begin < extent.offset + extent.length;
    });
  }

  Status hash_blocks(std::uint64_t old_size) {
    BlockHashes& hashes = body_.sums.hashes;
    const auto buffer = std::make_unique_for_overwrite<std::byte[]>(kHashBlockBytes);
    for (std::uint64_t block = 0; block < block_count(size_); ++block) {
      if (same_as_base(block, old_size)) {
        hashes.blocks.push_back(base_->meta.hashes.blocks[block]);
        continue;
      }
      const std::uint64_t begin = block * kHashBlockBytes;
      const MutableBytes part(buffer.get(), std::min<std::uint64_t>(kHashBlockBytes, size_ - begin));
      CHECK_OK(disk::pread_exactly(body_.work->fd(), part, begin));
      hashes.blocks.push_back(xxh3_64(part));
    }
    hashes.root = root_of(hashes.blocks);
    return {};
  }

  Body& body_;
  Mountpath& mp_;
  const OpenFile* const base_;
  const std::string& bytes_;
  std::uint64_t size_ = 0, unchanged_ = 0;
  std::vector<ByteRange> changed_;
};

Status validate(const PatchOptions& options, const std::string& bytes) {
  if (options.append && (options.extents.size() > 1 || options.truncate_to)) {
    return Error(Errc::invalid_argument, "an append has one extent and truncates nothing");
  }
  if (!options.append && bytes_of(options.extents) != bytes.size()) {
    return Error(Errc::invalid_argument, "the body has " + std::to_string(bytes.size()) +
                                             " bytes, the extents " +
                                             std::to_string(bytes_of(options.extents)));
  }
  return {};
}

}  // namespace

Status copy_into(Body& body, Mountpath& mp, int from, std::uint64_t size) {
  CHECK_OK(mp.check_space(size));
  TRY(auto work, WorkFile::create(mp));
  body.work.emplace(std::move(work));
  body.size = size;
  if (size == 0) return {};
  if (mp.facts().reflink && disk::clone_file(from, body.work->fd()).ok()) return {};
  return copy_range(from, body.work->fd(), size);
}

Task<Result<ObjectInfo>> Store::copy_local(Key from, Key to, CopyOptions options) {
  CO_TRY(const auto source, co_await engine_->find_whole(from));
  if (!source) co_return no_such_object(from);
  CO_CHECK_OK(check_conditions(options.source_conditions, &source->info, Access::kWrite));
  CO_TRY(const auto file, co_await engine_->open_file(from, *source));
  const ExpectedChecksums none;
  Body body(false, none);
  const auto mp = engine_->hold_place(to);
  auto fill = [&]() -> Status {
    CHECK_OK(copy_into(body, *mp, file->fd.get(), file->meta.info.size));
    return options.put.level >= Durability::kData ? body.sync_if_large() : Status();
  };
  CO_CHECK_OK(co_await mp->pool().run(std::move(fill)));
  body.sums.hashes = file->meta.hashes;
  body.part_sizes = source->info.part_sizes;
  body.finished = true;
  const PutOptions put = put_options_of_copy(options, source->info);
  co_return co_await publish_body(*engine_, to, put, body, body.size);
}

Task<Result<ObjectInfo>> Store::patch(Key key, PatchOptions options, BodySource& source) {
  CO_TRY(const std::string bytes, co_await read_all(source, kPatchBytesMax));
  CO_CHECK_OK(validate(options, bytes));
  CO_TRY(const auto guard, co_await engine_->lock(key));
  CO_TRY(const auto base, co_await engine_->find_whole(key));
  CO_CHECK_OK(check_conditions(options.conditions, base ? &base->info : nullptr, Access::kWrite));
  if (!base && !options.append) co_return no_such_object(key);
  std::shared_ptr<OpenFile> file;
  if (base) {
    CO_TRY(file, co_await engine_->open_file(key, *base));
  }
  const ExpectedChecksums none;
  Body body(false, none);
  Patch patch(body, engine_->mountpath_of(key), file.get(), bytes);
  auto apply = [&] { return patch.apply(options); };
  CO_CHECK_OK(co_await engine_->mountpath_of(key).pool().run(std::move(apply)));
  PutOptions put{.level = options.level, .keep_attrs = true};
  const std::int64_t now = engine_->clock.unix_ns();
  put.posix = PosixAttrs{.mtime_ns = options.mtime_ns.value_or(now)};
  put.posix->ctime_ns = options.ctime_ns.value_or(now);
  if (!base) put.posix.reset();
  co_return co_await publish_over(*engine_, key, put, body, body.size, base);
}

}  // namespace aisfs::store
