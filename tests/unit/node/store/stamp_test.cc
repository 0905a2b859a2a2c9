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

TEST_F(StampTest, ADiskThatWasSetBackIsRefused) {
  ASSERT_TRUE(start_as(5, 0).ok());
  keep_copy();
  ASSERT_TRUE(start_as(7, 5).ok());
  ASSERT_TRUE(put("k", "body").ok());
  exchange_with_copy();
  const Status refused = start_as(9, 7);
  EXPECT_EQ(code(refused), Errc::invalid_argument);
  EXPECT_THAT(refused.error().what(), testing::HasSubstr("mountpath " + dir_ + "/m1"));
  EXPECT_THAT(refused.error().what(), testing::HasSubstr("bring the right disk back"));
  exchange_with_copy();
  ASSERT_TRUE(start_as(9, 7).ok());
  EXPECT_EQ(get("k").value_or(""), "body");
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
