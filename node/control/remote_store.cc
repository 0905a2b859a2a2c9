// SPDX-License-Identifier: MIT
#include "node/control/remote_store.h"

#include <set>

#include "common/client/remote_call.h"
#include "common/wire/control.h"

namespace aisfs::control {
namespace {

constexpr Duration kOperationMax = std::chrono::seconds(10);
/// For a gateway that does not answer, while there are others to ask.
constexpr Duration kTryMax = std::chrono::seconds(2);

}  // namespace

template <class Reply, class Request>
Task<Result<Reply>> RemoteStore::ask(std::string method, Request request, Duration wait) {
  Error last(Errc::unreachable, "no gateway is known; give one with --join");
  std::set<Endpoint> asked;
  std::vector<NodeInfo> candidates = candidates_();
  for (NodeInfo& node : candidates) {
    if (!asked.insert(node.control_net).second) continue;
    const Duration time = wait + (candidates.size() > 1 ? kTryMax : kOperationMax);
    Context context{.who = {}, .deadline = Deadline::after(time), .trace = {}};
    auto reply = co_await call<Reply>(transport_, std::move(node), std::move(context), method, request);
    if (reply) co_return reply;
    const Errc why = reply.error().code();
    if (why == Errc::unsupported) continue;  // has no store; what the others said counts more
    last = std::move(reply).error();
    if (why != Errc::unreachable && why != Errc::timed_out) break;
  }
  co_return last;
}

Task<Result<meta::GetReply>> RemoteStore::get(meta::GetRequest request) {
  return ask<meta::GetReply>(std::string(wire::kMetaGetMethod), std::move(request), {});
}
Task<Result<meta::TxnReply>> RemoteStore::txn(meta::TxnRequest request) {
  return ask<meta::TxnReply>(std::string(wire::kMetaTxnMethod), std::move(request), {});
}
Task<Result<meta::LeaseId>> RemoteStore::grant(Duration ttl) {
  const meta::LeaseRequest request{0, ttl.count()};
  CO_TRY(const auto reply,
         co_await ask<meta::LeaseReply>(std::string(wire::kMetaGrantMethod), request, {}));
  co_return reply.id;
}
Task<Result<Duration>> RemoteStore::keep_alive(meta::LeaseId lease) {
  const meta::LeaseRequest request{lease, 0};
  CO_TRY(const auto reply,
         co_await ask<meta::LeaseReply>(std::string(wire::kMetaKeepAliveMethod), request, {}));
  co_return Duration(reply.ttl_ns);
}
Task<Status> RemoteStore::revoke(meta::LeaseId lease) {
  const meta::LeaseRequest request{lease, 0};
  CO_TRY(const auto reply,
         co_await ask<meta::LeaseReply>(std::string(wire::kMetaRevokeMethod), request, {}));
  static_cast<void>(reply);
  co_return Status{};
}
Task<Result<meta::WatchReply>> RemoteStore::watch(meta::WatchRequest request) {
  const Duration wait(request.wait_ns);
  return ask<meta::WatchReply>(std::string(wire::kMetaWatchMethod), std::move(request), wait);
}

}  // namespace aisfs::control
