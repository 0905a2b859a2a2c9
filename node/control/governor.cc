// SPDX-License-Identifier: MIT
#include "node/control/governor.h"

#include <algorithm>

#include "common/obs/log.h"
#include "node/control/ops/ops.h"

namespace aisfs::control {
namespace {

/// Forgets what is not in `now`, notes when what is in it was seen first.
void note(std::map<std::string, TimePoint>& seen,
          const std::vector<std::string>& now,
          TimePoint at) {
  std::erase_if(seen, [&](const auto& entry) {
    return std::find(now.begin(), now.end(), entry.first) == now.end();
  });
  for (const std::string& id : now) seen.try_emplace(id, at);
}

const char* what_happens(NodeState state) {
  if (state == NodeState::kActive) return "target takes part";
  if (state == NodeState::kJoining) return "target comes back";
  if (state == NodeState::kMaintenance)
    return "the last disk of a target has failed: its names move";
  return "target is away";
}

}  // namespace

Task<void> Governor::run() {
  while (co_await clock_.sleep(options_.look_every)) {
    const Status looked = co_await look();
    if (!looked)
      LOG_WARN("the cluster's targets cannot be cared for", "why", looked.error().what());
  }
}

/// The living gateway with the first id.
bool Governor::acts(const ClusterMap& map, const Alive& alive) const {
  for (const NodeInfo& gateway : map.gateways()) {
    if (alive.contains(gateway.id) && gateway.id < plane_.self()) return false;
  }
  return alive.contains(plane_.self());
}

std::map<std::string, NodeState> Governor::due_states(const ClusterMap& map, const Alive& alive) {
  std::vector<std::string> gone, come;
  std::map<std::string, NodeState> due;
  std::size_t left = 0;
  for (const auto& [id, node] : map.nodes) {
    if (!node.stores()) continue;
    const auto lives = alive.find(id);
    if (node.state == NodeState::kActive) {
      lives == alive.end() ? gone.push_back(id) : void(++left);
    } else if (node.state == NodeState::kJoining && lives != alive.end()) {
      const bool compared = lives->second.compared == map.placement.since;
      if (compared || !map.placement.has_past(id)) come.push_back(id);
    } else if (node.state == NodeState::kAway && lives != alive.end()) {
      due[id] = NodeState::kJoining;  // it joined while it was being put away
    }
  }
  const TimePoint now = clock_.now();
  note(gone_since_, gone, now);
  note(come_since_, come, now);
  // Seen twice, and not when nobody is left to take over: then they come back as they were.
  for (const std::string& id : gone) {
    if (gone_since_[id] < now && left > 0) due[id] = NodeState::kAway;
  }
  const bool gathered = std::any_of(come.begin(), come.end(), [&](const std::string& id) {
    return now - come_since_[id] >= options_.gather_joins;
  });
  if (!gathered) return due;
  for (const std::string& id : come) due[id] = NodeState::kActive;
  return due;
}

std::map<std::string, NodeState> Governor::failing_states(const ClusterMap& map,
                                                          const Alive& alive) {
  std::vector<std::string> failing;
  for (const NodeInfo* target : map.active_targets()) {
    const auto lives = alive.find(target->id);
    if (lives != alive.end() && lives->second.failing) failing.push_back(target->id);
  }
  note(failing_since_, failing, clock_.now());
  std::erase_if(kept_, [&](const std::string& id) { return !failing_since_.contains(id); });
  // One after the other: names move each time, and there may be a reason that they have in common.
  if (!map.placement.past.empty()) return {};
  for (const std::string& id : failing) {
    if (clock_.now() - failing_since_[id] < options_.failing_for) continue;
    std::map<std::string, NodeState> states{{id, NodeState::kMaintenance}};
    const Status may = ops::check_targets_left(map, states);
    if (may) return states;
    if (!kept_.insert(id).second) continue;
    LOG_ERROR("the last disk of a target has failed, and it cannot be spared", "node", id, "why",
              may.error().what());
  }
  return {};
}

bool Governor::is_settled(const ClusterMap& map, const Alive& alive) const {
  const auto has_settled = [&](const std::string& id) {
    const auto lives = alive.find(id);
    return lives != alive.end() && lives->second.settled == map.placement.since;
  };
  for (const NodeInfo* target : map.holding_targets()) {
    if (!has_settled(target->id)) return false;
  }
  return std::all_of(map.placement.past.begin(), map.placement.past.end(), [&](const auto& past) {
    return std::all_of(past.targets.begin(), past.targets.end(), [&](const std::string& id) {
      const auto& lost = map.placement.lost;
      return std::find(lost.begin(), lost.end(), id) != lost.end() || has_settled(id);
    });
  });
}

Task<Status> Governor::look() {
  CO_TRY(const auto draft, co_await plane_.maps().load());
  CO_TRY(const auto alive, co_await plane_.maps().alive());
  const ClusterMap& map = draft.map;
  if (!acts(map, alive)) co_return Status{};
  if (!map.placement.next.empty()) {
    const TimePoint now = clock_.now();
    if (stuck_epoch_ != map.epoch) {
      stuck_epoch_ = map.epoch;
      stuck_since_ = now;
    }
    if (now - stuck_since_ < options_.stuck_after) co_return Status{};
    LOG_INFO("finishing a change of targets", "epoch", map.epoch);
    co_return co_await ops::finish_placing(plane_);
  }
  auto due = due_states(map, alive);
  if (due.empty()) due = failing_states(map, alive);
  if (!due.empty()) {
    for (const auto& [id, state] : due) LOG_INFO(what_happens(state), "node", id);
    co_return co_await ops::place(plane_, std::move(due));
  }
  const bool decommissioned = std::any_of(map.nodes.begin(), map.nodes.end(), [](const auto& node) {
    return node.second.state == NodeState::kDecommission;
  });
  if (map.placement.past.empty() && !decommissioned) co_return Status{};
  if (!is_settled(map, alive)) co_return Status{};
  LOG_INFO("all names are at home", "placement", map.placement.since);
  co_return co_await ops::settle_placement(plane_, map.placement.since);
}

}  // namespace aisfs::control
