// SPDX-License-Identifier: MIT
#include "node/control/control_transport.h"

#include "common/auth/node_auth.h"
#include "common/wire/data.h"

namespace aisfs::control {

Task<Result<http::ClientResponse>> ControlTransport::send(NodeInfo node,
                                                          Context context,
                                                          http::ClientRequest request) {
  if (!node.control_net) co_return Error(Errc::unreachable, "node " + node.id + " has no control address");
  request.to = node.control_net;
  request.deadline = context.deadline;
  request.head.fields.set(wire::kEpochHeader, std::to_string(epoch_()));
  if (!context.trace.empty()) request.head.fields.set(wire::kTraceHeader, context.trace);
  const auth::Identity who =
      context.who.is_anonymous() ? auth::node_identity(self_) : context.who;
  auth::sign_node_request(key_, self_, who, clock_.unix_ns(), request.head);
  co_return co_await http_.send(std::move(request));
}

NodeInfo node_at(const Endpoint& control_net) {
  NodeInfo node;
  node.id = control_net.to_string();
  node.control_net = control_net;
  return node;
}

}  // namespace aisfs::control
