// SPDX-License-Identifier: MIT
#include "node/target/courtesy.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <list>

namespace aisfs::target {
namespace {

class ManualClock final : public Clock {
 public:
  TimePoint now() const override { return at; }
  std::int64_t unix_ns() const override { return 0; }
  Task<Status> sleep_until(TimePoint) override { co_return Error(Errc::cancelled, ""); }
  TimePoint at = TimePoint(std::chrono::hours(1));
};

class CourtesyTest : public ::testing::Test {
 protected:
  ~CourtesyTest() override {
    for (std::size_t left = waiting_; left > 0 && !turns_.empty(); left = waiting_) give_back_all();
  }

  static Task<void> work(CourtesyTest& test) {
    ++test.waiting_;
    auto turn = co_await test.courtesy_.turn();
    --test.waiting_;
    test.turns_.push_back(std::move(turn));
  }
  /// How many of them have their turn when nothing more can happen.
  std::size_t begin(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      asio::co_spawn(context_, work(*this),
                     [](const std::exception_ptr& failed) { EXPECT_EQ(failed, nullptr); });
    }
    settle();
    return turns_.size();
  }
  void give_back_all() {
    turns_.clear();
    settle();
  }
  void settle() {
    context_.restart();
    context_.poll();
  }

  asio::io_context context_;
  ManualClock clock_;
  Courtesy courtesy_{context_.get_executor(), clock_};
  std::list<Courtesy::Turn> turns_;
  std::size_t waiting_ = 0;
};

TEST_F(CourtesyTest, WithoutClientsManyAreAtWork) {
  EXPECT_EQ(begin(Courtesy::kMost + 5), Courtesy::kMost);
  give_back_all();
  EXPECT_EQ(turns_.size(), 5U);
}

TEST_F(CourtesyTest, WhileAClientIsHereFewAre) {
  courtesy_.client_came();
  EXPECT_EQ(begin(2 * Courtesy::kFew + 1), Courtesy::kFew);
  give_back_all();
  EXPECT_EQ(turns_.size(), Courtesy::kFew);
  give_back_all();
  EXPECT_EQ(turns_.size(), 1U);
}

TEST_F(CourtesyTest, AClientThatHasGoneHoldsNobodyUp) {
  courtesy_.client_came();
  clock_.at += Courtesy::kLately;
  EXPECT_EQ(begin(Courtesy::kFew + 3), Courtesy::kFew + 3);
}

TEST_F(CourtesyTest, AClientThatComesHoldsThoseUpWhoComeAfterIt) {
  EXPECT_EQ(begin(10), 10U);
  courtesy_.client_came();
  EXPECT_EQ(begin(Courtesy::kFew + 3), 10U + Courtesy::kFew);
}

TEST_F(CourtesyTest, AClientThatComesIsSeenByThoseWhoWaitAlready) {
  EXPECT_EQ(begin(Courtesy::kMost + Courtesy::kFew + 3), Courtesy::kMost);
  courtesy_.client_came();
  give_back_all();
  EXPECT_EQ(turns_.size(), Courtesy::kFew);
}

}  // namespace
}  // namespace aisfs::target
