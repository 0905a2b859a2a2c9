// SPDX-License-Identifier: MIT
#pragma once
#include "aisfs/mount/inflight.h"
#include "aisfs/mount/reply.h"

namespace aisfs::mount {

/// What the FUSE callbacks are given: the mount and its shard. Outlives the session.
struct Dispatch {
  ops::Mount& mount;
  asio::any_io_executor shard;
  Inflight inflight;
};

/// The table of callbacks; their user data is a Dispatch.
const fuse_lowlevel_ops& fuse_operations();

}  // namespace aisfs::mount
