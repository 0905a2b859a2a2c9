// SPDX-License-Identifier: MIT
#pragma once
#include <deque>
#include <functional>
#include <vector>

#include "common/async/clock.h"
#include "node/store/store.h"
#include "node/target/peers.h"
#include "node/target/replicator.h"

namespace aisfs::target {

/// Whether no target has anything but what the others know of: all are active, and names lie where
/// they belong. A target that is away may have what a tombstone buries, and so may one that is to
/// leave.
bool all_know_all(const ClusterMap& map);

/// Tombstones of this target's names go when nothing is left that they bury: they are old enough
/// that no request of before is under way any more, all_know_all(), no disk of this target or of
/// another holder of the name is out of reach or has names out of place, and every holder has just
/// this tombstone, or nothing. The others forget it first. Tombstones of names that this target has
/// nothing to do with any more go without asking: their owners have them, or something newer.
///
/// Age is by two clocks. The wall clock says when it was made, and may jump; so a tombstone must
/// also be older than what this process had made a while ago by a clock that does not.
///
/// On one shard. What it is given outlives it.
class TombstoneCollector {
 public:
  struct Deps {
    std::string node_id;
    store::Store& store;
    MapSource& maps;
    Peers& peers;
    Clock& clock;
    /// Whether something goes on that may still make names of what was decided before: renames.
    std::function<bool()> is_busy;
    const Replicator& replicator;
    Duration life{};  // of a tombstone, at least
  };
  explicit TombstoneCollector(Deps deps) : deps_(std::move(deps)) {}

  /// Until cancelled.
  Task<void> run();
  /// One look at all tombstones; how many went.
  Task<Result<std::size_t>> round();

 private:
  struct Mark {
    TimePoint at;
    std::uint64_t hlc = 0;
  };

  /// What is older than this is old enough; 0: nothing is.
  Result<std::uint64_t> horizon();
  bool may_forget(const ClusterMap& map) const;
  bool is_anothers(const ClusterMap& map,
                   const Bucket& bucket,
                   const store::NameState& state) const;
  Task<Result<std::size_t>> walk_names(std::size_t mountpath,
                                       const Bucket& bucket,
                                       std::uint64_t horizon);
  /// How many went.
  Task<Result<std::size_t>> forget(MapSnapshot map,
                                   const Bucket& bucket,
                                   std::vector<store::NameState> states);
  /// Which of them all other holders have forgotten.
  Task<std::vector<bool>> ask_holders(const MapSnapshot& map,
                                      const Bucket& bucket,
                                      const std::vector<store::NameState>& states);

  const Deps deps_;
  std::deque<Mark> marks_;  // the oldest first
};

}  // namespace aisfs::target
