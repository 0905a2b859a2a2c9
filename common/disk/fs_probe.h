// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace aisfs::disk {

/// What a file system can do, found out by doing it in a scratch file.
struct FsFacts {
  std::string type;               // "ext4", "xfs", "btrfs", "tmpfs", or the magic number
  bool nameless_files = false;    // O_TMPFILE
  bool reflink = false;           // FICLONE
  std::size_t xattr_bytes = 0;    // longest user.* value that works: 0, 900, 3500 or more
  std::uint64_t file_system = 0;  // device number: equal for two folders of one file system
};

/// Leaves nothing behind. read_only, permission_denied, no_space as they come.
Result<FsFacts> probe_fs(int root);

/// Which mount of which boot a folder is on. An index that was written without sync is believed
/// only by a process that sees the same value: then no power was lost in between.
struct MountIdentity {
  std::string boot_id;
  std::uint64_t mount_id = 0;  // unique since boot where the kernel knows (6.8), else may repeat

  bool operator==(const MountIdentity&) const = default;

  template <class A>
  void serialize(A& ar) {
    ar(boot_id, mount_id);
  }
};
Result<MountIdentity> mount_identity(int root);

}  // namespace aisfs::disk
