// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "common/async/scope.h"
#include "common/client/object_api.h"
#include "common/client/transport.h"

namespace aisfs {

/// Keeps the newest cluster map of a client by a long poll at one node after the other.
///
/// current() and at_least() from any shard; fetch_first, start and finish on the shard of `ex`.
class MapFollower final : public MapSource {
 public:
  /// `transport` outlives it. `seeds` are asked as long as no map is known.
  MapFollower(asio::any_io_executor ex, Transport& transport, std::vector<Endpoint> seeds);
  ~MapFollower() override;

  /// The first map, from the first seed that answers. unreachable names all that were tried;
  /// unauthenticated and permission_denied end the search.
  Task<Status> fetch_first(Deadline deadline);
  void start();
  /// Ends the poll and waits for its end.
  Task<void> finish();

  MapSnapshot current() const override;
  Task<Result<MapSnapshot>> at_least(Epoch epoch, Deadline deadline) override;
  Epoch epoch() const;
  /// The public address of the node that has answered last: it lives, as far as is known.
  Endpoint answered() const;

 private:
  Task<void> follow();
  /// Asks the next node; keeps the answer if it is newer.
  Task<Result<MapSnapshot>> poll(Epoch known, Deadline deadline);
  NodeInfo next_node();
  MapSnapshot keep(ClusterMap map, const Endpoint& from);

  Transport& transport_;
  std::vector<Endpoint> seeds_;
  TaskScope scope_;
  bool ending_ = false;  // on the executor

  mutable std::mutex mutex_;
  MapSnapshot map_;       // guarded by mutex_
  std::size_t turn_ = 0;  // guarded by mutex_
  Endpoint answered_;     // guarded by mutex_
};

}  // namespace aisfs
