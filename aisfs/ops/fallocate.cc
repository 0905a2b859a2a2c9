// SPDX-License-Identifier: MIT
#include "aisfs/ops/open_file.h"
#include "aisfs/ops/ops.h"

namespace aisfs::ops {
namespace {

constexpr std::uint64_t kStep = 4_MiB;

Task<Status> write_zeros(Mount& mount, fs::InodePtr inode, ByteRange range) {
  while (range.length > 0) {
    const std::uint64_t n = std::min(kStep, range.length);
    std::string zeros(n, '\0');
    CO_CHECK_OK(co_await write_bytes(mount, inode, range.offset, std::move(zeros)));
    range.offset += n;
    range.length -= n;
  }
  co_return Status();
}

}  // namespace

/// Space is not reserved (the cluster's capacity is shared); sizes and zeros are as asked.
Task<Status> fallocate(Mount& mount, Call, HandleId handle, Allocate how, ByteRange range) {
  CO_TRY(const FileHandle file, handle_of(mount, handle));
  const auto permit = co_await file.file->turn.acquire();
  const std::uint64_t end = range.offset + range.length;
  const bool zero =
      how == Allocate::kPunchHole || how == Allocate::kZero || how == Allocate::kZeroKeepSize;
  const bool extend = how == Allocate::kExtend || how == Allocate::kZero;
  if (zero) CO_CHECK_OK(co_await write_zeros(mount, file.inode, range.within(file.file->size)));
  if (extend && end > file.file->size) CO_CHECK_OK(co_await set_size(mount, file.inode, end));
  co_return Status();
}

}  // namespace aisfs::ops
