// SPDX-License-Identifier: MIT
#include "aisfs/ops/open_file.h"
#include "aisfs/ops/ops.h"

namespace aisfs::ops {

Task<Result<std::string>> read(Mount& mount, Call call, HandleId handle, ByteRange range) {
  CO_TRY(const FileHandle file, handle_of(mount, handle));
  co_return co_await read_bytes(mount, std::move(call), file.inode, range);
}

}  // namespace aisfs::ops
