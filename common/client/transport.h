// SPDX-License-Identifier: MIT
#pragma once
#include "common/client/object_api.h"
#include "common/client/versions_seen.h"
#include "common/http/client.h"

namespace aisfs {

/// How requests reach a node: over its public listener, signed with the keys of a user, or over
/// its data listener, vouched for by another node. One attempt each, no retry. Remembers how far
/// the versions of each node have come, as told by send_checked.
///
/// Thread-safe; outlives every request.
class Transport {
 public:
  virtual ~Transport() = default;

  /// Adds address, identity and what else the context says to `request` and sends it. The response
  /// may have any status; errors are those of http::Client::send.
  virtual Task<Result<http::ClientResponse>> send(NodeInfo node,
                                                  Context context,
                                                  http::ClientRequest request) = 0;

  VersionsSeen& versions() { return versions_; }

 private:
  VersionsSeen versions_;
};

}  // namespace aisfs
