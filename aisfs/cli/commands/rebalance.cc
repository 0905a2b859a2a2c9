// SPDX-License-Identifier: MIT
#include <boost/asio/steady_timer.hpp>

#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/commands/rebalance_view.h"
#include "aisfs/cli/units.h"
#include "common/async/clock.h"

namespace aisfs::cli {
namespace {

constexpr Duration kRefreshMin = std::chrono::milliseconds(100);

struct RebalanceArguments {
  std::string refresh;
  std::uint64_t count = 0;
};

std::vector<NodeInfo> targets_of(const ClusterMap& map) {
  std::vector<NodeInfo> targets;
  for (const auto& [_, node] : map.nodes) {
    if (node.stores()) targets.push_back(node);
  }
  return targets;
}

std::string summary_of(const ClusterMap& map) {
  if (map.placement.settled()) return "All names are where they belong.";
  return "Names move to other targets since epoch " + std::to_string(map.placement.since) + ".";
}

std::string silence_of(const ClusterMap& map, const TargetProgress& target) {
  const std::string text = target.node.id + " does not answer: " + target.says.error().what();
  const bool needed =
      target.node.state != NodeState::kMaintenance || map.placement.has_past(target.node.id);
  return printable(needed ? text : text + " (it is in maintenance, and not needed)");
}

Task<Status> show_once(Session& s, MoveRates& rates) {
  const MapSnapshot map = s.map().current();
  const std::vector<TargetProgress> targets = co_await ask_progress(s, targets_of(*map));
  for (const TargetProgress& target : targets) {
    if (target.says) {
      rates[target.node.id].record(std::chrono::steady_clock::now(), RealClock().unix_ns(),
                                   *target.says);
    }
  }
  if (s.out.json()) {
    s.out.json_line(rebalance_json(*map, targets, rates));
    co_return Status{};
  }
  Table table = rebalance_table(*map, targets, rates);
  s.out.table(table);
  s.out.line("");
  s.out.line(summary_of(*map));
  for (const TargetProgress& target : targets) {
    if (target.says || target.node.state == NodeState::kAway) continue;
    s.out.line(silence_of(*map, target));
  }
  co_return Status{};
}

Task<Status> show_rebalance(Session& s, const RebalanceArguments& arguments) {
  MoveRates rates;
  if (arguments.refresh.empty()) co_return co_await show_once(s, rates);
  CO_TRY(const Duration refresh, parse_duration(arguments.refresh));
  for (std::uint64_t shown = 1;; ++shown) {
    CO_CHECK_OK(co_await show_once(s, rates));
    if (shown == arguments.count) co_return Status{};
    asio::steady_timer pause(co_await asio::this_coro::executor, std::max(refresh, kRefreshMin));
    co_await pause.async_wait(use_ec);
    if (!s.out.json()) s.out.line("--- " + local_time(RealClock().unix_ns()) + " ---");
  }
}

}  // namespace

void add_show_rebalance(Command& show) {
  auto a = std::make_shared<RebalanceArguments>();
  Command& rebalance = show.sub("rebalance", "How far each target is with names that move");
  rebalance.option("--refresh", a->refresh, "TIME", "Again and again, until interrupted");
  rebalance.number("--count", a->count, "N", "With --refresh: so many times (0: without end)");
  rebalance.examples(
      "  ais show rebalance\n"
      "  ais show rebalance --refresh 2s\n"
      "  ais show rebalance --json | jq .settled\n\n"
      "idle: nothing is to move. running: this target looks for names that belong to others and\n"
      "gives them away. settled: it has no more of them, and others still have some.\n"
      "NAMES and BYTES have moved since the targets last changed.");
  rebalance.action([a](Session& s) { return show_rebalance(s, *a); });
}

}  // namespace aisfs::cli
