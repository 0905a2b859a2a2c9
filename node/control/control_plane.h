// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <map>
#include <mutex>

#include "common/async/clock.h"
#include "common/auth/cluster_key.h"
#include "common/client/object_api.h"
#include "common/client/transport.h"
#include "node/control/map_store.h"
#include "node/control/node_maps.h"

namespace aisfs::control {

struct ControlOptions {
  Duration lease = std::chrono::seconds(10);
  Duration push_wait = std::chrono::seconds(5);      // for live nodes to learn of an epoch
  Duration join_skew_max = std::chrono::minutes(5);  // between the clocks of joining nodes
  /// Returns when nothing goes on at this node by an older map, or after a while. Null: nothing does.
  std::function<Task<void>(Epoch epoch)> in_force;
};

/// What the operations in ops/ work with; one on each gateway. Thread-safe.
///
/// Everything it is given outlives it. `peers` reaches the control listeners of other nodes.
class ControlPlane {
 public:
  ControlPlane(MetaStore& meta,
               const Clock& clock,
               auth::ClusterKey key,
               Transport& peers,
               NodeMapSource& maps,
               std::string self,
               ControlOptions options);

  MetaStore& meta() { return meta_; }
  MapStore& maps() { return map_store_; }
  const Clock& clock() const { return clock_; }
  const auth::ClusterKey& key() const { return key_; }
  const ControlOptions& options() const { return options_; }
  NodeMapSource& known() { return known_; }

  /// Changes the map, installs it here and tells every live node; returns when all of them know
  /// it or after push_wait.
  Task<Result<MapDraft>> change(MapStore::Edit edit);

  /// Tells every live node the map that is known here; returns when all of them go by it or after
  /// push_wait, when the others have fenced themselves.
  Task<void> enforce();

  /// Writes what a node says of itself under its lease, if that is new here. not_found: the lease
  /// has ended.
  Task<Status> note_alive(const wire::KeepAliveRequest& request);

  const std::string& self() const { return self_; }

  /// Follows changes that other gateways make; until cancelled.
  Task<void> follow();

  /// permission_denied when this proof was seen before or its time is too far from ours.
  Status take_nonce(const std::string& nonce, std::int64_t time_ns);

 private:
  Task<void> tell_all(MapSnapshot map);
  /// Until the node goes by this map or a later one, or push_wait is over.
  Task<void> tell(NodeInfo node, Epoch epoch);
  /// Tells it what leads there from the map that it goes by; returns that epoch.
  Task<Result<Epoch>> tell_changes(NodeInfo node, Epoch epoch, Deadline deadline);
  Task<Result<Epoch>> tell_whole(NodeInfo node, Deadline deadline);

  MetaStore& meta_;
  MapStore map_store_;
  const Clock& clock_;
  const auth::ClusterKey key_;
  Transport& peers_;
  NodeMapSource& known_;
  const std::string self_;
  const ControlOptions options_;
  std::mutex mutex_;
  std::map<std::string, std::int64_t> nonces_;  // with their time; guarded by mutex_
  std::map<std::string, wire::AliveRecord> alive_;  // as noted last; guarded by mutex_
};

}  // namespace aisfs::control
