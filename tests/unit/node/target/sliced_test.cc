// SPDX-License-Identifier: MIT
// Objects in slices on several targets.
#include "tests/unit/node/target/sliced_fixture.h"

namespace aisfs::target {
namespace {

using SlicedTest = SlicedFixture;

constexpr std::size_t kLarge = (5 << 20) + 12345;

TEST_F(SlicedTest, ALargeObjectIsSplitAndASmallOneIsNot) {
  const std::string large = bytes(kLarge), small = bytes(kLeast - 1);
  const auto before = put("large", large);
  ASSERT_TRUE(before.ok()) << before.error().what();
  ASSERT_TRUE(put("small", small).ok());
  ASSERT_TRUE(settle_slices());
  expect_in_order("large");
  EXPECT_FALSE(reference("small"));
  EXPECT_EQ(*get_all("large"), large);
  EXPECT_EQ(*get_all("small"), small);
  const auto after = head("large");
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->size, large.size());
  EXPECT_EQ(after->etag, before->etag);
  EXPECT_EQ(after->ino, before->ino);
  EXPECT_EQ(after->content_version, before->content_version);
}

/// Where the last block ends near a border of what is written at once, with or without its end.
TEST_F(SlicedTest, SizesNextToAStripeAreKept) {
  constexpr std::size_t kStripe = 2 << 20;
  for (const std::size_t size : {kStripe - 200, kStripe - 128, kStripe - 1, kStripe, kStripe + 1,
                                 2 * kStripe - 300, 2 * kStripe - 1}) {
    const auto made = put("a", bytes(size));
    ASSERT_TRUE(made.ok()) << size << ": " << made.error().what();
    ASSERT_TRUE(settle_slices());
    expect_in_order("a");
    ASSERT_TRUE(*get_all("a") == bytes(size)) << size;
  }
}

/// The answer to the first was lost: the second finds what the first has made.
TEST_F(SlicedTest, APutThatIsSentTwiceKeepsItsSlices) {
  const std::string all = bytes(kLarge);
  LocalTarget& target = *targets_.at(owner("a"));
  const Version before = target.last_version();
  ASSERT_TRUE(put("a", all).ok());
  const auto first = reference("a");
  ASSERT_TRUE(first);
  Context again = alice();
  again.unless_newer = before;
  StringSource source(all);
  PutOptions options;
  ExpectedChecksums unknown;
  const auto made = run(target.put(again, name("a"), options, unknown, source));
  ASSERT_TRUE(made.ok()) << made.error().what();
  EXPECT_EQ(reference("a"), first);
  ASSERT_TRUE(settle_slices());
  EXPECT_TRUE(*get_all("a") == all);
  expect_in_order("a");
}

TEST_F(SlicedTest, ItsNameIsKnownToAsManyAsSlicesMayBeLostAndOneMore) {
  ASSERT_TRUE(put("a", bytes(kLarge)).ok());
  ASSERT_TRUE(settle_slices());
  const auto content = reference("a");
  ASSERT_TRUE(content);
  const auto holders = slice_holders("a");
  for (std::size_t i = 0; i < holders.size(); ++i) {
    const auto known = stores_.at(holders[i])->resolve(key_of("a"));
    if (i < 3) {
      ASSERT_TRUE(known.ok()) << i;
      EXPECT_EQ(*known, content) << i;
    } else {
      EXPECT_EQ(code(known), Errc::not_found) << i;
    }
  }
}

TEST_F(SlicedTest, PartsAreReadWhateverSlicesTheyTouch) {
  const std::string all = bytes(kLarge);
  ASSERT_TRUE(put("a", all).ok());
  ASSERT_TRUE(settle_slices());
  const auto compare = [&] {
    for (const ByteRange range :
         {ByteRange{0, 1}, ByteRange{(1 << 20) - 1, 2}, ByteRange{1 << 20, 1 << 20},
          ByteRange{3000000, 2000001}, ByteRange{kLarge - 1, 1},
          ByteRange{4 << 20, ByteRange::kToEnd}}) {
      const auto part = get_range("a", range);
      ASSERT_TRUE(part.ok()) << range.offset << ": " << part.error().what();
      EXPECT_TRUE(*part == all.substr(range.offset, range.length)) << range.offset;
    }
  };
  compare();
  drop(slice_holders("a")[0], "a");
  drop(slice_holders("a")[1], "a");
  compare();
}

class AllPairs : public SlicedFixture {
 protected:
  /// Each pair of so many slices is lost in turn, read without, and made anew.
  void lose_each_pair(std::size_t slices) {
    const std::string all = bytes(kLarge);
    ASSERT_TRUE(put("a", all).ok());
    ASSERT_TRUE(settle_slices());
    const auto holders = slice_holders("a", slices);
    for (std::size_t i = 0; i < slices; ++i) {
      for (std::size_t j = i + 1; j < slices; ++j) {
        drop(holders[i], "a");
        drop(holders[j], "a");
        const auto got = get_all("a");
        ASSERT_TRUE(got.ok()) << i << "," << j << ": " << got.error().what();
        EXPECT_TRUE(*got == all) << i << "," << j;
        ASSERT_TRUE(settle_slices());
        expect_in_order("a", slices);
      }
    }
  }
};

TEST_F(AllPairs, AnyTwoOfFourMayBeLostAndAreMadeAnew) { lose_each_pair(4); }

TEST_F(AllPairs, AnyTwoOfSixMayBeLostAndAreMadeAnew) {
  change([](ClusterMap& map) { map.nodes["t6"] = NodeInfo{.id = "t6"}; });
  split({.data = 4, .parity = 2, .least_bytes = kLeast});
  lose_each_pair(6);
}

TEST_F(SlicedTest, OneMoreGoneIsAnErrorAndNothingIsDeleted) {
  const std::string all = bytes(kLarge);
  ASSERT_TRUE(put("a", all).ok());
  ASSERT_TRUE(settle_slices());
  const auto holders = slice_holders("a");
  for (std::size_t i = 0; i < 2; ++i) drop(holders[i], "a");
  cut_off_ = holders[2];
  EXPECT_EQ(code(get_all("a")), Errc::not_ready);
  cut_off_.clear();
  EXPECT_TRUE(*get_all("a") == all);
  drop(holders[2], "a");
  EXPECT_EQ(code(get_all("a")), Errc::corrupt);
  (void)settle_slices();
  EXPECT_TRUE(head("a").ok());
  EXPECT_EQ(list(), std::vector<std::string>{"a"});
  EXPECT_EQ(slices_at(holders[3], "a").count(), 1u);
  EXPECT_GE(targets_.at(owner("a"))->slicer().progress().lost, 1u);
}

TEST_F(SlicedTest, ADamagedSliceIsNotBelieved) {
  const std::string all = bytes(kLarge);
  ASSERT_TRUE(put("a", all).ok());
  ASSERT_TRUE(settle_slices());
  const auto holders = slice_holders("a");
  damage(holders[0]);
  damage(holders[1]);
  const auto got = get_all("a");
  ASSERT_TRUE(got.ok()) << got.error().what();
  EXPECT_TRUE(*got == all);
  damage(holders[2]);
  EXPECT_FALSE(get_all("a").ok());
}

TEST_F(SlicedTest, SlicesOfWhatIsReplacedOrRemovedGo) {
  ASSERT_TRUE(put("a", bytes(kLarge)).ok());
  ASSERT_TRUE(put("b", bytes(kLarge)).ok());
  ASSERT_TRUE(settle_slices());
  const auto old_a = reference("a"), old_b = reference("b");
  ASSERT_TRUE(old_a && old_b);
  const std::string now = bytes(kLarge + 1);
  ASSERT_TRUE(put("a", now).ok());
  ASSERT_TRUE(remove("b").ok());
  ASSERT_TRUE(settle_slices());
  EXPECT_TRUE(*get_all("a") == now);
  EXPECT_EQ(code(get_all("b")), Errc::not_found);
  expect_in_order("a");
  for (const auto& [id, _] : targets_) {
    EXPECT_TRUE(slices_at(id, *old_a).none()) << id;
    EXPECT_TRUE(slices_at(id, *old_b).none()) << id;
  }
}

TEST_F(SlicedTest, AttributesChangeWithoutTheSlices) {
  ASSERT_TRUE(put("a", bytes(kLarge)).ok());
  ASSERT_TRUE(settle_slices());
  const auto content = reference("a");
  AttrChange change;
  change.user = std::map<std::string, std::string>{{"colour", std::string(3000, 'x')}};
  Conditions none;
  ASSERT_TRUE(run(cluster_.set_attrs(alice(), name("a"), change, none)).ok());
  EXPECT_EQ(head("a")->user.at("colour").size(), 3000u);
  EXPECT_EQ(reference("a"), content);
  EXPECT_TRUE(*get_all("a") == bytes(kLarge));
}

TEST_F(SlicedTest, ARenamedObjectIsWholeAndIsSplitAgain) {
  const std::string all = bytes(kLarge);
  for (const std::string& to :
       {key_on(owner("a"), "here"), key_on(slice_holders("a")[1], "there")}) {
    ASSERT_TRUE(put("a", all).ok());
    ASSERT_TRUE(settle_slices());
    const auto old = reference("a");
    const auto renamed = rename("a", to);
    ASSERT_TRUE(renamed.ok()) << renamed.error().what();
    EXPECT_EQ(code(get_all("a")), Errc::not_found);
    EXPECT_TRUE(*get_all(to) == all);
    settle_all();
    ASSERT_TRUE(settle_slices());
    EXPECT_TRUE(*get_all(to) == all);
    expect_in_order(to);
    for (const auto& [id, _] : targets_) EXPECT_TRUE(slices_at(id, *old).none()) << id;
  }
}

TEST_F(SlicedTest, SlicesFollowTheTargets) {
  std::map<std::string, std::string> objects;
  for (int i = 0; i < 12; ++i) {
    const std::string key = "k" + std::to_string(i);
    objects[key] = bytes(100'000 + static_cast<std::size_t>(i));
    ASSERT_TRUE(put(key, objects[key]).ok());
  }
  ASSERT_TRUE(settle_slices());
  const auto check = [&](const char* when) {
    for (const auto& [key, all] : objects) {
      const auto got = get_all(key);
      ASSERT_TRUE(got.ok()) << when << " " << key << ": " << got.error().what();
      EXPECT_TRUE(*got == all) << when << " " << key;
    }
  };
  place("t6", NodeState::kActive);
  check("one comes");
  ASSERT_TRUE(settle_slices());
  ASSERT_TRUE(walk());
  ASSERT_TRUE(settle_slices());
  settled();
  for (const auto& [key, _] : objects) expect_in_order(key);
  place("t1", NodeState::kMaintenance);
  check("one leaves");
  ASSERT_TRUE(settle_slices());
  ASSERT_TRUE(walk());
  ASSERT_TRUE(settle_slices());
  settled();
  for (const auto& [key, _] : objects) expect_in_order(key);
  lose("t2");
  check("one is lost");
  ASSERT_TRUE(settle_slices());
  check("after one was lost");
}

TEST_F(SlicedTest, WithTooFewTargetsCopiesStay) {
  lose("t5");
  lose("t4");
  const std::string all = bytes(kLarge);
  const auto put_now = put("a", all);
  ASSERT_TRUE(put_now.ok()) << put_now.error().what();
  ASSERT_TRUE(settle_slices());
  EXPECT_FALSE(reference("a"));
  EXPECT_TRUE(*get_all("a") == all);
}

TEST_F(SlicedTest, AnotherGeometryAndNoneAreFollowed) {
  const std::string all = bytes(kLarge);
  ASSERT_TRUE(put("a", all).ok());
  ASSERT_TRUE(settle_slices());
  split({.data = 3, .parity = 1, .least_bytes = kLeast});
  EXPECT_TRUE(*get_all("a") == all);
  ASSERT_TRUE(settle_slices());
  EXPECT_EQ(store::geometry_of(*reference("a")), (ec::Geometry{3, 1}));
  EXPECT_TRUE(*get_all("a") == all);
  const auto content = reference("a");
  split({});
  ASSERT_TRUE(settle_slices());
  ASSERT_TRUE(settle_slices());  // who has looked before its owner did
  EXPECT_FALSE(reference("a"));
  EXPECT_TRUE(*get_all("a") == all);
  for (const auto& [id, _] : targets_) EXPECT_TRUE(slices_at(id, *content).none()) << id;
}

}  // namespace
}  // namespace aisfs::target
