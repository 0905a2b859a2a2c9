// SPDX-License-Identifier: MIT
#include "node/control/remote_store.h"

#include "common/client/remote_call.h"
#include "common/wire/control.h"

namespace aisfs::control {
namespace {

constexpr Duration kOperationMax = std::chrono::seconds(10);

Context within(Duration time) {
  return Context{.who = {}, .deadline = Deadline::after(time), .trace = {}};
}

template <class Reply, class Request>
Task<Result<Reply>> ask(Transport& transport, NodeInfo node, std::string_view method, Request request,
                        Duration time = kOperationMax) {
  return call<Reply>(transport, std::move(node), within(time), std::string(method),
                     std::move(request));
}

}  // namespace

Task<Result<meta::GetReply>> RemoteStore::get(meta::GetRequest request) {
  return ask<meta::GetReply>(transport_, holder_(), wire::kMetaGetMethod, std::move(request));
}
Task<Result<meta::TxnReply>> RemoteStore::txn(meta::TxnRequest request) {
  return ask<meta::TxnReply>(transport_, holder_(), wire::kMetaTxnMethod, std::move(request));
}
Task<Result<meta::LeaseId>> RemoteStore::grant(Duration ttl) {
  meta::LeaseRequest request{0, ttl.count()};
  CO_TRY(const auto reply, co_await ask<meta::LeaseReply>(transport_, holder_(),
                                                          wire::kMetaGrantMethod, request));
  co_return reply.id;
}
Task<Result<Duration>> RemoteStore::keep_alive(meta::LeaseId lease) {
  meta::LeaseRequest request{lease, 0};
  CO_TRY(const auto reply, co_await ask<meta::LeaseReply>(transport_, holder_(),
                                                          wire::kMetaKeepAliveMethod, request));
  co_return Duration(reply.ttl_ns);
}
Task<Status> RemoteStore::revoke(meta::LeaseId lease) {
  meta::LeaseRequest request{lease, 0};
  CO_TRY(const auto reply, co_await ask<meta::LeaseReply>(transport_, holder_(),
                                                          wire::kMetaRevokeMethod, request));
  static_cast<void>(reply);
  co_return Status{};
}
Task<Result<meta::WatchReply>> RemoteStore::watch(meta::WatchRequest request) {
  const Duration time = Duration(request.wait_ns) + kOperationMax;
  return ask<meta::WatchReply>(transport_, holder_(), wire::kMetaWatchMethod, std::move(request), time);
}

}  // namespace aisfs::control
