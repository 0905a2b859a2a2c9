// SPDX-License-Identifier: MIT
#pragma once
#include <deque>
#include <string>

#include "aisfs/ops/ops.h"

namespace aisfs::ops {

/// A listing, fetched page by page while it is read. Kept until releasedir, so
/// seekdir and rewinddir see the same entries.
struct DirHandle {
  fs::InodePtr inode;
  fs::Place place;                // of a directory in a bucket
  std::deque<DirEntry> entries;   // "." and ".." first
  std::string after;              // where the next page begins
  bool complete = false;
  /// Before the first page was asked for: what its leases are measured by.
  std::uint64_t sequence = 0, drops = 0;
};

}  // namespace aisfs::ops
