// SPDX-License-Identifier: MIT
// What an administrator sees of targets that come and go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/aisfs/cli/ais_runner.h"

namespace aisfs::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class AisNodes : public testing::Test {
 protected:
  AisNodes() {
    for (const char* id : {"t1", "t2", "t3"}) ais.cluster.add_target(id);
  }

  AisResult nodes(std::vector<std::string> words) {
    words.insert(words.begin(), {"cluster", "add-remove-nodes"});
    return ais.run(std::move(words));
  }
  bool has_node(const std::string& id) { return ais.cluster.current()->find_node(id) != nullptr; }
  NodeState state_of(const std::string& id) { return ais.cluster.current()->find_node(id)->state; }
  /// A target that has given away a part of its names.
  RebalanceProgress under_way() {
    return {.placement = ais.cluster.current()->placement.since,
            .running = true,
            .started_ns = 1,
            .names_seen = 300,
            .names_total = 1000,
            .names_moved = 300,
            .bytes_moved = 3 << 20};
  }
  /// Names have moved when somebody has asked so often.
  void settle_after(std::uint64_t questions) {
    ais.cluster.on_call([this, questions](std::string_view operation, const std::string&) {
      if (operation == "rebalance" && ais.cluster.calls("rebalance") == questions) {
        ais.cluster.settle();
      }
      return Status();
    });
  }

  AisRunner ais;
};

TEST_F(AisNodes, MaintenanceComesAndGoes) {
  const AisResult started = nodes({"start-maintenance", "t1"});
  EXPECT_EQ(started.status, 0) << started.err;
  EXPECT_EQ(started.out,
            "node t1 is in maintenance: its names are at other targets; it may be shut down\n");
  EXPECT_EQ(state_of("t1"), NodeState::kMaintenance);
  EXPECT_EQ(nodes({"stop-maintenance", "t1"}).out,
            "node t1 takes part again: its names are there\n");
  EXPECT_EQ(state_of("t1"), NodeState::kActive);
}

TEST_F(AisNodes, WhileNamesMoveTheAnswerSaysWhereToLook) {
  ais.cluster.move_slowly();
  EXPECT_EQ(nodes({"start-maintenance", "t1"}).out,
            "node t1 goes into maintenance: its names move to other targets (ais show "
            "rebalance)\n");
  EXPECT_EQ(nodes({"decommission", "t2", "--json"}).out,
            "{\"node\":\"t2\",\"action\":\"decommission\",\"finished\":false}\n");
}

TEST_F(AisNodes, WaitShowsABarUntilTheNamesHaveMoved) {
  ais.set_terminal(200);
  ais.cluster.move_slowly();
  settle_after(3);
  // The placement that the change makes is the next epoch.
  RebalanceProgress progress = under_way();
  progress.placement = ais.cluster.current()->epoch + 1;
  ais.cluster.set_rebalance("t1", progress);
  const AisResult waited = nodes({"decommission", "--wait", "t1"});
  EXPECT_EQ(waited.status, 0) << waited.err;
  EXPECT_THAT(waited.err, HasSubstr("30%  300 of 1000 names  3.00 MiB moved"));
  EXPECT_EQ(waited.out, "node t1 has left the cluster; its process may be ended\n");
  EXPECT_FALSE(has_node("t1"));
}

TEST_F(AisNodes, WaitGivesUpAtItsTimeAndNamesMoveOn) {
  ais.cluster.move_slowly();
  const AisResult waited = nodes({"start-maintenance", "--wait", "--for", "300ms", "t1"});
  EXPECT_EQ(waited.status, 5);
  EXPECT_THAT(waited.err, HasSubstr("names still move"));
  EXPECT_THAT(waited.err, HasSubstr("ais show rebalance"));
  EXPECT_EQ(nodes({"start-maintenance", "--wait", "--for", "soon", "t2"}).status, 2);
  EXPECT_EQ(nodes({"start-maintenance", "--for", "5s", "t2"}).status, 2);
  EXPECT_EQ(state_of("t2"), NodeState::kActive);
}

TEST_F(AisNodes, WaitSaysOnceWhoDoesNotAnswer) {
  ais.cluster.move_slowly();
  ais.cluster.set_rebalance("t1", Error(Errc::unreachable, "connection refused"));
  settle_after(4);
  const AisResult waited = nodes({"start-maintenance", "--wait", "t1"});
  EXPECT_EQ(waited.status, 0);
  EXPECT_EQ(waited.err, "waiting: t1 does not answer: connection refused\n");
}

