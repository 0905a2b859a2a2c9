// SPDX-License-Identifier: MIT
#include "aisfs/ops/observe.h"
#include "aisfs/ops/ops.h"

namespace aisfs::ops {

Task<Result<std::string>> readlink(Mount& mount, Call call, NodeId node) {
  CO_TRY(const fs::InodePtr inode, inode_of(mount, node));
  CO_CHECK_OK(co_await see_again(mount, std::move(call), inode));
  if (inode->symlink == nullptr) co_return Error(Errc::invalid_argument, "not a symbolic link");
  co_return *inode->symlink;
}

}  // namespace aisfs::ops
