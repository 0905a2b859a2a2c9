// SPDX-License-Identifier: MIT
// A log that the disk has changed behind the store's back.
#include <fcntl.h>
#include <unistd.h>

#include "node/store/log.h"
#include "tests/unit/node/store/damage.h"
#include "tests/unit/node/store/store_fixture.h"

namespace aisfs::store {
namespace {

class LogDamageTest : public StoreTest {
 protected:
  std::string log_of(const char* mountpath) const {
    return dir_ + "/" + mountpath + "/%log/0000000000000000.log";
  }
  /// Tombstones in the logs of both mountpaths.
  void remove_some() {
    for (int i = 0; i < 16; ++i) {
      ASSERT_TRUE(put("o" + std::to_string(i), "body").ok());
      ASSERT_TRUE(remove("o" + std::to_string(i)).ok());
    }
    ASSERT_GT(std::filesystem::file_size(log_of("m1")), kLogSegmentHeaderBytes);
    ASSERT_GT(std::filesystem::file_size(log_of("m2")), kLogSegmentHeaderBytes);
  }
};

TEST_F(LogDamageTest, WhatFollowsABitThatChangedIsNotForgotten) {
  remove_some();
  store_->close();
  store_.reset();
  for (const char* mountpath : {"m1", "m2"}) flip_bit(log_of(mountpath), 40);
  const Status started = start();
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error(), Errc::corrupt) << started.error().what();
  for (const char* mountpath : {"m1", "m2"}) flip_bit(log_of(mountpath), 40);
  ASSERT_TRUE(start().ok()) << "the damage was mended, and nothing is lost by the attempt";
  EXPECT_EQ(get("o1").error(), Errc::not_found);
}

TEST_F(LogDamageTest, NorWhatWasCutOff) {
  remove_some();
  store_->close();
  store_.reset();
  for (const char* mountpath : {"m1", "m2"}) {
    std::filesystem::resize_file(log_of(mountpath), kLogSegmentHeaderBytes + 5);
  }
  const Status started = start();
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error(), Errc::corrupt) << started.error().what();
}

TEST_F(LogDamageTest, AFileThatIsDamagedWhenTheLogIsReadIsNotTakenForGone) {
  ASSERT_TRUE(put("k", std::string(100'000, 'x')).ok());
  ASSERT_TRUE(put("k", std::string(100'000, 'y')).ok());
  store_.reset();  // without a clean end: what the log says of the name is done again
  std::filesystem::resize_file(file_of(dir_, "k"), 5000);
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(get("k").error(), Errc::corrupt);
  EXPECT_EQ(list(), std::vector<std::string>{"k"});
}

}  // namespace
}  // namespace aisfs::store
