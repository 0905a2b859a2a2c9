// SPDX-License-Identifier: MIT
// What targets do by themselves, as jobs.
#include "node/control/job_views.h"

#include <gtest/gtest.h>

#include "common/async/runtime.h"
#include "tests/kit/fake_cluster.h"

namespace aisfs::control {
namespace {

class JobViews : public ::testing::Test {
 protected:
  JobViews() {
    for (const char* id : {"t1", "t2"}) cluster_.add_target(id);
    runtime_.start();
  }
  ~JobViews() override { runtime_.stop(); }

  std::vector<Job> views(JobQuery query) {
    Context context{.who = auth::test_identity("root", true)};
    return runtime_.run_on(
        0, job_views(cluster_, std::move(context), cluster_.current(), std::move(query)));
  }
  Status stop(const Job& job, bool admin = true) {
    Context context{.who = auth::test_identity("ann", admin)};
    return runtime_.run_on(0, stop_view(cluster_, std::move(context), cluster_.current(), job));
  }
  void set_scrub(bool running) {
    ScrubProgress says{.running = running,
                       .started_ns = 100,
                       .ended_ns = running ? 0 : 200,
                       .objects = 7,
                       .bytes = 70,
                       .objects_total = 10,
                       .damaged = 3,
                       .healed = 1};
    cluster_.set_scrub("t1", std::move(says));
  }

  Runtime runtime_{1};
  tests::FakeCluster cluster_;
};

TEST_F(JobViews, WhereNothingHasBeenThereIsNothing) { EXPECT_TRUE(views({.ended = true}).empty()); }

TEST_F(JobViews, AScrubThatRuns) {
  set_scrub(true);
  const auto jobs = views({});
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].id, "scrub");
  EXPECT_TRUE(jobs[0].is_running());
  EXPECT_EQ(jobs[0].targets.at("t1").counts.objects, 7u);
  EXPECT_EQ(jobs[0].targets.at("t1").counts.errors, 2u);
  EXPECT_TRUE(stop(jobs[0]).ok());
  EXPECT_EQ(stop(jobs[0], false).error(), Errc::permission_denied);
}

TEST_F(JobViews, OneThatHasEndedIsShownWhenItIsAskedFor) {
  set_scrub(false);
  EXPECT_TRUE(views({}).empty());
  EXPECT_TRUE(views({.kind = "rebalance", .ended = true}).empty());
  const auto jobs = views({.id = "scrub"});
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].state, JobState::kFinished);
  EXPECT_EQ(jobs[0].ended_ns, 200);
}

TEST_F(JobViews, ARebalanceHasAiStoresIdAndCannotBeStopped) {
  cluster_.move_slowly();
  cluster_.set_state("t2", NodeState::kMaintenance);
  cluster_.edit_placement([](Placement& placement) {
    placement.since = 9;
    placement.past = {{.until = 9, .targets = {"t1", "t2"}}};
  });
  cluster_.set_rebalance(
      "t1", RebalanceProgress{.placement = 9, .running = true, .started_ns = 5, .names_moved = 4});
  cluster_.set_rebalance("t2", Error(Errc::unreachable, "t2 does not answer"));
  const auto jobs = views({.kind = "rebalance"});
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].id, "g9");
  EXPECT_TRUE(is_view_id(jobs[0].id));
  EXPECT_EQ(jobs[0].targets.size(), 1u);
  EXPECT_EQ(stop(jobs[0]).error(), Errc::unsupported);
  // A later change of targets has taken over what was left of an earlier one.
  const auto earlier = views({.id = "g3"});
  ASSERT_EQ(earlier.size(), 1u);
  EXPECT_FALSE(earlier[0].is_running());
}

TEST_F(JobViews, AResilverOfATarget) {
  StorageInfo info;
  info.settled = false;
  info.resilver = {.running = true, .started_ns = 5, .names_total = 20, .names_moved = 3};
  cluster_.set_storage("t2", std::move(info));
  const auto jobs = views({.kind = "resilver"});
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_TRUE(jobs[0].is_running());
  EXPECT_EQ(jobs[0].targets.at("t2").total, 20u);
}

TEST(ViewIds, OnlyTheirs) {
  for (const char* id : {"g1", "scrub", "resilver"}) EXPECT_TRUE(is_view_id(id)) << id;
  for (const char* id : {"", "g", "gx", "j-1", "rebalance"}) EXPECT_FALSE(is_view_id(id)) << id;
}

}  // namespace
}  // namespace aisfs::control
