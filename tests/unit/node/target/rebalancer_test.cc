// SPDX-License-Identifier: MIT
// Walks that bring every name where it belongs.
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

}  // namespace
}  // namespace aisfs::target
