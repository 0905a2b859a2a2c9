// SPDX-License-Identifier: MIT
// Walks that bring every name where it belongs.
#include <future>

#include "common/async/notifier.h"
#include "tests/unit/node/target/handover_fixture.h"

namespace aisfs::target {
namespace {

TEST_F(HandoverTest, AWalkLeavesEveryNameAtItsOwnerAndMovesNoOther) {
  std::map<std::string, std::string> before;
  for (int i = 0; i < 200; ++i) {
    const std::string key = "k" + std::to_string(i);
    ASSERT_TRUE(put(key, key).ok());
    before[key] = owner(key);
  }
  add_t4();
  EXPECT_TRUE(walk());
  std::size_t expected = 0;
  for (const auto& [key, old] : before) expected += owner(key) != old ? 1 : 0;
  EXPECT_EQ(moved_, expected);
  for (const auto& [id, _] : targets_) {
    for (const std::string& key : on_disk(id)) EXPECT_EQ(owner(key), id) << key;
  }
  end_move();
  EXPECT_EQ(list().size(), before.size());
  for (const auto& [key, _] : before) EXPECT_EQ(*get(key), key);
}

TEST_F(HandoverTest, AWalkOfSeveralSharesLeavesNothingBehind) {
  constexpr std::size_t kNames = 500;  // more than a share of each target
  for (std::size_t i = 0; i < kNames; ++i) {
    ASSERT_TRUE(put("k" + std::to_string(i), "body " + std::to_string(i)).ok());
  }
  make_target("t4");
  place_on({"t4"});
  EXPECT_TRUE(walk());
  EXPECT_EQ(moved_, kNames);
  for (const char* id : {"t1", "t2", "t3"}) EXPECT_TRUE(on_disk(id).empty()) << id;
  end_move();
  for (std::size_t i = 0; i < kNames; ++i) {
    EXPECT_EQ(*get("k" + std::to_string(i)), "body " + std::to_string(i));
  }
}

TEST_F(HandoverTest, AMapThatMovesNoNamesInterruptsNoWalk) {
  const std::string key = moving_key("k", "t1");
  ASSERT_TRUE(put(key, "body").ok());
  add_t4();
  refused_forgets_ = 2;  // t1 knows a newer map, with the same places, before the others do
  EXPECT_TRUE(walk());
  EXPECT_EQ(refused_forgets_, 0);
  EXPECT_EQ(moved_, 1U);
  EXPECT_TRUE(on_disk("t1").empty());
}

/// Keeps those who ask for names waiting until it is opened, but for one name.
class Gate {
 public:
  Gate(std::string free, std::size_t count) : free_(std::move(free)), missing_(count) {}

  Task<void> pass(const std::string& key) {
    if (key == free_) co_return;
    if (--missing_ == 0) full_.set_value();
    for (auto seen = changed_.count(); !open_; seen = changed_.count()) {
      co_await changed_.wait(seen, Deadline::after(std::chrono::seconds(20)));
    }
  }
  bool wait_until_full() {
    return full_.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready;
  }
  void open() {
    open_ = true;
    changed_.notify();
  }

 private:
  const std::string free_;
  std::atomic<std::size_t> missing_;
  std::atomic<bool> open_ = false;
  std::promise<void> full_;
  Notifier changed_;
};

TEST_F(HandoverTest, WhatClientsWaitForDoesNotStandBehindAWalk) {
  const auto offered = [this](const std::string& key) {
    EXPECT_TRUE(put(key, key).ok());
    return (*stores_.at("t1")->states_of(store::make_key(kId, name(key)))).front();
  };
  std::vector<store::NameState> walked;
  for (std::size_t i = 0; i < Courtesy::kMost; ++i) {
    walked.push_back(offered(moving_key("k" + std::to_string(i) + "-", "t1")));
  }
  const store::NameState awaited = offered(moving_key("awaited", "t1"));
  add_t4();
  Gate gate(awaited.key, walked.size());
  while_asked_ = [&gate](const std::string& key) { return gate.pass(key); };
  const auto offer = [this](std::vector<store::NameState> states, Pace pace) {
    Context context = as("t1", true);
    context.who = auth::node_identity("t1");
    auto taking = targets_.at("t4")->offer_names(context, kName, std::move(states), pace);
    return std::async(std::launch::async, [this, taking = std::move(taking)]() mutable {
      const auto taken = run(std::move(taking));
      return taken.ok() && std::find(taken->begin(), taken->end(), false) == taken->end();
    });
  };
  auto walk = offer(walked, Pace::kCourteous);
  EXPECT_TRUE(gate.wait_until_full());
  auto urgent = offer({awaited}, Pace::kAtOnce);
  EXPECT_EQ(urgent.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_EQ(walk.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  gate.open();
  EXPECT_TRUE(urgent.get());
  EXPECT_TRUE(walk.get());
}

}  // namespace
}  // namespace aisfs::target
