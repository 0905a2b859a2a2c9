// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/async/task.h"
#include "common/auth/identity.h"
#include "common/model/cluster_map.h"
#include "common/model/version.h"

namespace aisfs {

/// What travels with every operation.
struct Context {
  auth::Identity who;  // ignored by ClusterClient with credentials of its own
  Deadline deadline;
  std::string trace;  // id in every log line of the request
  /// Of the map that the names in the request were placed by; 0: nobody has placed them yet.
  Epoch epoch = 0;
  /// The mount that asks, if it holds leases (common/wire/leases.h): it is told of others' changes
  /// to the names that it looks up or makes. 0: none.
  std::uint64_t session = 0;
  std::function<void()> sent = {};  // called on the caller's shard when an attempt has gone out
  /// Of an operation that has been sent before and may have happened: Conditions::unless_newer of
  /// what it changes. Set by whoever sends it again.
  std::optional<Version> unless_newer = {};
};

/// Where the newest cluster map is to be had. Thread-safe.
class MapSource {
 public:
  virtual ~MapSource() = default;

  /// The newest map known here; never null once the owner has started.
  virtual MapSnapshot current() const = 0;
  /// A map with at least this epoch, fetched if necessary; unreachable when none can be had
  /// before the deadline.
  virtual Task<Result<MapSnapshot>> at_least(Epoch epoch, Deadline deadline) = 0;
};

}  // namespace aisfs
