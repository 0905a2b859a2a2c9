// SPDX-License-Identifier: MIT
#pragma once
#include <mutex>

#include "common/model/mountpath.h"
#include "node/store/engine.h"

namespace aisfs::store {

/// What is known of the key and of its versions comes to its place, and what is older goes,
/// durably. The lock is held. no_space, corrupt: it stays where it is.
Task<Status> bring_to_place(Engine& engine, const Key& key);

/// What another mountpath has of the key is older than what is at its place, durably: it goes,
/// durably. The lock is held.
Task<Status> forget_elsewhere(Engine& engine, const Key& key);

/// Moves what lies on a mountpath that is not its place, until every name lies at its place and
/// nowhere else. What there is to do it sees on the mountpaths, so it can be interrupted at any
/// time. On each mountpath one name at a time is on its way, in pieces of 1 MiB.
///
/// run() on one shard; progress() from any thread. The engine outlives it.
class Resilver {
 public:
  explicit Resilver(Engine& engine) : engine_(engine) {}

  /// Until cancelled.
  Task<void> run();
  /// One look at everything; true when all is in order. not_ready when the mountpaths have changed
  /// meanwhile, or changes that began before the last one still go on.
  Task<Result<bool>> round();

  ResilverProgress progress() const;

 private:
  struct Walk {
    const MountpathSet& set;
    Mountpath& mountpath;
  };
  Task<Result<bool>> walk_mountpath(Walk walk);
  Task<Result<bool>> walk_names(Walk walk, BucketId bucket, BucketName name, bool tombstones);
  Task<Result<bool>> walk_contents(Walk walk, BucketId bucket, BucketName name);
  Task<Result<bool>> walk_uploads(Walk walk, BucketId bucket, BucketName name);
  Task<Result<bool>> walk_slices(Walk walk, BucketId bucket, BucketName name);
  Task<Status> move_name(Key key);
  void leave_behind(const Error& why);
  Task<Status> finish(const MountpathSet& set, std::uint64_t copies_left);
  template <class Edit>
  void note(Edit edit);

  Engine& engine_;
  mutable std::mutex mutex_;
  ResilverProgress progress_;  // guarded by mutex_
};

}  // namespace aisfs::store
