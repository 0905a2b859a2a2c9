// SPDX-License-Identifier: MIT
#include "tests/fault/cluster/doors.h"

#include "common/wire/data.h"

namespace aisfs::tests::storm {

Task<Result<http::ClientResponse>> Doors::PassedOn::send(NodeInfo node,
                                                         Context context,
                                                         http::ClientRequest request) {
  request.head.fields.remove(wire::kScopeHeader);
  return transport_.send(std::move(node), std::move(context), std::move(request));
}

Doors::Doors(std::function<std::vector<Endpoint>()> nodes, Credentials keys)
    : nodes_(std::move(nodes)), transport_(http_, keys, 0, [] { return Epoch{}; }) {
  ClusterClientOptions options;
  options.endpoints = nodes_();
  options.credentials = std::move(keys);
  auto connected = run(ClusterClient::connect(runtime_, std::move(options)));
  if (!connected) why_not_ = connected.error().what();
  if (connected) client_ = *std::move(connected);
}

Doors::~Doors() {
  if (client_) client_->stop();
  http_.close();
}

RemoteNode Doors::through(Endpoint node) {
  NodeInfo info;
  info.id = node.to_string();
  info.public_net = std::move(node);
  return RemoteNode(passed_on_, std::move(info));
}

}  // namespace aisfs::tests::storm
