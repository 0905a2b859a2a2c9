// SPDX-License-Identifier: MIT
// Store: slices of objects that lie on several targets. Files alone: whose they are and whether
// they are needed the names' owners know (node/target/slicer.h).
#include "node/store/slices.h"

#include <fcntl.h>
#include <sys/uio.h>

#include "common/async/lent_source.h"
#include "common/base/hash.h"
#include "common/disk/posix.h"
#include "common/obs/log.h"
#include "node/store/engine.h"
#include "node/store/object_file.h"
#include "node/store/put.h"
#include "node/store/slice_walk.h"

namespace aisfs::store {
namespace {

std::string describe(const Key& home, unsigned index) {
  return "slice " + std::to_string(index) + " of " + home.display();
}

/// Whether it is the slice that it should be.
Status check_tail(const SliceTail& tail,
                  const Key& home,
                  const Reference& content,
                  unsigned index) {
  const ec::SliceHeader& header = tail.header;
  TRY(const StoredMeta meta, unpack_meta(header.meta));
  if (meta.key == home.key() && meta.bucket == home.bucket && header.index == index &&
      header.version == content.content_version && header.geometry == geometry_of(content)) {
    return {};
  }
  return Error(Errc::corrupt, "what lies as " + describe(home, index) + " is slice " +
                                  std::to_string(header.index) + " of " + meta.key);
}

constexpr std::size_t kKeptBytes = 16_KiB;  // of what is lent; most tails are shorter

/// Bytes of a slice that were hashed while they were in memory.
struct Piece {
  std::size_t bytes = 0;
  std::uint64_t hash = 0;
};

/// Compares the blocks with their hashes. `known` are the first bytes of the file, one piece after
/// the other: a piece that is a block needs not be read.
Status check_blocks(int fd, const SliceTail& tail, std::span<const Piece> known) {
  const ec::Layout layout = tail.header.layout();
  std::unique_ptr<std::byte[]> buffer;
  bool in_step = true;
  for (std::uint64_t i = 0; i < layout.stripes(); ++i) {
    std::uint64_t hash = 0;
    in_step = in_step && i < known.size() && known[i].bytes == layout.block_bytes(i);
    if (in_step) {
      hash = known[i].hash;
    } else {
      if (!buffer) buffer = std::make_unique_for_overwrite<std::byte[]>(layout.unit());
      const MutableBytes block(buffer.get(), layout.block_bytes(i));
      CHECK_OK(disk::pread_exactly(fd, block, layout.block_offset(i)));
      hash = xxh3_64(block);
    }
    if (hash == tail.hashes[i]) continue;
    return Error(Errc::bad_checksum, "slice: block " + std::to_string(i) + " has another hash");
  }
  return {};
}

/// Blocks of a slice, from somewhere on.
class SliceBody final : public BodySource {
 public:
  SliceBody(std::shared_ptr<Mountpath> mountpath, UniqueFd fd, FileSlice slice)
      : mountpath_(std::move(mountpath)), fd_(std::move(fd)), slice_(slice) {}

  Task<Result<std::size_t>> read(MutableBytes into) override {
    const MutableBytes to = into.first(std::min<std::uint64_t>(into.size(), slice_.length));
    if (to.empty()) co_return std::size_t{0};
    iovec vec{to.data(), to.size()};
    ssize_t n = ::preadv2(slice_.fd, &vec, 1, static_cast<off_t>(slice_.offset), RWF_NOWAIT);
    if (n <= 0) {
      auto wait = [this, to] { return disk::pread_exactly(slice_.fd, to, slice_.offset); };
      CO_CHECK_OK(mountpath_->noted(co_await mountpath_->pool().run(std::move(wait))));
      n = static_cast<ssize_t>(to.size());
    }
    slice_.offset += static_cast<std::uint64_t>(n);
    slice_.length -= static_cast<std::uint64_t>(n);
    co_return static_cast<std::size_t>(n);
  }

