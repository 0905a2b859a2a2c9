// SPDX-License-Identifier: MIT
// The one way in which new names come into the cluster.
#pragma once
#include "aisfs/ops/mount_state.h"

namespace aisfs::ops {

struct NewObject {
  PosixAttrs posix;
  bool reservation = false;  // of a file that is open and will be published
};
struct MadeObject {
  fs::InodePtr inode;
  ObjectInfo info;
  bool unsent = false;  // a reservation of a name that only this mount can make
};

/// An empty object under a name that has none; already_exists otherwise.
Task<Result<MadeObject>> make_object(
    Mount& mount, Call call, fs::InodePtr parent, std::string name, NewObject object);

/// Whether a file that only this mount knows so far has the name.
bool is_made_here(const Mount& mount, const fs::Inode& parent, const std::string& name);

/// Owner and times of something new; a set-group-id directory hands its group down.
PosixAttrs new_posix(const Call& call, const fs::Inode& parent, std::uint32_t mode);

}  // namespace aisfs::ops
