// SPDX-License-Identifier: MIT
// Renames between two targets of which one dies on the way, in buckets that keep two copies.
#include "tests/unit/node/target/mirror_fixture.h"

namespace aisfs::target {
namespace {

/// t1 has decided a rename that t3, which was to take the name, hears nothing of any more.
class LostTaker : public MirrorFixture {
 protected:
  LostTaker() : from_(key_on("t1", "from")), to_(key_on("t3", "to")) {
    EXPECT_TRUE(put(from_, "text").ok());
  }
  void lose_taker() {
    finish_is_lost_ = true;
    EXPECT_EQ(code(rename_within(kSoon, from_, to_)), Errc::timed_out);
    finish_is_lost_ = false;
    EXPECT_EQ(settle("t1"), 0u);
    lose("t3");
  }
  /// The clock of a target that was started again is ahead of the others'.
  void start_ahead(const std::string& id) {
    targets_.erase(id);
    stores_.erase(id);
    make_target(id);
    look_back();
  }
  void settle_renames() {
    for (int round = 0; targets_.at("t1")->has_open_renames(); ++round) {
      ASSERT_LT(round, 3);
      (void)run(targets_.at("t1")->settle_all(as("node", true)));
    }
  }

  const std::string from_, to_;
};

TEST_F(LostTaker, NeitherNameIsSaidToBeGone) {
  lose_taker();
  ASSERT_EQ(owner(from_), "t1");
  EXPECT_EQ(code(head_soon(from_)), Errc::not_ready);
  settle_renames();
  EXPECT_EQ(*get(to_), "text");
  EXPECT_EQ(code(head(from_)), Errc::not_found);
  EXPECT_EQ(list(), std::vector<std::string>{to_});
}

TEST_F(LostTaker, ItsReturnChangesNothing) {
  lose_taker();
  settle_renames();
  ASSERT_TRUE(put(to_, "newer").ok());
  cut_off_.clear();
  restart("t3");
  place("t3", NodeState::kActive);
  look_back();
  (void)run(targets_.at("t3")->settle_all(as("node", true)));
  EXPECT_TRUE(walk());
  settled();
  EXPECT_EQ(*get(to_), "newer");
  EXPECT_EQ(list(), std::vector<std::string>{to_});
}

TEST_F(LostTaker, WhatSomebodyMadeMeanwhileIsHis) {
  lose_taker();
  ASSERT_TRUE(put(to_, "his").ok());
  settle_renames();
  EXPECT_EQ(*get(to_), "his");
  EXPECT_EQ(*get(from_), "text");
}

TEST_F(LostTaker, WhatItHadRemovedBeforeIsNotTakenForTheNewName) {
  ASSERT_TRUE(put(to_, "old").ok());
  start_ahead("t3");
  ASSERT_TRUE(remove(to_).ok());
  lose_taker();
  settle_renames();
  EXPECT_EQ(get(to_).value_or("?"), "text");
  EXPECT_EQ(code(head(from_)), Errc::not_found);
}

TEST_F(LostTaker, WhatItHadMadeBeforeIsReplaced) {
  ASSERT_TRUE(put(to_, "old").ok());
  start_ahead("t3");
  ASSERT_TRUE(put(to_, "older").ok());
  lose_taker();
  settle_renames();
  EXPECT_EQ(get(to_).value_or("?"), "text");
  EXPECT_EQ(code(head(from_)), Errc::not_found);
}

class LostRename : public MirrorFixture {};

TEST_F(LostRename, ARenameThatWasSeenWhenItsSourceDiedTakesTheOldNameAway) {
  std::string from, to;
  for (int i = 0; holders(from) != std::vector<std::string>{"t1", "t3"}; ++i) {
    from = key_on("t1", "from" + std::to_string(i) + "-");
  }
  for (int i = 0; holders(to) != std::vector<std::string>{"t3", "t2"}; ++i) {
    to = key_on("t3", "to" + std::to_string(i) + "-");
  }
  ASSERT_TRUE(put(from, "text").ok());
  cut_off_ = "t2";
  EXPECT_EQ(code(rename_within(kSoon, from, to)), Errc::timed_out);
  ASSERT_EQ(stored("t3", to).value_or("?"), "text");
  cut_off_ = "t1";
  place("t1", NodeState::kAway);
  change([](ClusterMap& map) { map.nodes.erase("t1"); });
  EXPECT_EQ(settle("t3"), 0u);
  (void)run(targets_.at("t3")->settle_all(as("node", true)));
  EXPECT_EQ(get(to).value_or("?"), "text");
  EXPECT_EQ(code(head(from)), Errc::not_found);
}

}  // namespace
}  // namespace aisfs::target
