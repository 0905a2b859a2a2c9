// SPDX-License-Identifier: MIT
#include "aisfs/ops/observe.h"
#include "aisfs/ops/ops.h"

namespace aisfs::ops {

std::optional<Entry> lookup_now(Mount& mount,
                                std::int32_t thread,
                                NodeId parent,
                                const std::string& name) {
  const auto directory = inode_of(mount, parent);
  if (!directory) return std::nullopt;
  const fs::InodePtr known = mount.inodes.child(**directory, name);
  if (!known || !known->is_directory() || !just_seen(mount, thread, *known)) return std::nullopt;
  return entry_of(mount, known);
}

Task<Result<Entry>> lookup(Mount& mount, Call call, NodeId parent, std::string name) {
  if (auto known = lookup_now(mount, call.pid, parent, name)) co_return *known;
  CO_TRY(const fs::InodePtr directory, inode_of(mount, parent));
  CO_TRY(const fs::InodePtr inode,
         co_await see_child(mount, std::move(call), directory, std::move(name)));
  co_return entry_of(mount, inode);
}

void forget(Mount& mount, NodeId node, std::uint64_t lookups) { mount.inodes.forget(node, lookups); }

}  // namespace aisfs::ops
