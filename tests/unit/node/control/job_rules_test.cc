// SPDX-License-Identifier: MIT
// What becomes of a job, by what its targets have said.
#include "node/control/job_rules.h"

#include <gtest/gtest.h>

namespace aisfs::control {
namespace {

using What = JobVerdict::What;

class JobRules : public ::testing::Test {
 protected:
  JobRules() {
    for (const char* id : {"t1", "t2"}) map_.nodes[id] = {.id = id};
    map_.placement.since = 5;
    job_.id = "j1";
    job_.spec.kind = "copy-bck";
  }
  JobProgress& at(const std::string& id) { return job_.targets[id]; }
  void finish(const std::string& id) {
    at(id).done = true;
    at(id).placement = 5;
  }
  JobVerdict judged() const { return judge(job_, map_, alive_); }

  ClusterMap map_;
  Job job_;
  std::set<std::string> alive_ = {"t1", "t2"};
};

TEST_F(JobRules, EndsWhenEveryActiveTargetIsDone) {
  finish("t1");
  EXPECT_EQ(judged().what, What::kWait);
  finish("t2");
  EXPECT_EQ(judged().what, What::kEnd);
  EXPECT_EQ(judged().state, JobState::kFinished);
}

TEST_F(JobRules, WhatWasDoneInAnEarlierPlacementDoesNotCount) {
  finish("t1");
  finish("t2");
  map_.placement.since = 6;
  EXPECT_EQ(judged().what, What::kWait);
}

TEST_F(JobRules, WaitsWhileTargetsAreChanging) {
  finish("t1");
  finish("t2");
  map_.placement.next["t1"] = NodeState::kMaintenance;
  EXPECT_EQ(judged().what, What::kWait);
}

TEST_F(JobRules, ATargetThatCameLaterHasToDoItsShare) {
  finish("t1");
  finish("t2");
  map_.nodes["t3"] = {.id = "t3"};
  EXPECT_EQ(judged().what, What::kWait);
  map_.nodes["t3"].state = NodeState::kMaintenance;
  EXPECT_EQ(judged().what, What::kEnd);
}

TEST_F(JobRules, WithoutATargetNothingIsDone) {
  map_.nodes.clear();
  EXPECT_EQ(judged().what, What::kWait);
}

TEST_F(JobRules, ErrorsMakeItFailAndAreCounted) {
  finish("t1");
  finish("t2");
  at("t1").counts = {.objects = 8, .errors = 2};
  at("t1").error = "damaged";
  EXPECT_EQ(judged().state, JobState::kFailed);
  EXPECT_EQ(judged().error, "2 of 10 failed; the last: damaged");
}

TEST_F(JobRules, WhatNoNameCanSurviveEndsItAtOnce) {
  at("t2").fatal = true;
  at("t2").error = "no space";
  EXPECT_EQ(judged().what, What::kEnd);
  EXPECT_EQ(judged().state, JobState::kFailed);
  EXPECT_EQ(judged().error, "no space");
}

TEST_F(JobRules, AStopWaitsForThoseWhoLive) {
  job_.stopping = true;
  at("t1").stopped = true;
  EXPECT_EQ(judged().what, What::kWait);
  alive_.erase("t2");
  EXPECT_EQ(judged().what, What::kEnd);
  EXPECT_EQ(judged().state, JobState::kStopped);
}

TEST_F(JobRules, AMoveIsClosedAfterItsLastRound) {
  job_.spec.kind = "move-bck";
  finish("t1");
  finish("t2");
  EXPECT_EQ(judged().what, What::kClose);
  job_.round = 1;
  EXPECT_EQ(judged().what, What::kWait);
  at("t1").round = at("t2").round = 1;
  EXPECT_EQ(judged().what, What::kClose);
  at("t1").counts.errors = 1;  // what could not be moved stays
  EXPECT_EQ(judged().state, JobState::kFailed);
}

TEST_F(JobRules, WorkOfTargetsDoesNotDependOnThePlacement) {
  job_.spec.kind = "scrub";
  finish("t1");
  finish("t2");
  map_.placement.since = 9;
  EXPECT_EQ(judged().what, What::kEnd);
  job_.spec.node = "t1";
  job_.targets.erase("t2");
  EXPECT_EQ(judged().what, What::kEnd);
}

TEST_F(JobRules, NothingElseWorksOnABucketThatIsMoved) {
  job_.spec = {.kind = "copy-bck", .bucket = native_bucket("a"), .to = native_bucket("b")};
  const JobSpec copy{.kind = "copy-bck", .bucket = native_bucket("b"), .to = native_bucket("c")};
  const JobSpec move{.kind = "move-bck", .bucket = native_bucket("b"), .to = native_bucket("c")};
  EXPECT_TRUE(check_beside(copy, job_).ok());
  EXPECT_FALSE(check_beside(move, job_).ok());
  job_.spec.kind = "move-bck";
  EXPECT_FALSE(check_beside(copy, job_).ok());
}

}  // namespace
}  // namespace aisfs::control
