// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/node_wait.h"

#include <boost/asio/steady_timer.hpp>

#include "aisfs/cli/commands/rebalance_view.h"
#include "common/async/clock.h"

namespace aisfs::cli {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(200);

/// Whose names move: those of the node that leaves, or those of the others for one that comes. It
/// is asked too: nothing moves before it is there.
std::vector<NodeInfo> movers(const ClusterMap& map, const std::string& node, NodeAction action) {
  std::vector<NodeInfo> found;
  if (const NodeInfo* itself = map.find_node(node)) found.push_back(*itself);
  if (action != NodeAction::kStopMaintenance) return found;
  for (const NodeInfo* target : map.holding_targets()) {
    if (target->id != node) found.push_back(*target);
  }
  return found;
}

class WaitBoard {
 public:
  explicit WaitBoard(Session& s) : s_(s) {}

  Task<void> show(const ClusterMap& map, const std::string& node, NodeAction action) {
    const auto targets = co_await ask_progress(s_, movers(map, node, action));
    MoveState sum;
    for (const TargetProgress& target : targets) add(sum, map, target);
    s_.out.progress(move_line(sum, s_.out.options().columns));
  }

 private:
  void add(MoveState& sum, const ClusterMap& map, const TargetProgress& target) {
    if (!target.says) return say_silent(target);
    if (target.says->placement != map.placement.since) return;  // it has not begun
    const RebalanceProgress& p = *target.says;
    MoveRate& rate = rates_[target.node.id];
    rate.record(std::chrono::steady_clock::now(), RealClock().unix_ns(), p);
    // Of one that leaves all names move, so that what has moved does not count as left again.
    const bool leaves = target.node.state != NodeState::kActive;
    const std::uint64_t done = leaves ? p.names_moved : std::min(p.names_seen, p.names_total);
    sum.names_done += done;
    sum.names_total += done + names_left(p);
    sum.bytes_moved += p.bytes_moved;
    if (!p.running) return;
    sum.bytes_per_second += rate.bytes_per_second();
    sum.names_per_second += rate.names_per_second();
  }

  void say_silent(const TargetProgress& target) {
    const std::string text =
        "waiting: " + target.node.id + " does not answer: " + target.says.error().what();
    if (text != said_) s_.out.note(printable(text));
    said_ = text;
  }

  Session& s_;
  MoveRates rates_;
  std::string said_;
};

}  // namespace

bool is_carried_out(const ClusterMap& map, const std::string& id, NodeAction action) {
  const NodeInfo* node = map.find_node(id);
  switch (action) {
    case NodeAction::kStartMaintenance:
      return node == nullptr || (node->state == NodeState::kMaintenance &&
                                 !map.placement.has_past(id) && map.placement.next.empty());
    case NodeAction::kStopMaintenance:
      return node != nullptr && node->state == NodeState::kActive && map.placement.settled();
    case NodeAction::kDecommission:
      return node == nullptr;
    case NodeAction::kDataLost:
      return node == nullptr && map.placement.settled();
  }
  return true;
}

Task<Status> wait_for_names(Session& s, std::string node, NodeAction action, Deadline deadline) {
  WaitBoard board(s);
  while (true) {
    const MapSnapshot map = s.map().current();
    if (is_carried_out(*map, node, action)) break;
    if (action == NodeAction::kStopMaintenance && map->find_node(node) == nullptr) {
      co_return Error(Errc::not_found, "node " + node + " has left the cluster");
    }
    if (deadline.expired()) {
      co_return Error(Errc::timed_out, "names still move, and go on doing so: ais show rebalance");
    }
    co_await board.show(*map, node, action);
    asio::steady_timer pause(co_await asio::this_coro::executor, kLookEvery);
    co_await pause.async_wait(use_ec);
  }
  s.out.clear_progress();
  co_return Status{};
}

}  // namespace aisfs::cli
