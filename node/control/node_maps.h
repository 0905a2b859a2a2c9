// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <mutex>
#include <string>

#include "common/async/notifier.h"
#include "common/client/object_api.h"

namespace aisfs::control {

/// The newest cluster map that this node knows. Thread-safe.
///
/// Whoever learns of a map installs it: the answer of a poll, a push of a gateway, a change made
/// here. at_least asks the one who polls to hurry, and waits.
class NodeMapSource final : public MapSource {
 public:
  NodeMapSource();

  MapSnapshot current() const override;
  /// not_ready when no such map came before the deadline.
  Task<Result<MapSnapshot>> at_least(Epoch epoch, Deadline deadline) override;

  /// Takes the map if it is newer; permission_denied for one of another cluster. Returns the epoch
  /// that is known afterwards.
  Result<Epoch> install(ClusterMap map);

  /// Ends the waits of at_least and lets no new one begin: the node stops.
  void close();
  bool closed() const { return closed_; }

  /// Counts installs; to wait for the next one.
  Notifier& installed() { return installed_; }
  /// Told when somebody waits for a map that is not here.
  Notifier& wanted() { return wanted_; }

 private:
  mutable std::mutex mutex_;
  MapSnapshot map_;  // guarded by mutex_
  std::atomic<std::uint64_t> serial_;  // of map_; written under mutex_
  std::atomic<bool> closed_ = false;
  Notifier installed_;
  Notifier wanted_;
};

/// The last map as a file, so that a node starts while no gateway answers. Blocking.
Status save_map(const std::string& file, const ClusterMap& map);
Result<ClusterMap> load_map(const std::string& file);

}  // namespace aisfs::control
