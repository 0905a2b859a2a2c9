// SPDX-License-Identifier: MIT
// Targets that come and go, as a gateway sees them.
#include "node/control/governor.h"

#include <gtest/gtest.h>

#include "common/wire/envelope.h"
#include "node/control/ops/ops.h"
#include "tests/unit/node/control/embedded_maker.h"

namespace aisfs::control {
namespace {

/// Nobody can be reached: nodes learn of maps by asking.
class NoPeers final : public Transport {
 public:
  Task<Result<http::ClientResponse>> send(NodeInfo, Context, http::ClientRequest) override {
    co_return Error(Errc::unreachable, "no network");
  }
};

class ManualClock final : public Clock {
 public:
  TimePoint now() const override { return at; }
  std::int64_t unix_ns() const override { return real_.unix_ns(); }
  Task<Status> sleep_until(TimePoint) override { co_return Error(Errc::cancelled, ""); }
  TimePoint at = TimePoint(std::chrono::hours(1));

 private:
  RealClock real_;
};

class GovernorTest : public ::testing::Test {
 protected:
  GovernorTest() {
    EXPECT_TRUE(run(plane_.maps().bootstrap("cluster", test_key())).ok());
    change([](MapDraft& draft) {
      draft.map.nodes["g1"] = {.id = "g1", .role = NodeRole::kGateway};
      for (const char* id : {"t1", "t2", "t3"}) draft.map.nodes[id] = {.id = id};
      draft.map.buckets[native_bucket("b").uname()] = {.id = BucketId{1},
                                                       .name = native_bucket("b")};
    });
    for (const char* id : {"g1", "t1", "t2", "t3"}) say(id, {});
  }
  ~GovernorTest() override { maker_.stop(); }

  template <class T>
  T run(Task<T> task) {
    return runtime_.run_on(0, std::move(task));
  }
  template <class Edit>
  void change(Edit edit) {
    const MapStore::Edit all = [edit](MapDraft& draft) -> Status {
      edit(draft);
      return {};
    };
    ASSERT_TRUE(run(plane_.change(all)).ok());
  }
  /// As a renewal of the node's lease would.
  void say(const std::string& id, wire::AliveRecord record) {
    meta::TxnRequest txn;
    txn.then.push_back(meta::put_step(std::string(kAlivePrefix) + id, wire::encode(record), 0));
    ASSERT_TRUE(run(maker_.store().txn(std::move(txn))).ok());
  }
  void lose(const std::string& id) {
    meta::TxnRequest txn;
    txn.then.push_back(meta::remove_step(std::string(kAlivePrefix) + id));
    ASSERT_TRUE(run(maker_.store().txn(std::move(txn))).ok());
  }
  void look() {
    const Status looked = run(governor_.look());
    EXPECT_TRUE(looked.ok()) << looked.error().what();
    clock_.at += std::chrono::seconds(1);
  }
  void look_after_a_while() {
    clock_.at += std::chrono::seconds(10);
    look();
  }
  ClusterMap map() { return run(plane_.maps().load())->map; }
  NodeState state(const std::string& id) { return map().nodes.at(id).state; }
  void say_settled(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) say(id, {.settled = map().placement.since});
  }

