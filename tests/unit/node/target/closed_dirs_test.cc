// SPDX-License-Identifier: MIT
#include "node/target/closed_dirs.h"

#include <gtest/gtest.h>

#include "common/async/runtime.h"
#include "common/async/scope.h"

namespace aisfs::target {
namespace {

constexpr BucketId kBucket{1};

class StandingClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  std::int64_t unix_ns() const override { return 0; }
  Task<Status> sleep_until(TimePoint) override { co_return Status{}; }
  void pass(Duration time) { now_ += time; }

 private:
  TimePoint now_ = TimePoint() + std::chrono::hours(1);
};

class ClosedDirsTest : public ::testing::Test {
 protected:
  ClosedDirsTest() {
    clock_.pass(ClosedDirs::kRequestLife);
    runtime_.start();
  }
  ~ClosedDirsTest() override { runtime_.stop(); }

  bool close(const std::string& dir, Duration within = std::chrono::seconds(20)) {
    return runtime_.run_on(0, dirs_.close(kBucket, dir, Deadline::after(within)));
  }

  StandingClock clock_;
  Runtime runtime_{2};
  ClosedDirs dirs_{clock_};
};

TEST_F(ClosedDirsTest, AfterTheStartEveryDirectoryMayHaveGone) {
  ClosedDirs fresh(clock_);
  EXPECT_TRUE(fresh.view(kBucket, "a/").may_have_gone);
  EXPECT_TRUE(fresh.begin(kBucket, "a/", fresh.view(kBucket, "a/")).has_value());
  clock_.pass(ClosedDirs::kRequestLife);
  EXPECT_FALSE(fresh.view(kBucket, "a/").may_have_gone);
}

TEST_F(ClosedDirsTest, WhatWasSeenBeforeTheClosingDoesNotCount) {
  const auto before = dirs_.view(kBucket, "a/");
  ASSERT_TRUE(close("a/"));
  EXPECT_FALSE(dirs_.begin(kBucket, "a/", before));
  EXPECT_TRUE(dirs_.begin(kBucket, "b/", before));
  const auto after = dirs_.view(kBucket, "a/");
  EXPECT_TRUE(after.may_have_gone);
  EXPECT_TRUE(dirs_.begin(kBucket, "a/", after));
  ASSERT_TRUE(close("a/"));
  EXPECT_FALSE(dirs_.begin(kBucket, "a/", after));
  EXPECT_FALSE(dirs_.view(kBucket, "b/").may_have_gone);
  EXPECT_FALSE(dirs_.view(BucketId{2}, "a/").may_have_gone);
}

TEST_F(ClosedDirsTest, AClosingIsForgottenWhenNoRequestCanBeOlder) {
  ASSERT_TRUE(close("a/"));
  clock_.pass(ClosedDirs::kRequestLife / 2);
  ASSERT_TRUE(close("b/"));
  ASSERT_TRUE(close("a/"));
  clock_.pass(ClosedDirs::kRequestLife * 3 / 4);
  ASSERT_TRUE(close("c/"));  // only the first closing of a/ is too old
  EXPECT_TRUE(dirs_.view(kBucket, "a/").may_have_gone);
  clock_.pass(ClosedDirs::kRequestLife / 2);
  EXPECT_FALSE(dirs_.view(kBucket, "a/").may_have_gone);
  EXPECT_TRUE(dirs_.view(kBucket, "c/").may_have_gone);
  ASSERT_TRUE(close("d/"));
  EXPECT_TRUE(dirs_.begin(kBucket, "a/", {}));
}

TEST_F(ClosedDirsTest, ClosingWaitsForTheNamesThatAreBeingMade) {
  auto making = dirs_.begin(kBucket, "a/", dirs_.view(kBucket, "a/"));
  ASSERT_TRUE(making);
  EXPECT_FALSE(close("a/", std::chrono::milliseconds(1)));
  std::thread end([&] { making.reset(); });
  EXPECT_TRUE(close("a/"));
  end.join();
}

}  // namespace
}  // namespace aisfs::target
