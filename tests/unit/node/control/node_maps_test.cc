// SPDX-License-Identifier: MIT
#include "node/control/node_maps.h"

#include <gtest/gtest.h>

#include <thread>

#include "common/wire/envelope.h"

namespace aisfs::control {
namespace {

ClusterMap map_of(Epoch epoch) {
  ClusterMap map;
  map.uuid = "c";
  map.epoch = epoch;
  return map;
}

TEST(NodeMaps, AnInstalledMapIsSeenByAllThreadsAtOnce) {
  NodeMapSource maps;
  EXPECT_EQ(maps.current()->epoch, 0U);
  std::atomic<Epoch> installed = 0;
  std::atomic<int> stale = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      for (Epoch known = 0; known < 200;) {
        known = installed;
        if (maps.current()->epoch < known) ++stale;
      }
    });
  }
  for (Epoch epoch = 1; epoch <= 200; ++epoch) {
    ASSERT_TRUE(maps.install(map_of(epoch)).ok());
    installed = epoch;
  }
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(stale, 0);
}

TEST(NodeMaps, TwoSourcesInOneThreadAreNotMixedUp) {
  NodeMapSource one, other;
  ASSERT_TRUE(one.install(map_of(7)).ok());
  ASSERT_TRUE(other.install(map_of(9)).ok());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(one.current()->epoch, 7U);
    EXPECT_EQ(other.current()->epoch, 9U);
  }
}

ClusterMap with_bucket(ClusterMap map, const std::string& name, std::size_t acl_bytes = 0) {
  ++map.epoch;
  Bucket bucket{.id = BucketId{map.epoch}, .name = native_bucket(name)};
  bucket.props.acl.assign(acl_bytes, 'x');
  map.buckets[bucket.name.uname()] = bucket;
  return map;
}

/// The source of a gateway, and the one of a node that follows it.
class NodeMapsUpdate : public ::testing::Test {
 protected:
  NodeMapsUpdate() {
    install(map_of(1));
    EXPECT_TRUE(node_.install(map_of(1)).ok());
  }

  void install(ClusterMap map) { ASSERT_TRUE(gateway_.install(std::move(map)).ok()); }
  ClusterMap now() { return *gateway_.current(); }
  wire::MapUpdate news() { return gateway_.update_since(node_.current()->epoch); }
  void expect_same() { EXPECT_EQ(*node_.current(), *gateway_.current()); }

  NodeMapSource gateway_, node_;
};

TEST_F(NodeMapsUpdate, AChangeIsSentAsWhatChanged) {
  install(with_bucket(now(), "big", 100'000));
  ASSERT_TRUE(node_.apply(news()).ok());
  install(with_bucket(now(), "small"));
  const wire::MapUpdate update = news();
  EXPECT_EQ(update.whole, "");
  EXPECT_LT(wire::encode(update).size(), 1000U);
  EXPECT_EQ(*node_.apply(update), 3U);
  expect_same();
}

TEST_F(NodeMapsUpdate, SeveralChangesAreSentOneAfterTheOther) {
  for (const char* name : {"a", "b", "c"}) install(with_bucket(now(), name));
  const wire::MapUpdate update = news();
  EXPECT_EQ(update.deltas.size(), 3U);
  EXPECT_EQ(*node_.apply(update), 4U);
  expect_same();
  EXPECT_TRUE(news().deltas.empty());
  EXPECT_EQ(news().whole, "");
}

TEST_F(NodeMapsUpdate, WhatIsKnownOfAnUpdateIsPassedOver) {
  for (const char* name : {"a", "b"}) install(with_bucket(now(), name));
  const wire::MapUpdate both = news();
  install(with_bucket(now(), "c"));
  ASSERT_EQ(*node_.apply(both), 3U);
  EXPECT_EQ(*node_.apply(both), 3U);
  EXPECT_EQ(*node_.apply(gateway_.update_since(1)), 4U);
  expect_same();
}

TEST_F(NodeMapsUpdate, AFollowerHandsItOn) {
  NodeMapSource third;
  ASSERT_TRUE(third.install(map_of(1)).ok());
  install(with_bucket(now(), "a"));
  ASSERT_TRUE(node_.apply(news()).ok());
  const wire::MapUpdate update = node_.update_since(1);
  EXPECT_EQ(update.deltas.size(), 1U);
  EXPECT_TRUE(third.apply(update).ok());
  EXPECT_EQ(*third.current(), *gateway_.current());
}

TEST_F(NodeMapsUpdate, AGapIsClosedByTheWholeMap) {
  ClusterMap later = with_bucket(now(), "a");
  later.epoch = 5;
  install(later);
  install(with_bucket(now(), "b"));
  ASSERT_TRUE(node_.install(with_bucket(map_of(2), "a")).ok());
  const wire::MapUpdate update = news();
  EXPECT_TRUE(update.deltas.empty());
  EXPECT_NE(update.whole, "");
  EXPECT_TRUE(gateway_.update_since(3, MapNeed::kChanges).deltas.empty());
  EXPECT_EQ(*node_.apply(update), 6U);
  expect_same();
}

TEST_F(NodeMapsUpdate, WhatDoesNotBeginWithTheKnownMapIsRefused) {
  install(with_bucket(now(), "a"));
  install(with_bucket(now(), "b"));
  EXPECT_EQ(node_.apply(gateway_.update_since(2)).error().code(), Errc::stale_map);
  EXPECT_EQ(node_.current()->epoch, 1U);
}

/// A node of whose map of an epoch nobody knows why it is another one.
TEST_F(NodeMapsUpdate, AWrongOutcomeIsRefusedAndTheWholeMapTaken) {
  install(with_bucket(now(), "a"));
  ASSERT_TRUE(node_.install(with_bucket(map_of(1), "other")).ok());
  install(with_bucket(now(), "b"));
  EXPECT_EQ(node_.apply(news()).error().code(), Errc::corrupt);
  EXPECT_EQ(node_.current()->epoch, 2U);
  const wire::MapUpdate whole = gateway_.update_since(2, MapNeed::kWhole);
  EXPECT_TRUE(whole.deltas.empty());
  EXPECT_EQ(*node_.apply(whole), 3U);
  expect_same();
  install(with_bucket(now(), "c"));
  EXPECT_EQ(*node_.apply(news()), 4U);
}

TEST_F(NodeMapsUpdate, AMapOfAnotherClusterIsRefused) {
  NodeMapSource other;
  ClusterMap map = map_of(1);
  map.uuid = "other";
  ASSERT_TRUE(other.install(map).ok());
  ASSERT_TRUE(other.install(with_bucket(map, "a")).ok());
  EXPECT_EQ(node_.apply(other.update_since(1)).error().code(), Errc::permission_denied);
  EXPECT_EQ(node_.apply(other.update_since(0)).error().code(), Errc::permission_denied);
}

TEST_F(NodeMapsUpdate, ChangesThatAreMoreThanAMapAreNotSent) {
  for (int i = 0; i < 12; ++i) install(with_bucket(now(), "b" + std::to_string(i), 100'000));
  EXPECT_NE(gateway_.update_since(1).whole, "");
  EXPECT_EQ(gateway_.update_since(9).deltas.size(), 4U);
}

}  // namespace
}  // namespace aisfs::control
