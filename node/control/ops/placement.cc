// SPDX-License-Identifier: MIT
// Targets that come and go: the steps of ClusterMap::placement.
#include <algorithm>

#include "common/obs/log.h"
#include "node/control/ops/ops.h"
#include "node/control/ops/rights.h"

namespace aisfs::control::ops {
namespace {

// Sets that may hold something; a cluster whose targets come and go faster than their names move
// waits with the next change.
constexpr std::size_t kPastMax = 32;

std::vector<std::string> active_ids(const ClusterMap& map) {
  std::vector<std::string> ids;
  for (const NodeInfo* target : map.active_targets()) ids.push_back(target->id);
  return ids;
}

void set_states(ClusterMap& map, const std::map<std::string, NodeState>& states) {
  for (const auto& [id, state] : states) {
    const auto node = map.nodes.find(id);
    if (node != map.nodes.end()) node->second.state = state;
  }
}

void add_past(ClusterMap& map, PastTargets past) {
  for (const std::string& id : past.targets) {
    const NodeInfo* node = map.find_node(id);
    if (node != nullptr) map.placement.hosts.try_emplace(id, node->host_id);
  }
  std::erase_if(map.placement.past,
                [&](const PastTargets& old) { return old.targets == past.targets; });
  map.placement.past.push_back(std::move(past));
}

/// The last step: the names lie where the new states say.
Status commit(MapDraft& draft) {
  Placement& placement = draft.map.placement;
  if (placement.next.empty()) return {};  // another gateway was faster
  PastTargets old{.until = draft.map.epoch + 1, .targets = active_ids(draft.map)};
  set_states(draft.map, std::exchange(placement.next, {}));
  placement.held = false;
  placement.since = draft.map.epoch + 1;
  if (old.targets.empty() || old.targets == active_ids(draft.map)) return {};
  add_past(draft.map, std::move(old));
  return {};
}

std::size_t targets_needed(const BucketProps& props) {
  return std::max<std::size_t>(props.copies, props.erasure.slices());
}

/// As errors say it.
std::string what_it_keeps(const BucketProps& props) {
  if (!props.erasure.enabled()) return std::to_string(props.copies) + " copies";
  return to_string(props.erasure) + " slices";
}

/// Makes the change known before it holds names back, and holds them before it is made.
Task<Result<MapDraft>> hold_and_commit(ControlPlane& plane) {
  const MapStore::Edit hold = [](MapDraft& draft) -> Status {
    if (!draft.map.placement.next.empty()) draft.map.placement.held = true;
    return {};
  };
  CO_TRY([[maybe_unused]] const auto held, co_await plane.change(hold));
  co_return co_await plane.change(commit);
}

NodeState state_after(NodeAction action) {
  switch (action) {
    case NodeAction::kStartMaintenance:
      return NodeState::kMaintenance;
    case NodeAction::kStopMaintenance:
      return NodeState::kJoining;
    case NodeAction::kDecommission:
      return NodeState::kDecommission;
    case NodeAction::kDataLost:
      break;
  }
  return NodeState::kAway;
}

Error no_such_node(const std::string& id) {
  return Error(Errc::not_found, "the cluster has no node " + id + "; see ais show cluster");
}

/// A gateway holds nothing: it goes at once.
Task<Status> remove_gateway(ControlPlane& plane, std::string id) {
  const MapStore::Edit edit = [id](MapDraft& draft) -> Status {
    if (id == draft.map.store_node) {
      return Error(Errc::busy, "gateway " + id + " holds the cluster map");
    }
    draft.map.nodes.erase(id);
    draft.records.erase(id);
    return {};
  };
  CO_TRY([[maybe_unused]] const auto draft, co_await plane.change(edit));
  co_return Status{};
}

/// What only this node had is said not to exist from now on.
Task<Status> give_up(ControlPlane& plane, std::string id) {
  CO_TRY(const auto alive, co_await plane.maps().alive());
  const MapStore::Edit edit = [id, lives = alive.contains(id)](MapDraft& draft) -> Status {
    const NodeInfo* node = draft.map.find_node(id);
    if (node == nullptr) return no_such_node(id);
    if (lives || node->state == NodeState::kActive || node->state == NodeState::kJoining) {
      return Error(Errc::busy, "node " + id +
                                   " is not away: what it holds can still be had; use "
                                   "decommission without --data-lost");
    }
    draft.map.nodes.erase(id);
    draft.records[id].fenced = true;
    // It stays in its place of the order, so that the others are still those who held a name.
    std::vector<std::string>& lost = draft.map.placement.lost;
    if (std::find(lost.begin(), lost.end(), id) == lost.end()) lost.push_back(id);
    draft.map.placement.since = draft.map.epoch + 1;  // what nobody could say before is known now
    return {};
  };
  CO_TRY([[maybe_unused]] const auto draft, co_await plane.change(edit));
  LOG_WARN("a node was given up with what it held", "node", id);
  co_return Status{};
}

}  // namespace

Status change_copies(ClusterMap& map, const Bucket& bucket, std::uint32_t before) {
  const std::uint32_t now = bucket.props.copies;
  if (now == before) return {};
  if (!map.placement.next.empty()) {
    return Error(Errc::overloaded, "targets are about to change; try again");
  }
  const auto known = map.placement.copies.find(bucket.id);
  PastCopies past{.least = before, .most = before};
  if (known != map.placement.copies.end()) past = known->second;
  past.least = std::min({past.least, before, now});
  past.most = std::max({past.most, before, now});
  map.placement.copies[bucket.id] = past;
  std::vector<std::string> targets = active_ids(map);
  if (targets.empty()) return {};
  map.placement.since = map.epoch + 1;
  add_past(map, {.until = map.epoch + 1, .targets = std::move(targets)});
  return {};
}

Status check_copies(const ClusterMap& map, const BucketProps& props) {
  const std::size_t active = map.active_targets().size();
  if (targets_needed(props) <= std::max<std::size_t>(active, 1)) return {};
  return Error(Errc::precondition_failed, "the cluster has " + std::to_string(active) +
                                              " active targets, so a bucket cannot keep " +
                                              what_it_keeps(props) +
                                              "; add targets, or ask for fewer");
}

/// What is wanted may not take away copies that a bucket promises; a target that is away takes them
/// in any case.
Status check_targets_left(const ClusterMap& map, const std::map<std::string, NodeState>& states) {
  ClusterMap later = map;
  set_states(later, states);
  const std::size_t left = later.active_targets().size();
  const bool forced = std::any_of(states.begin(), states.end(), [](const auto& state) {
    return state.second == NodeState::kAway || state.second == NodeState::kActive;
  });
  if (left == 0 && !map.active_targets().empty()) {
    return Error(Errc::precondition_failed,
                 "no target would be left for the objects; add one before this one goes");
  }
  if (forced || left >= map.active_targets().size()) return {};
  for (const auto& [_, bucket] : map.buckets) {
    const std::size_t needed = targets_needed(bucket.props);
    if (needed <= left) continue;
    return Error(Errc::precondition_failed,
                 "bucket \"" + bucket.name.display() + "\" keeps " + what_it_keeps(bucket.props) +
                     ", and " + std::to_string(left) +
                     " targets would be left; add one, or change the bucket first");
  }
  return {};
}

Task<Status> place(ControlPlane& plane, std::map<std::string, NodeState> states) {
  const MapStore::Edit announce = [states](MapDraft& draft) -> Status {
    Placement& placement = draft.map.placement;
    if (!placement.next.empty() && placement.next != states) {
      return Error(Errc::overloaded, "other targets are about to change; try again");
    }
    CHECK_OK(check_targets_left(draft.map, states));
    if (draft.map.buckets.empty()) {  // there are no names to be handed over
      set_states(draft.map, states);
      placement.since = draft.map.epoch + 1;
      return {};
    }
    if (placement.past.size() >= kPastMax) {
      return Error(Errc::overloaded, "targets have changed " + std::to_string(kPastMax) +
                                         " times while names still move; see ais show rebalance");
    }
    placement.next = states;
    return {};
  };
  CO_TRY(const auto announced, co_await plane.change(announce));
  if (announced.map.placement.next.empty()) co_return Status{};
  CO_TRY([[maybe_unused]] const auto done, co_await hold_and_commit(plane));
  co_return Status{};
}

Task<Status> finish_placing(ControlPlane& plane) {
  co_await plane.enforce();  // whoever began it may not have got that far
  CO_TRY([[maybe_unused]] const auto done, co_await hold_and_commit(plane));
  co_return Status{};
}

Task<Status> settle_placement(ControlPlane& plane, Epoch since) {
  const MapStore::Edit edit = [since](MapDraft& draft) -> Status {
    Placement& placement = draft.map.placement;
    if (placement.since != since || !placement.next.empty()) return {};
    placement.past.clear();
    placement.copies.clear();
    placement.hosts.clear();
    placement.lost.clear();
    std::vector<std::string> gone;
    for (const auto& [id, node] : draft.map.nodes) {
      if (node.state == NodeState::kDecommission) gone.push_back(id);
    }
    for (const std::string& id : gone) {
      draft.map.nodes.erase(id);
      draft.records.erase(id);
    }
    return {};
  };
  CO_TRY([[maybe_unused]] const auto draft, co_await plane.change(edit));
  co_return Status{};
}

Task<Status> change_node(ControlPlane& plane,
                         auth::Identity who,
                         std::string id,
                         NodeAction action) {
  CO_CHECK_OK(need_admin(who));
  CO_TRY(const auto now, co_await plane.maps().load());
  const NodeInfo* node = now.map.find_node(id);
  if (node == nullptr) co_return no_such_node(id);
  if (!node->stores()) {
    if (action == NodeAction::kDecommission)
      co_return co_await remove_gateway(plane, std::move(id));
    co_return Error(Errc::invalid_argument,
                    id + " is a gateway and stores nothing: stop it, or decommission it");
  }
  if (action == NodeAction::kDataLost) co_return co_await give_up(plane, std::move(id));
  const bool returns = action == NodeAction::kStopMaintenance;
  if (returns && node->state != NodeState::kMaintenance &&
      node->state != NodeState::kDecommission) {
    co_return Error(Errc::invalid_argument, id + " is not in maintenance");
  }
  if (!returns && node->state == NodeState::kAway) {
    co_return Error(Errc::precondition_failed,
                    id + " is away, and what it holds is not known; bring it back, or decommission "
                         "it with --data-lost");
  }
  const NodeState state = state_after(action);
  if (node->state == state) co_return Status{};
  co_return co_await place(plane, {{std::move(id), state}});
}

}  // namespace aisfs::control::ops
