// SPDX-License-Identifier: MIT
// Damaged and missing copies give way to good ones; readers get the right bytes or an error.
#include "tests/unit/node/target/healing_fixture.h"

namespace aisfs::target {
namespace {

using store::flip_bit;
using store::flip_bit_of_xattr;

class HealerTest : public HealingFixture {};

TEST_F(HealerTest, AReaderGetsTheRightBytesWhateverIsWrongWithTheOwnersFile) {
  const std::string body(2'500'000, 'x');
  const auto keys = [&](const char* begin) { return key_on("t1", begin); };
  const std::string first = keys("first"), last = keys("last"), xattr = keys("xattr"),
                    shorter = keys("shorter"), gone = keys("gone"), small = keys("small");
  for (const auto& key : {first, last, xattr, shorter, gone}) ASSERT_TRUE(put(key, body).ok());
  ASSERT_TRUE(put(small, "text").ok());
  forget_verified();
  flip_bit(file("t1", first), 5);
  flip_bit(file("t1", last), body.size() - 1);
  flip_bit(file("t1", small), 3);
  flip_bit_of_xattr(file("t1", xattr), 40);
  std::filesystem::resize_file(file("t1", shorter), 1'000'000);
  std::filesystem::remove(file("t1", gone));
  for (const auto& key : {first, last, xattr, shorter, gone}) {
    const auto read = get(key);
    ASSERT_TRUE(read.ok()) << key << ": " << read.error().what();
    EXPECT_TRUE(*read == body) << key;
    EXPECT_EQ(check("t1", key), Verdict::kGood) << key;
  }
  EXPECT_EQ(*get(small), "text");
  EXPECT_EQ(store::set_aside_below(dir_ + "/t1").size(), 5u) << "all but the one that was gone";
  EXPECT_TRUE(damages("t1").empty());
}

TEST_F(HealerTest, AHolderTakesAGoodCopyFromTheOwner) {
  const std::string key = key_on("t1", "k"), other = holders(key)[1];
  const auto before = put(key, "text");
  flip_bit(file(other, key), 0);
  EXPECT_EQ(check(other, key), Verdict::kHealed);
  EXPECT_EQ(*stored(other, key), "text");
  EXPECT_EQ(stored_info(other, key)->meta_version, before->meta_version);
  lose("t1");
  EXPECT_EQ(*get(key), "text");
}

TEST_F(HealerTest, WhatAnotherTargetFindsDamagedIsHealedSoon) {
  const std::string key = key_on("t1", "k"), other = holders(key)[1];
  ASSERT_TRUE(put(key, "text").ok());
  forget_verified();
  flip_bit(file("t1", key), 0);
  std::filesystem::remove(file(other, key));
  EXPECT_EQ(check(other, key), Verdict::kLost) << "the owner's copy is damaged too";
  EXPECT_EQ(damages(other).size(), 1u);
  settle_healer("t1");
  ASSERT_EQ(damages("t1").size(), 1u) << "it was asked for it, and looked";
  EXPECT_TRUE(damages("t1")[0].lost);
}

TEST_F(HealerTest, OneThatDoesNotAnswerMayHaveAGoodCopy) {
  const std::string key = key_on("t1", "k");
  ASSERT_TRUE(put(key, "text").ok());
  forget_verified();
  flip_bit(file("t1", key), 0);
  cut_off_ = holders(key)[1];
  EXPECT_EQ(code(get(key)), Errc::corrupt);
  ASSERT_EQ(damages("t1").size(), 1u);
  EXPECT_FALSE(damages("t1")[0].lost);
  cut_off_.clear();
  EXPECT_EQ(*get(key), "text");
  EXPECT_TRUE(damages("t1").empty());
}

TEST_F(HealerTest, WithOneCopyItIsAnErrorAndTheNameStays) {
  keep(1);
  const std::string damaged = key_on("t1", "damaged"), gone = key_on("t1", "gone");
  for (const auto& key : {damaged, gone}) ASSERT_TRUE(put(key, "text").ok());
  forget_verified();
  flip_bit(file("t1", damaged), 0);
  std::filesystem::remove(file("t1", gone));
  for (const auto& key : {damaged, gone}) {
    EXPECT_EQ(code(get(key)), Errc::corrupt) << key;
    EXPECT_TRUE(head(key).ok()) << key;
  }
  EXPECT_EQ(list(), (std::vector<std::string>{damaged, gone}));
  const auto found = damages("t1");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].key, damaged);
  EXPECT_TRUE(found[0].lost && found[1].lost);
  EXPECT_TRUE(std::filesystem::exists(file("t1", damaged))) << "the last copy stays";
  ASSERT_TRUE(put(damaged, "new").ok());
  EXPECT_EQ(damages("t1").size(), 1u);
  EXPECT_EQ(check("t1", damaged), Verdict::kGood);
  ASSERT_TRUE(remove(gone).ok());
  EXPECT_TRUE(damages("t1").empty());
}

TEST_F(HealerTest, WhatAStartCouldNotReadIsMissedByNobody) {
  const std::string read = key_on("t1", "read"), listed = key_on("t1", "listed"),
                    written = key_on("t1", "written");
  for (const auto& key : {read, listed, written}) ASSERT_TRUE(put(key, "text").ok());
  for (const auto& key : {read, listed, written}) flip_bit_of_xattr(file("t1", key), 20);
  for (const char* other : {"t2", "t3"}) all_copies_are_known(other);
  forget_index("t1");
  EXPECT_EQ(damages("t1").size(), 3u);
  EXPECT_EQ(list(), (std::vector<std::string>{listed, read, written}));
  EXPECT_EQ(*get(read), "text");
  EXPECT_EQ(*stored("t1", read), "text");
  ASSERT_TRUE(put(written, "new").ok());
  EXPECT_EQ(*stored(holders(written)[1], written), "new");
  EXPECT_EQ(get(key_on("t1", "never")).error(), Errc::not_found);
  ASSERT_EQ(damages("t1").size(), 1u);
  EXPECT_EQ(damages("t1")[0].key, listed);
  EXPECT_FALSE(damages("t1")[0].lost);
}

TEST_F(HealerTest, WrongBytesAreNotTakenForAGoodCopy) {
  const std::string key = key_on("t1", "k"), other = holders(key)[1];
  ASSERT_TRUE(put(key, "text").ok());
  // Both were verified when they were written, and believe it.
  flip_bit(file("t1", key), 0);
  flip_bit(file(other, key), 1);
  EXPECT_EQ(check("t1", key), Verdict::kLost);
  EXPECT_EQ(code(get(key)), Errc::corrupt);
  flip_bit(file(other, key), 1);
  EXPECT_EQ(*get(key), "text");
}

}  // namespace
}  // namespace aisfs::target
