// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/bucket_view.h"
#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/commands/storage_view.h"
#include "aisfs/cli/location.h"
#include "aisfs/cli/units.h"
#include "common/base/text.h"

namespace aisfs::cli {
namespace {

constexpr Duration kCapacityMax = std::chrono::seconds(5);

std::string_view text_of(NodeRole role) {
  switch (role) {
    case NodeRole::kGateway:
      return "gateway";
    case NodeRole::kTarget:
      return "target";
    case NodeRole::kAll:
      return "all";
  }
  return "?";
}

std::string_view text_of(NodeState state) {
  switch (state) {
    case NodeState::kActive:
      return "active";
    case NodeState::kMaintenance:
      return "maintenance";
    case NodeState::kDecommission:
      return "decommission";
    case NodeState::kAway:
      return "away";
    case NodeState::kJoining:
      return "joining";
  }
  return "?";
}

Json capacity_json(const Result<Capacity>& capacity) {
  if (!capacity) return {{"error", capacity.error().what()}};
  return {{"total", capacity->total_bytes},
          {"used", capacity->used_bytes},
          {"available", capacity->available_bytes},
          {"objects", capacity->objects}};
}

JsonArray alerts_json(const std::vector<std::string>& alerts) {
  JsonArray out;
  for (const std::string& alert : alerts) out.emplace_back(alert);
  return out;
}

JsonObject cluster_json(const ClusterMap& map,
                        const Result<Capacity>& capacity,
                        const std::vector<std::string>& alerts) {
  JsonArray nodes;
  for (const auto& [id, node] : map.nodes) {
    nodes.push_back({{"id", id},
                     {"role", text_of(node.role)},
                     {"state", text_of(node.state)},
                     {"public", node.public_net.to_string()},
                     {"s3", node.s3_net.to_string()},
                     {"incarnation", node.incarnation}});
  }
  return {{"uuid", map.uuid},
          {"epoch", map.epoch},
          {"store", map.store_node.empty() ? "etcd" : map.store_node},
          {"nodes", std::move(nodes)},
          {"buckets", map.buckets.size()},
          {"capacity", capacity_json(capacity)},
          {"alerts", alerts_json(alerts)}};
}

void print_nodes(Output& out, const ClusterMap& map) {
  Table table({{"NODE"}, {"ROLE"}, {"STATE"}, {"PUBLIC"}, {"S3"}});
  for (const auto& [id, node] : map.nodes) {
    table.add_row({id, std::string(text_of(node.role)), std::string(text_of(node.state)),
                   node.public_net.to_string(), node.s3_net ? node.s3_net.to_string() : "-"});
  }
  out.table(table);
}

std::string control_of(const ClusterMap& map) {
  if (!map.store_node.empty()) {
    return "embedded in " + map.store_node + "; while it is away nothing changes in the cluster";
  }
  return "in etcd, by " + std::to_string(map.gateways().size()) + " gateway(s)";
}

void print_capacity(Output& out, const Result<Capacity>& capacity) {
  if (!capacity) {
    out.line("  Capacity:     not known: " + printable(capacity.error().what()));
    return;
  }
  out.line("  Capacity:     " + human_size(capacity->used_bytes) + " used, " +
           human_size(capacity->available_bytes) + " available of " +
           human_size(capacity->total_bytes));
  out.line("  Objects:      " + std::to_string(capacity->objects));
}

/// What can be done about a target that has gone.
void print_away(Output& out, const ClusterMap& map) {
  for (const auto& [id, node] : map.nodes) {
    if (node.state != NodeState::kAway) continue;
    out.line("  Away:         " + id + ": names that may be on it alone are answered 503;");
    out.line(
        "                bring it back, or, if its disks are gone: ais cluster "
        "add-remove-nodes decommission --data-lost " +
        id);
  }
}

void print_summary(Output& out,
                   const ClusterMap& map,
                   const Result<Capacity>& capacity,
                   const std::vector<std::string>& alerts) {
  out.line("");
  out.line("Summary:");
  out.line("  Targets:      " + std::to_string(map.active_targets().size()) + " active");
  out.line("  Buckets:      " + std::to_string(map.buckets.size()));
  print_capacity(out, capacity);
  out.line("  Cluster map:  epoch " + std::to_string(map.epoch) + ", uuid " + map.uuid);
  out.line("  Control:      " + control_of(map));
  if (!map.placement.past.empty()) {
    out.line("  Placement:    names move to other targets; see ais show rebalance");
  }
  print_away(out, map);
  for (const std::string& alert : alerts) out.line("  Mountpath:    " + alert);
}

Task<Status> show_cluster(Session& s) {
  const MapSnapshot map = s.map().current();
  if (!s.out.json()) print_nodes(s.out, *map);
  // What is wrong with a cluster is seen here: a target that does not answer must not hide it.
  Context context = s.context();
  context.deadline = Deadline::after(std::min(kCapacityMax, s.options.timeout));
  const Result<Capacity> capacity = co_await s.objects().capacity(context);
  std::vector<NodeInfo> targets;
  for (const NodeInfo* node : map->active_targets()) targets.push_back(*node);
  const auto alerts = storage_alerts(co_await ask_storage(s, std::move(targets)));
  if (s.out.json()) {
    s.out.json_line(cluster_json(*map, capacity, alerts));
    co_return Status{};
  }
  print_summary(s.out, *map, capacity, alerts);
  co_return Status{};
}

Task<Status> show_bucket(Session& s, const std::string& text) {
  CO_TRY(BucketName name, parse_bucket(text));
  CO_TRY(const Bucket bucket, co_await s.admin().find_bucket(s.context(), name));
  if (s.out.json())
    s.out.json_line(bucket_json(bucket));
  else
    print_bucket(s.out, bucket);
  co_return Status{};
}

}  // namespace

void add_show(Command& root) {
  Command& show = root.sub("show", "Show the cluster, its rebalance, its jobs, or a bucket");
  Command& cluster = show.sub("cluster", "Nodes, capacity and the cluster map");
  cluster.examples("  ais show cluster\n  ais show cluster --json | jq .nodes");
  cluster.action([](Session& s) { return show_cluster(s); });

  auto name = std::make_shared<std::string>();
  Command& bucket = show.sub("bucket", "Owner and properties of a bucket");
  bucket.word("bucket", *name, Names::kBucket, Command::Need::kRequired, "BUCKET");
  bucket.examples("  ais show bucket ais://demo");
  bucket.action([name](Session& s) { return show_bucket(s, *name); });

  add_show_rebalance(show);
  add_show_job(show);
}

}  // namespace aisfs::cli
