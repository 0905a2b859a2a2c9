// SPDX-License-Identifier: MIT
#include "node/front/native/native_front.h"

#include <array>

#include "common/wire/data.h"
#include "common/wire/leases.h"
#include "common/wire/map_watch.h"
#include "node/front/native/bucket_routes.h"
#include "node/front/native/cluster_routes.h"
#include "node/front/native/epoch.h"
#include "node/front/native/mountpath_actions.h"
#include "node/front/native/object_routes.h"
#include "node/front/native/redirect.h"
#include "node/front/native/reply.h"
#include "node/front/native/rpc.h"
#include "node/front/native/rpc_jobs.h"

namespace aisfs::native {
namespace {

bool is_under(std::string_view path, std::string_view root) {
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

/// A ticket of a redirect counts as the credentials of whom it names; never those of a node.
Result<auth::Verified> verify(const auth::Verifier& verifier, http::Exchange& exchange) {
  const auto before = head_of_ticket(exchange.request());
  if (!before) {
    return verifier.verify(exchange.request(), exchange.target(), auth::Front::kPublic);
  }
  TRY(const http::Target target, http::Target::parse(before->target));
  TRY(auth::Verified verified, verifier.verify(*before, target, auth::Front::kCluster));
  if (verified.who.kind() == auth::Identity::Kind::kNode) {
    return Error(Errc::unauthenticated, "a ticket does not stand for a node");
  }
  return verified;
}

/// Of AIStore's API and not of this: a client sees that it is not here, instead of doubting its URL.
constexpr std::array kNotHere = {"/v1/etl",    "/v1/download", "/v1/sort",
                                 "/v1/notifs", "/v1/ic",       "/v1/ml"};

Task<void> route(Call& call) {
  const std::string& path = call.target().path;
  if (is_under(path, "/v1/objects")) return serve_objects(call);
  if (is_under(path, "/v1/buckets")) return serve_buckets(call);
  if (is_under(path, "/v1/x")) return serve_rpc(call);
  if (is_under(path, "/v1/daemon") || is_under(path, "/v1/cluster")) return serve_cluster(call);
  if (is_under(path, "/v1/reverse")) return serve_reverse(call);
  for (const char* prefix : kNotHere) {
    if (!is_under(path, prefix)) continue;
    return reply_error(call, Error(Errc::unsupported, std::string(prefix) + " is not supported"));
  }
  return reply_error(call, Error(Errc::not_found, "there is no such path in the API"));
}

/// The epoch that the map must have for the request: whoever asks for the map, for what has
/// changed, or how a node is may know any.
std::string epoch_of(const http::Exchange& exchange) {
  std::string epoch(exchange.request().fields.get(wire::kEpochHeader));
  std::string_view method = exchange.target().path;
  if (epoch.empty() || !method.starts_with(wire::kRpcPath)) return epoch;
  method.remove_prefix(wire::kRpcPath.size());
  const bool any = method == wire::kMapWatchMethod || method == wire::kLeasePollMethod ||
                   is_job_method(method) || method == wire::name_of(wire::DataMethod::rebalance) ||
                   method == wire::name_of(wire::DataMethod::scrub) ||
                   method == wire::name_of(wire::DataMethod::storage) ||
                   method == wire::name_of(wire::DataMethod::change_mountpath);
  return any ? std::string() : epoch;
}

Call make_call(const NativeFrontDeps& deps,
               http::Exchange& exchange,
               auth::Identity who,
               BodySource& body) {
  const bool marked = exchange.request().fields.get(wire::kScopeHeader) == wire::kScopeNode;
  const bool local = marked && deps.here != nullptr;
  Call call{.exchange = exchange,
            .objects = local ? *deps.here : deps.objects,
            .admin = deps.admin,
            .maps = deps.maps,
            .node_id = deps.node_id,
            .context = {},
            .body = body,
            .map = deps.maps.current(),
            .stored = deps.stored,
            .marked = marked};
  call.context.who = std::move(who);
  call.context.trace = exchange.request().fields.get(wire::kTraceHeader);
  call.context.session = session_of(exchange.request());
  call.context.unless_newer = unless_newer_of(exchange.request());
  call.may_redirect = true;
  call.key = &deps.verifier.key();
  call.started_ns = deps.started_ns;
  call.tls_inside = deps.tls_inside;
  call.jobs_api = deps.jobs;
  return call;
}

/// A request for this node's own disks at a node that has none.
bool is_misdirected(const NativeFrontDeps& deps, const Call& call) {
  if (!call.marked || deps.here != nullptr) return false;
  return is_under(call.target().path, "/v1/objects") || is_object_method(call.target());
}

Task<void> serve(std::shared_ptr<const NativeFrontDeps> deps, http::Exchange& exchange) {
  if (is_under(exchange.target().path, "/v1/health")) {
    co_return co_await serve_health(exchange, deps->started_ns);
  }
  auto verified = verify(deps->verifier, exchange);
  if (!verified) {
    co_return co_await reply_error(exchange, deps->node_id, std::move(verified).error());
  }
  auth::VerifiedBody body(exchange.body(), verified->body);
  Call call = make_call(*deps, exchange, std::move(verified->who), body.source());
  if (std::string epoch = epoch_of(exchange); !epoch.empty()) {
    auto agreed = co_await agree_on_epoch(call.maps, std::move(epoch));
    if (!agreed) co_return co_await reply_error(call, std::move(agreed).error());
    call.map = *std::move(agreed);
    if (call.marked) call.context.epoch = call.map->epoch;
  }
  if (is_misdirected(*deps, call)) {
    Error error(Errc::stale_map, "node " + deps->node_id + " stores nothing");
    co_return co_await reply_error(call, std::move(error));
  }
  co_await route(call);
}

}  // namespace

http::Handler make_native_handler(NativeFrontDeps deps) {
  auto shared = std::make_shared<const NativeFrontDeps>(std::move(deps));
  return [shared = std::move(shared)](http::Exchange& exchange) { return serve(shared, exchange); };
}

}  // namespace aisfs::native
