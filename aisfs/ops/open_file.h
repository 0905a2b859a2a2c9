// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>

#include "aisfs/ops/mount_state.h"
#include "aisfs/write/extents.h"
#include "aisfs/write/local_file.h"
#include "common/async/limiter.h"
#include "common/async/notifier.h"

namespace aisfs::ops {

/// What all handles of one inode share: the version they read (`base`), what was written over it,
/// the size. A byte is, in this order: local (written here), of the base (below base_visible),
/// zero.
///
/// Writers, truncation and publishing take `turn`; reads do not.
struct OpenFile {
  OpenFile(Mount& mount, ObjectInfo info);

  Limiter turn;
  ObjectInfo base;  // the pinned version
  std::uint64_t size = 0;
  std::uint64_t base_visible = 0;  // bytes of the base not cut off by a truncation
  write::Extents local;            // valid in `scratch`
  write::Extents dirty;            // of those, not published
  write::LocalFile scratch;
  std::shared_ptr<read::Reader> reader;  // of the base
  std::uint32_t handles = 0;
  bool content_dirty = false;  // bytes or size differ from the base
  bool attrs_dirty = false;    // mode, owner, times wait for the publish
  bool fresh = false;          // created here and never published: attributes wait for the bytes
  bool unsent = false;         // so far this mount alone has the name (Delegations)
  bool delivered = false;      // bytes of the base went to a reader
  bool unlinked = false;       // by this mount: what was written is dropped at the end
  bool promised = false;       // close(2) was answered: what is dirty is published, if not at once
  bool awaits_name = false;    // before it is: an rsync temporary (name_to_come)
  bool sent = false;           // what was promised is on its way
  Notifier named;  // the end of the wait for a name is wanted, or of it or the promise has come
  Call::Answer renamed;            // of a rename that waits for `sent`
  std::optional<ObjectName> left;  // while a rename that was answered is on its way: the old name

  bool is_dirty() const { return content_dirty || attrs_dirty || fresh; }
  /// Takes a newly published (or newly seen) version as the base.
  void rebase(ObjectInfo info);
  /// Goes on with another version if its bytes are those of the base: what a rename left elsewhere
  /// is moved in the background, as a new version. False, and nothing changed, if they are not.
  bool take_same_bytes(const ObjectInfo& info);
};

/// The bytes of `range`, shorter only at the end of the file. precondition_failed (ESTALE) when
/// the pinned version is gone after a part of it was delivered.
Task<Result<std::string>> read_bytes(Mount& mount, Call call, fs::InodePtr inode, ByteRange range);

/// These change local state only; the caller has the turn.
Task<Status> write_bytes(Mount& mount, fs::InodePtr inode, std::uint64_t offset, std::string bytes);
Task<Status> set_size(Mount& mount, fs::InodePtr inode, std::uint64_t size);

/// Brings all bytes here, because the version in the cluster is about to go.
Task<Status> bring_all(Mount& mount, Call call, fs::InodePtr inode);

/// The name under which the cluster has the file. not_found when it has lost its name.
Result<ObjectName> name_in_cluster(const Mount& mount, const fs::Inode& inode);

/// Sends what is dirty, at least at `level`. On failure everything stays dirty. The caller has the
/// turn. precondition_failed (ESTALE) when another host removed or replaced the file.
Task<Status> publish(Mount& mount, Call call, fs::InodePtr inode, Durability level);
/// The level of close(2): the bucket's.
Durability close_level(const Mount& mount, const fs::Place& place);

}  // namespace aisfs::ops
