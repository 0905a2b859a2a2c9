// SPDX-License-Identifier: MIT
#include <unistd.h>

#include "aisfs/ops/open_file.h"
#include "aisfs/ops/ops.h"

namespace aisfs::ops {

Task<Result<std::uint64_t>> lseek(
    Mount& mount, Call, HandleId handle, std::uint64_t offset, int whence) {
  CO_TRY(const FileHandle file, handle_of(mount, handle));
  if (offset >= file.file->size) co_return Error(Errc::out_of_range, "past the end");
  co_return whence == SEEK_HOLE ? file.file->size : offset;
}

}  // namespace aisfs::ops
