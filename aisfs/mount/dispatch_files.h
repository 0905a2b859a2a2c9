// SPDX-License-Identifier: MIT
#pragma once
#include "aisfs/mount/reply.h"

namespace aisfs::mount {

/// Sets the callbacks that work on open files and directories.
void add_file_operations(fuse_lowlevel_ops& table);

}  // namespace aisfs::mount
