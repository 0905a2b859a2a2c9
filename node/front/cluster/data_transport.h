// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "common/auth/cluster_key.h"
#include "common/client/transport.h"

namespace aisfs::cluster {

/// Requests to the data listeners of other nodes: signed with the cluster's key, in the name of
/// whoever the context says. Thread-safe; `http` and `maps` outlive it.
class DataTransport final : public Transport {
 public:
  DataTransport(http::Client& http, MapSource& maps, auth::ClusterKey key, std::string node_id)
      : http_(http), maps_(maps), key_(std::move(key)), node_id_(std::move(node_id)) {}

  Task<Result<http::ClientResponse>> send(NodeInfo node,
                                          Context context,
                                          http::ClientRequest request) override;

 private:
  http::Client& http_;
  MapSource& maps_;
  auth::ClusterKey key_;
  std::string node_id_;
};

}  // namespace aisfs::cluster
