// SPDX-License-Identifier: MIT
#include "tests/kit/history/versions.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/kit/written.h"

namespace aisfs::tests::history {
namespace {

/// What is wrong with the history's only key; "" if nothing is.
std::string wrong(std::string_view lines) {
  const Report report = check_versions(operations_of(lines));
  return report.holds() ? "" : report.violations[0].what;
}

constexpr const char* kOldMutation = "a mutation is not newer than what was known before it began";
constexpr const char* kOldReply = "a reply is older than what was known before the request";
constexpr const char* kNoProof = "a 404 without a tombstone after a version was known";

TEST(Versions, RiseWithAcknowledgedMutations) {
  EXPECT_EQ(wrong("1 2 1 put k ok value=1 version=1.1.1\n"
                  "3 4 1 put k ok value=2 version=1.2.1\n"
                  "5 6 1 delete k ok version=2.1.1\n"),
            "");
  EXPECT_EQ(wrong("1 2 1 put k ok value=1 version=1.2.1\n"
                  "3 4 1 put k ok value=2 version=1.1.1\n"),
            kOldMutation);
}

TEST(Versions, OverlappingMutationsHaveAnyOrder) {
  EXPECT_EQ(wrong("1 4 1 put k ok value=1 version=1.2.1\n"
                  "3 6 2 put k ok value=2 version=1.1.1\n"),
            "");
}

TEST(Versions, AReadIsNotOlderThanWhatWasAcknowledged) {
  EXPECT_EQ(wrong("1 2 1 put k ok value=1 version=1.1.1\n"
                  "3 9 1 put k ok value=2 version=1.2.1\n"
                  "4 8 2 get k ok value=1 version=1.1.1\n"),
            "");
  EXPECT_EQ(wrong("1 2 1 put k ok value=1 version=1.1.1\n"
                  "3 4 1 put k ok value=2 version=1.2.1\n"
                  "5 6 2 get k ok value=1 version=1.1.1\n"),
            kOldReply);
}

TEST(Versions, ReadsDoNotGoBack) {
  EXPECT_EQ(wrong("1 2 1 put k ok value=1 version=1.1.1\n"
                  "3 9 1 put k ok value=2 version=1.2.1\n"
                  "4 5 2 head k ok version=1.2.1\n"
                  "6 7 3 get k ok value=1 version=1.1.1\n"),
            kOldReply);
}

TEST(Versions, AMutationIsNewerThanWhatWasRead) {
  EXPECT_EQ(wrong("1 - 1 put k unknown value=1\n"
                  "3 4 2 get k ok value=1 version=1.2.1\n"
                  "5 6 2 put k ok value=2 version=1.1.1\n"),
            kOldMutation);
}

TEST(Versions, AbsenceNeedsATombstoneOfRightAge) {
  EXPECT_EQ(wrong("1 2 1 get k absent\n"
                  "3 4 1 put k ok value=1 version=1.1.1\n"
                  "5 6 1 delete k ok version=1.2.1\n"
                  "7 8 1 get k absent version=1.2.1\n"
                  "9 10 1 delete k absent version=1.2.1\n"),
            "");
  EXPECT_EQ(wrong("1 2 1 delete k ok version=1.1.1\n"
                  "3 4 1 put k ok value=1 version=1.2.1\n"
                  "5 6 1 get k absent version=1.1.1\n"),
            kOldReply);
  EXPECT_EQ(wrong("3 4 1 put k ok value=1 version=1.1.1\n"
                  "5 6 1 get k absent\n"),
            kNoProof);
}

TEST(Versions, AbsenceWithoutAVersionProvesNothingWhereTombstonesAreNotShown) {
  const Operations history = operations_of(
      "1 2 1 put k ok value=1 version=1.2.1\n"
      "3 4 1 get k absent\n"
      "5 6 1 put k ok value=2 version=1.1.1\n");
  const Report report = check_versions(history, {.tombstones = false});
  ASSERT_EQ(report.violations.size(), 1u);
  EXPECT_EQ(report.violations[0].what, kOldMutation);
}

TEST(Versions, AbsenceBesideTheFirstPutNeedsNone) {
  EXPECT_EQ(wrong("3 9 1 put k ok value=1 version=1.1.1\n"
                  "5 6 1 get k absent\n"),
            "");
}

TEST(Versions, AVersionIsOneThing) {
  EXPECT_EQ(wrong("1 9 1 put k ok value=1 version=1.1.1\n"
                  "2 8 2 get k ok value=2 version=1.1.1\n"),
            "a version is two things");
  EXPECT_EQ(wrong("1 9 1 put k ok value=1 version=1.1.1\n"
                  "2 8 2 get k absent version=1.1.1\n"),
            "a version is two things");
  EXPECT_EQ(wrong("1 9 1 delete k ok version=1.1.1\n"
                  "2 8 2 delete k ok version=1.1.1\n"),
            "two mutations have one version");
}

TEST(Versions, AConditionalPutReplacesWhatItDemanded) {
  EXPECT_EQ(wrong("1 2 1 put k ok value=1 version=1.1.1\n"
                  "3 9 1 put-if-match k ok value=2 if-version=1.1.1 version=1.2.1\n"
                  "3 9 2 put-if-match k conflict value=3 if-version=1.1.1 version=1.2.1\n"),
            "");
  EXPECT_EQ(wrong("1 2 1 put k ok value=1 version=1.1.1\n"
                  "3 9 1 put-if-match k ok value=2 if-version=1.1.1 version=1.2.1\n"
                  "3 9 2 put-if-match k ok value=3 if-version=1.1.1 version=1.2.2\n"),
            "a conditional PUT replaced another version than it demanded");
}

TEST(Versions, RepliesWithoutOneProveNothing) {
  EXPECT_EQ(wrong("1 2 1 put k ok value=1\n"
                  "3 4 1 put k ok value=2\n"
                  "5 6 2 get k ok value=1\n"
                  "7 8 2 get k absent\n"),
            "");
}

TEST(Versions, TheExcerptIsThePair) {
  const Report report =
      check_versions(operations_of("1 2 1 put k ok value=1 version=1.1.1\n"
                                   "3 4 1 put k ok value=2 version=1.2.1\n"
                                   "5 6 2 get k ok value=1 version=1.1.1\n"));
  ASSERT_EQ(report.violations.size(), 1u);
  EXPECT_EQ(report.violations[0].excerpt,
            "  3 4 1 put k ok value=2 version=1.2.1\n"
            "  5 6 2 get k ok value=1 version=1.1.1\n");
}

}  // namespace
}  // namespace aisfs::tests::history
