// SPDX-License-Identifier: MIT
// The expected values are AIStore's, computed with its own SDK.
#include "common/placement/hrw.h"

#include <gtest/gtest.h>

namespace aisfs::placement {
namespace {

std::vector<std::uint64_t> digests(std::initializer_list<const char*> names) {
  std::vector<std::uint64_t> out;
  for (const char* name : names) out.push_back(digest(name));
  return out;
}

std::size_t target_index(const char* uname) {
  return heaviest(digests({"t1", "t2", "t3", "t4"}), digest(uname));
}

ObjectName object(std::string key) { return {native_bucket("mybucket"), std::move(key)}; }

TEST(Hrw, MixesAsAistoreDoes) {
  EXPECT_EQ(mix(4573842), 5026071747115404967u);
  EXPECT_EQ(mix(0), 1905207664160064169u);
}

TEST(Hrw, DigestsAsAistoreDoes) {
  EXPECT_EQ(digest(""), 12295767445558623539u);
  EXPECT_EQ(digest("a"), 6843093361001225328u);
  EXPECT_EQ(digest("t1"), 14214570646889990061u);
  EXPECT_EQ(digest("ais/@uuid1#ns1/b/o"), 16764124078107252891u);
}

TEST(Hrw, DigestOfANameIsThatOfItsUname) {
  EXPECT_EQ(placement_digest(object("obj1")), 17037399786638499582u);
  EXPECT_EQ(placement_digest(object("dir/obj2")), 15628234679341431666u);
}

TEST(Hrw, PicksAistoresTarget) {
  EXPECT_EQ(target_index("ais/@#/mybucket/obj1"), 1u);
  EXPECT_EQ(target_index("ais/@#/mybucket/dir/obj2"), 1u);
  EXPECT_EQ(target_index("ais/@#/mybucket/obj3"), 2u);
  EXPECT_EQ(target_index("aws/@#/bkt/x"), 3u);
}

TEST(Hrw, PicksAistoresMountpath) {
  const auto mountpaths = digests({"/tmp/ais/mp1", "/tmp/ais/mp2", "/tmp/ais/mp3"});
  EXPECT_EQ(heaviest(mountpaths, digest("ais/@#/mybucket/obj1")), 2u);
  EXPECT_EQ(heaviest(mountpaths, digest("ais/@#/mybucket/obj3")), 2u);
}

TEST(Hrw, RsyncTemporaryLivesWhereItsFileWill) {
  EXPECT_EQ(placement_digest(object("d/.file.c.Xy12Zz")), placement_digest(object("d/file.c")));
  EXPECT_EQ(placement_digest(object(".f.AbC123")), placement_digest(object("f")));
}

TEST(Hrw, OtherHiddenNamesAreTheirOwn) {
  for (const char* key : {".bashrc", ".f.AbC12", ".f.AbC-23", "f.AbC123", "..AbC123"}) {
    EXPECT_EQ(placement_digest(object(key)), digest("ais/@#/mybucket/" + std::string(key))) << key;
  }
}

TEST(Hrw, OwnerIsTheFirstHolderAndInactiveTargetsHoldNothing) {
  ClusterMap map;
  for (const char* id : {"t1", "t2", "t3", "t4"}) map.nodes[id] = NodeInfo{.id = id};
  EXPECT_EQ(owner_of(map, object("obj1"))->id, "t2");
  EXPECT_EQ(holders_of(map, object("obj1"), 3).front()->id, "t2");
  map.nodes["t2"].state = NodeState::kMaintenance;
  EXPECT_EQ(owner_of(map, object("obj1"))->id, "t1");
  EXPECT_EQ(holders_of(map, object("obj1"), 9).size(), 3u);
}

TEST(NeededForAll, WhatWasGivenUpIsMissingLikeWhatIsAway) {
  ClusterMap map{.epoch = 9};
  for (const char* id : {"t1", "t2", "t3"}) map.nodes[id] = {.id = id};
  const Bucket two{.id = {1}, .name = native_bucket("b"), .props = {.copies = 2}};
  map.buckets[two.name.uname()] = two;
  map.placement.past = {{.until = 8, .targets = {"t1", "t2", "t3", "t4"}}};
  map.placement.lost = {"t4"};
  EXPECT_TRUE(needed_for_all(map, two).empty()) << "each name has another copy";
  map.nodes["t1"].state = NodeState::kAway;
  EXPECT_EQ(needed_for_all(map, two), std::vector<std::string>{"t1"}) << "it may have the only ones";
  map.placement.lost.clear();
  map.placement.past[0].targets.pop_back();
  EXPECT_TRUE(needed_for_all(map, two).empty());
}

}  // namespace
}  // namespace aisfs::placement
