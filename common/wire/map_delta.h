// SPDX-License-Identifier: MIT
// What changed of the cluster map from one epoch to a later one, and how nodes hand it on:
//
//   POST /v1/x/map_update   MapUpdateRequest -> MapUpdate    a node asks, and waits for news
//   POST /v1/x/map_apply    MapUpdate -> EpochReply          a gateway tells; the reply is the
//   epoch
//                                                            that the node goes by now
//
// A delta carries the hash of the map that it makes: who gets another one by it, because the two
// nodes do not have the same map of the epoch that it begins with, takes the whole map.
#pragma once
#include <optional>

#include "common/model/cluster_map.h"

namespace aisfs::wire {

inline constexpr std::string_view kMapUpdateMethod = "map_update";
inline constexpr std::string_view kMapApplyMethod = "map_apply";

struct MapDelta {
  static constexpr std::uint16_t kVersion = 2, kCompat = 1;

  std::string uuid;
  Epoch base = 0, epoch = 0;
  std::uint64_t hash = 0;  // map_hash of the map of `epoch`
  // Those that are new or differ, and the keys of those that have gone.
  SharedMap<NodeInfo> nodes;
  SharedMap<Bucket> buckets;
  SharedMap<User> users;
  std::vector<std::string> gone_nodes, gone_buckets, gone_users;
  std::vector<std::uint32_t> gone_mappings;  // places among those of `base`, ascending
  std::vector<PrefixMapping> new_mappings;   // behind all others
  std::optional<std::string> store_node;
  std::optional<Placement> placement;

  bool operator==(const MapDelta&) const = default;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(uuid, base, epoch, hash, nodes, buckets, users, gone_nodes, gone_buckets, gone_users);
    ar(gone_mappings, new_mappings, store_node, placement);
    buckets.each_value(ar, [&](Bucket& bucket) {
      bucket.later(ar);
      bucket.latest(ar);
    });
    if (placement) placement->later(ar);
    if (version < 2) return;
    buckets.each_value(ar, [&](Bucket& bucket) { bucket.newest(ar); });
  }
};

/// Asks for what is newer than `known`. Answered like map_watch: at once when there is something,
/// else as soon as there is, else empty after `wait_ms`.
struct MapUpdateRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  Epoch known = 0;
  std::uint32_t wait_ms = 0;
  bool whole = false;  // a delta did not lead where it should have

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(known, wait_ms, whole);
  }
};

/// Deltas one after the other, or the whole map where the sender has not kept all of them, or
/// where it is smaller.
struct MapUpdate {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  Epoch epoch = 0;  // that it leads to
  std::vector<std::string>
      deltas;         // envelopes of MapDelta, each of the epoch that the next begins with
  std::string whole;  // "" or the envelope of a ClusterMap

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(epoch, deltas, whole);
  }
};

/// The sum of the hashes of all nodes, buckets and users: a change takes out what was and adds what
/// is, however many others there are.
std::uint64_t entries_hash(const ClusterMap& map);
/// Of a map with this sum: of all its fields.
std::uint64_t map_hash(const ClusterMap& map, std::uint64_t entries);

/// A map with the sum of its entries.
struct HashedMap {
  ClusterMap map;
  std::uint64_t entries = 0;
};

/// Makes `after` of `before`, whose sum of entries is `entries`; leaves the one of `after` there.
/// Both are of one cluster. What they share is not looked at.
MapDelta delta_between(const ClusterMap& before, const ClusterMap& after, std::uint64_t& entries);

/// The map that the delta makes of `before`, with whose sum it comes. stale_map when it does not
/// begin with this epoch of this cluster; corrupt when what comes out has another hash than the
/// delta says.
Result<HashedMap> apply_delta(const ClusterMap& before,
                              std::uint64_t entries,
                              const MapDelta& delta);

}  // namespace aisfs::wire
