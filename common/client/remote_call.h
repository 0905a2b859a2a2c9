// SPDX-License-Identifier: MIT
// One request to one node, its errors brought back as they were there.
#pragma once
#include "common/client/messages.h"
#include "common/client/replay.h"
#include "common/client/transport.h"

namespace aisfs {

/// A response larger than this is none of ours (a page of 10,000 entries has about 4 MiB).
inline constexpr std::size_t kReplyBytesMax = 64 << 20;

/// send() where every status from 300 on is the error that its headers name. Marks the request as
/// meant for this node: it is answered from its disks or refused, never forwarded. What the answer
/// says of the node's versions is noted in the transport.
Task<Result<http::ClientResponse>> send_checked(Transport& transport,
                                                NodeInfo node,
                                                Context context,
                                                http::ClientRequest request);

/// POST /v1/x/<method> with `body`; the whole reply. What is not safe to be done twice is sent
/// once.
Task<Result<std::string>> call_bytes(Transport& transport,
                                     NodeInfo node,
                                     Context context,
                                     std::string method,
                                     std::string body,
                                     Replay replay);

/// call_bytes with envelopes.
template <class Reply, class Request>
Task<Result<Reply>> call(Transport& transport,
                         NodeInfo node,
                         Context context,
                         std::string method,
                         Request request,
                         Replay replay = Replay::kSafe) {
  std::string body = wire::encode(request);
  CO_TRY(const std::string reply,
         co_await call_bytes(transport, std::move(node), std::move(context), std::move(method),
                             std::move(body), replay));
  co_return wire::decode<Reply>(reply);
}

template <class Reply, class Request>
Task<Result<Reply>> call(Transport& transport,
                         NodeInfo node,
                         Context context,
                         wire::DataMethod method,
                         Request request,
                         Replay replay = Replay::kSafe) {
  return call<Reply>(transport, std::move(node), std::move(context),
                     std::string(wire::name_of(method)), std::move(request), replay);
}

/// A base64 envelope for a header; too_large beyond wire::kEnvelopeHeaderMax.
template <class T>
Result<std::string> header_of(const T& value);
/// The value of such a header; invalid_argument when it is missing or broken.
template <class T>
Result<T> value_of(const std::string* header, std::string_view name);

}  // namespace aisfs

#include "common/base/text.h"

namespace aisfs {

template <class T>
Result<std::string> header_of(const T& value) {
  std::string text = to_base64(as_bytes(wire::encode(value)));
  if (text.size() > wire::kEnvelopeHeaderMax) {
    return Error(Errc::too_large, "metadata is too long to travel with the content; set it by a "
                                  "change of attributes");
  }
  return text;
}

template <class T>
Result<T> value_of(const std::string* header, std::string_view name) {
  if (header == nullptr) {
    return Error(Errc::invalid_argument, "header " + std::string(name) + " is missing");
  }
  TRY(const std::string bytes, from_base64(*header));
  auto value = wire::decode<T>(bytes);
  if (!value && value.error().code() == Errc::corrupt) {
    return Error(Errc::invalid_argument, std::string(name) + ": " + value.error().what());
  }
  return value;
}

}  // namespace aisfs
