// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "common/async/clock.h"
#include "node/store/store.h"
#include "node/target/peers.h"
#include "node/target/replicator.h"

namespace aisfs::target {

/// When a disk of another target has gone, that target lacks names that this one has copies of, and
/// the next disk to go may be this one's. So everybody looks at what he has of the names that it
/// holds, sends copies of his own and offers it those of its own. It takes what it does not know
/// (LocalTarget::take_offer, Store::may_lack); on which of its disks that lies then is its affair.
///
/// lacks() and has_copies_for() from any thread, the rest on one shard. What it is given outlives
/// it.
class Restorer {
 public:
  struct Deps {
    std::string node_id;
    store::Store& store;
    MapSource& maps;
    Peers& peers;
    Clock& clock;
    Replicator& replicator;
  };
  explicit Restorer(Deps deps) : deps_(std::move(deps)) {}

  /// That target has lost a disk.
  void lacks(const std::string& target);
  /// Whether this target may still have something for one that has lost a disk.
  bool has_copies_for(const std::string& target) const;

  /// Until cancelled.
  Task<void> run();
  /// One look at all names for the targets that lack some; true when they have what they are to
  /// have of them, as far as this target can tell.
  Task<Result<bool>> round();

 private:
  using States = std::vector<store::NameState>;
  struct Shares {
    std::map<std::string, States> copies;  // of this target's names, by holder
    std::map<std::string, States> offers;  // of names of others, by owner
  };
  Task<Result<bool>> walk_names(std::size_t mountpath,
                                BucketId bucket,
                                const std::set<std::string>& lacking,
                                bool tombstones);
  void deal(const ClusterMap& map,
            const Bucket& bucket,
            const std::set<std::string>& lacking,
            const store::NameState& state,
            Shares& shares) const;
  Task<Result<bool>> send(const MapSnapshot& map, const Bucket& bucket, Shares shares);
  Task<Result<bool>> copy(MapSnapshot map, const Bucket& bucket, std::string holder, States states);
  Task<Result<bool>> offer(MapSnapshot map, const Bucket& bucket, std::string owner, States states);

  const Deps deps_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::uint64_t told_ = 0;
  std::map<std::string, std::uint64_t> lacking_;  // by target, when it said so
};

}  // namespace aisfs::target
