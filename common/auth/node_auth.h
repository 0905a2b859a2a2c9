// SPDX-License-Identifier: MIT
// Requests between nodes carry
//
//   Ais-Node-Auth: v1;<time ms>;<node id>;<kind>;<user>;<display name>;<64 hex>
//
// with kind one of n (the node itself), u (user), a (admin), - (anonymous), the last two texts
// percent-encoded, and an HMAC under the cluster's node key over method, target and all of these.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/auth/cluster_key.h"
#include "common/auth/identity.h"
#include "common/http/message.h"

namespace aisfs::auth {

inline constexpr std::string_view kNodeAuthHeader = "Ais-Node-Auth";
/// How old a request between nodes may be.
inline constexpr std::int64_t kNodeAuthAgeMaxNs = 30'000'000'000;

/// Signs `head` (its method and target must be final) in the name of `node_id`, for `principal`:
/// node_identity(node_id) for the node's own work, or the identity of the client served.
void sign_node_request(const ClusterKey& key,
                       std::string_view node_id,
                       const Identity& principal,
                       std::int64_t now_ns,
                       http::RequestHead& head);

/// What a verified header says; only Verifier makes an Identity of it.
struct NodeClaim {
  std::string node;
  Identity::Kind kind = Identity::Kind::kAnonymous;
  std::string user;
  std::string display_name;
};

/// unauthenticated unless the header is there once, by `key`, for this method and target, and not
/// older (or newer) than kNodeAuthAgeMaxNs.
Result<NodeClaim> verify_node_request(const ClusterKey& key,
                                      const http::RequestHead& head,
                                      std::int64_t now_ns);

}  // namespace aisfs::auth
