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
  if (!known && mount.delegations.is_free(**directory, name)) {
    return Entry{.missing = mount.delegations.lease_in(**directory)};
  }
  if (!known) {
    const fs::Lease* lease = mount.inodes.missing(**directory, name);
    if (lease == nullptr || !mount.leases.holds(*lease)) return std::nullopt;
    return Entry{.missing = *lease};
  }
  const bool seen = known->is_directory() && just_seen(mount, thread, *known);
  if (!seen && !mount.leases.holds(known->lease)) return std::nullopt;
  return entry_of(mount, known);
}

Task<Result<Entry>> lookup(Mount& mount, Call call, NodeId parent, std::string name) {
  if (auto known = lookup_now(mount, call.pid, parent, name)) co_return *known;
  CO_TRY(const fs::InodePtr directory, inode_of(mount, parent));
  const auto inode = co_await see_child(mount, std::move(call), directory, name);
  if (inode) co_return entry_of(mount, *inode);
  if (inode.error() != Errc::not_found) co_return inode.error();
  const fs::Lease* lease = mount.inodes.missing(*directory, name);
  if (lease == nullptr || !mount.leases.holds(*lease)) co_return inode.error();
  co_return Entry{.missing = *lease};
}

void forget(Mount& mount, NodeId node, std::uint64_t lookups) {
  mount.inodes.forget(node, lookups);
}

}  // namespace aisfs::ops
