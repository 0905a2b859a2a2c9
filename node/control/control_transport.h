// SPDX-License-Identifier: MIT
#pragma once
#include <functional>

#include "common/async/clock.h"
#include "common/auth/cluster_key.h"
#include "common/client/transport.h"

namespace aisfs::control {

/// Requests to the control listeners of other nodes, signed by this one. Thread-safe.
class ControlTransport final : public Transport {
 public:
  /// `http` and `clock` outlive it; `epoch` tells this node's epoch.
  ControlTransport(http::Client& http,
                   const Clock& clock,
                   auth::ClusterKey key,
                   std::string self,
                   std::function<Epoch()> epoch)
      : http_(http),
        clock_(clock),
        key_(std::move(key)),
        self_(std::move(self)),
        epoch_(std::move(epoch)) {}

  Task<Result<http::ClientResponse>> send(NodeInfo node,
                                          Context context,
                                          http::ClientRequest request) override;

 private:
  http::Client& http_;
  const Clock& clock_;
  const auth::ClusterKey key_;
  const std::string self_;
  const std::function<Epoch()> epoch_;
};

/// Only the address counts: for a node that is not in the map yet.
NodeInfo node_at(const Endpoint& control_net);

}  // namespace aisfs::control
