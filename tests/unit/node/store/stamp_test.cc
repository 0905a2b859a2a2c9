// SPDX-License-Identifier: MIT
// Each start stamps the mountpaths: one that was set back to what it was before is told from that.
#include <gmock/gmock.h>

#include "tests/unit/node/store/store_fixture.h"

namespace aisfs::store {
namespace {

namespace fs = std::filesystem;

class StampTest : public StoreTest {
 protected:
  /// Starts as this incarnation of the node, whose data folder knows of an earlier start.
  Status start_as(std::uint32_t incarnation, std::uint32_t stamped) {
    StoreOptions as = options();
    as.incarnation = incarnation;
    as.stamped = stamped;
    store_.reset();
    store_ = std::make_unique<Store>(std::move(as), clock_);
    return store_->open();
  }
  void keep_copy() {
    store_.reset();
    fs::copy(dir_ + "/m1", dir_ + "/copy", fs::copy_options::recursive);
  }
  void exchange_with_copy() {
    store_.reset();
    fs::rename(dir_ + "/m1", dir_ + "/other");
    fs::rename(dir_ + "/copy", dir_ + "/m1");
    fs::rename(dir_ + "/other", dir_ + "/copy");
  }
};

TEST_F(StampTest, ADiskThatWasSetBackIsNotBelieved) {
  ASSERT_TRUE(start_as(5, 0).ok());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(put("k" + std::to_string(i), "old").ok());
  keep_copy();
  ASSERT_TRUE(start_as(7, 5).ok());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(put("k" + std::to_string(i), "new").ok());
  exchange_with_copy();
  for (const std::uint32_t start : {9u, 11u}) {  // nor by the start after the one that saw it
    ASSERT_TRUE(start_as(start, start - 2).ok()) << "the other disk is as it was";
    int unknown = 0;
    for (int i = 0; i < 20; ++i) {
      const auto got = get("k" + std::to_string(i));
      if (got) {
        EXPECT_EQ(*got, "new");
      } else {
        EXPECT_EQ(code(got), Errc::not_ready);
        ++unknown;
      }
    }
    EXPECT_GT(unknown, 0);
    EXPECT_LT(unknown, 20);
    const auto disks = store_->storage().mountpaths;
    EXPECT_TRUE(std::any_of(disks.begin(), disks.end(), [](const MountpathInfo& disk) {
      return disk.why.find("bring the right disk back") != std::string::npos;
    }));
  }
  exchange_with_copy();
  ASSERT_TRUE(start_as(13, 11).ok());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get("k" + std::to_string(i)).value_or(""), "new");
}

TEST_F(StampTest, AStartThatWasCutShortIsNoReason) {
  ASSERT_TRUE(start_as(5, 0).ok());
  ASSERT_TRUE(start_as(7, 5).ok());  // dies before the data folder knows
  EXPECT_TRUE(start_as(9, 5).ok());
}

TEST_F(StampTest, ANewDiskNeedsNoStamp) {
  ASSERT_TRUE(start_as(5, 0).ok());
  store_.reset();
  fs::remove_all(dir_ + "/m2");
  fs::create_directories(dir_ + "/m2");
  EXPECT_TRUE(start_as(7, 5).ok());
  EXPECT_TRUE(start_as(9, 7).ok());
}

}  // namespace
}  // namespace aisfs::store
