// SPDX-License-Identifier: MIT
// What nodes say to each other on their control listeners: POST /v1/x/<method> with an envelope,
// signed as common/auth/node_auth.h says (join is proven by its own code). Requests about buckets
// and users are those of common/wire/data.h, with the client's identity forwarded.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/cluster_map.h"

namespace aisfs::wire {

inline constexpr std::string_view kJoinMethod = "join";
inline constexpr std::string_view kLeaveMethod = "leave";
inline constexpr std::string_view kKeepAliveMethod = "keep_alive";
inline constexpr std::string_view kMapPushMethod = "map_push";
inline constexpr std::string_view kClusterStatusMethod = "cluster_status";
inline constexpr std::string_view kRenamePrefixMethod = "rename_prefix";
inline constexpr std::string_view kAllowImpliedDirsMethod = "allow_implied_dirs";
inline constexpr std::string_view kEndMappingMethod = "end_mapping";
inline constexpr std::string_view kMetaGetMethod = "meta_get";
inline constexpr std::string_view kMetaTxnMethod = "meta_txn";
inline constexpr std::string_view kMetaGrantMethod = "meta_grant";
inline constexpr std::string_view kMetaKeepAliveMethod = "meta_keep_alive";
inline constexpr std::string_view kMetaRevokeMethod = "meta_revoke";
inline constexpr std::string_view kMetaWatchMethod = "meta_watch";

/// How far the versions are that a target's disks know of, by the one that knows least.
struct DisksAge {
  std::uint64_t ceiling = 0;  // of the version clock
  std::string oldest;         // its mountpath

  template <class A>
  void serialize(A& ar) {
    ar(ceiling, oldest);
  }
};

/// A node asks to take part. `proof` is the hex HMAC-SHA256, under the cluster's join key, of
/// "<id>\n<identity>\n<uuid>\n<incarnation>\n<attempt>\n<time_ns>\n<nonce>\n<control address>".
struct JoinRequest {
  static constexpr std::uint16_t kVersion = 2, kCompat = 1;
  NodeInfo node;              // incarnation: the last that it was given, 0 at first
  std::string identity;       // random, made once with the node's id, kept on its disks
  std::string cluster_uuid;   // "" before it was ever a member
  std::string attempt;        // random, on disk before it is sent: one start of the node
  std::string place;          // host and data folder, to tell a restart from a copy
  std::int64_t time_ns = 0;
  std::string nonce;
  std::string proof;
  std::optional<DisksAge> disks;  // of a target

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(node, identity, cluster_uuid, attempt, place, time_ns, nonce, proof);
    if (version >= 2) ar(disks);
  }
};

struct JoinReply {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::uint32_t incarnation = 0;  // of this start
  std::int64_t lease = 0;
  std::int64_t lease_ns = 0;
  std::string cluster_uuid;
  Epoch epoch = 0;  // the node serves nothing before it knows this map

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(incarnation, lease, lease_ns, cluster_uuid, epoch);
  }
};

/// What a living node says of itself, known to gateways as long as its lease lasts.
struct AliveRecord {
  static constexpr std::uint16_t kVersion = 3, kCompat = 1;
  std::uint32_t incarnation = 0;
  Epoch settled = 0;   // the placement (its `since`) for which it has nothing left of others
  Epoch compared = 0;  // while it joins: the one for which it has dropped what others have newer
  std::uint64_t ceiling = 0;  // what all its disks know by now (DisksAge); 0: no target
  bool failing = false;       // the disk of a target's last mountpath has failed

  bool operator==(const AliveRecord&) const = default;
  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(incarnation, settled, compared);
    if (version >= 2) ar(ceiling);
    if (version >= 3) ar(failing);
  }
};

struct KeepAliveRequest {
  static constexpr std::uint16_t kVersion = 4, kCompat = 1;
  std::string node;
  std::int64_t lease = 0;
  AliveRecord state;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(node, state.incarnation, lease);
    if (version >= 2) ar(state.settled, state.compared);
    if (version >= 3) ar(state.ceiling);
    if (version >= 4) ar(state.failing);
  }
};

struct KeepAliveReply {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::int64_t lease_ns = 0;
  Epoch epoch = 0;  // as in JoinReply

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(lease_ns, epoch);
  }
};

/// leave: an active node of this id goes out of the map.
struct LeaveRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::string node;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(node);
  }
};

/// A target that is home of a directory renames it. stale_map unless `seen` is the newest epoch: what
/// it found (the directory, nothing at its new name) holds for that one. Both end in '/'.
struct RenamePrefixRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  BucketId bucket;
  std::string from, to;
  Epoch seen = 0;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(bucket, from, to, seen);
  }
};

/// A target is about to make a name in a directory that need not have a marker.
struct AllowImpliedDirsRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  BucketId bucket;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(bucket);
  }
};

/// A target has found nothing at the place of this mapping.
struct EndMappingRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  PrefixMapping mapping;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(mapping);
  }
};

/// The answer to map_push (whose body is a ClusterMap) and map_apply: what the node knows now.
struct EpochReply {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  Epoch epoch = 0;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(epoch);
  }
};

struct ClusterStatus {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  Epoch epoch = 0;
  std::vector<std::string> alive;  // ids of nodes with a lease

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(epoch, alive);
  }
};

/// What is known of a node beside the map, so that a copy of its disks is not taken for it.
struct NodeRecord {
  static constexpr std::uint16_t kVersion = 2, kCompat = 1;
  std::string identity;
  std::string attempt;
  std::string place;
  std::uint32_t incarnation = 0;
  bool fenced = false;  // it was given up with what it held: it never comes back

  bool operator==(const NodeRecord&) const = default;
  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(identity, attempt, place, incarnation);
    if (version >= 2) ar(fenced);
  }
};

}  // namespace aisfs::wire