TEST_F(AisNodes, MistakesNameTheRemedy) {
  const AisResult unknown = nodes({"decommission", "t9"});
  EXPECT_EQ(unknown.status, 3);
  EXPECT_THAT(unknown.err, HasSubstr("no node t9; see ais show cluster"));
  EXPECT_EQ(nodes({"stop-maintenance", "t1"}).status, 2);
  EXPECT_EQ(nodes({"start-maintenance"}).status, 2);
  nodes({"start-maintenance", "t1"});
  nodes({"start-maintenance", "t2"});
  EXPECT_EQ(nodes({"start-maintenance", "t3"}).status, 6);  // nobody would be left
}

TEST_F(AisNodes, WhatIsLostIsConfirmedByTheIdOfTheNode) {
  ais.cluster.set_state("t1", NodeState::kAway);
  ais.type({"y"});
  const AisResult refused = nodes({"decommission", "--data-lost", "t1"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("lost for good"));
  EXPECT_THAT(refused.err, HasSubstr("not confirmed, nothing was done"));
  EXPECT_THAT(refused.err, HasSubstr("--yes"));
  EXPECT_TRUE(has_node("t1"));
  EXPECT_EQ(nodes({"decommission", "--data-lost", "t1"}).status, 2);  // the input has ended
  ais.type({"t1"});
  const AisResult done = nodes({"decommission", "--data-lost", "t1"});
  EXPECT_EQ(done.out, "node t1 has been given up with what it held\n");
  EXPECT_FALSE(has_node("t1"));
}

TEST_F(AisNodes, ScriptsConfirmByAnOption) {
  ais.cluster.set_state("t1", NodeState::kAway);
  const AisResult done = nodes({"decommission", "--data-lost", "--yes", "t1", "--json"});
  EXPECT_EQ(done.out, "{\"node\":\"t1\",\"action\":\"decommission\",\"finished\":true}\n");
  EXPECT_EQ(done.err, "");
  // One that is there has nothing lost; one that is unknown is not asked about.
  EXPECT_EQ(nodes({"decommission", "--data-lost", "--yes", "t2"}).status, 6);
  const AisResult unknown = nodes({"decommission", "--data-lost", "t9"});
  EXPECT_EQ(unknown.status, 3);
  EXPECT_THAT(unknown.err, Not(HasSubstr("Type")));
}

TEST_F(AisNodes, ANodeIsEndedWhenNobodyMissesIt) {
  const AisResult active = nodes({"shutdown", "t1"});
  EXPECT_EQ(active.status, 6);
  EXPECT_THAT(active.err, HasSubstr("ais cluster add-remove-nodes start-maintenance --wait t1"));
  ais.cluster.move_slowly();
  nodes({"start-maintenance", "t1"});
  const AisResult needed = nodes({"shutdown", "t1"});
  EXPECT_EQ(needed.status, 6);
  EXPECT_THAT(needed.err, HasSubstr("still holds names that others lack"));
  EXPECT_FALSE(ais.cluster.has_ended("t1"));
  ais.cluster.settle();
  EXPECT_EQ(nodes({"shutdown", "t1"}).out, "node t1 ends when it has finished what it has begun\n");
  EXPECT_TRUE(ais.cluster.has_ended("t1"));
}

TEST_F(AisNodes, ShutdownThatWaitsPutsItIntoMaintenanceFirst) {
  ais.cluster.move_slowly();
  settle_after(2);
  const AisResult ended = nodes({"shutdown", "--wait", "t2"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(state_of("t2"), NodeState::kMaintenance);
  EXPECT_TRUE(ais.cluster.has_ended("t2"));
}

TEST_F(AisNodes, ShutdownDoesNotCallADecommissionOff) {
  ais.cluster.move_slowly();
  nodes({"decommission", "t2"});
  const AisResult refused = nodes({"shutdown", "--wait", "t2"});
  EXPECT_EQ(refused.status, 6);
  EXPECT_THAT(refused.err, HasSubstr("end its process when it is gone from ais show cluster"));
  EXPECT_EQ(state_of("t2"), NodeState::kDecommission);
}

TEST_F(AisNodes, TheClusterIsShownWhileATargetIsAway) {
  ais.cluster.set_state("t1", NodeState::kAway);
  ais.cluster.on_call([](std::string_view operation, const std::string&) {
    return operation == "capacity" ? Error(Errc::not_ready, "target t1 is away") : Status();
  });
  const AisResult shown = ais.run({"show", "cluster"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, testing::ContainsRegex("t1 +target +away "));
  EXPECT_THAT(shown.out, HasSubstr("Capacity:     not known: target t1 is away"));
  EXPECT_THAT(shown.out, HasSubstr("add-remove-nodes decommission --data-lost t1"));
  EXPECT_THAT(ais.run({"show", "cluster", "--json"}).out,
              HasSubstr("\"capacity\":{\"error\":\"target t1 is away\"}"));
}

TEST_F(AisNodes, HelpHasExamples) {
  for (const char* command :
       {"start-maintenance", "stop-maintenance", "decommission", "shutdown"}) {
    const AisResult help = nodes({command, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, HasSubstr(std::string("ais cluster add-remove-nodes ") + command));
  }
}

TEST_F(AisNodes, TheirIdsAreCompleted) {
  const auto complete = [this](std::string line) {
    return ais.run({"__complete", "--", std::move(line)}).out;
  };
  EXPECT_EQ(complete("ais cluster add-remove-nodes st"), "start-maintenance\nstop-maintenance\n");
  EXPECT_EQ(complete("ais cluster add-remove-nodes shutdown t"), "t1\nt2\nt3\n");
  EXPECT_EQ(complete("ais cluster add-remove-nodes decommission --data-lost t2"), "t2\n");
  EXPECT_EQ(complete("ais cluster add-remove-nodes decommission --d"), "--data-lost\n");
}

TEST_F(AisNodes, RebalanceShowsEveryTarget) {
  ais.cluster.move_slowly();
  nodes({"start-maintenance", "t1"});
  ais.cluster.set_rebalance("t1", under_way());
  RebalanceProgress done = under_way();
  done.running = false;
  done.started_ns = 1'000'000'000;
  done.ended_ns = 4'000'000'000;
  ais.cluster.set_rebalance("t2", done);
  ais.cluster.set_rebalance("t3", Error(Errc::unreachable, "connection refused"));
  ais.cluster.add_target("t4");
  ais.cluster.set_state("t4", NodeState::kAway);
  const AisResult shown = ais.run({"show", "rebalance"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, testing::ContainsRegex("NODE +STATE +NAMES +BYTES +LEFT +RATE +ETA"));
  EXPECT_THAT(shown.out, testing::ContainsRegex("t1 +running +300 +3.00 MiB +700 "));
  EXPECT_THAT(shown.out, testing::ContainsRegex("t2 +settled +300 +3.00 MiB +- +1.00 MiB/s +-"));
  EXPECT_THAT(shown.out, testing::ContainsRegex("t3 +no answer +- "));
  EXPECT_THAT(shown.out, testing::ContainsRegex("t4 +away +- "));
  EXPECT_THAT(shown.out, HasSubstr("Names move to other targets since epoch "));
  EXPECT_THAT(shown.out, EndsWith("t3 does not answer: connection refused\n"));
}

TEST_F(AisNodes, RebalanceIsIdleWhenNothingMoves) {
  const AisResult shown = ais.run({"show", "rebalance"});
  EXPECT_THAT(shown.out, testing::ContainsRegex("t1 +idle +0 +0 B +- +- +-"));
  EXPECT_THAT(shown.out, EndsWith("All names are where they belong.\n"));
}

TEST_F(AisNodes, RebalanceAlarmsNobodyForWhatIsShutDown) {
  nodes({"shutdown", "--wait", "t1"});
  EXPECT_THAT(ais.run({"show", "rebalance"}).out,
              EndsWith("t1 does not answer: node t1 does not answer (it is in maintenance, and not "
                       "needed)\n"));
}

TEST_F(AisNodes, RebalanceForProgramsAndAgain) {
  ais.cluster.set_rebalance("t3", Error(Errc::unreachable, "connection refused"));
  const AisResult shown =
      ais.run({"show", "rebalance", "--json", "--refresh", "100ms", "--count", "2"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_EQ(std::count(shown.out.begin(), shown.out.end(), '\n'), 2);
  EXPECT_THAT(shown.out, HasSubstr("\"settled\":true"));
  EXPECT_THAT(shown.out,
              HasSubstr("{\"id\":\"t1\",\"state\":\"idle\",\"names_moved\":0,\"bytes_moved\":0,"
                        "\"names_left\":0,\"bytes_per_second\":0}"));
  EXPECT_THAT(shown.out, HasSubstr("\"state\":\"no answer\",\"error\":\"connection refused\""));
  EXPECT_EQ(ais.run({"show", "rebalance", "--refresh", "often"}).status, 2);
}

}  // namespace
}  // namespace aisfs::cli
