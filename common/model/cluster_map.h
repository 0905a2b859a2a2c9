// SPDX-License-Identifier: MIT
// The one versioned, immutable value that says who stores what.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

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
enum class NodeState : std::uint8_t { kActive = 0, kMaintenance = 1, kDecommission = 2, kAway = 3 };

struct NodeInfo {
  std::string id;                 // "t1a2b3c4d", "g..."; given once, kept on the node's disks
  NodeRole role = NodeRole::kTarget;
  NodeState state = NodeState::kActive;
  std::uint32_t incarnation = 0;  // rises with every start of the node
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

/// A new object for every change, epoch + 1; an operation works with one snapshot of it.
struct ClusterMap {
  static constexpr std::uint16_t kVersion = 2, kCompat = 1;

  std::string uuid;
  Epoch epoch = 0;
  std::map<std::string, NodeInfo> nodes;  // by id
  std::map<std::string, Bucket> buckets;  // by uname
  std::map<std::string, User> users;      // by id; empty in copies for clients
  std::vector<PrefixMapping> mappings;
  std::string store_node;  // the gateway whose disk holds the map; "" when no single one does

  bool operator==(const ClusterMap&) const = default;

  const Bucket* find_bucket(const BucketName& name) const;
  const Bucket* find_bucket(BucketId id) const;
  const NodeInfo* find_node(const std::string& id) const;
  /// Whom to ask for changes of the map, in this order: first the gateway with the store, which
  /// needs no further hop.
  std::vector<NodeInfo> gateways() const;
  /// Targets that take part in placement: active ones.
  std::vector<const NodeInfo*> active_targets() const;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(uuid, epoch, nodes, buckets, users, mappings, store_node);
    if (version < 2) return;
    for (auto& [_, bucket] : buckets) bucket.later(ar);
  }
};

using MapSnapshot = std::shared_ptr<const ClusterMap>;

}  // namespace aisfs
