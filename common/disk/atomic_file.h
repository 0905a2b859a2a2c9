// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace aisfs::disk {

/// Puts a small file in place so that every reader, also one after power loss, finds the old or
/// the new one whole: work file beside it, fsync, rename, fsync of the folder. The folder exists.
/// One writer a path at a time.
Status write_file_atomically(int root,
                             const std::string& path,
                             std::string_view bytes,
                             unsigned mode = 0644);

}  // namespace aisfs::disk
