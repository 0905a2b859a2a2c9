// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

#include "common/model/cluster_map.h"

namespace aisfs {

/// How far a target is with names that are placed elsewhere by now.
struct RebalanceProgress {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;

  Epoch placement = 0;  // ClusterMap::placement.since that it works on, or has settled
  bool running = false;
  std::int64_t started_ns = 0, ended_ns = 0;
  std::uint64_t names_seen = 0, names_total = 0;   // total: as counted at the start
  std::uint64_t names_moved = 0, bytes_moved = 0;  // given to their owners
  std::uint64_t names_left = 0;                    // that an owner could not take yet

  bool operator==(const RebalanceProgress&) const = default;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(placement, running, started_ns, ended_ns, names_seen, names_total, names_moved, bytes_moved,
       names_left);
  }
};

}  // namespace aisfs
