// SPDX-License-Identifier: MIT
#include <fcntl.h>

#include "aisfs/ops/open_file.h"
#include "aisfs/ops/ops.h"

namespace aisfs::ops {

Task<Result<std::size_t>> write(
    Mount& mount, Call, HandleId handle, std::uint64_t offset, std::string bytes) {
  CO_TRY(const FileHandle file, handle_of(mount, handle));
  const auto permit = co_await file.file->turn.acquire();
  if ((file.flags & O_APPEND) != 0) offset = file.file->size;
  const std::size_t count = bytes.size();
  CO_CHECK_OK(co_await write_bytes(mount, file.inode, offset, std::move(bytes)));
  co_return count;
}

}  // namespace aisfs::ops
