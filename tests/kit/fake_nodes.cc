// SPDX-License-Identifier: MIT
// The targets of a FakeCluster: lines in its map, with the rules of AdminApi.
#include "common/model/may_end.h"
#include "tests/kit/fake_cluster.h"

namespace aisfs::tests {
namespace {

Error no_such_node(const std::string& id) {
  return Error(Errc::not_found, "the cluster has no node " + id + "; see ais show cluster");
}

std::vector<std::string> active_ids(const ClusterMap& map) {
  std::vector<std::string> ids;
  for (const NodeInfo* target : map.active_targets()) ids.push_back(target->id);
  return ids;
}

Status check(const ClusterMap& map, const NodeInfo& node, NodeAction action) {
  const bool takes_part = node.state == NodeState::kActive || node.state == NodeState::kJoining;
  const bool leaving =
      node.state == NodeState::kMaintenance || node.state == NodeState::kDecommission;
  if (action == NodeAction::kDataLost) {
    return takes_part ? Error(Errc::busy, "node " + node.id + " is not away") : Status();
  }
  if (action == NodeAction::kStopMaintenance) {
    if (leaving) return {};
    return Error(Errc::invalid_argument, node.id + " is not in maintenance");
  }
  if (node.state == NodeState::kAway) {
    return Error(Errc::precondition_failed, node.id + " is away");
  }
  if (active_ids(map) != std::vector{node.id}) return {};
  return Error(Errc::precondition_failed, "no target would be left for the objects");
}

void act(ClusterMap& map, NodeInfo& node, NodeAction action, bool slowly) {
  if (action == NodeAction::kDataLost || (action == NodeAction::kDecommission && !slowly)) {
    map.nodes.erase(node.id);
    return;
  }
  const Epoch next = map.epoch + 1;
  if (slowly) map.placement.past.push_back({next, active_ids(map)});
  map.placement.since = next;
  node.state = action == NodeAction::kStartMaintenance ? NodeState::kMaintenance
               : action == NodeAction::kDecommission   ? NodeState::kDecommission
                                                       : NodeState::kActive;
}

}  // namespace

void FakeCluster::add_target(std::string id) {
  store_.edit_map([&](ClusterMap& map) {
    map.nodes[id] = {.id = id, .role = NodeRole::kTarget, .public_net = {id + ".test", 21080}};
  });
}

void FakeCluster::set_state(std::string id, NodeState state) {
  store_.edit_map([&](ClusterMap& map) { map.nodes.at(id).state = state; });
}

void FakeCluster::settle() {
  store_.edit_map([](ClusterMap& map) {
    map.placement.past.clear();
    map.nodes.erase_if(
        [](const auto& entry) { return entry.second.state == NodeState::kDecommission; });
  });
}

void FakeCluster::edit_placement(const std::function<void(Placement&)>& edit) {
  store_.edit_map([&](ClusterMap& map) { edit(map.placement); });
}

void FakeCluster::set_rebalance(std::string id, Result<RebalanceProgress> says) {
  const std::lock_guard lock(mutex_);
  says_.insert_or_assign(std::move(id), std::move(says));
}

bool FakeCluster::has_ended(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return ended_.contains(id);
}

Task<Status> FakeCluster::change_node(Context c, std::string id, NodeAction action) {
  CO_CHECK_OK(co_await enter("change_node", id, c.deadline));
  const auto edit = [&](ClusterMap& map) -> Status {
    const auto found = map.nodes.find(id);
    if (found == map.nodes.end()) return no_such_node(id);
    CHECK_OK(check(map, found->second, action));
    act(map, found->second, action, moves_slowly_);
    return {};
  };
  co_return store_.try_edit_map(edit);
}

Task<Status> FakeCluster::shut_down_node(Context c, std::string id) {
  CO_CHECK_OK(co_await enter("shut_down_node", id, c.deadline));
  CO_CHECK_OK(may_end(*store_.map(), id));
  const std::lock_guard lock(mutex_);
  ended_.insert(std::move(id));
  co_return Status{};
}

void FakeCluster::set_storage(std::string id, StorageInfo info) {
  const std::lock_guard lock(mutex_);
  storage_.insert_or_assign(std::move(id), std::move(info));
}

std::vector<std::pair<std::string, MountpathChange>> FakeCluster::mountpath_changes() const {
  const std::lock_guard lock(mutex_);
  return mountpath_changes_;
}

Task<Status> FakeCluster::change_mountpath(Context c, std::string id, MountpathChange change) {
  CO_CHECK_OK(co_await enter("change_mountpath", id, c.deadline));
  if (store_.map()->find_node(id) == nullptr) co_return no_such_node(id);
  const std::lock_guard lock(mutex_);
  mountpath_changes_.emplace_back(std::move(id), std::move(change));
  co_return Status{};
}

Task<Result<StorageInfo>> FakeCluster::storage(Context c, std::string id) {
  CO_CHECK_OK(co_await enter("storage", id, c.deadline));
  if (store_.map()->find_node(id) == nullptr) co_return no_such_node(id);
  const std::lock_guard lock(mutex_);
  if (ended_.contains(id)) co_return Error(Errc::unreachable, "node " + id + " does not answer");
  const auto says = storage_.find(id);
  if (says == storage_.end()) co_return StorageInfo{};
  co_return says->second;
}

Task<Result<RebalanceProgress>> FakeCluster::rebalance(Context c, std::string id) {
  CO_CHECK_OK(co_await enter("rebalance", id, c.deadline));
  if (store_.map()->find_node(id) == nullptr) co_return no_such_node(id);
  const std::lock_guard lock(mutex_);
  if (ended_.contains(id)) co_return Error(Errc::unreachable, "node " + id + " does not answer");
  const auto says = says_.find(id);
  if (says == says_.end()) co_return RebalanceProgress{};
  co_return says->second;
}

void FakeCluster::set_scrub(std::string id, ScrubProgress says) {
  const std::lock_guard lock(mutex_);
  scrubs_.insert_or_assign(std::move(id), std::move(says));
}

Task<Result<ScrubProgress>> FakeCluster::scrub(Context c, std::string id, ScrubAction action) {
  CO_CHECK_OK(co_await enter("scrub", id, c.deadline));
  if (store_.map()->find_node(id) == nullptr) co_return no_such_node(id);
  const std::lock_guard lock(mutex_);
  if (ended_.contains(id)) co_return Error(Errc::unreachable, "node " + id + " does not answer");
  ScrubProgress& says = scrubs_[id];
  if (action != ScrubAction::kShow) says.running = action == ScrubAction::kStart;
  co_return says;
}

}  // namespace aisfs::tests
