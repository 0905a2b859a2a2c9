// SPDX-License-Identifier: MIT
// What an administrator sees of damage on disks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/aisfs/cli/ais_runner.h"

namespace aisfs::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class AisScrub : public testing::Test {
 protected:
  AisScrub() {
    for (const char* id : {"t1", "t2"}) ais.cluster.add_target(id);
    ScrubProgress found{.started_ns = 1'000'000'000,
                        .ended_ns = 2'000'000'000,
                        .objects = 1000,
                        .bytes = 3 << 20,
                        .objects_total = 1000,
                        .damaged = 3,
                        .healed = 2,
                        .lost = 1};
    found.names = {{native_bucket("demo"), "a/b", true, "its file is gone", 5}};
    ais.cluster.set_scrub("t1", std::move(found));
  }
  AisResult scrub(std::vector<std::string> words = {}) {
    words.insert(words.begin(), {"storage", "scrub"});
    return ais.run(std::move(words));
  }

  AisRunner ais;
};

TEST_F(AisScrub, WhatWasFoundIsShown) {
  const AisResult shown = scrub();
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("DAMAGED"));
  EXPECT_THAT(shown.out, testing::ContainsRegex("t1 +ended +1000 +1000 +3\\.0.*MiB +3 +2 +1"));
  EXPECT_THAT(shown.out, testing::ContainsRegex("t1 +ais://demo/a/b +lost +its file is gone"));
  EXPECT_THAT(shown.out, testing::ContainsRegex("t2 +idle"));
}

TEST_F(AisScrub, ProgramsReadJson) {
  const AisResult shown = scrub({"--json"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr(R"("healed":2)"));
  EXPECT_THAT(shown.out, HasSubstr(R"("key":"a/b")"));
}

TEST_F(AisScrub, AnAdministratorStartsAndStopsIt) {
  EXPECT_THAT(scrub({"--start"}).out, testing::ContainsRegex("t1 +running"));
  EXPECT_THAT(scrub().out, testing::ContainsRegex("t2 +running"));
  EXPECT_THAT(scrub({"--stop"}).out, Not(HasSubstr("running")));
  EXPECT_NE(scrub({"--start", "--stop"}).status, 0);
}

TEST_F(AisScrub, ATargetThatDoesNotAnswerIsNamed) {
  ais.cluster.set_state("t2", NodeState::kAway);
  const AisResult shown = scrub();
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, testing::ContainsRegex("t2 +no answer"));
  EXPECT_THAT(shown.out, HasSubstr("t2: it is away"));
  EXPECT_NE(scrub({"--start"}).status, 0) << "not all of it was started";
}

}  // namespace
}  // namespace aisfs::cli
