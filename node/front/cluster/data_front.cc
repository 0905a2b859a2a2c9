// SPDX-License-Identifier: MIT
#include "node/front/cluster/data_front.h"

#include "common/wire/data.h"
#include "node/front/cluster/peer_routes.h"
#include "node/front/native/epoch.h"
#include "node/front/native/object_routes.h"
#include "node/front/native/reply.h"
#include "node/front/native/rpc.h"

namespace aisfs::cluster {
namespace {

using native::Call;
using native::NativeFrontDeps;

Call make_call(const NativeFrontDeps& deps,
               http::Exchange& exchange,
               auth::Identity who,
               MapSnapshot map) {
  Call call{.exchange = exchange,
            .objects = deps.here != nullptr ? *deps.here : deps.objects,
            .admin = deps.admin,
            .maps = deps.maps,
            .node_id = deps.node_id,
            .context = {},
            .body = exchange.body(),
            .map = std::move(map),
            .marked = true};
  call.context.who = std::move(who);
  call.context.epoch = call.map->epoch;
  call.context.trace = exchange.request().fields.get(wire::kTraceHeader);
  call.context.session = native::session_of(exchange.request());
  call.context.unless_newer = native::unless_newer_of(exchange.request());
  return call;
}

Task<void> route(Call& call, bool stores, target::LocalTarget* target) {
  const std::string& path = call.target().path;
  if (target != nullptr && is_peer_method(call.target())) return serve_peer(call, *target);
  const bool methods = path.starts_with(wire::kRpcPath);
  if (!stores && (!methods || native::is_object_method(call.target()))) {
    return native::reply_error(call, Error(Errc::stale_map, "this node stores nothing"));
  }
  if (methods) return native::serve_rpc(call);
  if (path.starts_with(wire::kObjectsPath)) return native::serve_objects(call);
  return native::reply_error(call, Error(Errc::not_found, "there is no such path between nodes"));
}

Task<void> serve(std::shared_ptr<const NativeFrontDeps> deps,
                 target::LocalTarget* target,
                 http::Exchange& exchange) {
  auto verified =
      deps->verifier.verify(exchange.request(), exchange.target(), auth::Front::kCluster);
  if (!verified) {
    co_return co_await native::reply_error(exchange, deps->node_id, std::move(verified).error());
  }
  std::string epoch(exchange.request().fields.get(wire::kEpochHeader));
  auto map = co_await native::agree_on_epoch(deps->maps, std::move(epoch));
  MapSnapshot known = map ? *map : deps->maps.current();
  Call call = make_call(*deps, exchange, std::move(verified->who), std::move(known));
  if (!map) co_return co_await native::reply_error(call, std::move(map).error());
  co_await route(call, deps->here != nullptr, target);
}

}  // namespace

http::Handler make_data_handler(NativeFrontDeps deps, target::LocalTarget* target) {
  auto shared = std::make_shared<const NativeFrontDeps>(std::move(deps));
  return [shared = std::move(shared), target](http::Exchange& exchange) {
    return serve(shared, target, exchange);
  };
}

}  // namespace aisfs::cluster
