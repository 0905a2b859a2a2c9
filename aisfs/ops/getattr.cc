// SPDX-License-Identifier: MIT
#include "aisfs/ops/observe.h"
#include "aisfs/ops/ops.h"

namespace aisfs::ops {

std::optional<fs::Attr> getattr_now(Mount& mount, std::int32_t thread, NodeId node) {
  const auto inode = inode_of(mount, node);
  if (!inode || !is_settled(mount, thread, **inode)) return std::nullopt;
  return shown(**inode);
}

Task<Result<fs::Attr>> getattr(Mount& mount, Call call, NodeId node) {
  CO_TRY(const fs::InodePtr inode, inode_of(mount, node));
  const Status seen = co_await see_again(mount, std::move(call), inode);
  // A file that is gone from the cluster still has its open handles here.
  if (!seen && inode->open == nullptr) co_return seen.error();
  co_return shown(*inode);
}

}  // namespace aisfs::ops
