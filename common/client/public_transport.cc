// SPDX-License-Identifier: MIT
#include "common/client/public_transport.h"

#include "common/async/clock.h"
#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/s3/sigv4.h"
#include "common/wire/data.h"
#include "common/wire/leases.h"

namespace aisfs {

PublicTransport::PublicTransport(http::Client& http,
                                 Credentials credentials,
                                 std::uint64_t session,
                                 std::function<Epoch()> epoch)
    : http_(http),
      credentials_(std::move(credentials)),
      session_(session == 0 ? "" : to_hex(session)),
      epoch_(std::move(epoch)) {}

Task<Result<http::ClientResponse>> PublicTransport::send(NodeInfo node,
                                                         Context context,
                                                         http::ClientRequest request) {
  request.to = node.public_net;
  if (!context.trace.empty()) request.head.fields.set(wire::kTraceHeader, context.trace);
  if (const Epoch epoch = context.epoch != 0 ? context.epoch : epoch_(); epoch != 0) {
    request.head.fields.set(wire::kEpochHeader, std::to_string(epoch));
  }
  if (context.unless_newer) {
    request.head.fields.set(wire::kUnlessNewerHeader, context.unless_newer->to_string());
  }
  if (!session_.empty()) request.head.fields.set(wire::kSessionHeader, session_);
  CO_CHECK_OK(authenticate(request));
  request.sent = std::move(context.sent);
  co_return co_await http_.send(std::move(request));
}

Status PublicTransport::authenticate(http::ClientRequest& request) const {
  if (!credentials_.token.empty()) {
    request.head.fields.set("Authorization", "Bearer " + credentials_.token);
    return {};
  }
  if (credentials_.access_key.empty()) return {};
  const s3::KeyPair keys{credentials_.access_key, credentials_.secret_key};
  s3::SignOptions options;
  options.host = request.to.to_string();
  options.time_ns = RealClock().unix_ns();
  options.payload = request.stream != nullptr ? std::string(s3::kUnsignedPayload)
                                              : to_hex(as_bytes(sha256(request.body)));
  TRY([[maybe_unused]] const auto signature, s3::sign(request.head, keys, options));
  return {};
}

}  // namespace aisfs
