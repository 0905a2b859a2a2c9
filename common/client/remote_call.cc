// SPDX-License-Identifier: MIT
#include "common/client/remote_call.h"

#include "common/wire/error_text.h"

namespace aisfs {
namespace {

constexpr std::size_t kErrorBodyMax = 64 * 1024;

/// Reads the rest, so that the connection can be kept, and makes the error.
Task<Error> error_of(http::ClientResponse response, std::string node) {
  Error error = wire::decode_error(response.head().fields.get(wire::kErrorHeader),
                                   response.status());
  const bool named = response.head().fields.has(wire::kErrorHeader);
  auto body = co_await read_all(response.body(), kErrorBodyMax);
  if (!named && body && !body->empty()) {
    error = Error(error.code(), node + ": " + body->substr(0, 256));
  }
  co_return error;
}

}  // namespace

Task<Result<http::ClientResponse>> send_checked(Transport& transport,
                                                NodeInfo node,
                                                Context context,
                                                http::ClientRequest request) {
  const std::string id = node.id;
  request.head.fields.set(wire::kScopeHeader, wire::kScopeNode);
  CO_TRY(http::ClientResponse response,
         co_await transport.send(std::move(node), std::move(context), std::move(request)));
  if (const std::string* last = response.head().fields.find(wire::kClockHeader)) {
    if (const auto version = Version::parse(*last)) transport.versions().note(id, *version);
  }
  if (response.status() < 300) co_return response;
  co_return co_await error_of(std::move(response), id);
}

Task<Result<std::string>> call_bytes(Transport& transport,
                                     NodeInfo node,
                                     Context context,
                                     std::string method,
                                     std::string body,
                                     Replay replay) {
  http::ClientRequest request;
  request.head.method = http::Method::kPost;
  request.head.target = std::string(wire::kRpcPath) + method;
  request.head.fields.set("Content-Type", wire::kEnvelopeType);
  request.body = std::move(body);
  request.deadline = context.deadline;
  request.once = replay != Replay::kSafe;
  CO_TRY(http::ClientResponse response,
         co_await send_checked(transport, std::move(node), std::move(context), std::move(request)));
  co_return co_await read_all(response.body(), kReplyBytesMax);
}

}  // namespace aisfs
