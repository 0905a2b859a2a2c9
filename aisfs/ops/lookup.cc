// SPDX-License-Identifier: MIT
#include "aisfs/ops/observe.h"
#include "aisfs/ops/ops.h"

namespace aisfs::ops {

Task<Result<Entry>> lookup(Mount& mount, Call call, NodeId parent, std::string name) {
  CO_TRY(const fs::InodePtr directory, inode_of(mount, parent));
  const fs::InodePtr known = mount.inodes.child(*directory, name);
  if (known && known->is_directory() && just_seen(mount, call, *known)) {
    co_return entry_of(mount, known);
  }
  CO_TRY(const fs::InodePtr inode,
         co_await see_child(mount, std::move(call), directory, std::move(name)));
  co_return entry_of(mount, inode);
}

void forget(Mount& mount, NodeId node, std::uint64_t lookups) { mount.inodes.forget(node, lookups); }

}  // namespace aisfs::ops
