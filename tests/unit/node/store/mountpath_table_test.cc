// SPDX-License-Identifier: MIT
// What the target remembers of its mountpaths, and who may hold what.
#include "node/store/mountpath_table.h"

#include <gtest/gtest.h>

#include "node/store/mountpath_set.h"
#include "tests/kit/golden.h"

namespace aisfs::store {
namespace {

using State = MountpathEntry::State;

MountpathTable table_of(std::vector<std::string> paths) {
  MountpathTable table;
  for (std::string& path : paths)
    table.entries.push_back({.path = path, .uuid = "uuid of " + path});
  table.settle();
  return table;
}

TEST(MountpathTable, OneThatGoesWhenAllIsSettledHoldsWhatWasPlacedOnIt) {
  MountpathTable table = table_of({"/a", "/b", "/c"});
  table.lose(*table.find("/b"), State::kFailed, "EIO", {});
  EXPECT_EQ(table.find("/b")->held, (std::vector<PlacedOn>{{"/a", "/b", "/c"}}));
  EXPECT_TRUE(table.settled) << "what was on the others stays where it is";
  EXPECT_EQ(table.placements, (std::vector<PlacedOn>{{"/a", "/c"}}));
  table.lose(*table.find("/a"), State::kFailed, "EIO", {});
  EXPECT_EQ(table.find("/a")->held, (std::vector<PlacedOn>{{"/a", "/c"}}));
}

TEST(MountpathTable, OneThatGoesWhileNamesMoveHoldsWhatAnyPlacementPutOnIt) {
  MountpathTable table = table_of({"/a", "/b"});
  table.entries.push_back({.path = "/c", .uuid = "c"});
  table.settled = false;
  table.place_anew();
  table.lose(*table.find("/b"), State::kFailed, "EIO", {});
  EXPECT_EQ(table.find("/b")->held, (std::vector<PlacedOn>{{"/a", "/b"}, {"/a", "/b", "/c"}}));
  table.lose(*table.find("/c"), State::kFailed, "EIO", {});
  EXPECT_EQ(table.find("/c")->held, (std::vector<PlacedOn>{{"/a", "/b", "/c"}, {"/a", "/c"}}));
  EXPECT_FALSE(table.settled);
}

TEST(MountpathTable, OneThatComesBackHasNamesOfWhenItWent) {
  MountpathTable table = table_of({"/a", "/b"});
  table.lose(*table.find("/b"), State::kMissing, "not there", {});
  table.bring_back(*table.find("/b"));
  EXPECT_FALSE(table.settled);
  EXPECT_FALSE(table.find("/b")->is_lacking());
  EXPECT_EQ(table.placements, (std::vector<PlacedOn>{{"/a", "/b"}, {"/a"}, {"/a", "/b"}}));
}

TEST(MountpathTable, AfterManyPlacementsAnyNameMayBeAnywhere) {
  MountpathTable table = table_of({"/a", "/b"});
  table.settled = false;
  for (int i = 0; i < 20; ++i) {
    table.find("/b")->state = i % 2 == 0 ? State::kDisabling : State::kActive;
    table.place_anew();
    EXPECT_LE(table.placements.size(), 9u);
  }
  table.lose(*table.find("/b"), State::kFailed, "EIO", {});
  const auto& held = table.find("/b")->held;
  EXPECT_NE(std::find(held.begin(), held.end(), PlacedOn{"/b"}), held.end());
}

TEST(MountpathTable, ALackIsOfThoseNamesAlone) {
  const std::uint64_t a = placement::digest("/a"), b = placement::digest("/b");
  const Lack placed{.path = "/b",
                    .why = "",
                    .digest = b,
                    .held = {{a, b}},
                    .buckets = std::nullopt,
                    .newer_until = {}};
  const Lack any{
      .path = "/b", .why = "", .digest = b, .held = {{b}}, .buckets = {{7}}, .newer_until = {}};
  int lacking = 0;
  for (std::uint64_t key = 0; key < 200; ++key) {
    const bool on_b = placement::heaviest({a, b}, key) == 1;
    EXPECT_EQ(placed.may_hold(key), on_b);
    EXPECT_TRUE(any.may_hold(key));
    lacking += on_b ? 1 : 0;
  }
  EXPECT_GT(lacking, 50);
  EXPECT_TRUE(placed.may_hold(BucketId{8}));
  EXPECT_FALSE(any.may_hold(BucketId{8}));
}

TEST(MountpathTable, WhatIsKnownOfANameMayBeOlderThanWhatALostOneHas) {
  const Version last{.epoch = 7, .hlc = 100, .incarnation = 3};
  MountpathTable table = table_of({"/a", "/b", "/c"});
  table.lose(*table.find("/b"), State::kFailed, "EIO", {last, 50});
  EXPECT_FALSE(table.find("/b")->newer_until) << "every name was at its place alone";
  table.lose(*table.find("/c"), State::kFailed, "EIO", {last, 50});
  table.bring_back(*table.find("/b"));
  EXPECT_EQ(table.find("/c")->newer_until, last) << "what has come back has missed changes";
  table.lose(*table.find("/a"), State::kFailed, "EIO", {last, 50});
  EXPECT_EQ(table.find("/a")->newer_until, last) << "nor have they come to what has come back";
  table.bring_back(*table.find("/a"));
  EXPECT_FALSE(table.find("/a")->newer_until);

  const Lack lack{
      .path = "/c", .why = "", .digest = 0, .held = {}, .buckets = {}, .newer_until = last};
  EXPECT_TRUE(lack.may_supersede({.epoch = 6, .hlc = 900, .incarnation = 3}));
  EXPECT_TRUE(lack.may_supersede({.epoch = 7, .hlc = 100, .incarnation = 3}));
  EXPECT_TRUE(lack.may_supersede({.epoch = 7, .hlc = 900, .incarnation = 4})) << "another's clock";
  EXPECT_FALSE(lack.may_supersede({.epoch = 7, .hlc = 101, .incarnation = 3}));
  EXPECT_FALSE(lack.may_supersede({.epoch = 8, .hlc = 1, .incarnation = 4}));
}

TEST(MountpathTable, ADiskThatGoesWhileAllIsSettledCastsNoDoubtOnCopiedBuckets) {
  MountpathTable table = table_of({"/a", "/b", "/c"});
  table.keep({{42, 2}});
  EXPECT_FALSE(table.settled);
  table.lose(*table.find("/a"), State::kFailed, "EIO", {});
  EXPECT_TRUE(table.find("/a")->copied.empty()) << "the copies were not there yet";
  table.bring_back(*table.find("/a"));
  table.settle();
  table.lose(*table.find("/a"), State::kFailed, "EIO", {});
  EXPECT_EQ(table.find("/a")->copied, std::set<std::uint64_t>{42});
  EXPECT_FALSE(table.settled) << "copies are to be made again";
  table.lose(*table.find("/b"), State::kFailed, "EIO", {});
  EXPECT_TRUE(table.find("/b")->copied.empty());
  table.settle();
  table.bring_back(*table.find("/b"));
  EXPECT_TRUE(table.find("/b")->copied.empty());
  EXPECT_EQ(table.find("/a")->copied, std::set<std::uint64_t>{42});
  table.settle();
  table.unsettle();
  table.lose(*table.find("/b"), State::kFailed, "EIO", {});
  EXPECT_TRUE(table.find("/b")->copied.empty()) << "a copy was not made";
}

TEST(MountpathTable, OldBytesAreRead) {
  MountpathTable table = table_of({"/a", "/b"});
  table.version = 5;
  table.lose(*table.find("/b"), State::kFailed, "EIO", {});
  table.find("/b")->buckets = {{1, 42}};
  EXPECT_EQ(*wire::decode<MountpathTable>(golden("mountpath_table.1", "")), table);
}

/// As version 2 has it.
MountpathTable table_of_bytes() {
  MountpathTable table = table_of({"/a", "/b"});
  table.version = 5;
  table.lose(*table.find("/b"), State::kFailed, "EIO", {.last = {}, .replicated = 9});
  table.find("/b")->newer_until = {.epoch = 2, .hlc = 3, .incarnation = 4};
  table.find("/b")->buckets = {{1, 42}};
  return table;
}

TEST(MountpathTable, BytesWithoutCopiesAreRead) {
  EXPECT_EQ(*wire::decode<MountpathTable>(golden("mountpath_table.2", "")), table_of_bytes());
}

TEST(MountpathTable, TheBytesOfNowAreReadAndWritten) {
  MountpathTable table = table_of_bytes();
  table.copies = {{42, 2}, {43, 3}};
  table.find("/b")->copied = {42};
  const std::string bytes = wire::encode(table);
  EXPECT_EQ(golden("mountpath_table.3", bytes), bytes);
  EXPECT_EQ(*wire::decode<MountpathTable>(golden("mountpath_table.3", bytes)), table);
}

}  // namespace
}  // namespace aisfs::store
