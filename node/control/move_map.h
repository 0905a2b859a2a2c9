// SPDX-License-Identifier: MIT
#pragma once
#include "common/async/task.h"
#include "common/model/cluster_map.h"
#include "node/control/meta_store.h"

namespace aisfs::control {

struct MapMove {
  std::string holder;       // id of the gateway whose disk the destination is; "" when none is
  std::string destination;  // in words, for whoever looks into the source later
  /// How long to wait for the leases of nodes that have ended a moment ago.
  Duration leases_max = std::chrono::seconds(12);
};
struct MovedMap {
  std::string uuid;
  Epoch epoch = 0;
  std::size_t keys = 0;
};

/// Moves the cluster's map to another store, while no gateway runs on either. The source says from
/// then on where it has gone, and is bootstrapped no more. When it fails, or is killed, the map
/// is in the source as it was, or the same call ends what has begun.
///
/// not_found: the source has none. busy: nodes have a lease in the source, if `source_is_shared`;
/// the destination has another cluster's, or a newer one of this cluster.
Task<Result<MovedMap>> move_map(MetaStore& from,
                                MetaStore& to,
                                MapMove move,
                                bool source_is_shared);

}  // namespace aisfs::control
