// SPDX-License-Identifier: MIT
#include "node/control/membership.h"

#include "common/async/offload.h"
#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/client/remote_call.h"
#include "common/client/retry.h"
#include "common/obs/log.h"
#include "common/wire/control.h"
#include "common/wire/map_delta.h"
#include "common/wire/map_watch.h"
#include "node/control/control_transport.h"
#include "node/control/map_file.h"
#include "node/control/ops/ops.h"

namespace aisfs::control {
namespace {

constexpr Duration kJoinAttempt = std::chrono::seconds(15);
constexpr Duration kRenewAttempt = std::chrono::seconds(2);

bool is_final(const Error& error) {
  return error == Errc::unauthenticated || error == Errc::permission_denied ||
         error == Errc::invalid_argument;
}

}  // namespace

Membership::Membership(NodeIdentity identity,
                       NodeInfo node,
                       MembershipOptions options,
                       auth::ClusterKey key,
                       Clock& clock,
                       Transport& peers,
                       NodeMapSource& maps,
                       Fencing& fencing,
                       ControlPlane* plane)
    : identity_(std::move(identity)),
      node_(std::move(node)),
      options_(std::move(options)),
      key_(std::move(key)),
      clock_(clock),
      peers_(peers),
      maps_(maps),
      fencing_(fencing),
      plane_(plane) {}

std::vector<NodeInfo> Membership::gateways() const {
  std::vector<NodeInfo> nodes;
  for (const auto& endpoint : options_.gateways) nodes.push_back(node_at(endpoint));
  for (NodeInfo& gateway : maps_.current()->gateways()) {
    const auto known = std::find_if(nodes.begin(), nodes.end(), [&](const NodeInfo& node) {
      return node.control_net == gateway.control_net;
    });
    if (known == nodes.end() && gateway.id != node_.id) nodes.push_back(std::move(gateway));
  }
  // One that hangs is not waited for every time.
  const auto answered = std::find_if(nodes.begin(), nodes.end(), [&](const NodeInfo& node) {
    return node.control_net == answered_;
  });
  if (answered != nodes.end()) std::rotate(nodes.begin(), answered, nodes.end());
  return nodes;
}

template <class Reply, class Request>
Task<Result<Reply>> Membership::ask_gateways(std::string method,
                                             Request request,
                                             Duration each,
                                             Replay replay) {
  Error last(Errc::unreachable, "no gateway is known; give one with --join");
  std::vector<NodeInfo> all = gateways();
  for (NodeInfo& gateway : all) {
    const Endpoint asked = gateway.control_net;
    Context context{.who = {}, .deadline = Deadline::after(each), .trace = {}};
    auto reply = co_await call<Reply>(peers_, std::move(gateway), std::move(context), method,
                                      request, replay);
    if (reply) answered_ = asked;
    if (reply) co_return reply;
    last = std::move(reply).error();
    if (is_final(last) || last == Errc::not_found) break;
  }
  co_return last;
}

wire::JoinRequest Membership::join_request(std::optional<wire::DisksAge> disks) const {
  wire::JoinRequest request;
  request.disks = std::move(disks);
  request.node = node_;
  request.node.incarnation = identity_.incarnation;
  request.identity = identity_.identity;
  request.cluster_uuid = identity_.cluster_uuid;
  request.attempt = identity_.attempt;
  request.place = place_of(options_.data_dir);
  request.time_ns = clock_.unix_ns();
  request.nonce = to_hex(as_bytes(random_bytes(16)));
  request.proof = to_hex(as_bytes(hmac_sha256(key_.join(), ops::join_text(request))));
  return request;
}

Task<Result<wire::JoinReply>> Membership::try_join() {
  std::optional<wire::DisksAge> disks;
  if (options_.disks) {
    auto look = options_.disks;
    CO_TRY(disks, co_await offload(disk_, std::move(look)));
  }
  auto request = join_request(std::move(disks));
  if (plane_ != nullptr) co_return co_await ops::join(*plane_, std::move(request));
  // A gateway takes a nonce once: it would refuse for ever what it is sent twice.
  co_return co_await ask_gateways<wire::JoinReply>(
      std::string(wire::kJoinMethod), std::move(request), kJoinAttempt, Replay::kAmbiguous);
}

Task<Result<NodeInfo>> Membership::join(Deadline deadline) {
  Backoff backoff;
  while (true) {
    if (identity_.attempt.empty()) {
      identity_.attempt = to_hex(as_bytes(random_bytes(16)));
      auto save = [dir = options_.data_dir, identity = identity_] { return save_identity(dir, identity); };
      CO_CHECK_OK(co_await offload(disk_, std::move(save)));
    }
    const TimePoint sent = clock_.now();
    auto reply = co_await try_join();
    if (reply) {
      identity_.incarnation = node_.incarnation = reply->incarnation;
      identity_.cluster_uuid = reply->cluster_uuid;
      identity_.attempt.clear();
      lease_ = reply->lease;
      auto save = [dir = options_.data_dir, identity = identity_] { return save_identity(dir, identity); };
      CO_CHECK_OK(co_await offload(disk_, std::move(save)));
      CO_CHECK_OK(co_await fetch_map(reply->epoch, deadline));
      fencing_.renewed(sent, Duration(reply->lease_ns));
      co_return node_;
    }
    if (is_final(reply.error())) co_return std::move(reply).error();
    LOG_WARN("not joined yet", "why", reply.error().what());
    if (!co_await backoff.wait(deadline)) co_return std::move(reply).error();
  }
}

Task<Result<Epoch>> Membership::update_map(std::uint32_t wait_ms) {
  if (plane_ == nullptr) co_return co_await update_from_gateways(wait_ms);
  CO_TRY(auto draft, co_await plane_->maps().load());
  co_return maps_.install(std::move(draft.map));
}

Task<Result<Epoch>> Membership::update_from_gateways(std::uint32_t wait_ms) {
  const Duration each = std::chrono::milliseconds(wait_ms) + kRenewAttempt;
  wire::MapUpdateRequest request{.known = maps_.current()->epoch, .wait_ms = wait_ms};
  auto update =
      co_await ask_gateways<wire::MapUpdate>(std::string(wire::kMapUpdateMethod), request, each);
  if (!update && update.error() == Errc::not_found) co_return co_await watch_map(wait_ms);
  if (!update) co_return std::move(update).error();
  auto epoch = maps_.apply(*update);
  if (epoch || is_final(epoch.error())) co_return epoch;
  LOG_WARN("change of the map refused, all of it is fetched", "why", epoch.error().what());
  request.whole = true;
  CO_TRY(update, co_await ask_gateways<wire::MapUpdate>(std::string(wire::kMapUpdateMethod),
                                                        request, each));
  co_return maps_.apply(*update);
}

Task<Result<Epoch>> Membership::watch_map(std::uint32_t wait_ms) {
  wire::MapWatchRequest request{.known = maps_.current()->epoch, .wait_ms = wait_ms};
  const Duration each = std::chrono::milliseconds(wait_ms) + kRenewAttempt;
  CO_TRY(auto map,
         co_await ask_gateways<ClusterMap>(std::string(wire::kMapWatchMethod), request, each));
  co_return maps_.install(std::move(map));
}

Task<Status> Membership::fetch_map(Epoch epoch, Deadline deadline) {
  Backoff backoff;
  while (maps_.current()->epoch < epoch) {
    const auto known = co_await update_map(0);
    if (known && *known >= epoch) break;
    if (!co_await backoff.wait(deadline)) {
      std::string why = known ? "" : ": " + known.error().what();
      co_return Error(Errc::not_ready, "the cluster map of epoch " + std::to_string(epoch) +
                                           " could not be had from a gateway" + why);
    }
  }
  co_return Status{};
}

Task<void> Membership::renew() {
  wire::KeepAliveRequest request{.node = node_.id, .lease = lease_, .state = {}};
  if (options_.state) request.state = options_.state();
  request.state.incarnation = node_.incarnation;
  const TimePoint sent = clock_.now();
  Result<wire::KeepAliveReply> reply(Errc::cancelled);
  if (plane_ != nullptr) {
    reply = co_await ops::keep_alive(*plane_, std::move(request));
  } else {
    reply = co_await ask_gateways<wire::KeepAliveReply>(std::string(wire::kKeepAliveMethod),
                                                        std::move(request), kRenewAttempt);
  }
  if (reply) {
    // A map that was not delivered to this node may be known to clients: not a lease to serve by.
    const auto fetched = co_await fetch_map(reply->epoch, Deadline::after(kRenewAttempt));
    if (fetched) fencing_.renewed(sent, Duration(reply->lease_ns));
    if (!fetched) LOG_WARN("map not fetched", "why", fetched.error().what());
    co_return;
  }
  LOG_WARN("lease not renewed", "why", reply.error().what());
  if (reply.error().code() != Errc::not_found) co_return;
  fencing_.fence();
  const auto joined = co_await join(Deadline::after(kJoinAttempt));
  if (!joined) LOG_ERROR("the cluster does not take this node back", "why", joined.error().what());
}

Task<void> Membership::keep_alive() {
  while (co_await clock_.sleep(options_.renew_every)) co_await renew();
}

Task<void> Membership::follow_map() {
  Backoff backoff;
  while (true) {
    const auto known = co_await update_from_gateways(wire::kMapWatchMsMax);
    if (known) {
      backoff = Backoff();
      continue;
    }
    if (is_final(known.error())) LOG_ERROR("map refused", "why", known.error().what());
    co_await backoff.wait(Deadline());
  }
}

Task<void> Membership::save_maps() {
  const auto file = std::make_shared<MapFile>(options_.data_dir + "/cluster.map");
  while (true) {
    const auto seen = maps_.installed().count();
    // The map before the changes: what comes between is saved twice, and passed over when read.
    const MapSnapshot map = maps_.current();
    auto deltas = maps_.update_since(file->saved(), MapNeed::kChanges).deltas;
    if (map->epoch != 0) {
      auto save = [file, map, deltas = std::move(deltas)] { return file->save(*map, deltas); };
      const auto saved = co_await offload(disk_, std::move(save));
      if (!saved) LOG_ERROR("map not saved", "why", saved.error().what());
    }
    co_await maps_.installed().wait(seen, Deadline());
  }
}

}  // namespace aisfs::control
