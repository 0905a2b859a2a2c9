// SPDX-License-Identifier: MIT
// Which names a target looks at, and what it does when things go wrong meanwhile.
#include "node/jobs/walk.h"

#include "tests/unit/node/jobs/jobs_fixture.h"

namespace aisfs::jobs {
namespace {

using WalkTest = JobsFixture;

TEST_F(WalkTest, EveryNameIsActedOnByItsOwnerAndNobodyElse) {
  std::uint64_t objects = 0;
  for (const char* id : {"t1", "t2"}) {
    const JobDeps work_deps = deps(id);
    JobRun run(work_deps, job(copying()), {.runs = 1});
    ASSERT_TRUE(work(run).ok());
    EXPECT_TRUE(run.progress.done);
    EXPECT_EQ(run.progress.total, run.progress.counts.objects);
    EXPECT_GT(run.progress.counts.objects, 0u);
    objects += run.progress.counts.objects;
  }
  EXPECT_EQ(objects, std::uint64_t{kObjects});
  EXPECT_EQ(cluster_.calls("copy"), std::uint64_t{kObjects});
  EXPECT_EQ(copies_there(), kObjects);
}

TEST_F(WalkTest, ANewRunGoesOnBehindTheCursor) {
  cluster_.set_state("t2", NodeState::kMaintenance);
  const Job record = job(copying());
  JobProgress so_far{.runs = 2,
                     .placement = record.placement,
                     .counts = {.objects = 27},
                     .cursor = key(29),
                     .at_cursor = {.objects = 25}};
  const JobDeps work_deps = deps("t1");
  JobRun run(work_deps, record, so_far);
  ASSERT_TRUE(work(run).ok());
  EXPECT_EQ(copies_there(), kObjects - 30);
  EXPECT_EQ(run.progress.counts.objects, 25u + kObjects - 30);
}

TEST_F(WalkTest, WhoIsAwayIsWaitedFor) {
  int refusals = 3;
  cluster_.on_call([&](std::string_view operation, const std::string&) -> Status {
    if (operation == "copy" && refusals > 0) {
      --refusals;
      return Error(Errc::unreachable, "t2 is away");
    }
    return {};
  });
  cluster_.set_state("t2", NodeState::kMaintenance);
  const JobDeps work_deps = deps("t1");
  JobRun run(work_deps, job(copying()), {.runs = 1});
  ASSERT_TRUE(work(run).ok());
  EXPECT_EQ(refusals, 0);
  EXPECT_GE(clock_.sleeps, 3);
  EXPECT_EQ(run.progress.counts.errors, 0u);
  EXPECT_EQ(copies_there(), kObjects);
}

TEST_F(WalkTest, OtherErrorsAreCountedAndTheRestIsDone) {
  cluster_.on_call([](std::string_view operation, const std::string& name) -> Status {
    const bool damaged = operation == "copy" && name == key(7);
    return damaged ? Status(Error(Errc::corrupt, "damaged")) : Status{};
  });
  cluster_.set_state("t2", NodeState::kMaintenance);
  const JobDeps work_deps = deps("t1");
  JobRun run(work_deps, job(copying()), {.runs = 1});
  ASSERT_TRUE(work(run).ok());
  EXPECT_EQ(run.progress.counts.errors, 1u);
  EXPECT_NE(run.progress.error.find("damaged"), std::string::npos);
  EXPECT_EQ(run.progress.counts.objects, std::uint64_t{kObjects} - 1);
}

TEST_F(WalkTest, AFullDiskEndsTheJob) {
  cluster_.on_call([](std::string_view operation, const std::string&) -> Status {
    return operation == "copy" ? Status(Error(Errc::no_space, "full")) : Status{};
  });
  const JobDeps work_deps = deps("t1");
  JobRun run(work_deps, job(copying()), {.runs = 1});
  const Status done = work(run);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error(), Errc::no_space);
  EXPECT_LT(cluster_.calls("copy"), 10u);
}

TEST_F(WalkTest, ABucketThatGoesEndsTheJob) {
  Job record = job(copying());
  record.bucket_id = BucketId{99};  // another one has its name by now
  const JobDeps work_deps = deps("t1");
  JobRun run(work_deps, std::move(record), {.runs = 1});
  EXPECT_EQ(work(run).error(), Errc::not_found);
  EXPECT_EQ(cluster_.calls("copy"), 0u);
}

TEST_F(WalkTest, WhenItIsStoppedNothingMoreIsDone) {
  const JobDeps work_deps = deps("t1");
  JobRun run(work_deps, job(copying()), {.runs = 1});
  cluster_.on_call([&run](std::string_view operation, const std::string&) -> Status {
    if (operation == "copy") run.stop();
    return {};
  });
  ASSERT_TRUE(work(run).ok());
  EXPECT_FALSE(run.progress.done);
  EXPECT_LE(cluster_.calls("copy"), 4u);  // those that were on their way
}

TEST_F(WalkTest, NamesThatArePlacedAnewAreAllLookedAtAgain) {
  bool changed = false;
  cluster_.on_call([&](std::string_view operation, const std::string&) -> Status {
    if (operation == "copy" && cluster_.calls("copy") > 10 && !std::exchange(changed, true)) {
      cluster_.edit_placement([](Placement& placement) { ++placement.since; });
    }
    return {};
  });
  cluster_.set_state("t2", NodeState::kMaintenance);
  const JobDeps work_deps = deps("t1");
  JobRun run(work_deps, job(copying()), {.runs = 1});
  ASSERT_TRUE(work(run).ok());
  EXPECT_TRUE(changed);
  EXPECT_EQ(run.progress.placement, cluster_.current()->placement.since);
  EXPECT_EQ(run.progress.counts.objects, std::uint64_t{kObjects});
  EXPECT_EQ(copies_there(), kObjects);
}

}  // namespace
}  // namespace aisfs::jobs
