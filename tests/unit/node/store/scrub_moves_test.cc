// SPDX-License-Identifier: MIT
// Damage on mountpaths that come and go.
#include "tests/unit/node/store/damage.h"
#include "tests/unit/node/store/mountpaths_fixture.h"

namespace aisfs::store {
namespace {

using State = ScrubFinding::State;

class ScrubMovesTest : public MountpathsTest {
 protected:
  static constexpr int kDamagedNames = 12;

  Result<ScrubFinding> scrub(int i) { return run(store_->scrub(key(name(i)))); }
  void expect_good() {
    for (int i = 0; i < kNames; ++i) {
      const auto found = scrub(i);
      ASSERT_TRUE(found.ok()) << found.error().what();
      EXPECT_EQ(found->state, State::kGood) << name(i) << ": " << found->why;
    }
  }
  StoredMeta meta_of(int i) {
    auto copy = run(store_->open_copy(key(name(i))));
    EXPECT_TRUE(copy.ok()) << copy.error().what();
    return std::move(copy->meta);
  }
  Result<bool> replace(int i, const StoredMeta& meta) {
    StringSource source("old " + name(i));
    return run(store_->replace_damaged(key(name(i)), meta, source));
  }
};

TEST_F(ScrubMovesTest, WhereverANameLiesItIsLookedAt) {
  put_all();
  make(3);
  ASSERT_TRUE(attach(3).ok());
  expect_good();
  settle();
  expect_good();
  ASSERT_TRUE(detach(1).ok());
  expect_good();
  settle();
  expect_good();
}

TEST_F(ScrubMovesTest, ADamagedNameIsHealedBeforeItMoves) {
  put_all();
  std::vector<StoredMeta> metas;
  for (int i = 0; i < kDamagedNames; ++i) metas.push_back(meta_of(i));
  make(3);
  ASSERT_TRUE(attach(3).ok());
  ASSERT_TRUE(detach(1).ok());  // half of them move
  for (int i = 0; i < kDamagedNames; ++i) {
    const std::string path = file_of(dir_, name(i));
    if (i % 2 == 0) flip_bit(path, 1);
    if (i % 2 == 1) std::filesystem::remove(path);
  }
  for (int i = 0; i < kDamagedNames; ++i) {
    const auto found = scrub(i);
    ASSERT_TRUE(found.ok()) << found.error().what();
    EXPECT_EQ(found->state, i % 2 == 0 ? State::kDamaged : State::kMissing) << name(i);
    const auto healed = replace(i, metas[static_cast<std::size_t>(i)]);
    ASSERT_TRUE(healed.ok()) << healed.error().what();
    EXPECT_TRUE(*healed);
    EXPECT_EQ(*get(name(i)), "old " + name(i));
  }
  EXPECT_EQ(set_aside_below(dir_).size(), kDamagedNames / 2u);
  settle();
  expect_all();
  expect_good();
  lose_power();
  expect_all();
}

TEST_F(ScrubMovesTest, WhatIsOutOfReachIsNotDamaged) {
  put_all();
  const auto out = files_on(1);
  ASSERT_TRUE(disable(1, Emptying::kSkip).ok());
  for (int i = 0; i < kNames; ++i) {
    const auto found = scrub(i);
    if (out.contains(name(i))) {
      EXPECT_EQ(code(found), Errc::not_ready) << name(i);
    } else {
      EXPECT_TRUE(found && found->state == State::kGood) << name(i);
    }
  }
  ASSERT_TRUE(enable(1).ok());
  settle();
  expect_good();
}

}  // namespace
}  // namespace aisfs::store
