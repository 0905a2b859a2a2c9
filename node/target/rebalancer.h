// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "common/async/clock.h"
#include "common/async/limiter.h"
#include "common/async/notifier.h"
#include "common/async/scope.h"
#include "common/client/object_api.h"
#include "common/model/rebalance.h"
#include "node/store/store.h"
#include "node/target/peers.h"
#include "node/target/replicator.h"

namespace aisfs::target {

/// Offers the names of this target that belong to others to their owners, until none is left, after
/// every change of the placement. What has been taken is forgotten here. Of its own names it sends
/// the other holders what they lack, also after a start. Of a target that was away
/// (NodeState::kJoining) it first compares every name with what others have by now, and forgets
/// what is older. One run at a time, on one shard; progress() from any thread.
class Rebalancer {
 public:
  struct Deps {
    std::string node_id;
    store::Store& store;
    MapSource& maps;
    Peers& peers;
    Clock& clock;
    /// Whether something goes on that may still leave names here (renames), or slices are not where
    /// they belong.
    std::function<bool()> is_busy;
    /// Whether changes that an older map let in are under way: what they leave here would be
    /// missed. Null: none are.
    std::function<bool(Epoch)> has_older_changes = {};
    /// Sends the copies of this target's own names.
    Replicator& replicator;
  };
  explicit Rebalancer(Deps deps) : deps_(std::move(deps)) {}

  /// Until cancelled.
  Task<void> run();
  /// Looks at everything once more, soon, whatever was settled; wants_walk() until it has.
  void ask_walk() { asked_ = true; }
  bool wants_walk() const { return asked_.load(); }

  /// One look at everything; true when nothing here belongs to others, which is durable then, and
  /// all copies of what belongs here are where they belong.
  /// stale_map when the placement changed meanwhile.
  Task<Result<bool>> walk(MapSnapshot map);

  /// Forgets what is older here than elsewhere; durable when it returns. not_ready when somebody
  /// who would have to know does not answer; stale_map as walk().
  Task<Status> compare(MapSnapshot map);

  /// The placement for which compare() has been done; 0: none.
  Epoch compared() const { return compared_.load(); }
  /// The placement (its `since`) for which nothing is left to do here; 0: none yet.
  Epoch settled() const { return settled_.load(); }
  RebalanceProgress progress() const;

 private:
  struct Offer {
    std::vector<store::NameState> states;
    std::uint64_t bytes = 0;

    void add(store::NameState state) {
      bytes += state.size;
      states.push_back(std::move(state));
    }
  };
  using Offers = std::map<std::string, Offer>;  // by owner

  /// What is done with a share of the names here; false: something of it is left.
  using Send = Task<Result<bool>> (Rebalancer::*)(MapSnapshot map,
                                                  const Bucket& bucket,
                                                  std::string owner,
                                                  Offer offer);
  struct Shares {
    Send send;
    Offers offers;

    bool is_full() const;
  };
  /// The names of one bucket on their way. A few shares at once, each a task of `scope`.
  struct Sending {
    Sending(TaskScope& tasks, MapSnapshot by, const Bucket& of);
    /// The first error counts, and ends the walk.
    void note(Result<bool> done);

    TaskScope& scope;
    const MapSnapshot map;
    const Bucket& bucket;
    const std::size_t copies;  // the most of any name
    Limiter room;
    Result<bool> all = true;  // false: something is left
  };
  Task<Result<bool>> walk_all(MapSnapshot map, Send send, bool tombstones);
  Task<Result<bool>> walk_names(
      MapSnapshot map, std::size_t mountpath, const Bucket& bucket, Send send, bool tombstones);
  Task<void> send_names(Sending& sending, std::size_t mountpath, Send send, bool tombstones);
  struct AllShares {
    Shares others, copies, kept;
  };
  Status share(const Sending& sending, store::NameState state, AllShares& shares);
  /// Waits for room.
  Task<void> start(Sending& sending, Shares& shares);
  Task<Result<bool>> offer(MapSnapshot map, const Bucket& bucket, std::string owner, Offer offer);
  /// Without forgetting what was taken: this target holds a copy.
  Task<Result<bool>> tell(MapSnapshot map, const Bucket& bucket, std::string owner, Offer offer);
  Task<Result<bool>> compare_share(MapSnapshot map,
                                   const Bucket& bucket,
                                   std::string owner,
                                   Offer offer);
  Task<void> send_all(Sending& sending, Send send, Offers offers, Limiter::Permit room);
  Task<Result<bool>> send_one(
      MapSnapshot map, const Bucket& bucket, Send send, std::string to, Offer offer);
  /// To another holder of names of this target's own: what he lacks goes there.
  Task<Result<bool>> replicate(MapSnapshot map,
                               const Bucket& bucket,
                               std::string holder,
                               Offer offer);
  bool is_joining(const ClusterMap& map) const;
  Context context_of(const ClusterMap& map) const;
  template <class Edit>
  void note(Edit edit);

  const Deps deps_;
  std::atomic<Epoch> settled_ = 0, compared_ = 0;
  std::atomic<bool> asked_ = false;
  mutable std::mutex mutex_;
  RebalanceProgress progress_;  // guarded by mutex_
};

}  // namespace aisfs::target
