// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <set>
#include <string>

#include "common/async/clock.h"
#include "node/control/control_plane.h"

namespace aisfs::control {

/// What a gateway does for the cluster without being asked: a target whose lease is over goes away,
/// one whose last disk has failed goes into maintenance where that leaves enough others, one that
/// has come and compared what it holds gets its names, a change of targets that another gateway
/// left half done is finished, and when all names are where they belong the map says so.
///
/// Every gateway has one; the living gateway with the first id acts. Two that act at once do no
/// harm: each step is a transaction on the map that it was decided by. One executor.
class Governor {
 public:
  struct Options {
    Duration look_every = std::chrono::seconds(1);
    /// One that comes does not have the names moved twice because the next one comes with it.
    Duration gather_joins = std::chrono::seconds(2);
    /// One whose disk has failed is given the time to be mended, or to be seen.
    Duration failing_for = std::chrono::seconds(10);
    /// A change that has not got on for so long has lost its gateway.
    Duration stuck_after = std::chrono::seconds(12);
  };
  /// `plane` and `clock` outlive it.
  Governor(ControlPlane& plane, Clock& clock, Options options)
      : plane_(plane), clock_(clock), options_(options) {}

  /// Until cancelled.
  Task<void> run();
  /// One look; what it did is in the log.
  Task<Status> look();

 private:
  using Alive = std::map<std::string, wire::AliveRecord>;

  bool acts(const ClusterMap& map, const Alive& alive) const;
  /// States that targets should have: those that are gone or have come.
  std::map<std::string, NodeState> due_states(const ClusterMap& map, const Alive& alive);
  /// Maintenance for those whose disks have failed, as an administrator would be granted it.
  std::map<std::string, NodeState> failing_states(const ClusterMap& map, const Alive& alive);
  bool is_settled(const ClusterMap& map, const Alive& alive) const;

  ControlPlane& plane_;
  Clock& clock_;
  const Options options_;
  std::map<std::string, TimePoint> gone_since_, come_since_, failing_since_;
  std::set<std::string> kept_;  // targets that fail and are needed
  Epoch stuck_epoch_ = 0;  // of a map with a change half done
  TimePoint stuck_since_;
};

}  // namespace aisfs::control
