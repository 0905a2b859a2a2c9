// SPDX-License-Identifier: MIT
#include "aisfs/fs/sights.h"

#include <gtest/gtest.h>

namespace aisfs::fs {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kNode = 7;
constexpr std::int32_t kThread = 100;

TEST(Sights, OnlyTheThreadThatSawItKnows) {
  const Sights::Time now{1h};
  Sights sights;
  sights.mark(kNode, kThread, now);
  EXPECT_TRUE(sights.is_newer(kNode, kThread, now - 1ms));
  EXPECT_FALSE(sights.is_newer(kNode, kThread, now)) << "it is too long ago";
  EXPECT_FALSE(sights.is_newer(kNode, kThread + 1, now - 1ms));
  EXPECT_FALSE(sights.is_newer(kNode + 1, kThread, now - 1ms));
}

TEST(Sights, FourThreadsAreRemembered) {
  const Sights::Time now{1h};
  Sights sights;
  for (int i = 0; i < 5; ++i) sights.mark(kNode, kThread + i, now);
  EXPECT_FALSE(sights.is_newer(kNode, kThread, now - 1ms));
  for (int i = 1; i < 5; ++i) EXPECT_TRUE(sights.is_newer(kNode, kThread + i, now - 1ms));
}

TEST(Sights, AThreadSeesAgain) {
  const Sights::Time now{1h};
  Sights sights;
  sights.mark(kNode, kThread, now - 1s);
  sights.mark(kNode, kThread, now);
  EXPECT_TRUE(sights.is_newer(kNode, kThread, now - 1ms));
}

TEST(Sights, WhatIsForgottenWasSeenByNobody) {
  const Sights::Time now{1h};
  Sights sights;
  sights.mark(kNode, kThread, now);
  sights.mark(kNode + 1, kThread, now);
  sights.forget(kNode);
  EXPECT_FALSE(sights.is_newer(kNode, kThread, now - 1ms));
  EXPECT_TRUE(sights.is_newer(kNode + 1, kThread, now - 1ms));
}

/// A million inodes take no more room than some thousand: the newest ones are known.
TEST(Sights, AnInodeIsNeverTakenForAnother) {
  const Sights::Time now{1h};
  Sights sights;
  constexpr std::uint64_t kMany = 1'000'000;
  for (std::uint64_t node = 1; node <= kMany; ++node) sights.mark(node, kThread, now);
  EXPECT_FALSE(sights.is_newer(1, kThread, now - 1ms));
  for (std::uint64_t node = kMany - 1000; node <= kMany; ++node)
    EXPECT_TRUE(sights.is_newer(node, kThread, now - 1ms));
}

}  // namespace
}  // namespace aisfs::fs
