// SPDX-License-Identifier: MIT
// The one versioned, immutable value that says who stores what.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/shared_map.h"
#include "common/model/bucket.h"

namespace aisfs {

using Epoch = std::uint32_t;

/// Where a listener of a node is reached.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;

  auto operator<=>(const Endpoint&) const = default;
  explicit operator bool() const { return port != 0; }

  std::string to_string() const;  // "127.0.0.1:51080", "[::1]:51080"
  /// Accepts "host:port", "[v6]:port", "http://host:port[/]".
  static Result<Endpoint> parse(std::string_view text);

  template <class A>
  void serialize(A& ar) {
    ar(host, port);
  }
};

enum class NodeRole : std::uint8_t { kGateway = 1, kTarget = 2, kAll = 3 };
enum class NodeState : std::uint8_t {
  kActive = 0,        // names are placed on it
  kMaintenance = 1,   // to be taken down: its objects move away
  kDecommission = 2,  // to leave for good: its objects move away
  kAway = 3,          // its lease is over; what it holds is unknown
  kJoining = 4,       // compares what it holds with the others before names are placed on it
};

struct NodeInfo {
  std::string id;                 // "t1a2b3c4d", "g..."; given once, kept on the node's disks
  NodeRole role = NodeRole::kTarget;
  NodeState state = NodeState::kActive;
  std::uint32_t incarnation = 0;  // of its last start: the epoch that its join made
  Endpoint public_net;            // /v1 and /s3 for clients
  Endpoint s3_net;                // S3 at the root of its own listener
  Endpoint control_net;           // intra-cluster
  Endpoint data_net;              // intra-cluster, bulk
  std::string host_id;            // failure domain

  bool operator==(const NodeInfo&) const = default;
  bool stores() const { return role != NodeRole::kGateway; }
  bool governs() const { return role != NodeRole::kTarget; }

  template <class A>
  void serialize(A& ar) {
    ar(id, role, state, incarnation, public_net, s3_net, control_net, data_net, host_id);
  }
};

/// Someone who may sign requests. The secret is sealed with the cluster's key; only nodes open it.
struct User {
  std::string id;
  std::string display_name;
  bool admin = false;
  std::map<std::string, std::string> keys;  // access key -> sealed secret

  bool operator==(const User&) const = default;

  template <class A>
  void serialize(A& ar) {
    ar(id, display_name, admin, keys);
  }
};

/// Names under `logical` live under `physical` until background work has rewritten them
/// (a directory that was renamed). Both end in '/'.
struct PrefixMapping {
  BucketId bucket;
  std::string logical;
  std::string physical;

  bool operator==(const PrefixMapping&) const = default;

  template <class A>
  void serialize(A& ar) {
    ar(bucket, logical, physical);
  }
};

/// The targets that names were placed on before, in the order of their ids. What was written then
/// may still lie there.
struct PastTargets {
  Epoch until = 0;  // the first epoch that placed names otherwise
  std::vector<std::string> targets;

  bool operator==(const PastTargets&) const = default;

  template <class A>
  void serialize(A& ar) {
    ar(until, targets);
  }
};

/// How many copies of a bucket's objects there were since names were last settled, beside what its
/// properties say now.
struct PastCopies {
  std::uint32_t least = 0, most = 0;

  bool operator==(const PastCopies&) const = default;

  template <class A>
  void serialize(A& ar) {
    ar(least, most);
  }
};

/// Which targets names are placed on, and how that changes: in three steps, so that no two targets
/// answer for a name at a time. `next` announces the states that nodes will have: directories that
/// are delegated to mounts are recalled. While they are `held`, nobody answers for a name that they
/// move. When all targets go by that map, the states become those of the nodes, and the targets
/// until then go to `past`. When all objects are where the map says, `past` is emptied.
struct Placement {
  Epoch since = 0;                        // of the last change
  std::map<std::string, NodeState> next;  // by node id
  bool held = false;
  std::vector<PastTargets> past;  // the oldest first
  std::map<BucketId, PastCopies> copies;     // where the property was changed
  std::map<std::string, std::string> hosts;  // failure domains of the targets of `past`
  std::vector<std::string> lost;  // those of them that were given up, with what they held

  bool operator==(const Placement&) const = default;
  bool settled() const { return next.empty() && past.empty(); }
  /// Whether names were placed on this target before: what it holds others may lack.
  bool has_past(const std::string& target) const;

  template <class A>
  void serialize(A& ar) {
    ar(since, next, held, past);
  }
  /// What the second version of every envelope with a placement has behind all of the first.
  template <class A>
  void later(A& ar) {
    ar(copies, hosts, lost);
  }
};

/// A new object for every change, epoch + 1; an operation works with one snapshot of it. A copy
/// shares the entries that it does not change.
struct ClusterMap {
  static constexpr std::uint16_t kVersion = 6, kCompat = 1;

  std::string uuid;
  Epoch epoch = 0;
  SharedMap<NodeInfo> nodes;  // by id
  SharedMap<Bucket> buckets;  // by uname
  SharedMap<User> users;      // by id; empty in copies for clients
  std::vector<PrefixMapping> mappings;
  std::string store_node;  // the gateway whose disk holds the map; "" when no single one does
  Placement placement;

  bool operator==(const ClusterMap&) const = default;

  const Bucket* find_bucket(const BucketName& name) const;
  const Bucket* find_bucket(BucketId id) const;
  const NodeInfo* find_node(const std::string& id) const;
  /// Whom to ask for changes of the map, in this order: first the gateway with the store, which
  /// needs no further hop.
  std::vector<NodeInfo> gateways() const;
  /// The fewest copies that what was acknowledged of the bucket has, and the most that there are.
  std::uint32_t least_copies(const Bucket& bucket) const;
  std::uint32_t most_copies(const Bucket& bucket) const;
  /// Targets that take part in placement: active ones.
  std::vector<const NodeInfo*> active_targets() const;
  /// Targets that may hold objects: active ones and those of placement.past. All that a listing
  /// has to ask.
  std::vector<const NodeInfo*> holding_targets() const;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(uuid, epoch, nodes, buckets, users, mappings, store_node);
    if (version < 2) return;
    buckets.each_value(ar, [&](Bucket& bucket) { bucket.later(ar); });
    if (version < 3) return;
    ar(placement);
    if (version < 4) return;
    placement.later(ar);
    if (version < 5) return;
    buckets.each_value(ar, [&](Bucket& bucket) { bucket.latest(ar); });
    if (version < 6) return;
    buckets.each_value(ar, [&](Bucket& bucket) { bucket.newest(ar); });
  }
};

using MapSnapshot = std::shared_ptr<const ClusterMap>;

}  // namespace aisfs
