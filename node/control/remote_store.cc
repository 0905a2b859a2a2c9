// SPDX-License-Identifier: MIT
#include "node/control/remote_store.h"

#include <algorithm>
#include <set>

#include "common/client/remote_call.h"
#include "common/wire/control.h"

namespace aisfs::control {
namespace {

constexpr Duration kOperationMax = std::chrono::seconds(10);
/// For a gateway that does not answer, while there are others to ask.
constexpr Duration kTryMax = std::chrono::seconds(2);

}  // namespace

std::vector<NodeInfo> RemoteStore::candidates() {
  std::vector<NodeInfo> all = candidates_();
  std::set<Endpoint> seen;
  std::erase_if(all, [&](const NodeInfo& n) { return !seen.insert(n.control_net).second; });
  const std::lock_guard lock(mutex_);
  const auto answered = std::find_if(all.begin(), all.end(),
                                     [&](const NodeInfo& n) { return n.control_net == answered_; });
  if (answered != all.end()) std::rotate(all.begin(), answered, all.end());
  return all;
}

template <class Reply, class Request>
Task<Result<Reply>> RemoteStore::ask(std::string_view method,
                                     Request request,
                                     Replay replay,
                                     Duration wait) {
  Error last(Errc::unreachable, "no gateway is known; give one with --join");
  std::vector<NodeInfo> nodes = candidates();
  for (NodeInfo& node : nodes) {
    const Endpoint asked = node.control_net;
    const Duration time = wait + (nodes.size() > 1 ? kTryMax : kOperationMax);
    Context context{.who = {}, .deadline = Deadline::after(time), .trace = {}};
    auto reply = co_await call<Reply>(transport_, std::move(node), std::move(context),
                                      std::string(method), request, replay);
    if (reply) {
      const std::lock_guard lock(mutex_);
      answered_ = asked;
      co_return reply;
    }
    const Errc why = reply.error().code();
    if (why == Errc::unsupported) continue;  // has no store; what the others said counts more
    last = std::move(reply).error();
    if (why != Errc::unreachable && why != Errc::timed_out) break;
    if (replay == Replay::kAmbiguous && !last.never_sent()) break;
  }
  co_return last;
}

Task<Result<meta::GetReply>> RemoteStore::get(meta::GetRequest request) {
  return ask<meta::GetReply>(wire::kMetaGetMethod, std::move(request), Replay::kSafe);
}
Task<Result<meta::TxnReply>> RemoteStore::txn(meta::TxnRequest request) {
  return ask<meta::TxnReply>(wire::kMetaTxnMethod, std::move(request), Replay::kAmbiguous);
}
Task<Result<meta::LeaseId>> RemoteStore::grant(Duration ttl) {
  const meta::LeaseRequest request{0, ttl.count()};
  CO_TRY(const auto reply,
         co_await ask<meta::LeaseReply>(wire::kMetaGrantMethod, request, Replay::kAmbiguous));
  co_return reply.id;
}
Task<Result<Duration>> RemoteStore::keep_alive(meta::LeaseId lease) {
  const meta::LeaseRequest request{lease, 0};
  CO_TRY(const auto reply,
         co_await ask<meta::LeaseReply>(wire::kMetaKeepAliveMethod, request, Replay::kSafe));
  co_return Duration(reply.ttl_ns);
}
Task<Status> RemoteStore::revoke(meta::LeaseId lease) {
  const meta::LeaseRequest request{lease, 0};
  CO_TRY(const auto reply,
         co_await ask<meta::LeaseReply>(wire::kMetaRevokeMethod, request, Replay::kAmbiguous));
  static_cast<void>(reply);
  co_return Status{};
}
Task<Result<meta::WatchReply>> RemoteStore::watch(meta::WatchRequest request) {
  const Duration wait(request.wait_ns);
  return ask<meta::WatchReply>(wire::kMetaWatchMethod, std::move(request), Replay::kSafe, wait);
}

}  // namespace aisfs::control
