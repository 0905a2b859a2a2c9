// SPDX-License-Identifier: MIT
// Jobs at the prompt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/aisfs/cli/ais_runner.h"

namespace aisfs::cli {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class AisJobs : public testing::Test {
 protected:
  JobSpec last() { return ais.jobs.all().back().spec; }
  void end(const std::string& id, JobState state, std::string error = "") {
    ASSERT_TRUE(ais.jobs.edit(id, [&](Job& job) {
      job.state = state;
      job.error = error;
      job.ended_ns = job.started_ns + 1'000'000'000;
      job.targets["t1"] = {
          .done = true, .counts = {.objects = 277, .bytes = 3 << 20}, .total = 277};
    }));
  }

  AisRunner ais;
};

TEST_F(AisJobs, ACopyOfABucketSaysHowToLookAtIt) {
  const AisResult begun =
      ais.run({"bucket", "cp", "a", "ais://b", "--prefix", "x", "--prepend", "y/", "--dry-run"});
  EXPECT_EQ(begun.status, 0) << begun.err;
  EXPECT_THAT(begun.out, HasSubstr("Copying ais://a => ais://b"));
  EXPECT_THAT(begun.out, HasSubstr("ais show job "));
  EXPECT_THAT(begun.out, HasSubstr("[DRY RUN]"));
  EXPECT_EQ(last().kind, "copy-bck");
  EXPECT_EQ(last().prefix, "x");
  EXPECT_EQ(last().prepend, "y/");
  EXPECT_TRUE(last().dry_run);
}

TEST_F(AisJobs, SomeObjectsOfABucket) {
  EXPECT_EQ(ais.run({"bucket", "cp", "a", "b", "--list", "x, y"}).status, 0);
  EXPECT_EQ(last().kind, "copy-listrange");
  EXPECT_EQ(last().names, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(ais.run({"rm", "a", "--template", "s-{0..9}"}).status, 0);
  EXPECT_EQ(last().kind, "delete-listrange");
  EXPECT_EQ(last().name_template, "s-{0..9}");
  EXPECT_EQ(ais.run({"rm", "a", "--template", "s", "--list", "x"}).status, 2);
  EXPECT_EQ(ais.run({"rm", "a", "b", "--list", "x"}).status, 2);
}

TEST_F(AisJobs, ARenameOfABucketCanBeWaitedFor) {
  ais.jobs.finish_on_look(2);
  const AisResult done = ais.run({"bucket", "mv", "a", "b", "--wait"});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("move-bck["));
  EXPECT_THAT(done.out, HasSubstr("finished"));
}

TEST_F(AisJobs, TheExitStatusOfAWaitSaysHowItEnded) {
  for (int i = 0; i < 3; ++i) ais.run({"bucket", "cp", "a", "b"});
  const auto ids = ais.jobs.all();
  end(ids[0].id, JobState::kFinished);
  end(ids[1].id, JobState::kFailed, "2 of 10 failed");
  end(ids[2].id, JobState::kStopped, "it was told to stop");
  EXPECT_EQ(ais.run({"wait", ids[0].id}).status, 0);
  const AisResult failed = ais.run({"wait", ids[1].id});
  EXPECT_EQ(failed.status, 1);
  EXPECT_THAT(failed.err, HasSubstr("2 of 10 failed"));
  EXPECT_EQ(ais.run({"wait", ids[2].id}).status, 130);
  EXPECT_EQ(ais.run({"wait", "nothere"}).status, 3);
}

TEST_F(AisJobs, AWaitGivesUpWhenItIsToldTo) {
  ais.run({"bucket", "cp", "a", "b"});
  const AisResult given_up = ais.run({"wait", ais.jobs.all()[0].id, "--for", "1ms"});
  EXPECT_EQ(given_up.status, 5);
  EXPECT_THAT(given_up.err, HasSubstr("still runs"));
}

TEST_F(AisJobs, ATerminalShowsABar) {
  ais.set_terminal(120);
  ais.run({"bucket", "cp", "a", "b"});
  const std::string id = ais.jobs.all()[0].id;
  ais.jobs.edit(id, [](Job& job) {
    job.targets["t1"] = {.counts = {.objects = 50, .bytes = 1 << 20}, .total = 200};
  });
  ais.jobs.finish_on_look(3);
  const AisResult done = ais.run({"wait", id});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("25%  50 of 200 names"));
}

TEST_F(AisJobs, ShowListsThoseThatRun) {
  ais.run({"bucket", "cp", "a", "b"});
  ais.run({"start", "scrub"});
  const std::string id = ais.jobs.all()[0].id;
  end(id, JobState::kFinished);
  EXPECT_THAT(ais.run({"show", "job"}).out, ContainsRegex("scrub +- +- +running"));
  EXPECT_THAT(ais.run({"show", "job"}).out, Not(HasSubstr(id)));
  EXPECT_THAT(ais.run({"show", "job", "--all"}).out,
              ContainsRegex("copy-bck +ais://a +ais://b +finished +277 +277 +3\\.0.*MiB +0"));
  EXPECT_THAT(ais.run({"show", "job", "copy-bucket", "--all"}).out, Not(HasSubstr("scrub")));
  EXPECT_THAT(ais.run({"show", "job", id}).out, ContainsRegex("t1 +done +277"));
  EXPECT_EQ(ais.run({"show", "job", "nothere"}).status, 3);
}

TEST_F(AisJobs, ProgramsReadJson) {
  ais.run({"bucket", "cp", "a", "b"});
  end(ais.jobs.all()[0].id, JobState::kFailed, "why");
  const AisResult shown = ais.run({"show", "job", "--all", "--json"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr(R"("state":"failed")"));
  EXPECT_THAT(shown.out, HasSubstr(R"("objects":277)"));
  EXPECT_THAT(shown.out, HasSubstr(R"("error":"why")"));
}

TEST_F(AisJobs, StartKnowsItsKinds) {
  EXPECT_EQ(ais.run({"start", "cleanup"}).status, 0);
  EXPECT_EQ(last().kind, "cleanup-store");
  EXPECT_EQ(ais.run({"start", "resilver", "--node", "t1"}).status, 0);
  EXPECT_EQ(last().node, "t1");
  const AisResult refused = ais.run({"start", "copy-bck"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("ais bucket cp"));
}

TEST_F(AisJobs, StopTakesAnIdOrAKind) {
  ais.run({"start", "scrub"});
  ais.run({"bucket", "cp", "a", "b"});
  EXPECT_EQ(ais.run({"stop", "scrub"}).status, 0);
  EXPECT_TRUE(ais.jobs.all()[0].stopping);
  EXPECT_FALSE(ais.jobs.all()[1].stopping);
  EXPECT_EQ(ais.run({"stop", ais.jobs.all()[1].id}).status, 0);
  EXPECT_EQ(ais.run({"stop", "nothere"}).status, 3);
}

TEST_F(AisJobs, TheyAreCompleted) {
  ais.run({"start", "scrub"});
  EXPECT_EQ(ais.run({"__complete", "--", "ais start re"}).out, "rebalance\nresilver\n");
  EXPECT_THAT(ais.run({"__complete", "--", "ais stop s"}).out, HasSubstr("scrub\n"));
  EXPECT_THAT(ais.run({"__complete", "--", "ais wait "}).out, HasSubstr(ais.jobs.all()[0].id));
}

}  // namespace
}  // namespace aisfs::cli
