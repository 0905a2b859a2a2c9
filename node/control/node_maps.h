// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <mutex>
#include <string>

#include "common/async/notifier.h"
#include "common/client/object_api.h"
#include "common/wire/map_delta.h"
#include "node/control/map_history.h"

namespace aisfs::control {

/// In which form an update of the map is wanted.
enum class MapNeed : std::uint8_t {
  kEither,   // changes, or the whole map where they are not known
  kChanges,  // nothing where they are not known
  kWhole,
};

/// The newest cluster map that this node knows. Thread-safe.
///
/// Whoever learns of a map installs it: the answer of a poll, a push of a gateway, a change made
/// here. at_least asks the one who polls to hurry, and waits. What changed with the last epochs is
/// kept, for nodes that follow.
class NodeMapSource final : public MapSource {
 public:
  NodeMapSource();

  MapSnapshot current() const override;
  /// not_ready when no such map came before the deadline.
  Task<Result<MapSnapshot>> at_least(Epoch epoch, Deadline deadline) override;

  /// Takes the map if it is newer; permission_denied for one of another cluster. Returns the epoch
  /// that is known afterwards.
  Result<Epoch> install(ClusterMap map);

  /// What leads whoever knows the map of this epoch to the newest; empty when there is nothing
  /// newer.
  wire::MapUpdate update_since(Epoch known, MapNeed need = MapNeed::kEither) const;
  /// Installs what an update leads to. stale_map or corrupt when its changes are none of the map
  /// that is known here: then the whole map is needed. Else as install().
  Result<Epoch> apply(const wire::MapUpdate& update);

  /// Ends the waits of at_least and lets no new one begin: the node stops.
  void close();
  bool closed() const { return closed_; }

  /// Counts installs; to wait for the next one.
  Notifier& installed() { return installed_; }
  /// Told when somebody waits for a map that is not here.
  Notifier& wanted() { return wanted_; }

 private:
  struct Step {
    Epoch base, epoch;
    std::string delta;
  };
  /// Of the map as it is; permission_denied for one of another cluster.
  Status check_uuid(const std::string& uuid) const;
  /// Puts it in the place of map_, to which `steps` lead; without any the history ends here.
  Epoch put(ClusterMap map, std::vector<Step> steps);

  std::mutex installing_;                 // held by who makes the next map, before mutex_
  std::optional<std::uint64_t> entries_;  // wire::entries_hash of map_; guarded by installing_
  mutable std::mutex mutex_;
  MapSnapshot map_;                    // changed under both
  MapHistory history_;                 // leads to map_; guarded by mutex_
  std::atomic<std::uint64_t> serial_;  // of map_; written under mutex_
  std::atomic<bool> closed_ = false;
  Notifier installed_;
  Notifier wanted_;
};

}  // namespace aisfs::control
