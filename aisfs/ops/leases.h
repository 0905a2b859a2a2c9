// SPDX-License-Identifier: MIT
// What a mount, and the kernel above it, may believe without asking (common/wire/leases.h).
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "aisfs/fs/inode_table.h"
#include "common/async/clock.h"
#include "common/async/scope.h"
#include "common/client/lease_api.h"

namespace aisfs::ops {

struct Mount;

/// What the kernel remembers of answers of the mount. Neither call waits for a lock that a request
/// to the mount may hold.
class KernelCache {
 public:
  virtual ~KernelCache() = default;
  /// Every name is looked up anew when it is used next.
  virtual void forget_names() = 0;
  virtual void forget_attrs(std::uint64_t nodeid) = 0;
};

/// The mount's sessions at the targets. Belongs to the mount's shard. Without run() nothing is ever
/// leased.
class Leases {
 public:
  explicit Leases(Mount& mount) : mount_(mount) {}

  /// Keeps a session at every target until stop(). `api` outlives it; `kernel`, null where the
  /// kernel is to remember nothing, too.
  Task<void> run(LeaseApi& api, std::uint64_t session, KernelCache* kernel);
  /// Believes nothing any more, tells the targets, and ends run().
  Task<void> stop();

  /// To be taken before a request about the path: what its answer can be believed by. None of a
  /// name that more than one target knows something of.
  fs::Lease begin(const fs::Place& place) const;
  bool holds(const fs::Lease& lease) const;
  /// True where what is not leased must be asked for: the bucket's names can be leased.
  bool governs(std::uint64_t bucket_id) const;
  /// What the sessions at all active targets say of a directory's names together; empty where that
  /// cannot be believed.
  std::vector<fs::Lease> of_all_targets(const fs::Inode& directory) const;
  /// Makes the kernel forget what it believes by the lease.
  void forget_all_of(const fs::Lease& lease);
  /// Only while of_all_targets() has something to say.
  LeaseApi& api() { return *api_; }
  /// How often something believed was dropped without being named.
  std::uint64_t drops() const { return drops_; }
  /// For how long the kernel may believe it; zero: not at all.
  Duration left(const fs::Lease& lease) const;
  /// The same of what the map alone says: buckets.
  Duration left_of_map() const;
  /// Makes the kernel look all names up again.
  void forget_names() {
    if (kernel_ != nullptr) kernel_->forget_names();
  }

 private:
  struct Session {
    std::string node;
    std::string instance;
    std::uint64_t heard = 0;
    std::uint64_t term = 1;  // what was believed in an earlier one is void
    Epoch told = 0;          // that the target was told of
    TimePoint until;         // counted from when a poll was sent
  };

  Task<void> keep(std::size_t at);
  void take(std::size_t at, TimePoint sent, const wire::LeasePollReply& reply);
  void changed(const wire::ChangedName& name);
  void drop(std::size_t at);
  void forget_in_kernel(const std::function<bool(const fs::Lease&)>& believed_by);
  Task<void> settle();
  void go_by(Epoch epoch);
  bool is_current() const;

  Mount& mount_;
  RealClock clock_;
  LeaseApi* api_ = nullptr;
  KernelCache* kernel_ = nullptr;
  std::uint64_t id_ = 0;
  std::uint64_t drops_ = 0;
  Epoch epoch_ = 0;  // of the map that is gone by
  bool stops_ = false;
  std::vector<Session> sessions_;
  std::map<std::string, std::size_t> at_;  // by node id
};

}  // namespace aisfs::ops
