// SPDX-License-Identifier: MIT
#include "node/control/control_plane.h"

#include "common/async/scope.h"
#include "common/client/remote_call.h"
#include "common/client/retry.h"
#include "common/obs/log.h"
#include "common/wire/map_delta.h"

namespace aisfs::control {
namespace {
constexpr std::size_t kNoncesMax = 100'000;
constexpr Duration kWatchWait = std::chrono::seconds(10);
constexpr int kTellAttemptsMax = 3;
constexpr Duration kRetryPause = std::chrono::milliseconds(300);
}  // namespace

ControlPlane::ControlPlane(MetaStore& meta,
                           const Clock& clock,
                           auth::ClusterKey key,
                           Transport& peers,
                           NodeMapSource& maps,
                           std::string self,
                           ControlOptions options)
    : meta_(meta),
      map_store_(meta),
      clock_(clock),
      key_(std::move(key)),
      peers_(peers),
      known_(maps),
      self_(std::move(self)),
      options_(options) {}

Task<Result<MapDraft>> ControlPlane::change(MapStore::Edit edit) {
  CO_TRY(auto draft, co_await map_store_.change(std::move(edit)));
  CO_TRY(const Epoch epoch, known_.install(draft.map));
  co_await tell_all(known_.current());
  if (options_.in_force) co_await options_.in_force(epoch);
  co_return draft;
}

Task<void> ControlPlane::enforce() {
  const MapSnapshot map = known_.current();
  co_await tell_all(map);
  if (options_.in_force) co_await options_.in_force(map->epoch);
}

Task<Status> ControlPlane::note_alive(const wire::KeepAliveRequest& request) {
  {
    std::lock_guard lock(mutex_);
    const auto noted = alive_.find(request.node);
    if (noted != alive_.end() && noted->second == request.state) co_return Status{};
  }
  meta::TxnRequest txn;
  txn.then.push_back(meta::put_step(std::string(kAlivePrefix) + request.node,
                                    wire::encode(request.state), request.lease));
  if (request.state.ceiling != 0)
    txn.then.push_back(ceiling_step(request.node, request.state.ceiling));
  CO_TRY([[maybe_unused]] const auto done, co_await meta_.txn(std::move(txn)));
  std::lock_guard lock(mutex_);
  alive_[request.node] = request.state;
  co_return Status{};
}

Task<void> ControlPlane::tell_all(MapSnapshot map) {
  const auto alive = co_await map_store_.alive();
  if (!alive) co_return;  // their polls will tell them
  TaskScope scope(co_await asio::this_coro::executor);
  for (const auto& [id, _] : *alive) {
    const NodeInfo* node = map->find_node(id);
    if (node != nullptr && id != self_) scope.spawn(tell(*node, map->epoch));
  }
  co_await scope.join();
}

Task<void> ControlPlane::tell(NodeInfo node, Epoch epoch) {
  const Deadline deadline = Deadline::after(options_.push_wait);
  Backoff backoff;
  for (int attempt = 1;; ++attempt) {
    auto known = co_await tell_changes(node, epoch, deadline);
    if (known && *known >= epoch) co_return;
    const Errc why = known ? Errc::stale_map : known.error().code();
    // It has no changes of these; or it is of an earlier release, and knows none at all.
    if (why == Errc::stale_map || why == Errc::corrupt || why == Errc::not_found) {
      known = co_await tell_whole(node, deadline);
    }
    if (known) co_return;
    // Nobody listens: it has ended, and will not serve before it has joined again.
    const bool gone = known.error() == Errc::unreachable && attempt >= kTellAttemptsMax;
    if (!gone && co_await backoff.wait(deadline)) continue;
    LOG_WARN("map not delivered", "node", node.id, "epoch", epoch, "why", known.error().what());
    co_return;
  }
}

Task<Result<Epoch>> ControlPlane::tell_changes(NodeInfo node, Epoch epoch, Deadline deadline) {
  // Nearly all know the map before this one; who does not says which.
  Epoch known = epoch - 1;
  for (int round = 0; round < 2; ++round) {
    wire::MapUpdate update = known_.update_since(known, MapNeed::kChanges);
    if (round > 0 && update.deltas.empty()) break;
    Context context{.who = auth::node_identity(self_), .deadline = deadline, .trace = {}};
    CO_TRY(const auto reply,
           co_await call<wire::EpochReply>(peers_, node, std::move(context),
                                           std::string(wire::kMapApplyMethod), std::move(update)));
    if (reply.epoch >= epoch) co_return reply.epoch;
    known = reply.epoch;
  }
  co_return known;
}

Task<Result<Epoch>> ControlPlane::tell_whole(NodeInfo node, Deadline deadline) {
  const MapSnapshot map = known_.current();
  Context context{.who = auth::node_identity(self_), .deadline = deadline, .trace = {}};
  CO_TRY(const auto reply,
         co_await call<wire::EpochReply>(peers_, std::move(node), std::move(context),
                                         std::string(wire::kMapPushMethod), *map));
  co_return reply.epoch;
}

Task<void> ControlPlane::follow() {
  meta::Revision next = 0;
  while (true) {
    if (next == 0) {  // at first, and after the history was compacted
      meta::GetRequest get{{std::string(kEpochKey), {}}, 0, 0};
      auto now = co_await meta_.get(std::move(get));
      if (now) next = now->revision + 1;
      auto draft = co_await map_store_.load();
      if (draft) static_cast<void>(known_.install(std::move(draft->map)));
    }
    meta::WatchRequest request{{std::string(kEpochKey), {}}, next, kWatchWait.count()};
    auto reply = co_await meta_.watch(std::move(request));
    if (!reply) {
      next = 0;
      Notifier pause;
      co_await pause.wait(0, Deadline::after(kRetryPause));
      continue;
    }
    next = reply->next;
    if (reply->events.empty()) continue;
    auto draft = co_await map_store_.load();
    if (draft) static_cast<void>(known_.install(std::move(draft->map)));
  }
}

Status ControlPlane::take_nonce(const std::string& nonce, std::int64_t time_ns) {
  const std::int64_t now = clock_.unix_ns();
  const std::int64_t skew = options_.join_skew_max.count();
  if (time_ns < now - skew || time_ns > now + skew) {
    return Error(Errc::permission_denied,
                 "join refused: the node's clock is " +
                     std::to_string(std::abs(now - time_ns) / 1'000'000'000) +
                     " s away from this gateway's; set both by NTP");
  }
  std::lock_guard lock(mutex_);
  std::erase_if(nonces_, [&](const auto& seen) { return seen.second < now - 2 * skew; });
  if (nonces_.size() >= kNoncesMax) return Error(Errc::overloaded, "too many joins");
  if (!nonces_.emplace(nonce, time_ns).second) {
    return Error(Errc::permission_denied, "join refused: this request was used before");
  }
  return {};
}

}  // namespace aisfs::control
