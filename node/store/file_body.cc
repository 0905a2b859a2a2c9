// SPDX-License-Identifier: MIT
#include "node/store/file_body.h"

#include <sys/uio.h>

#include <algorithm>
#include <cstring>

#include "common/disk/posix.h"

namespace aisfs::store {

FileBody::FileBody(Engine& engine,
                   std::shared_ptr<OpenFile> file,
                   ByteRange range,
                   VerifyRead mode)
    : engine_(engine),
      file_(std::move(file)),
      mode_(mode),
      slice_{file_->fd.get(), range.offset, range.length} {}

Status FileBody::load(std::uint64_t block) {
  if (!block_) {
    const auto size = std::min<std::uint64_t>(kHashBlockBytes, file_->meta.info.size);
    block_ = std::make_unique_for_overwrite<std::byte[]>(size);
  }
  const MutableBytes whole(block_.get(), block_size(*file_, block));
  Status loaded = load_block(*file_, block, whole, mode_);
  if (!loaded) {
    block_.reset();
    return loaded;
  }
  loaded_ = block;
  const Version version = file_->meta.info.content_version;
  const bool verified = file_->verified.load(std::memory_order_acquire);
  if (verified && file_->shared) engine_.verified.insert(version);
  return {};
}

Status FileBody::load_first() {
  if (trusted() || slice_.length == 0) return {};
  return load(slice_.offset / kHashBlockBytes);
}

std::size_t FileBody::take_loaded(MutableBytes into) {
  if (!block_ || slice_.offset / kHashBlockBytes != loaded_) return 0;
  const std::uint64_t at = slice_.offset % kHashBlockBytes;
  const std::size_t n = std::min<std::uint64_t>(
      {into.size(), slice_.length, block_size(*file_, loaded_) - at});
  std::memcpy(into.data(), block_.get() + at, n);
  slice_.offset += n;
  slice_.length -= n;
  return n;
}

Task<Result<std::size_t>> FileBody::read(MutableBytes into) {
  if (slice_.length == 0) co_return std::size_t{0};
  if (const std::size_t n = take_loaded(into); n > 0) co_return n;
  if (!trusted()) {
    auto next = [this] { return load(slice_.offset / kHashBlockBytes); };
    CO_CHECK_OK(file_->mountpath->noted(co_await pool().run(std::move(next))));
    co_return take_loaded(into);
  }
  const MutableBytes to = into.first(std::min<std::uint64_t>(into.size(), slice_.length));
  iovec vec{to.data(), to.size()};
  ssize_t n = ::preadv2(slice_.fd, &vec, 1, static_cast<off_t>(slice_.offset), RWF_NOWAIT);
  if (n <= 0) {
    auto wait = [this, to] { return disk::pread_exactly(slice_.fd, to, slice_.offset); };
    CO_CHECK_OK(file_->mountpath->noted(co_await pool().run(std::move(wait))));
    n = static_cast<ssize_t>(to.size());
  }
  slice_.offset += static_cast<std::uint64_t>(n);
  slice_.length -= static_cast<std::uint64_t>(n);
  co_return static_cast<std::size_t>(n);
}

Task<Status> FileBody::bring_in(std::uint64_t offset, std::uint64_t length) {
  auto fetch = [fd = slice_.fd, offset, length]() -> Status {
    const auto scratch = std::make_unique_for_overwrite<std::byte[]>(256_KiB);
    for (std::uint64_t at = offset; at < offset + length; at += 256_KiB) {
      const std::size_t n = std::min<std::uint64_t>(256_KiB, offset + length - at);
      auto got = disk::pread_up_to(fd, {scratch.get(), n}, at);
      if (!got) return std::move(got).error();
    }
    return {};
  };
  co_return file_->mountpath->noted(co_await pool().run(std::move(fetch)));
}

}  // namespace aisfs::store
