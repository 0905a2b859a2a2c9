// SPDX-License-Identifier: MIT
#include "common/model/job.h"

#include <gtest/gtest.h>

#include "common/model/name_template.h"

namespace aisfs {
namespace {

std::vector<std::string> names_of(std::string_view text) {
  const auto made = NameTemplate::parse(text);
  EXPECT_TRUE(made.ok()) << text;
  std::vector<std::string> names;
  for (std::uint64_t i = 0; made && i < made->count(); ++i) names.push_back(made->at(i));
  return names;
}

using Names = std::vector<std::string>;

TEST(NameTemplate, ARangeIsPaddedToTheWidthOfItsFirstNumber) {
  EXPECT_EQ(names_of("a-{8..10}.x"), (Names{"a-8.x", "a-9.x", "a-10.x"}));
  EXPECT_EQ(names_of("a-{08..10}.x"), (Names{"a-08.x", "a-09.x", "a-10.x"}));
}

TEST(NameTemplate, StepsAndSeveralRanges) {
  EXPECT_EQ(names_of("{0..5..2}"), (Names{"0", "2", "4"}));
  EXPECT_EQ(names_of("{1..2}/{3..4}"), (Names{"1/3", "1/4", "2/3", "2/4"}));
}

TEST(NameTemplate, WithoutARangeItIsAPrefix) {
  const auto made = NameTemplate::parse("logs/2026");
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(made->is_prefix());
  EXPECT_EQ(made->head(), "logs/2026");
  EXPECT_TRUE(NameTemplate::parse("")->is_prefix());
}

TEST(NameTemplate, WhatIsNoTemplateIsRefused) {
  for (const char* bad : {"a{1..2", "a}b", "{}", "{1}", "{a..b}", "{5..1}", "{1..9..0}",
                          "{1..2..3..4}", "{0..99999999999}", "{0..99999}{0..99999}"}) {
    const auto made = NameTemplate::parse(bad);
    ASSERT_FALSE(made.ok()) << bad;
    EXPECT_EQ(made.error().code(), Errc::invalid_argument);
  }
}

TEST(JobKinds, AreFoundByBothNames) {
  ASSERT_NE(find_job_kind("copy-bck"), nullptr);
  EXPECT_EQ(find_job_kind("copy-bucket"), find_job_kind("copy-bck"));
  EXPECT_EQ(find_job_kind("lru"), nullptr);
}

TEST(JobQuery, MeansThoseThatRunUnlessItNamesOne) {
  Job job{.id = "j1", .state = JobState::kFinished};
  job.spec = {.kind = "copy-bck", .bucket = native_bucket("a"), .to = native_bucket("b")};
  EXPECT_FALSE(JobQuery{}.matches(job));
  EXPECT_TRUE(JobQuery{.id = "j1"}.matches(job));
  EXPECT_TRUE((JobQuery{.kind = "copy-bucket", .ended = true}.matches(job)));
  EXPECT_FALSE((JobQuery{.kind = "scrub", .ended = true}.matches(job)));
  EXPECT_TRUE((JobQuery{.bucket = native_bucket("b"), .ended = true}.matches(job)));
  EXPECT_FALSE((JobQuery{.bucket = native_bucket("c"), .ended = true}.matches(job)));
}

}  // namespace
}  // namespace aisfs
