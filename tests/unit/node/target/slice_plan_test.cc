// SPDX-License-Identifier: MIT
#include "node/target/slice_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace aisfs::target {
namespace {

constexpr ec::Geometry kTwoTwo{2, 2};

ec::SliceSet set(std::initializer_list<unsigned> slices) {
  ec::SliceSet all;
  for (const unsigned slice : slices) all.set(slice);
  return all;
}

const std::vector<std::string> kHolders{"a", "b", "c", "d"};

TEST(SlicePlanTest, NothingIsMovedWhereAllAreInPlace) {
  EXPECT_TRUE(plan_slices(kTwoTwo, kHolders,
                          {{"a", set({3})}, {"b", set({0})}, {"c", set({2})}, {"d", set({1})}})
                  .empty());
}

TEST(SlicePlanTest, WhatNobodyHasIsMadeOfTheOthers) {
  const SlicePlan plan =
      plan_slices(kTwoTwo, kHolders, {{"a", set({0})}, {"c", set({2})}, {"d", set({1})}});
  EXPECT_EQ(plan.moves, (std::vector<SlicePlan::Move>{{.slice = 3, .from = "", .to = "b"}}));
  EXPECT_TRUE(plan.extra.empty());
}

TEST(SlicePlanTest, WhatOneWhoIsNoHolderHasIsMovedAndOfNoUseThereThen) {
  const SlicePlan plan = plan_slices(
      kTwoTwo, kHolders, {{"old", set({1})}, {"a", set({0})}, {"b", set({2})}, {"d", set({3})}});
  EXPECT_EQ(plan.moves, (std::vector<SlicePlan::Move>{{.slice = 1, .from = "old", .to = "c"}}));
  ASSERT_EQ(plan.extra.size(), 1u);
  EXPECT_EQ(plan.extra[0].node, "old");
  EXPECT_EQ(plan.extra[0].slices, set({1}));
}

TEST(SlicePlanTest, TwoOfTheSameAreMadeDifferent) {
  const SlicePlan plan = plan_slices(
      kTwoTwo, kHolders, {{"a", set({0})}, {"b", set({0})}, {"c", set({1, 2})}, {"d", set({3})}});
  EXPECT_EQ(plan.moves, (std::vector<SlicePlan::Move>{{.slice = 2, .from = "c", .to = "b"}}));
  ASSERT_EQ(plan.extra.size(), 2u);
  EXPECT_EQ(plan.extra[0].node, "b");
  EXPECT_EQ(plan.extra[0].slices, set({0}));
  EXPECT_EQ(plan.extra[1].node, "c");
  EXPECT_EQ(plan.extra[1].slices, set({2}));
}

TEST(SlicePlanTest, WithTooFewHoldersNothingIsGivenUp) {
  const SlicePlan plan =
      plan_slices(kTwoTwo, {"a", "b"}, {{"a", set({0})}, {"b", set({1})}, {"old", set({2})}});
  EXPECT_TRUE(plan.moves.empty());
  EXPECT_TRUE(plan.extra.empty());
  EXPECT_EQ(plan.lacking, set({2, 3}));
}

/// Whatever lies where: afterwards each holder has one, and no slice is dropped that is nowhere
/// else.
TEST(SlicePlanTest, EveryDistributionComesToOrder) {
  std::uint64_t state = 1;
  const auto random = [&state] {
    return state = state * 6364136223846793005u + 1442695040888963407u, state >> 33;
  };
  for (int round = 0; round < 2000; ++round) {
    std::vector<SlicesAt> there;
    for (const char* node : {"a", "b", "c", "d", "x", "y"}) {
      there.push_back({node, ec::SliceSet(random() % 16 & random() % 16)});
    }
    const SlicePlan plan = plan_slices(kTwoTwo, kHolders, there);
    for (const SlicePlan::Move& move : plan.moves) {
      for (SlicesAt& at : there) {
        if (at.node == move.to) at.slices.set(move.slice);
      }
    }
    for (const SlicesAt& extra : plan.extra) {
      for (SlicesAt& at : there) {
        if (at.node == extra.node) at.slices &= ~extra.slices;
      }
    }
    ec::SliceSet seen;
    for (const SlicesAt& at : there) {
      const bool holds = std::ranges::find(kHolders, at.node) != kHolders.end();
      ASSERT_EQ(at.slices.count(), holds ? 1u : 0u) << round << " " << at.node;
      seen |= at.slices;
    }
    ASSERT_EQ(seen, set({0, 1, 2, 3})) << round;
    ASSERT_TRUE(plan_slices(kTwoTwo, kHolders, there).empty()) << round;
  }
}

}  // namespace
}  // namespace aisfs::target
