// SPDX-License-Identifier: MIT
// `POST /v1/x/map_watch`: how everybody follows the cluster map. The reply is the envelope of a
// ClusterMap (common/model/cluster_map.h).
#pragma once
#include <cstdint>
#include <string_view>

#include "common/model/cluster_map.h"

namespace aisfs::wire {

inline constexpr std::string_view kMapWatchMethod = "map_watch";
/// A poll is answered after this long even if nothing changed: below the idle bounds of servers
/// and of what may lie between.
inline constexpr std::uint32_t kMapWatchMsMax = 25'000;

/// Asks for a map newer than `known`; answered at once when there is one, else as soon as there
/// is, else after `wait_ms` with the map that `known` named.
struct MapWatchRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  Epoch known = 0;
  std::uint32_t wait_ms = 0;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(known, wait_ms);
  }
};

}  // namespace aisfs::wire
