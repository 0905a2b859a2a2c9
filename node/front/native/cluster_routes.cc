// SPDX-License-Identifier: MIT
#include "node/front/native/cluster_routes.h"

#include <boost/json/array.hpp>

#include "common/async/clock.h"
#include "common/auth/authorize.h"
#include "common/placement/hrw.h"
#include "node/front/native/bprops.h"
#include "node/front/native/job_routes.h"
#include "node/front/native/mountpath_actions.h"
#include "node/front/native/node_actions.h"
#include "node/front/native/reply.h"

namespace aisfs::native {
namespace json = boost::json;
namespace {

// AIStore's Snode flags.
constexpr std::uint64_t kMaintenanceFlag = 4;
constexpr std::uint64_t kDecommissionFlag = 8;
constexpr std::uint64_t kHasMovedFlag = 16;  // in maintenance, after its rebalance

json::object net_json(const Endpoint& at, std::string_view scheme) {
  return {{"node_ip_addr", at.host},
          {"daemon_port", std::to_string(at.port)},
          {"direct_url", std::string(scheme) + at.to_string()}};
}

std::uint64_t flags_of(const ClusterMap& map, const NodeInfo& node) {
  switch (node.state) {
    case NodeState::kActive:
      return 0;
    case NodeState::kDecommission:
      return kDecommissionFlag;
    case NodeState::kMaintenance:
      return map.placement.has_past(node.id) ? kMaintenanceFlag : kMaintenanceFlag | kHasMovedFlag;
    case NodeState::kAway:
    case NodeState::kJoining:  // to clients the flag means that no name is placed on it
      return kMaintenanceFlag;
  }
  return 0;
}

json::object snode_json(const Call& call, const NodeInfo& node, std::string_view type) {
  const std::string_view inside = call.tls_inside ? "https://" : "http://";
  json::object out;
  out["public_net"] = net_json(node.public_net, call.exchange.scheme());
  out["intra_control_net"] = net_json(node.control_net, inside);
  out["intra_data_net"] = net_json(node.data_net, inside);
  out["daemon_type"] = type;
  out["daemon_id"] = node.id;
  out["flags"] = flags_of(*call.map, node);
  out["id_digest"] = placement::digest(node.id);
  return out;
}

/// A gateway's, else the first node's: the SDK wants a primary in every map.
const NodeInfo* primary_of(const ClusterMap& map) {
  for (const auto& [_, node] : map.nodes) {
    if (node.governs()) return &node;
  }
  return map.nodes.empty() ? nullptr : &map.nodes.begin()->second;
}

json::object own_snode(const Call& call) {
  const NodeInfo* node = call.map->find_node(call.node_id);
  return node == nullptr ? json::object()
                         : snode_json(call, *node, node->governs() ? "proxy" : "target");
}

json::object cluster_config(const Call& call) {
  // What the SDK asks of it: whether its requests may go to targets by themselves.
  return {{"uuid", call.map->uuid},
          {"version", std::to_string(call.map->epoch)},
          {"backend", json::object()},
          {"auth", {{"enabled", true}}},
          {"net", {{"l4", {{"proto", "tcp"}}}, {"http", {{"use_https", false}}}}},
          {"checksum", {{"type", "xxhash2"}}},
          {"features", "0"}};
}

Task<void> reply_capacity(Call& call) {
  auto capacity = co_await call.objects.capacity(call.context);
  if (!capacity) co_return co_await reply_error(call, std::move(capacity).error());
  json::object out{{"total", std::to_string(capacity->total_bytes)},
                   {"used", std::to_string(capacity->used_bytes)},
                   {"avail", std::to_string(capacity->available_bytes)},
                   {"objects", std::to_string(capacity->objects)}};
  co_await reply_json(call, std::move(out));
}

}  // namespace

json::object smap_json(const Call& call) {
  const ClusterMap& map = *call.map;
  json::object proxies, targets, out;
  for (const auto& [id, node] : map.nodes) {
    if (node.governs()) proxies[id] = snode_json(call, node, "proxy");
    if (node.stores() && node.state != NodeState::kAway)
      targets[id] = snode_json(call, node, "target");
  }
  out["pmap"] = std::move(proxies);
  out["tmap"] = std::move(targets);
  const NodeInfo* primary = primary_of(map);
  out["proxy_si"] = primary == nullptr ? json::object() : snode_json(call, *primary, "proxy");
  out["uuid"] = map.uuid;
  out["creation_time"] = "";
  out["version"] = std::to_string(map.epoch);
  return out;
}

json::object bmd_json(const ClusterMap& map, const auth::Identity& who) {
  json::object providers, out;
  for (const auto& [_, bucket] : map.buckets) {
    if (!auth::authorize(who, auth::Action::kRead, bucket)) continue;
    json::value& ns = providers[bucket.name.provider];
    if (!ns.is_object()) ns = json::object();
    json::value& names = ns.get_object()[bucket.name.ns];
    if (!names.is_object()) names = json::object();
    names.get_object()[bucket.name.name] = bprops_json(bucket);
  }
  out["uuid"] = map.uuid;
  out["version"] = std::to_string(map.epoch);
  out["providers"] = std::move(providers);
  return out;
}

Task<void> serve_cluster(Call& call) {
  const std::string what = call.query("what");
  if (call.method() == http::Method::kPut && call.target().path == "/v1/cluster") {
    return serve_node_action(call);
  }
  if (call.method() != http::Method::kGet && call.target().path == "/v1/daemon/mountpaths") {
    return serve_mountpath_action(call, call.node_id);
  }
  if (call.method() != http::Method::kGet) {
    return reply_error(call, Error(Errc::unsupported, "the cluster is administered by `ais`"));
  }
  if (auto may = auth::authorize(call.context.who, auth::Action::kShowCluster); !may) {
    return reply_error(call, std::move(may).error());
  }
  if (what == "smap" || what == "smapvote") return reply_json(call, smap_json(call));
  if (what == "mountpaths") return reply_mountpaths(call, call.node_id);
  if (what == "snode") return reply_json(call, own_snode(call));
  if (what == "bmd") return reply_json(call, bmd_json(*call.map, call.context.who));
  if (what == "cluster_config" || what == "config") return reply_json(call, cluster_config(call));
  if (is_job_question(what)) return reply_jobs(call, what);
  if (what == "backends") return reply_json(call, json::array());
  if (what == "remote") return reply_json(call, json::object());
  if (what == "capacity" || what == "node_status") return reply_capacity(call);
  return reply_error(call, Error(Errc::unsupported, "what=" + what + " is not supported"));
}

Task<void> serve_health(http::Exchange& exchange, std::int64_t started_ns) {
  http::ResponseHead head;
  const std::string uptime = std::to_string(RealClock().unix_ns() - started_ns);
  head.fields.set("Ais-Node-Uptime", uptime);
  head.fields.set("Ais-Cluster-Uptime", uptime);
  (void)co_await exchange.respond(std::move(head), std::string());
}

}  // namespace aisfs::native