  std::optional<std::uint64_t> remaining() const override { return slice_.length; }
  const FileSlice* file() const override { return &slice_; }
  Task<Status> bring_in(std::uint64_t offset, std::uint64_t length) override {
    auto fetch = [fd = slice_.fd, offset, length]() -> Status {
      const auto scratch = std::make_unique_for_overwrite<std::byte[]>(length);
      auto got = disk::pread_up_to(fd, {scratch.get(), length}, offset);
      return got ? Status() : Status(std::move(got).error());
    };
    co_return mountpath_->noted(co_await mountpath_->pool().run(std::move(fetch)));
  }

 private:
  const std::shared_ptr<Mountpath> mountpath_;
  const UniqueFd fd_;
  FileSlice slice_;
};

/// A slice on its way to its file.
class IncomingSlice {
 public:
  IncomingSlice(Engine& engine, Mountpath& mountpath) : engine_(engine), mountpath_(mountpath) {}

  /// Takes all of `body`; the last part stays in memory, for finish().
  Task<Status> take(BodySource& body) {
    if (auto* lent = dynamic_cast<LentSource*>(&body)) co_return co_await take_lent(*lent);
    buffer_ = engine_.blocks.take();
    for (;;) {
      CO_TRY(used_, co_await fill(body, {buffer_.get(), kHashBlockBytes}));
      if (used_ < kHashBlockBytes) co_return Status{};
      auto add = [this] { return write({buffer_.get(), used_}); };
      CO_CHECK_OK(mountpath_.noted(co_await mountpath_.pool().run(std::move(add))));
    }
  }

  /// Blocks.
  Status finish(const Key& home, const Reference& content, unsigned index, Durability level) {
    CHECK_OK(write({buffer_.get(), used_}));
    if (!work_) return Error(Errc::corrupt, describe(home, index) + " is empty");
    TRY(const SliceTail tail, find_tail());
    CHECK_OK(check_tail(tail, home, content, index));
    if (!lent_) {  // else who lent the blocks has just hashed them where they lay
      hash_last_block(tail);
      auto right = check_blocks(work_->fd(), tail, pieces_);
      if (!right) return std::move(right).error().context(describe(home, index));
    }
    if (level == Durability::kData) CHECK_OK(disk::sync_data(work_->fd()));
    CHECK_OK(mountpath_.know_bucket(home.bucket, home.name.bucket));
    const std::string path = slice_path_of(home, content, index);
    CHECK_OK(place(path));
    work_->published();
    if (level < Durability::kFull) mountpath_.committer().note_unflushed();
    return {};
  }

 private:
  /// What lies in memory here need not be copied, but little of it is, so that finish() writes the
  /// tail.
  Task<Status> take_lent(LentSource& body) {
    lent_ = true;
    buffer_ = BlockBuffers::small(kKeptBytes);
    for (;;) {
      CO_TRY(const ConstBytes bytes, co_await body.lend());
      if (bytes.empty()) co_return Status{};
      if (bytes.size() <= kKeptBytes - used_) {
        std::memcpy(buffer_.get() + used_, bytes.data(), bytes.size());
        used_ += bytes.size();
      } else {
        auto add = [this, bytes]() -> Status {
          CHECK_OK(write({buffer_.get(), std::exchange(used_, 0)}));
          return write(bytes);
        };
        CO_CHECK_OK(mountpath_.noted(co_await mountpath_.pool().run(std::move(add))));
      }
      body.give_back(bytes.size());
    }
  }

  /// Nearly always in what was written last.
  Result<SliceTail> find_tail() const {
    TRY(auto tail, slice_tail_in(as_text({buffer_.get(), used_}), size_));
    if (tail) return *std::move(tail);
    return read_slice_tail(work_->fd());
  }

  Status write(ConstBytes bytes) {
    if (bytes.empty()) return {};
    CHECK_OK(mountpath_.check_space(bytes.size()));
    if (!work_) {
      TRY(WorkFile work, WorkFile::create(mountpath_));
      work_.emplace(std::move(work));
    }
    if (!lent_ && bytes.size() == kHashBlockBytes) {
      pieces_.push_back({bytes.size(), xxh3_64(bytes)});
    }
    CHECK_OK(disk::pwrite_all(work_->fd(), bytes, size_));
    size_ += bytes.size();
    return {};
  }

