// SPDX-License-Identifier: MIT
// Nodes that come and go by the will of an administrator.
#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/commands/node_wait.h"
#include "aisfs/cli/units.h"
#include "common/async/offload.h"

namespace aisfs::cli {
namespace {

constexpr Duration kMapMax = std::chrono::seconds(1);  // there is none when nothing has changed

struct NodeArguments {
  std::string node;
  std::string give_up_after;
  bool wait = false;
  bool data_lost = false;
  bool yes = false;
};

/// What a change is called on the command line, and what is true after it.
struct Change {
  NodeAction action;
  std::string_view name;
  std::string_view begun, finished;  // behind "node t1 "
};

constexpr Change kStart{
    NodeAction::kStartMaintenance, "start-maintenance",
    "goes into maintenance: its names move to other targets (ais show rebalance)",
    "is in maintenance: its names are at other targets; it may be shut down"};
constexpr Change kStop{NodeAction::kStopMaintenance, "stop-maintenance",
                       "comes back: it compares what it holds and gets its names (ais show "
                       "rebalance)",
                       "takes part again: its names are there"};
constexpr Change kDecommission{
    NodeAction::kDecommission, "decommission",
    "leaves the cluster as soon as its names are at other targets (ais show rebalance)",
    "has left the cluster; its process may be ended"};
constexpr Change kDataLost{NodeAction::kDataLost, "decommission",
                           "has been given up with what it held",
                           "has been given up with what it held"};

Result<Deadline> deadline_of(const NodeArguments& arguments) {
  if (arguments.give_up_after.empty()) return Deadline();
  if (!arguments.wait) return Error(Errc::invalid_argument, "--for is the time of --wait");
  TRY(const Duration time, parse_duration(arguments.give_up_after));
  return Deadline::after(time);
}

void say(Session& s,
         const std::string& node,
         std::string_view name,
         std::string_view what,
         bool finished) {
  s.out.done("node " + node + " " + std::string(what),
             {{"node", node}, {"action", name}, {"finished", finished}});
}

Task<Status> change_node(Session& s, const NodeArguments& arguments, Change change) {
  CO_TRY(const Deadline deadline, deadline_of(arguments));
  const Epoch before = s.map().current()->epoch;
  CO_CHECK_OK(co_await s.admin().change_node(s.context(), arguments.node, change.action));
  if (arguments.wait) {
    CO_CHECK_OK(co_await wait_for_names(s, arguments.node, change.action, deadline));
  } else {
    (void)co_await s.map().at_least(before + 1, Deadline::after(kMapMax));
  }
  const MapSnapshot map = s.map().current();
  const bool finished = is_carried_out(*map, arguments.node, change.action);
  say(s, arguments.node, change.name, finished ? change.finished : change.begun, finished);
  co_return Status{};
}

/// Nobody gives up a node by a slip of the finger.
Task<Status> confirm(Session& s, const NodeArguments& arguments) {
  const MapSnapshot map = s.map().current();
  if (map->find_node(arguments.node) == nullptr) {
    co_return Error(Errc::not_found,
                    "the cluster has no node " + arguments.node + "; see ais show cluster");
  }
  if (arguments.yes) co_return Status{};
  s.out.ask("What only " + arguments.node +
            " holds is lost for good, and the node can never come back with it.\n"
            "Type the id of the node to go on:");
  ReadLine read = s.read_line;
  const std::optional<std::string> typed = co_await offload(s.files, std::move(read));
  if (typed == arguments.node) co_return Status{};
  co_return Error(Errc::invalid_argument,
                  "not confirmed, nothing was done; scripts confirm by --yes");
}

Task<Status> decommission(Session& s, const NodeArguments& arguments) {
  if (!arguments.data_lost) co_return co_await change_node(s, arguments, kDecommission);
  CO_CHECK_OK(co_await confirm(s, arguments));
  co_return co_await change_node(s, arguments, kDataLost);
}

/// With --wait from wherever the node is; else only one that nobody misses.
Task<Status> shut_down(Session& s, const NodeArguments& arguments) {
  CO_TRY(const Deadline deadline, deadline_of(arguments));
  const MapSnapshot map = s.map().current();
  const NodeInfo* node = map->find_node(arguments.node);
  if (arguments.wait && node != nullptr && node->stores()) {
    if (node->state == NodeState::kDecommission) {
      co_return Error(Errc::busy, "node " + arguments.node +
                                      " leaves the cluster; end its process when it is gone from "
                                      "ais show cluster");
    }
    constexpr NodeAction kAction = NodeAction::kStartMaintenance;
    CO_CHECK_OK(co_await s.admin().change_node(s.context(), arguments.node, kAction));
    CO_CHECK_OK(co_await wait_for_names(s, arguments.node, kAction, deadline));
  }
  CO_CHECK_OK(co_await s.admin().shut_down_node(s.context(), arguments.node));
  say(s, arguments.node, "shutdown", "ends when it has finished what it has begun", true);
  co_return Status{};
}

using NodeCommand = Task<Status> (*)(Session&, const NodeArguments&);

Task<Status> start_maintenance(Session& s, const NodeArguments& arguments) {
  return change_node(s, arguments, kStart);
}
Task<Status> stop_maintenance(Session& s, const NodeArguments& arguments) {
  return change_node(s, arguments, kStop);
}

Command& add_node_command(Command& group,
                          const std::string& name,
                          const std::string& doc,
                          const std::shared_ptr<NodeArguments>& arguments,
                          NodeCommand run) {
  Command& command = group.sub(name, doc);
  command.word("node", arguments->node, Names::kNode, Command::Need::kRequired,
               "Its id; see ais show cluster");
  command.flag("--wait", arguments->wait, "Until the names have moved, with a progress bar");
  command.option("--for", arguments->give_up_after, "TIME", "With --wait: give up after this");
  command.action([arguments, run](Session& s) { return run(s, *arguments); });
  return command;
}

void add_maintenance(Command& group) {
  add_node_command(group, "start-maintenance",
                   "Move a target's names to others, to take it down for a while",
                   std::make_shared<NodeArguments>(), start_maintenance)
      .examples(
          "  ais cluster add-remove-nodes start-maintenance --wait t1a2b3c4\n"
          "  ais cluster add-remove-nodes shutdown t1a2b3c4\n\n"
          "Clients notice nothing. The target stays a member of the cluster.");
  add_node_command(group, "stop-maintenance", "Let a target take part again",
                   std::make_shared<NodeArguments>(), stop_maintenance)
      .examples(
          "  ais cluster add-remove-nodes stop-maintenance --wait t1a2b3c4\n\n"
          "Its process runs again. It forgets what is older than what others have, and gets its\n"
          "names back. Also takes back a decommission that is under way.");
}

void add_decommission(Command& group) {
  auto arguments = std::make_shared<NodeArguments>();
  Command& command = add_node_command(group, "decommission",
                                      "Move a node's names to others and let it leave for good",
                                      arguments, decommission);
  command.flag("--data-lost", arguments->data_lost,
               "Of a target that is away: what only it holds is lost, and it never comes back");
  command.flag("-y,--yes", arguments->yes, "With --data-lost: ask nothing");
  command.examples(
      "  ais cluster add-remove-nodes decommission --wait t1a2b3c4\n"
      "  ais cluster add-remove-nodes decommission --data-lost t1a2b3c4\n\n"
      "While a target is away, names that may be on it alone are answered 503. If its disks are\n"
      "gone, --data-lost says so: from then on those names are not found. A gateway leaves at "
      "once.");
}

void add_shutdown(Command& group) {
  add_node_command(group, "shutdown", "End the process of a node that nobody misses",
                   std::make_shared<NodeArguments>(), shut_down)
      .examples(
          "  ais cluster add-remove-nodes shutdown t1a2b3c4\n"
          "  ais cluster add-remove-nodes shutdown --wait t1a2b3c4   # maintenance first\n\n"
          "Refused while others lack names that it holds, and for the gateway with the cluster "
          "map.\n"
          "It stays a member; a service manager that starts it again brings it back as it was.");
}

}  // namespace

void add_cluster(Command& root) {
  Command& cluster = root.sub("cluster", "Change which nodes make up the cluster");
  cluster.examples("  ais cluster add-remove-nodes --help");
  Command& nodes = cluster.sub("add-remove-nodes",
                               "Maintenance, leaving and ending of nodes (for administrators)");
  nodes.examples(
      "  ais show cluster                                  # the nodes and their states\n"
      "  ais cluster add-remove-nodes decommission --wait t1a2b3c4\n"
      "  ais show rebalance --refresh 2s                   # how far names have moved\n\n"
      "A node is added by starting it, see aisnode(8); it gets its share of the names by itself.\n"
      "Clients go on through all of it.");
  add_maintenance(nodes);
  add_decommission(nodes);
  add_shutdown(nodes);
}

}  // namespace aisfs::cli
