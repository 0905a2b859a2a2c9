// SPDX-License-Identifier: MIT
#include "common/disk/atomic_file.h"

#include <fcntl.h>

#include "common/disk/posix.h"

namespace aisfs::disk {

Status write_file_atomically(int root,
                             const std::string& path,
                             std::string_view bytes,
                             unsigned mode) {
  const std::string work = path + ".new";  // one writer a path, so one name is enough
  TRY(const UniqueFd fd, open_beneath(root, work, O_CREAT | O_TRUNC | O_WRONLY, mode));
  CHECK_OK(pwrite_all(fd.get(), as_bytes(bytes), 0));
  CHECK_OK(sync_file(fd.get()));
  CHECK_OK(rename_beneath(root, work, path));
  return sync_dir(root, parent_of(path));
}

}  // namespace aisfs::disk
