// SPDX-License-Identifier: MIT
#include "node/front/cluster/data_transport.h"

#include "common/async/clock.h"
#include "common/auth/node_auth.h"
#include "common/base/text.h"
#include "common/wire/data.h"
#include "common/wire/leases.h"

namespace aisfs::cluster {

Task<Result<http::ClientResponse>> DataTransport::send(NodeInfo node,
                                                       Context context,
                                                       http::ClientRequest request) {
  request.to = node.data_net;
  if (!context.trace.empty()) request.head.fields.set(wire::kTraceHeader, context.trace);
  const Epoch epoch = context.epoch != 0 ? context.epoch : maps_.current()->epoch;
  request.head.fields.set(wire::kEpochHeader, std::to_string(epoch));
  if (context.session != 0) {
    request.head.fields.set(wire::kSessionHeader, to_hex(context.session));
  }
  if (context.unless_newer) {
    request.head.fields.set(wire::kUnlessNewerHeader, context.unless_newer->to_string());
  }
  auth::sign_node_request(key_, node_id_, context.who, RealClock().unix_ns(), request.head);
  return http_.send(std::move(request));
}

}  // namespace aisfs::cluster
