// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>

#include "common/client/object_api.h"
#include "common/client/transport.h"

namespace aisfs::cluster {

struct RouterDeps {
  std::string node_id;
  MapSource& maps;
  ObjectApi* local = nullptr;  // this node's disks; null on a gateway
  Transport& peers;            // to the data listeners of the others
  /// Whole budget of a forwarded operation that has no deadline of its own.
  Duration operation_timeout = std::chrono::seconds(30);
};

/// The objects of the cluster as one node serves them. What it owns comes from its own disks,
/// the rest from the owner, by one hop: a forwarded request is marked, and a marked request is
/// answered by here() alone, so it never travels on.
///
/// Every operation is authorised before anything else happens. Thread-safe; what the deps refer
/// to outlives it.
class Router {
 public:
  explicit Router(RouterDeps deps);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// Any name, wherever it is.
  ObjectApi& anywhere();
  /// Any name of the stores themselves, whatever directories were renamed. For background work.
  ObjectApi& places();
  /// Names of this node only (stale_map for others), and its share of listings, lookups and
  /// capacity. Null on a gateway.
  ObjectApi* here();
  /// As another node sees it: the same operations, one attempt, not authorised again, in the
  /// name of whoever the context says. For the parts of an operation that run elsewhere.
  std::shared_ptr<ObjectApi> at(const NodeInfo& node);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aisfs::cluster
