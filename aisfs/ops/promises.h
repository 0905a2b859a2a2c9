// SPDX-License-Identifier: MIT
// What is answered before it has arrived. In a directory that is delegated to the mount nobody else
// looks at a name before the mount has sent what it owes (Delegations), so close(2) and rename(2)
// need not wait for the cluster there: they are answered when their request is on its way (that of
// a rename may still wait for that of a close), and it is repeated until it has arrived. Whatever
// needs the cluster to know a name waits for it. A mount that is killed has sent the bytes it
// answered for (those of an rsync temporary when its rename is answered); one that cannot reach the
// cluster answers late again.
#pragma once
#include <string>

#include "aisfs/ops/mount_state.h"

namespace aisfs::ops {

struct OpenFile;

/// Whether one more may be answered, of a name whose directory the mount has to itself (which the
/// caller has looked at): none is overdue, not too many are on their way, and the bucket's close
/// promises no more than that they are.
bool may_answer_ahead(const Mount& mount, const fs::Place& place);

/// The bytes of a closed rsync temporary that only this mount knows wait a moment for the name that
/// comes, so that they are sent once, under that name, and no rename is.
bool may_await_name(const fs::Inode& inode);
/// Returns when the file has been renamed, when something needs the bytes in the cluster, or after
/// Options::await_name.
Task<void> name_to_come(Mount& mount, std::shared_ptr<OpenFile> file);
/// Has a file that waits be sent under the name that it has now; returns when that is settled. No
/// effect on others.
Task<void> end_wait_for_name(std::shared_ptr<OpenFile> file);

/// While it lives, a request that changes the inode is on its way.
class Sending {
 public:
  Sending(Mount& mount, const fs::InodePtr& inode)
      : mount_(mount), at_(mount.sending.insert(mount.sending.end(), inode)) {
    inode->sending = true;
  }
  Sending(const Sending&) = delete;
  Sending& operator=(const Sending&) = delete;
  ~Sending();

 private:
  Mount& mount_;
  std::list<fs::InodePtr>::iterator at_;
};

/// Waits for the request that changes the inode; timed_out. Of a directory: before requests for
/// names in it, which could overtake the one that makes it and find no directory.
Task<Status> arrive(Mount& mount, Call call, fs::InodePtr inode);
/// For a request that does not wait for its directory first: whether it may have overtaken it.
class Overtaking {
 public:
  /// Before the request.
  explicit Overtaking(fs::InodePtr directory);
  /// True, once, if that may be why it failed: then arrive() and another attempt.
  bool is_why(const Error& error) {
    return error == Errc::not_found && std::exchange(early_, false);
  }
  const fs::InodePtr& directory() const { return directory_; }

 private:
  const fs::InodePtr directory_;
  bool early_;
};
/// Waits for the rename by which the name is being left; timed_out. Before every request for a name.
Task<Status> name_left(Mount& mount, Call call, std::uint64_t directory, std::string name);

/// The further attempts at something that was promised and has failed.
class Retries {
 public:
  explicit Retries(Mount& mount);
  Retries(const Retries&) = delete;
  Retries& operator=(const Retries&) = delete;
  ~Retries();

  /// Waits for the time of the next attempt, for which the call gets a new deadline. False at once
  /// when it cannot help, or the mount ends.
  Task<bool> again(Call call, std::string name, Error why);

 private:
  Mount& mount_;
  Duration wait_;
};

}  // namespace aisfs::ops
