// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/rebalance_view.h"

#include "aisfs/cli/units.h"
#include "common/async/gather.h"
#include "common/base/text.h"

namespace aisfs::cli {
namespace {

constexpr Duration kAnswerMax = std::chrono::seconds(5);

Task<Result<RebalanceProgress>> ask(Session& s, NodeInfo node) {
  if (node.state == NodeState::kAway) co_return Error(Errc::not_ready, "it is away");
  Context context = s.context();
  context.deadline = Deadline::after(std::min(kAnswerMax, s.options.timeout));
  co_return co_await s.admin().rebalance(std::move(context), node.id);
}

/// Of an average: what a run that has ended took, or one that goes on has taken until now.
std::uint64_t per_second(std::uint64_t count,
                         const RebalanceProgress& progress,
                         std::int64_t unix_ns) {
  const std::int64_t end = progress.running ? unix_ns : progress.ended_ns;
  const double seconds = static_cast<double>(end - progress.started_ns) / 1e9;
  return seconds <= 0 ? 0 : static_cast<std::uint64_t>(static_cast<double>(count) / seconds);
}

}  // namespace

Task<std::vector<TargetProgress>> ask_progress(Session& s, std::vector<NodeInfo> targets) {
  std::vector<Task<Result<RebalanceProgress>>> calls;
  for (const NodeInfo& node : targets) calls.push_back(ask(s, node));
  auto answers = co_await gather(std::move(calls));
  std::vector<TargetProgress> out;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    out.push_back({std::move(targets[i]), std::move(answers[i])});
  }
  co_return out;
}

std::string_view rebalance_state(const ClusterMap& map, const TargetProgress& target) {
  if (target.node.state == NodeState::kAway) return "away";
  if (!target.says) return "no answer";
  if (map.placement.settled()) return "idle";
  const bool done = target.says->placement >= map.placement.since && !target.says->running;
  return done ? "settled" : "running";
}

std::uint64_t names_left(const RebalanceProgress& progress) {
  if (!progress.running) return 0;
  const std::uint64_t seen = std::min(progress.names_seen, progress.names_total);
  return progress.names_total - seen + progress.names_left;
}

void MoveRate::record(TimePoint now, std::int64_t unix_ns, const RebalanceProgress& progress) {
  // What is counted begins again with a placement, and names with each look at them.
  if (progress.placement != last_.placement || progress.bytes_moved < last_.bytes_moved)
    bytes_ = {};
  if (progress.placement != last_.placement || progress.names_seen < last_.names_seen) names_ = {};
  last_ = progress;
  bytes_.record(now, progress.bytes_moved);
  names_.record(now, progress.names_seen);
  bytes_per_second_ = bytes_.is_known() && progress.running
                          ? bytes_.bytes_per_second()
                          : per_second(progress.bytes_moved, progress, unix_ns);
  names_per_second_ = names_.is_known() ? names_.bytes_per_second()
                                        : per_second(progress.names_seen, progress, unix_ns);
}

Table rebalance_table(const ClusterMap& map,
                      const std::vector<TargetProgress>& targets,
                      const MoveRates& rates) {
  Table table({{"NODE"},
               {"STATE"},
               {"NAMES", Align::kRight},
               {"BYTES", Align::kRight},
               {"LEFT", Align::kRight},
               {"RATE", Align::kRight},
               {"ETA", Align::kRight}});
  for (const TargetProgress& target : targets) {
    const std::string state(rebalance_state(map, target));
    if (!target.says) {
      table.add_row({target.node.id, state, "-", "-", "-", "-", "-"});
      continue;
    }
    const RebalanceProgress& p = *target.says;
    const MoveRate& rate = rates.at(target.node.id);
    const bool running = state == "running" && p.running;
    table.add_row({target.node.id, state, std::to_string(p.names_moved), human_size(p.bytes_moved),
                   running ? std::to_string(names_left(p)) : "-",
                   p.started_ns == 0 ? "-" : human_size(rate.bytes_per_second()) + "/s",
                   running ? eta_text(names_left(p), rate.names_per_second()) : "-"});
  }
  return table;
}

JsonObject rebalance_json(const ClusterMap& map,
                          const std::vector<TargetProgress>& targets,
                          const MoveRates& rates) {
  JsonArray nodes;
  for (const TargetProgress& target : targets) {
    JsonObject node{{"id", target.node.id}, {"state", rebalance_state(map, target)}};
    if (!target.says) {
      node["error"] = target.says.error().what();
      nodes.push_back(std::move(node));
      continue;
    }
    const RebalanceProgress& p = *target.says;
    node["names_moved"] = p.names_moved;
    node["bytes_moved"] = p.bytes_moved;
    node["names_left"] = names_left(p);
    node["bytes_per_second"] = rates.at(target.node.id).bytes_per_second();
    if (p.started_ns != 0) node["started"] = iso_time(p.started_ns);
    if (p.ended_ns != 0) node["ended"] = iso_time(p.ended_ns);
    nodes.push_back(std::move(node));
  }
  return {{"placement", map.placement.since},
          {"settled", map.placement.settled()},
          {"nodes", std::move(nodes)}};
}

}  // namespace aisfs::cli