  struct Started : Runtime {
    Started() : Runtime(1) { start(); }
  };
  Started runtime_;
  EmbeddedMaker maker_{runtime_};
  ManualClock clock_;
  NoPeers peers_;
  NodeMapSource maps_;
  ControlPlane plane_{maker_.store(),
                      clock_,
                      test_key(),
                      peers_,
                      maps_,
                      "g1",
                      {.push_wait = std::chrono::milliseconds(1)}};
  Governor governor_{plane_, clock_, {}};
};

TEST_F(GovernorTest, OneThatJoinedWhileItWasPutAwayComesBack) {
  change([](MapDraft& draft) { draft.map.nodes["t2"].state = NodeState::kAway; });
  look();
  EXPECT_EQ(state("t2"), NodeState::kJoining);
}

TEST_F(GovernorTest, ATargetWithoutALeaseIsAwayAndTheOthersTakeOver) {
  look();
  EXPECT_TRUE(map().placement.settled());
  lose("t2");
  look();
  EXPECT_EQ(state("t2"), NodeState::kActive) << "seen once: it may be starting again";
  look();
  EXPECT_EQ(state("t2"), NodeState::kAway);
  const Placement placement = map().placement;
  ASSERT_EQ(placement.past.size(), 1u);
  EXPECT_EQ(placement.past[0].targets, (std::vector<std::string>{"t1", "t2", "t3"}));
  EXPECT_EQ(placement.past[0].until, placement.since);
  EXPECT_FALSE(placement.held);
}

TEST_F(GovernorTest, ATargetWhoseLastDiskHasFailedGivesItsNamesAway) {
  say("t2", {.failing = true});
  look();
  EXPECT_EQ(state("t2"), NodeState::kActive) << "it may be mended in a moment";
  look_after_a_while();
  EXPECT_EQ(state("t2"), NodeState::kMaintenance);
  EXPECT_TRUE(map().placement.has_past("t2")) << "what it can still read it has";
  say("t2", {});
  look();
  EXPECT_EQ(state("t2"), NodeState::kMaintenance) << "until an administrator ends it";
}

TEST_F(GovernorTest, OneThatCannotBeSparedStays) {
  change(
      [](MapDraft& draft) { draft.map.buckets.at(native_bucket("b").uname()).props.copies = 2; });
  say("t2", {.failing = true});
  say("t3", {.failing = true});
  look();
  look_after_a_while();
  EXPECT_EQ(state("t2"), NodeState::kMaintenance);
  look_after_a_while();
  EXPECT_EQ(state("t3"), NodeState::kActive) << "while names move";
  change([](MapDraft& draft) { draft.map.placement.past.clear(); });
  look_after_a_while();
  EXPECT_EQ(state("t3"), NodeState::kActive) << "two copies need two targets";
  lose("t1");
  look();
  look();
  EXPECT_EQ(state("t1"), NodeState::kAway);
  EXPECT_EQ(state("t3"), NodeState::kActive) << "it is the last one";
}

TEST_F(GovernorTest, NobodyIsAwayWhenNobodyIsLeft) {
  for (const char* id : {"t1", "t2", "t3"}) lose(id);
  look();
  look();
  look();
  EXPECT_EQ(map().active_targets().size(), 3u);
}

TEST_F(GovernorTest, TheMapForgetsThePastWhenAllOfItHasSettled) {
  lose("t2");
  look();
  look();
  say_settled({"t1", "t3"});
  look();
  EXPECT_EQ(map().placement.past.size(), 1u) << "nobody knows what t2 holds";
  change([](MapDraft& draft) { draft.map.nodes["t2"].state = NodeState::kJoining; });
  say("t2", {.compared = map().placement.since});
  look();
  EXPECT_EQ(state("t2"), NodeState::kJoining) << "another may come with it";
  look();
  look();
  EXPECT_EQ(state("t2"), NodeState::kActive);
  say_settled({"t1", "t2"});
  look();
  EXPECT_FALSE(map().placement.settled());
  say_settled({"t3"});
  look();
  EXPECT_TRUE(map().placement.settled());
}

TEST_F(GovernorTest, OneThatComesBackFirstComparesWhatItHolds) {
  lose("t2");
  look();
  look();
  change([](MapDraft& draft) { draft.map.nodes["t2"].state = NodeState::kJoining; });
  say("t2", {});
  for (int i = 0; i < 10; ++i) look();
  EXPECT_EQ(state("t2"), NodeState::kJoining);
}

TEST_F(GovernorTest, WhatAGatewayLeftHalfDoneIsFinished) {
  change([](MapDraft& draft) {
    draft.map.placement.next["t3"] = NodeState::kMaintenance;
    draft.map.placement.held = true;
  });
  for (int i = 0; i < 5; ++i) look();
  EXPECT_TRUE(map().placement.held) << "it may still be at it";
  for (int i = 0; i < 10; ++i) look();
  EXPECT_EQ(state("t3"), NodeState::kMaintenance);
  EXPECT_TRUE(map().placement.next.empty());
}

TEST_F(GovernorTest, ADecommissionedTargetLeavesWhenItsNamesHave) {
  const auto root = auth::node_identity("g1");
  const auto act = [&](const std::string& id, NodeAction action) {
    return run(ops::change_node(plane_, root, id, action));
  };
  ASSERT_TRUE(act("t1", NodeAction::kDecommission).ok());
  ASSERT_TRUE(act("t2", NodeAction::kDecommission).ok());
  const Status last = act("t3", NodeAction::kDecommission);
  ASSERT_FALSE(last.ok());
  EXPECT_EQ(last.error().code(), Errc::precondition_failed);
  look();
  EXPECT_EQ(map().nodes.size(), 4u);
  say_settled({"t1", "t2", "t3"});
  look();
  EXPECT_EQ(map().nodes.size(), 2u);
  EXPECT_TRUE(map().placement.settled());
}

}  // namespace
}  // namespace aisfs::control
