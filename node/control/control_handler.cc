// SPDX-License-Identifier: MIT
#include "node/control/control_handler.h"

#include "common/base/text.h"
#include "common/client/messages.h"
#include "common/obs/log.h"
#include "common/wire/control.h"
#include "common/wire/error_text.h"
#include "common/wire/map_delta.h"
#include "common/wire/map_watch.h"
#include "node/control/ops/ops.h"

namespace aisfs::control {
namespace {

constexpr std::size_t kBodyBytesMax = 16 << 20;
constexpr Duration kRequestMax = std::chrono::seconds(30);

using Bytes = Task<Result<std::string>>;
using Method = Bytes (*)(const ControlHandlerDeps&, Context, std::string);

template <class T>
Result<std::string> encoded(Result<T> value) {
  if (!value) return std::move(value).error();
  return wire::encode(*value);
}
Result<std::string> encoded(Status status) {
  if (!status) return std::move(status).error();
  return wire::encode(wire::Nothing{});
}

Error not_here(std::string_view what) {
  return Error(Errc::unsupported, "this node is no gateway " + std::string(what));
}

/// Only a node in its own name may use the store and the map with its sealed secrets.
Status need_node(const Context& context) {
  if (context.who.kind() == auth::Identity::Kind::kNode) return {};
  return Error(Errc::permission_denied, "only nodes may do this");
}

Bytes run_join(const ControlHandlerDeps& deps, Context, std::string body) {
  if (deps.plane == nullptr) co_return not_here("and lets no node join");
  CO_TRY(auto request, wire::decode<wire::JoinRequest>(body));
  co_return encoded(co_await ops::join(*deps.plane, std::move(request)));
}

Bytes run_keep_alive(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_CHECK_OK(need_node(context));
  if (deps.plane == nullptr) co_return not_here("and keeps no leases");
  CO_TRY(auto request, wire::decode<wire::KeepAliveRequest>(body));
  co_return encoded(co_await ops::keep_alive(*deps.plane, std::move(request)));
}

Bytes run_leave(const ControlHandlerDeps& deps, Context context, std::string body) {
  if (deps.plane == nullptr) co_return not_here("and changes no map");
  CO_TRY(auto request, wire::decode<wire::LeaveRequest>(body));
  co_return encoded(co_await ops::leave(*deps.plane, context.who, std::move(request)));
}

Bytes run_map_push(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_CHECK_OK(need_node(context));
  CO_TRY(auto map, wire::decode<ClusterMap>(body));
  CO_TRY(const Epoch epoch, deps.maps.install(std::move(map)));
  if (deps.in_force) co_await deps.in_force(epoch);
  co_return wire::encode(wire::EpochReply{epoch});
}

Bytes run_map_apply(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_CHECK_OK(need_node(context));
  CO_TRY(const auto update, wire::decode<wire::MapUpdate>(body));
  const auto epoch = deps.maps.apply(update);
  if (!epoch && epoch.error() == Errc::stale_map) {  // begins elsewhere: the sender hears where
    co_return wire::encode(wire::EpochReply{deps.maps.current()->epoch});
  }
  if (!epoch) co_return epoch.error();
  if (deps.in_force) co_await deps.in_force(*epoch);
  co_return wire::encode(wire::EpochReply{*epoch});
}

Bytes run_rename_prefix(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_CHECK_OK(need_node(context));
  if (deps.plane == nullptr) co_return not_here("and changes no map");
  CO_TRY(auto request, wire::decode<wire::RenamePrefixRequest>(body));
  CO_TRY(const Epoch epoch, co_await ops::rename_prefix(*deps.plane, std::move(request)));
  co_return wire::encode(wire::EpochReply{epoch});
}

Bytes run_allow_implied_dirs(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_CHECK_OK(need_node(context));
  if (deps.plane == nullptr) co_return not_here("and changes no map");
  CO_TRY(const auto request, wire::decode<wire::AllowImpliedDirsRequest>(body));
  CO_TRY(const Epoch epoch, co_await ops::allow_implied_dirs(*deps.plane, request.bucket));
  co_return wire::encode(wire::EpochReply{epoch});
}

Bytes run_end_mapping(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_CHECK_OK(need_node(context));
  if (deps.plane == nullptr) co_return not_here("and changes no map");
  CO_TRY(auto request, wire::decode<wire::EndMappingRequest>(body));
  CO_TRY(const Epoch epoch, co_await ops::end_mapping(*deps.plane, std::move(request.mapping)));
  co_return wire::encode(wire::EpochReply{epoch});
}

/// Returns when there is a newer map than that, or after a while, or when the node stops.
Task<void> wait_for_newer(const ControlHandlerDeps& deps, Epoch known, std::uint32_t wait_ms) {
  const auto wait = std::chrono::milliseconds(std::min(wait_ms, wire::kMapWatchMsMax));
  const Deadline deadline = Deadline::after(wait);
  while (true) {
    const auto seen = deps.maps.installed().count();
    const bool newer = deps.maps.current()->epoch > known;
    if (newer || deadline.expired() || deps.maps.closed()) co_return;
    co_await deps.maps.installed().wait(seen, deadline);
  }
}

Bytes run_map_watch(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_CHECK_OK(need_node(context));
  CO_TRY(const auto request, wire::decode<wire::MapWatchRequest>(body));
  co_await wait_for_newer(deps, request.known, request.wait_ms);
  co_return wire::encode(*deps.maps.current());
}

Bytes run_map_update(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_CHECK_OK(need_node(context));
  CO_TRY(const auto request, wire::decode<wire::MapUpdateRequest>(body));
  co_await wait_for_newer(deps, request.known, request.wait_ms);
  co_return wire::encode(
      deps.maps.update_since(request.known, request.whole ? MapNeed::kWhole : MapNeed::kEither));
}

Bytes run_cluster_status(const ControlHandlerDeps& deps, Context, std::string) {
  if (deps.plane == nullptr) co_return not_here("and sees no leases");
  wire::ClusterStatus status;
  status.epoch = deps.maps.current()->epoch;
  CO_TRY(const auto alive, co_await deps.plane->maps().alive());
  for (const auto& [id, _] : alive) status.alive.push_back(id);
  co_return wire::encode(status);
}

template <class Request, auto Operation>
Bytes run_meta(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_CHECK_OK(need_node(context));
  if (deps.store == nullptr) co_return not_here("that holds the cluster's store");
  CO_TRY(auto request, wire::decode<Request>(body));
  co_return encoded(co_await (deps.store->*Operation)(std::move(request)));
}

Bytes run_meta_grant(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_CHECK_OK(need_node(context));
  if (deps.store == nullptr) co_return not_here("that holds the cluster's store");
  CO_TRY(const auto request, wire::decode<meta::LeaseRequest>(body));
  CO_TRY(const auto lease, co_await deps.store->grant(Duration(request.ttl_ns)));
  co_return wire::encode(meta::LeaseReply{lease, request.ttl_ns});
}

Bytes run_meta_keep_alive(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_CHECK_OK(need_node(context));
  if (deps.store == nullptr) co_return not_here("that holds the cluster's store");
  CO_TRY(const auto request, wire::decode<meta::LeaseRequest>(body));
  CO_TRY(const Duration ttl, co_await deps.store->keep_alive(request.id));
  co_return wire::encode(meta::LeaseReply{request.id, ttl.count()});
}

Bytes run_meta_revoke(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_CHECK_OK(need_node(context));
  if (deps.store == nullptr) co_return not_here("that holds the cluster's store");
  CO_TRY(const auto request, wire::decode<meta::LeaseRequest>(body));
  CO_CHECK_OK(co_await deps.store->revoke(request.id));
  co_return wire::encode(meta::LeaseReply{request.id, 0});
}

Result<std::string> encoded_bucket(Result<Bucket> bucket) {
  if (!bucket) return std::move(bucket).error();
  return wire::encode(wire::BucketReply{*std::move(bucket)});
}

Bytes run_create_bucket(const ControlHandlerDeps& deps, Context context, std::string body) {
  if (deps.plane == nullptr) co_return not_here("and changes no map");
  CO_TRY(auto r, wire::decode<wire::BucketPropsRequest>(body));
  co_return encoded_bucket(
      co_await deps.admin.create_bucket(std::move(context), std::move(r.bucket), r.props));
}
Bytes run_set_props(const ControlHandlerDeps& deps, Context context, std::string body) {
  if (deps.plane == nullptr) co_return not_here("and changes no map");
  CO_TRY(auto r, wire::decode<wire::BucketPropsRequest>(body));
  co_return encoded_bucket(
      co_await deps.admin.set_bucket_props(std::move(context), std::move(r.bucket), r.props));
}
Bytes run_destroy_bucket(const ControlHandlerDeps& deps, Context context, std::string body) {
  if (deps.plane == nullptr) co_return not_here("and changes no map");
  CO_TRY(auto r, wire::decode<wire::DestroyBucketRequest>(body));
  co_return encoded(
      co_await deps.admin.destroy_bucket(std::move(context), std::move(r.bucket), r.force));
}
Bytes run_create_user(const ControlHandlerDeps& deps, Context context, std::string body) {
  if (deps.plane == nullptr) co_return not_here("and changes no map");
  CO_TRY(auto r, wire::decode<wire::CreateUserRequest>(body));
  co_return encoded(co_await deps.admin.create_user(std::move(context), std::move(r.user)));
}
Bytes run_remove_user(const ControlHandlerDeps& deps, Context context, std::string body) {
  if (deps.plane == nullptr) co_return not_here("and changes no map");
  CO_TRY(auto r, wire::decode<wire::RemoveUserRequest>(body));
  co_return encoded(co_await deps.admin.remove_user(std::move(context), std::move(r.id)));
}

Bytes run_change_node(const ControlHandlerDeps& deps, Context context, std::string body) {
  if (deps.plane == nullptr) co_return not_here("and changes no map");
  CO_TRY(auto r, wire::decode<wire::ChangeNodeRequest>(body));
  co_return encoded(
      co_await deps.admin.change_node(std::move(context), std::move(r.node), r.action));
}

/// What a node is asked about itself goes no further: the sender has another's address.
Status need_self(const ControlHandlerDeps& deps, const std::string& node) {
  if (node == deps.node_id) return {};
  return Error(Errc::not_ready, "node " + node + " is not here, but " + deps.node_id);
}

Bytes run_shut_down_node(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_TRY(auto r, wire::decode<wire::NodeRequest>(body));
  CO_CHECK_OK(need_self(deps, r.node));
  co_return encoded(co_await deps.admin.shut_down_node(std::move(context), std::move(r.node)));
}
Bytes run_rebalance(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_TRY(auto r, wire::decode<wire::NodeRequest>(body));
  CO_CHECK_OK(need_self(deps, r.node));
  co_return encoded(co_await deps.admin.rebalance(std::move(context), std::move(r.node)));
}

Bytes run_scrub(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_TRY(auto r, wire::decode<wire::ScrubRequest>(body));
  CO_CHECK_OK(need_self(deps, r.node));
  co_return encoded(co_await deps.admin.scrub(std::move(context), std::move(r.node), r.action));
}
Bytes run_change_mountpath(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_TRY(auto r, wire::decode<wire::ChangeMountpathRequest>(body));
  CO_CHECK_OK(need_self(deps, r.node));
  MountpathChange change = r.change();
  co_return encoded(co_await deps.admin.change_mountpath(std::move(context), std::move(r.node),
                                                         std::move(change)));
}
Bytes run_storage(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_TRY(auto r, wire::decode<wire::NodeRequest>(body));
  CO_CHECK_OK(need_self(deps, r.node));
  co_return encoded(co_await deps.admin.storage(std::move(context), std::move(r.node)));
}

Bytes run_start_job(const ControlHandlerDeps& deps, Context context, std::string body) {
  if (deps.jobs == nullptr) co_return not_here("and starts no jobs");
  CO_TRY(auto r, wire::decode<wire::StartJobRequest>(body));
  wire::JobIdReply reply;
  CO_TRY(reply.id,
         co_await deps.jobs->start_job(std::move(context), std::move(r.spec), std::move(r.id)));
  co_return wire::encode(reply);
}
Bytes run_stop_jobs(const ControlHandlerDeps& deps, Context context, std::string body) {
  if (deps.jobs == nullptr) co_return not_here("and stops no jobs");
  CO_TRY(auto r, wire::decode<wire::JobsRequest>(body));
  co_return encoded(co_await deps.jobs->stop_jobs(std::move(context), std::move(r.query)));
}
Bytes run_list_jobs(const ControlHandlerDeps& deps, Context context, std::string body) {
  if (deps.jobs == nullptr) co_return not_here("and knows no jobs");
  CO_TRY(auto r, wire::decode<wire::JobsRequest>(body));
  wire::JobsReply reply;
  CO_TRY(reply.jobs, co_await deps.jobs->list_jobs(std::move(context), std::move(r.query)));
  co_return wire::encode(reply);
}
Bytes run_report_jobs(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_CHECK_OK(need_node(context));
  if (deps.jobs == nullptr) co_return not_here("and knows no jobs");
  CO_TRY(auto r, wire::decode<wire::ReportJobsRequest>(body));
  co_return encoded(co_await deps.jobs->report(std::move(context), std::move(r)));
}
Bytes run_job_names(const ControlHandlerDeps& deps, Context context, std::string body) {
  CO_CHECK_OK(need_node(context));
  if (deps.jobs == nullptr) co_return not_here("and knows no jobs");
  CO_TRY(auto r, wire::decode<wire::JobNamesRequest>(body));
  co_return encoded(co_await deps.jobs->names(std::move(context), std::move(r.id)));
}

const std::map<std::string_view, Method>& methods() {
  static const std::map<std::string_view, Method> table = {
      {wire::kJoinMethod, run_join},
      {wire::kLeaveMethod, run_leave},
      {wire::kKeepAliveMethod, run_keep_alive},
      {wire::kMapPushMethod, run_map_push},
      {wire::kMapApplyMethod, run_map_apply},
      {wire::kRenamePrefixMethod, run_rename_prefix},
      {wire::kAllowImpliedDirsMethod, run_allow_implied_dirs},
      {wire::kEndMappingMethod, run_end_mapping},
      {wire::kMapWatchMethod, run_map_watch},
      {wire::kMapUpdateMethod, run_map_update},
      {wire::kClusterStatusMethod, run_cluster_status},
      {wire::kMetaGetMethod, run_meta<meta::GetRequest, &MetaStore::get>},
      {wire::kMetaTxnMethod, run_meta<meta::TxnRequest, &MetaStore::txn>},
      {wire::kMetaWatchMethod, run_meta<meta::WatchRequest, &MetaStore::watch>},
      {wire::kMetaGrantMethod, run_meta_grant},
      {wire::kMetaKeepAliveMethod, run_meta_keep_alive},
      {wire::kMetaRevokeMethod, run_meta_revoke},
      {wire::name_of(wire::DataMethod::create_bucket), run_create_bucket},
      {wire::name_of(wire::DataMethod::set_bucket_props), run_set_props},
      {wire::name_of(wire::DataMethod::destroy_bucket), run_destroy_bucket},
      {wire::name_of(wire::DataMethod::create_user), run_create_user},
      {wire::name_of(wire::DataMethod::remove_user), run_remove_user},
      {wire::name_of(wire::DataMethod::change_node), run_change_node},
      {wire::name_of(wire::DataMethod::shut_down_node), run_shut_down_node},
      {wire::name_of(wire::DataMethod::rebalance), run_rebalance},
      {wire::name_of(wire::DataMethod::scrub), run_scrub},
      {wire::name_of(wire::DataMethod::change_mountpath), run_change_mountpath},
      {wire::name_of(wire::DataMethod::storage), run_storage},
      {wire::kStartJobMethod, run_start_job},
      {wire::kStopJobsMethod, run_stop_jobs},
      {wire::kListJobsMethod, run_list_jobs},
      {wire::kReportJobsMethod, run_report_jobs},
      {wire::kJobNamesMethod, run_job_names},
  };
  return table;
}

Task<Result<std::string>> dispatch(const ControlHandlerDeps& deps, http::Exchange& exchange) {
  const std::string& path = exchange.target().path;
  const bool ours = path.starts_with(wire::kRpcPath) &&
                    exchange.request().method == http::Method::kPost;
  const auto it = ours ? methods().find(std::string_view(path).substr(wire::kRpcPath.size()))
                       : methods().end();
  if (it == methods().end()) co_return Error(Errc::not_found, "no such method on a control listener");

  Context context;
  context.deadline = Deadline::after(kRequestMax);
  context.trace = exchange.request().fields.get(wire::kTraceHeader);
  if (it->first != wire::kJoinMethod) {  // a join proves itself
    CO_TRY(auto verified, deps.verifier.verify(exchange.request(), exchange.target(),
                                               auth::Front::kCluster));
    context.who = std::move(verified.who);
  }
  CO_TRY(auto body, co_await read_all(exchange.body(), kBodyBytesMax));
  co_return co_await it->second(deps, std::move(context), std::move(body));
}

/// Whoever forwards with a newer map than ours makes us look for it; the answer does not wait.
void note_epoch(const ControlHandlerDeps& deps, const http::Exchange& exchange) {
  const auto epoch = parse_u64(exchange.request().fields.get(wire::kEpochHeader));
  if (epoch && *epoch > deps.maps.current()->epoch) deps.maps.wanted().notify();
}

Task<void> serve(const ControlHandlerDeps& deps, http::Exchange& exchange) {
  note_epoch(deps, exchange);
  auto reply = co_await dispatch(deps, exchange);
  http::ResponseHead head;
  head.fields.set(wire::kEpochHeader, std::to_string(deps.maps.current()->epoch));
  std::string body;
  if (reply) {
    head.fields.set("Content-Type", wire::kEnvelopeType);
    body = *std::move(reply);
  } else {
    head.status = info(reply.error().code()).http;
    head.fields.set(wire::kErrorHeader, wire::encode_error(reply.error()));
    LOG_DEBUG("control request refused", "path", exchange.target().path, "why", reply.error().what());
  }
  static_cast<void>(co_await exchange.respond(std::move(head), std::move(body)));
}

}  // namespace

http::Handler make_control_handler(ControlHandlerDeps deps) {
  return [deps = std::make_shared<const ControlHandlerDeps>(deps)](http::Exchange& exchange) {
    return serve(*deps, exchange);
  };
}

}  // namespace aisfs::control
