// SPDX-License-Identifier: MIT
#include "node/control/map_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "node/control/node_maps.h"

namespace aisfs::control {
namespace {

class MapFileTest : public ::testing::Test {
 protected:
  MapFileTest() {
    ClusterMap map;
    map.uuid = "c";
    map.epoch = 1;
    for (int i = 0; i < 200; ++i) map.nodes["t" + std::to_string(i)] = {.id = "t"};
    EXPECT_TRUE(maps_.install(map).ok());
  }
  ~MapFileTest() override { std::filesystem::remove_all(folder_); }

  void change() {
    ClusterMap map = *maps_.current();
    ++map.epoch;
    map.nodes.at("t7").incarnation = map.epoch;
    ASSERT_TRUE(maps_.install(std::move(map)).ok());
  }
  void save() {
    const auto map = maps_.current();
    const auto deltas = maps_.update_since(file_.saved(), MapNeed::kChanges).deltas;
    ASSERT_TRUE(file_.save(*map, deltas).ok());
  }
  void change_and_save() {
    change();
    save();
  }
  ClusterMap loaded() { return MapFile::load(path_).value_or({}); }
  std::uintmax_t size(const std::string& file) {
    std::error_code none;
    const auto bytes = std::filesystem::file_size(file, none);
    return none ? 0 : bytes;
  }

  const std::string folder_ = [] {
    std::string made = (std::filesystem::temp_directory_path() / "map_file.XXXXXX").string();
    EXPECT_NE(::mkdtemp(made.data()), nullptr);
    return made;
  }();
  const std::string path_ = folder_ + "/cluster.map";
  const std::string changes_ = path_ + ".changes";
  NodeMapSource maps_;
  MapFile file_{path_};
};

TEST_F(MapFileTest, WithoutAFileThereIsNoMap) {
  EXPECT_EQ(MapFile::load(path_).error().code(), Errc::not_found);
}

TEST_F(MapFileTest, ChangesAreWrittenBesideTheMapAndRead) {
  save();
  const auto whole = size(path_);
  for (int i = 0; i < 5; ++i) change_and_save();
  EXPECT_EQ(size(path_), whole);
  EXPECT_GT(size(changes_), 0U);
  EXPECT_EQ(loaded(), *maps_.current());
}

TEST_F(MapFileTest, ChangesNeverBecomeLongerThanTheMap) {
  save();
  for (int i = 0; i < 300; ++i) {
    change_and_save();
    ASSERT_LT(size(changes_), size(path_));
  }
  EXPECT_EQ(loaded(), *maps_.current());
}

TEST_F(MapFileTest, WhatWasSavedTwiceIsPassedOver) {
  save();
  const auto before = maps_.current();
  change();
  const auto deltas = maps_.update_since(1, MapNeed::kChanges).deltas;
  ASSERT_TRUE(file_.save(*before, deltas).ok());
  change_and_save();
  EXPECT_EQ(loaded(), *maps_.current());
}

TEST_F(MapFileTest, WhereChangesAreNotKnownTheMapIsWritten) {
  save();
  change();
  ASSERT_TRUE(file_.save(*maps_.current(), {}).ok());
  EXPECT_EQ(size(changes_), 0U);
  EXPECT_EQ(loaded(), *maps_.current());
}

TEST_F(MapFileTest, OldChangesBesideANewMapArePassedOver) {
  save();
  change_and_save();
  const std::string kept = folder_ + "/kept";
  std::filesystem::copy_file(changes_, kept);
  change();
  ASSERT_TRUE(file_.save(*maps_.current(), {}).ok());
  std::filesystem::rename(kept, changes_);  // as a crash between the two steps leaves it
  EXPECT_EQ(loaded(), *maps_.current());
}

TEST_F(MapFileTest, AChangeThatIsCutOffEndsTheReading) {
  save();
  change_and_save();
  const ClusterMap first = *maps_.current();
  const auto end = size(changes_);
  change_and_save();
  for (auto cut = end; cut < size(changes_); cut += 7) {
    std::filesystem::copy_file(changes_, folder_ + "/all",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(changes_, cut);
    EXPECT_EQ(loaded(), first) << cut;
    std::filesystem::rename(folder_ + "/all", changes_);
  }
  EXPECT_EQ(loaded(), *maps_.current());
}

TEST_F(MapFileTest, ChangesOfAnotherMapAreNotApplied) {
  save();
  change_and_save();
  ClusterMap other = *MapFile::load(path_);
  other.epoch = 1;
  other.nodes.erase("t9");
  MapFile second(folder_ + "/second");
  ASSERT_TRUE(second.save(other, {}).ok());
  std::filesystem::copy_file(changes_, folder_ + "/second.changes");
  EXPECT_EQ(*MapFile::load(folder_ + "/second"), other);
}

}  // namespace
}  // namespace aisfs::control
