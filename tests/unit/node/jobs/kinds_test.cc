// SPDX-License-Identifier: MIT
// What kinds of jobs do with names, once and again.
#include <gtest/gtest.h>

#include "tests/unit/node/jobs/jobs_fixture.h"

namespace aisfs::jobs {
namespace {

class KindsTest : public JobsFixture {
 protected:
  /// As the target that does all of it, for the n-th time.
  JobProgress run_all(Job record, std::uint32_t runs = 1) {
    cluster_.set_state("t2", NodeState::kMaintenance);
    record.placement = cluster_.current()->placement.since;
    const JobDeps work_deps = deps("t1");
    JobRun run(work_deps, std::move(record), {.runs = runs});
    run.names = run.job.spec.names;
    const Status done = work(run);
    EXPECT_TRUE(done.ok()) << done.error().what();
    EXPECT_TRUE(run.progress.done);
    return run.progress;
  }
};

TEST_F(KindsTest, CopiesHaveThePrefixAndTheExtensionThatAreAskedFor) {
  cluster_.store("a", "x/1.jpg", "1");
  cluster_.store("a", "x/2.gif", "2");
  JobSpec spec = copying();
  spec.prefix = "x/";
  spec.prepend = "old/";
  spec.extensions = {{"jpg", "png"}};
  EXPECT_EQ(run_all(job(spec)).counts.objects, 2u);
  EXPECT_EQ(cluster_.bytes_of("b", "old/x/1.png"), "1");
  EXPECT_EQ(cluster_.bytes_of("b", "old/x/2.gif"), "2");
  EXPECT_EQ(copies_there(), 0);
}

TEST_F(KindsTest, ADryRunCountsAndChangesNothing) {
  JobSpec spec = copying();
  spec.dry_run = true;
  const JobProgress done = run_all(job(spec));
  EXPECT_EQ(done.counts.objects, std::uint64_t{kObjects});
  EXPECT_GT(done.counts.bytes, 0u);
  EXPECT_EQ(cluster_.calls("copy"), 0u);
}

TEST_F(KindsTest, ASecondRunDoesNotReplaceWhatOthersHaveWrittenSince) {
  const Job record = job(copying());
  cluster_.store("b", key(3), "written by somebody");
  const JobProgress done = run_all(record, 2);
  EXPECT_EQ(done.counts.objects, std::uint64_t{kObjects});
  EXPECT_EQ(cluster_.bytes_of("b", key(3)), "written by somebody");
  EXPECT_EQ(cluster_.bytes_of("b", key(4)), body(4));
}

TEST_F(KindsTest, TheFirstRunReplacesWhatWasThere) {
  cluster_.store("b", key(3), "old");
  run_all(job(copying()));
  EXPECT_EQ(cluster_.bytes_of("b", key(3)), body(3));
}

TEST_F(KindsTest, AListOfNamesMayNameWhatIsNotThere) {
  JobSpec spec = copying();
  spec.kind = "copy-listrange";
  spec.names = {key(1), "nothere", key(2)};
  const JobProgress done = run_all(job(spec));
  EXPECT_EQ(done.counts.objects, 2u);
  EXPECT_EQ(done.counts.errors, 1u);
  EXPECT_EQ(copies_there(), 2);
}

TEST_F(KindsTest, AGapInATemplateIsNoError) {
  JobSpec spec{.kind = "delete-listrange", .bucket = native_bucket("a")};
  spec.name_template = "k{1038..1041}";
  const JobProgress done = run_all(job(spec));
  EXPECT_EQ(done.counts.objects, 2u);
  EXPECT_EQ(done.counts.skipped, 2u);
  EXPECT_EQ(done.counts.errors, 0u);
  EXPECT_FALSE(cluster_.bytes_of("a", key(38)).has_value());
  EXPECT_TRUE(cluster_.bytes_of("a", key(37)).has_value());
}

TEST_F(KindsTest, ATemplateWithoutRangesIsAPrefix) {
  JobSpec spec{.kind = "delete-listrange", .bucket = native_bucket("a")};
  spec.name_template = "k101";
  EXPECT_EQ(run_all(job(spec)).counts.objects, 10u);
  EXPECT_FALSE(cluster_.bytes_of("a", key(15)).has_value());
  EXPECT_TRUE(cluster_.bytes_of("a", key(20)).has_value());
}

TEST_F(KindsTest, ASecondRunDeletesNothingThatWasPutSinceTheJobBegan) {
  JobSpec spec{.kind = "delete-listrange", .bucket = native_bucket("a"), .names = {key(1), key(2)}};
  const Job record = job(spec);
  cluster_.store("a", key(1), "put since");
  const JobProgress done = run_all(record, 2);
  EXPECT_EQ(done.counts.objects, 1u);
  EXPECT_EQ(done.counts.skipped, 1u);
  EXPECT_EQ(cluster_.bytes_of("a", key(1)), "put since");
  EXPECT_FALSE(cluster_.bytes_of("a", key(2)).has_value());
}

JobSpec moving() {
  return {.kind = "move-bck", .bucket = native_bucket("a"), .to = native_bucket("b")};
}

TEST_F(KindsTest, AMoveLeavesNothing) {
  EXPECT_EQ(run_all(job(moving())).counts.objects, std::uint64_t{kObjects});
  EXPECT_EQ(copies_there(), kObjects);
  for (int i = 0; i < kObjects; ++i) EXPECT_FALSE(cluster_.bytes_of("a", key(i)).has_value());
}

TEST_F(KindsTest, WhatIsWrittenBetweenCopyAndRemovalIsMovedToo) {
  bool written = false;
  cluster_.on_call([&](std::string_view operation, const std::string& name) -> Status {
    if (operation == "remove" && name == key(5) && !std::exchange(written, true)) {
      cluster_.store("a", key(5), "newer");
    }
    return {};
  });
  run_all(job(moving()));
  EXPECT_TRUE(written);
  EXPECT_EQ(cluster_.bytes_of("b", key(5)), "newer");
  EXPECT_FALSE(cluster_.bytes_of("a", key(5)).has_value());
}

TEST_F(KindsTest, WhatIsNewerUnderTheNewNameStays) {
  const Job record = job(moving());
  cluster_.store("b", key(5), "written to the new name");
  run_all(record);
  EXPECT_EQ(cluster_.bytes_of("b", key(5)), "written to the new name");
  EXPECT_FALSE(cluster_.bytes_of("a", key(5)).has_value());
}

TEST_F(KindsTest, OfABucketThatHasGoneNothingIsLeftToMove) {
  Job record = job(moving());
  record.bucket_id = BucketId{99};
  EXPECT_EQ(run_all(record).counts.objects, 0u);
}

}  // namespace
}  // namespace aisfs::jobs
