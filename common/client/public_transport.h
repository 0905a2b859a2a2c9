// SPDX-License-Identifier: MIT
#pragma once
#include <functional>

#include "common/client/cluster_client.h"
#include "common/client/transport.h"

namespace aisfs {

/// Requests to the public listeners of nodes in the name of a user.
class PublicTransport final : public Transport {
 public:
  /// `http` outlives it; `session` is that of leases, 0 for none; `epoch` tells the epoch of the
  /// newest map, 0 for none yet.
  PublicTransport(http::Client& http,
                  Credentials credentials,
                  std::uint64_t session,
                  std::function<Epoch()> epoch);

  Task<Result<http::ClientResponse>> send(NodeInfo node,
                                          Context context,
                                          http::ClientRequest request) override;

 private:
  Status authenticate(http::ClientRequest& request) const;

  http::Client& http_;
  Credentials credentials_;
  std::string session_;  // as the header has it; "": none
  std::function<Epoch()> epoch_;
};

}  // namespace aisfs