  /// The short block at the end, as far as it is in memory, needs not be read again.
  void hash_last_block(const SliceTail& tail) {
    const ec::Layout layout = tail.header.layout();
    if (layout.stripes() != pieces_.size() + 1) return;
    const std::size_t bytes = layout.block_bytes(pieces_.size());
    if (bytes > used_) return;
    pieces_.push_back({bytes, xxh3_64(ConstBytes(buffer_.get(), bytes))});
  }

  Status place(const std::string& path) {
    Status placed = disk::rename_beneath(mountpath_.root(), work_->path(), path);
    if (placed || placed.error() != Errc::not_found) return placed;
    CHECK_OK(disk::make_parent_dirs(mountpath_.root(), path));
    return disk::rename_beneath(mountpath_.root(), work_->path(), path);
  }

  Engine& engine_;
  Mountpath& mountpath_;
  bool lent_ = false;
  BlockBuffers::Buffer buffer_;
  std::size_t used_ = 0;
  std::uint64_t size_ = 0;
  std::optional<WorkFile> work_;
  std::vector<Piece> pieces_;
};

/// Where a slice may lie: at its key's place first.
std::vector<std::shared_ptr<Mountpath>> places_of(const Engine& engine, const Key& home) {
  const MountpathSet& set = engine.mounts.now();
  std::vector<std::shared_ptr<Mountpath>> places;
  const auto add = [&](const Mountpath& mountpath) {
    if (auto held = engine.mounts.hold(mountpath)) places.push_back(std::move(held));
  };
  Mountpath& first = set.place_of(home.digest);
  add(first);
  for (const Mountpath* mountpath : set.readable) {
    if (mountpath != &first) add(*mountpath);
  }
  return places;
}

/// Opens one that lies on this mountpath. not_found; a damaged one goes to %bad.
Result<std::pair<UniqueFd, SliceTail>> open_at(Mountpath& mountpath,
                                               const Key& home,
                                               const Reference& content,
                                               unsigned index) {
  const std::string path = slice_path_of(home, content, index);
  auto fd = mountpath.noted(disk::open_beneath(mountpath.root(), path, O_RDONLY));
  if (!fd) return std::move(fd).error();
  auto tail = mountpath.noted(read_slice_tail(fd->get()));
  const Status right = tail ? check_tail(*tail, home, content, index) : Status(tail.error());
  if (right) return std::pair{*std::move(fd), *std::move(tail)};
  if (right.error() == Errc::corrupt) CHECK_OK(set_slice_aside(mountpath, path));
  return right.error();
}

bool lies_at(const Mountpath& mountpath, const std::string& path) {
  return disk::stat_beneath(mountpath.root(), path).ok();
}

}  // namespace

Task<Status> Store::put_slice(BucketId bucket,
                              BucketName name,
                              Reference content,
                              unsigned index,
                              Durability level,
                              BodySource& body) {
  const Key home = home_of_slices(bucket, std::move(name), content);
  const auto mountpath = engine_->hold_place(home);
  IncomingSlice slice(*engine_, *mountpath);
  CO_CHECK_OK(co_await slice.take(body));
  auto finish = [&] { return slice.finish(home, content, index, level); };
  CO_CHECK_OK(mountpath->noted(co_await mountpath->pool().run(std::move(finish))));
  if (level < Durability::kFull) co_return Status{};
  co_return co_await sync_mountpath(*mountpath);
}

Task<Result<std::vector<ec::SliceSet>>> Store::slices_here(BucketId bucket,
                                                           BucketName name,
                                                           std::vector<Reference> contents) {
  auto look = [&]() -> Result<std::vector<ec::SliceSet>> {
    std::vector<ec::SliceSet> all;
    for (const Reference& content : contents) {
      const Key home = home_of_slices(bucket, name, content);
      const auto geometry = geometry_of(content);
      ec::SliceSet here;
      for (const auto& place : places_of(*engine_, home)) {
        for (unsigned i = 0; geometry && i < geometry->slices(); ++i) {
          if (!here.test(i)) here.set(i, lies_at(*place, slice_path_of(home, content, i)));
        }
      }
      all.push_back(here);
    }
    return all;
  };
  if (!engine_->ready) co_return Error(Errc::not_ready, "the target recovers its disks");
  co_return co_await engine_->chores.run(std::move(look));
}

Task<Result<OpenSlice>> Store::open_slice(
    BucketId bucket, BucketName name, Reference content, ec::SliceSet wanted, ByteRange range) {
  const Key home = home_of_slices(bucket, std::move(name), content);
  Error failed(Errc::not_found, "no slice of " + home.display() + " is here");
  for (const auto& place : places_of(*engine_, home)) {
    auto open = [&]() -> Result<std::pair<UniqueFd, SliceTail>> {
      Error why(Errc::not_found);
      for (const unsigned index : ec::indices(wanted)) {
        auto opened = open_at(*place, home, content, index);
        if (opened) return opened;
        if (opened.error() != Errc::not_found) why = std::move(opened).error();
      }
      return why;
    };
    auto opened = co_await place->pool().run(std::move(open));
    if (!opened) {
      if (opened.error() != Errc::not_found) failed = std::move(opened).error();
      continue;
    }
    const std::uint64_t bytes = opened->second.header.layout().slice_bytes();
    if (range.offset > bytes) co_return Error(Errc::out_of_range, home.display());
    const ByteRange part = range.within(bytes);
    const FileSlice rest{opened->first.get(), part.offset, part.length};
    OpenSlice slice{std::move(opened->second), nullptr};
    slice.body = std::make_unique<SliceBody>(place, std::move(opened->first), rest);
    co_return slice;
  }
  co_return failed;
}

Task<Status> Store::drop_slices(BucketId bucket,
                                BucketName name,
                                Reference content,
                                ec::SliceSet slices) {
  const Key home = home_of_slices(bucket, std::move(name), content);
  for (const auto& place : places_of(*engine_, home)) {
    auto drop = [&]() -> Status {
      for (const unsigned index : ec::indices(slices)) {
        Status gone = disk::unlink_beneath(place->root(), slice_path_of(home, content, index));
        if (!gone && gone.error() != Errc::not_found) return gone;
      }
      return {};
    };
    CO_CHECK_OK(place->noted(co_await place->pool().run(std::move(drop))));
  }
  co_return Status{};
}

Task<Result<SlicePage>> Store::slices_on(std::size_t mountpath,
                                         BucketId bucket,
                                         std::string after,
                                         std::size_t limit) {
  const auto opened = engine_->mounts.opened();
  if (mountpath >= opened.size()) co_return Error(Errc::not_ready, "the mountpaths have changed");
  Mountpath& mp = *opened[mountpath];
  const auto buckets = mp.buckets();
  const auto name = buckets.find(bucket);
  if (name == buckets.end()) co_return SlicePage{};
  auto read = [&] { return page_of_slices(mp, bucket, name->second, after, limit); };
  co_return mp.noted(co_await mp.pool().run(std::move(read)));
}

Task<Status> Store::verify_slice(BucketId bucket,
                                 BucketName name,
                                 Reference content,
                                 unsigned index) {
  const Key home = home_of_slices(bucket, std::move(name), content);
  for (const auto& place : places_of(*engine_, home)) {
    auto verify = [&]() -> Status {
      TRY(const auto opened, open_at(*place, home, content, index));
      const Status right = check_blocks(opened.first.get(), opened.second, {});
      if (right || right.error() != Errc::bad_checksum) return right;
      CHECK_OK(set_slice_aside(*place, slice_path_of(home, content, index)));
      return Error(Errc::corrupt, describe(home, index) + ": " + right.error().what());
    };
    Status verified = place->noted(co_await place->pool().run(std::move(verify)));
    if (verified || verified.error() != Errc::not_found) co_return verified;
  }
  co_return Error(Errc::not_found, describe(home, index));
}

}  // namespace aisfs::store
