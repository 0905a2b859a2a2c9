// SPDX-License-Identifier: MIT
#include "aisfs/ops/open_file.h"
#include "aisfs/ops/ops.h"

namespace aisfs::ops {

constexpr std::uint64_t kCopyMax = 16_MiB;  // a call; the caller asks again for the rest

Task<Result<std::size_t>> copy_file_range(Mount& mount,
                                          Call call,
                                          HandleId from,
                                          std::uint64_t from_offset,
                                          HandleId to,
                                          std::uint64_t to_offset,
                                          std::uint64_t length) {
  CO_TRY(const FileHandle source, handle_of(mount, from));
  const ByteRange range{from_offset, std::min(length, kCopyMax)};
  CO_TRY(std::string bytes, co_await read_bytes(mount, call, source.inode, range));
  if (bytes.empty()) co_return std::size_t{0};
  co_return co_await write(mount, call, to, to_offset, std::move(bytes));
}

}  // namespace aisfs::ops
