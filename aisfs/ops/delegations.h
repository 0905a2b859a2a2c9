// SPDX-License-Identifier: MIT
// Directories that this mount has to itself (common/wire/leases.h).
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "aisfs/fs/inode_table.h"
#include "common/async/notifier.h"
#include "common/client/lease_api.h"

namespace aisfs::ops {

struct Mount;
struct Call;

/// The directories that are delegated to the mount. Nobody else reads or changes a name below one
/// before it has been given back, so what is known of such a directory holds without asking: that a
/// name is free, and all of an inode that was made below it. A file that is created there is sent
/// with its first bytes, and attributes a moment after they were set; both before the directory is
/// given back.
///
/// Only directories all of whose names are known count: those that were listed after all targets
/// had delegated them, and those that were made below such a one. Belongs to the mount's shard.
class Delegations {
 public:
  explicit Delegations(Mount& mount) : mount_(mount) {}

  /// Asks for the directory, and for its names, unless that was refused lately. Returns when it is
  /// known whether the mount has it.
  Task<void> ask(const Call& call, fs::InodePtr directory);
  /// ask() for one in which several names have been made lately.
  Task<void> ask_if_busy(const Call& call, fs::InodePtr directory);

  /// By what something made in the directory is believed; none where it is not known whole.
  fs::Lease lease_in(const fs::Inode& directory) const;
  /// That nobody has the name, which could be one.
  bool is_free(const fs::Inode& directory, std::string_view name) const;
  /// Before a name is made, by whatever request.
  void will_make(const fs::Inode& directory, std::string_view name);
  /// A directory that was made by this lease (lease_in() before the request) is known whole.
  void made(fs::Inode& directory, const fs::Lease& by) const;

  /// Of a lease of lease_in().
  bool holds(const fs::Lease& lease) const { return is_held(lease.term); }
  Duration left(const fs::Lease& lease) const;
  /// Whether this mount alone knows the inode.
  bool is_sole(const fs::Inode& inode) const {
    return inode.lease.session == fs::Lease::kDelegation && is_held(inode.lease.term);
  }

  /// A target asks for it: sends what is not sent, and gives it back. Does not wait for that.
  void recall(const wire::RecalledDirectory& directory);
  /// The same of all that are not held any more: a session or the map has changed.
  void give_up_lost();
  /// The same of all.
  void give_up_all();
  /// When nothing is being given up.
  Task<void> settled(Deadline deadline);

  /// Attributes that were set on a sole inode are sent soon.
  void defer(const fs::InodePtr& inode);
  /// All that are deferred; the first error.
  Task<Status> send_deferred();

  /// Sends all, gives everything back and asks for nothing any more. The error of what was not
  /// sent.
  Task<Status> close(Deadline deadline);

 private:
  struct Delegation {
    std::uint64_t id = 0;
    fs::InodePtr directory;
    fs::Place place;
    std::vector<fs::Lease> grants;
    std::unordered_set<std::uint64_t> names;  // hashes; also of such as are gone again
    enum class State : std::uint8_t { kAsked, kHeld, kGivenUp } state = State::kAsked;
  };
  using DelegationPtr = std::shared_ptr<Delegation>;

  bool is_held(std::uint64_t id) const;
  bool has_grants(const Delegation& delegation) const;
  Task<Status> obtain(Call call, DelegationPtr delegation);
  Task<Status> tell_targets(wire::DelegateRequest request);
  void give_up(const DelegationPtr& delegation);
  Task<void> finish(DelegationPtr delegation);
  Task<void> give_back(BucketName bucket, std::uint64_t id);
  Task<void> send_soon();

  Mount& mount_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, DelegationPtr> all_;  // by id
  std::size_t ending_ = 0;                      // that are being given up
  Notifier ended_;
  std::deque<fs::InodePtr> deferred_;
  bool sends_soon_ = false;
  bool closed_ = false;
};

/// Sends what of the inode is not sent yet: that it exists, what close(2) promised, its attributes.
/// Before every request that needs the cluster to know them. The caller does not have the turn.
Task<Status> settle(Mount& mount, Call call, fs::InodePtr inode);
/// The two halves of it. For settle_attrs() the caller may have the turn.
Task<Status> settle_content(Mount& mount, Call call, fs::InodePtr inode);
Task<Status> settle_attrs(Mount& mount, Call call, fs::InodePtr inode);
/// settle() of the files that are open and were made in the directory, or go there or away.
Task<Status> settle_names(Mount& mount, Call call, fs::InodePtr directory);

}  // namespace aisfs::ops
