// SPDX-License-Identifier: MIT
#include "tests/kit/history/linearizable.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/kit/written.h"

namespace aisfs::tests::history {
namespace {

Verdict verdict(std::string_view lines) {
  return check_linearizable(operations_of(lines)).verdict();
}

TEST(Linearizable, AnEmptyHistoryHolds) { EXPECT_EQ(verdict(""), Verdict::kHolds); }

TEST(Linearizable, AReadSeesTheLastAcknowledgedPut) {
  EXPECT_EQ(verdict("1 2 1 put k ok value=1\n"
                    "3 4 1 put k ok value=2\n"
                    "5 6 2 get k ok value=2\n"),
            Verdict::kHolds);
  EXPECT_EQ(verdict("1 2 1 put k ok value=1\n"
                    "3 4 1 put k ok value=2\n"
                    "5 6 2 get k ok value=1\n"),
            Verdict::kViolated);
}

TEST(Linearizable, AReadBesideAPutSeesEither) {
  EXPECT_EQ(verdict("1 2 1 put k ok value=1\n"
                    "3 9 1 put k ok value=2\n"
                    "4 5 2 get k ok value=1\n"
                    "6 7 2 get k ok value=2\n"),
            Verdict::kHolds);
}

TEST(Linearizable, OnceSeenAPutBesideStaysSeen) {
  EXPECT_EQ(verdict("1 2 1 put k ok value=1\n"
                    "3 9 1 put k ok value=2\n"
                    "4 5 2 get k ok value=2\n"
                    "6 7 3 get k ok value=1\n"),
            Verdict::kViolated);
}

TEST(Linearizable, EqualTimesOverlap) {
  EXPECT_EQ(verdict("1 2 1 put k ok value=1\n"
                    "2 3 2 get k absent\n"),
            Verdict::kHolds);
}

TEST(Linearizable, AKeyBeginsAbsentAndADeletedOneIsAbsent) {
  EXPECT_EQ(verdict("1 2 1 get k absent\n"
                    "3 4 1 put k ok value=1\n"
                    "5 6 1 delete k ok\n"
                    "7 8 1 get k absent\n"
                    "9 10 1 delete k absent\n"),
            Verdict::kHolds);
  EXPECT_EQ(verdict("3 4 1 put k ok value=1\n"
                    "7 8 1 get k absent\n"),
            Verdict::kViolated);
}

TEST(Linearizable, ADeletedValueDoesNotComeBack) {
  EXPECT_EQ(verdict("1 2 1 put k ok value=1\n"
                    "3 4 1 delete k ok\n"
                    "5 6 1 get k absent\n"
                    "7 8 2 get k ok value=1\n"),
            Verdict::kViolated);
}

TEST(Linearizable, NobodyReadsWhatNobodyWrote) {
  EXPECT_EQ(verdict("1 2 1 get k ok value=9\n"), Verdict::kViolated);
}

TEST(Linearizable, AnUnknownPutHappensLateOrNever) {
  EXPECT_EQ(verdict("1 2 1 put k ok value=1\n"
                    "3 - 2 put k unknown value=2\n"
                    "5 6 3 get k ok value=1\n"),
            Verdict::kHolds);
  EXPECT_EQ(verdict("1 2 1 put k ok value=1\n"
                    "3 - 2 put k unknown value=2\n"
                    "5 6 3 get k ok value=1\n"
                    "900 901 3 get k ok value=2\n"),
            Verdict::kHolds);
}

TEST(Linearizable, AnUnknownPutHappensOnce) {
  EXPECT_EQ(verdict("3 - 2 put k unknown value=2\n"
                    "5 6 3 get k ok value=2\n"
                    "7 8 3 put k ok value=3\n"
                    "9 10 3 get k ok value=2\n"),
            Verdict::kViolated);
}

TEST(Linearizable, WhatFailedDidNotHappen) {
  EXPECT_EQ(verdict("1 2 1 put k failed value=1\n"
                    "3 4 1 get k ok value=1\n"),
            Verdict::kViolated);
}

TEST(Linearizable, AConditionHoldsForOneOfTwo) {
  EXPECT_EQ(verdict("1 2 1 put k ok value=1\n"
                    "3 9 1 put-if-match k ok value=2 if-value=1\n"
                    "4 8 2 put-if-match k conflict value=3 if-value=1\n"
                    "10 11 2 get k ok value=2\n"),
            Verdict::kHolds);
  EXPECT_EQ(verdict("1 2 1 put k ok value=1\n"
                    "3 9 1 put-if-match k ok value=2 if-value=1\n"
                    "4 8 2 put-if-match k ok value=3 if-value=1\n"),
            Verdict::kViolated);
}

TEST(Linearizable, AConditionThatHoldsIsNotRefused) {
  EXPECT_EQ(verdict("1 2 1 put k ok value=1\n"
                    "3 4 1 put-if-match k conflict value=2 if-value=1\n"),
            Verdict::kViolated);
  EXPECT_EQ(verdict("1 2 1 put-if-absent k conflict value=1\n"), Verdict::kViolated);
}

TEST(Linearizable, OneOfTwoCreatesAKey) {
  EXPECT_EQ(verdict("1 9 1 put-if-absent k ok value=1\n"
                    "2 8 2 put-if-absent k conflict value=2\n"),
            Verdict::kHolds);
  EXPECT_EQ(verdict("1 9 1 put-if-absent k ok value=1\n"
                    "2 8 2 put-if-absent k ok value=2\n"),
            Verdict::kViolated);
}

TEST(Linearizable, AConditionOnAVersionIsOneOnItsValue) {
  EXPECT_EQ(verdict("1 2 1 put k ok value=1 version=1.1.1\n"
                    "3 4 1 put k ok value=2 version=1.2.1\n"
                    "5 6 1 put-if-match k ok value=3 if-version=1.1.1\n"),
            Verdict::kViolated);
  EXPECT_EQ(verdict("1 2 1 put k ok value=1 version=1.1.1\n"
                    "5 6 1 put-if-match k ok value=3 if-version=1.1.1\n"
                    "7 8 1 head k ok version=1.1.1\n"),
            Verdict::kViolated);
}

TEST(Linearizable, AVersionThatNobodyKnowsRefusesNothing) {
  EXPECT_EQ(verdict("1 - 1 put k unknown value=1\n"
                    "2 - 1 put k unknown value=2\n"
                    "5 6 1 put-if-match k ok value=3 if-version=1.1.1\n"
                    "7 8 2 put-if-match k conflict value=4 if-version=1.1.1\n"),
            Verdict::kHolds);
}

TEST(Linearizable, KeysAreIndependent) {
  const Operations operations = operations_of(
      "1 2 1 put a ok value=1\n"
      "3 4 1 put b ok value=2\n"
      "5 6 2 get a ok value=1\n"
      "7 8 2 get b absent\n");
  const Report report = check_linearizable(operations);
  EXPECT_EQ(report.checked, 2u);
  ASSERT_EQ(report.violations.size(), 1u);
  EXPECT_EQ(report.violations[0].where, "b");
}

TEST(Linearizable, TheExcerptShowsWhereItGotStuck) {
  const Report report =
      check_linearizable(operations_of("1 2 1 put k ok value=1\n"
                                       "3 4 1 put k ok value=2\n"
                                       "5 6 2 get k ok value=1\n"
                                       "7 8 2 get k ok value=2\n"));
  ASSERT_EQ(report.violations.size(), 1u);
  EXPECT_EQ(report.violations[0].excerpt,
            "  1 2 1 put k ok value=1\n"
            "  now the value is 1\n"
            "  must come next, but cannot: 3 4 1 put k ok value=2\n"
            "  it would leave unexplained: 5 6 2 get k ok value=1\n");
}

TEST(Linearizable, TheExcerptOfAValueOutOfNowhereIsItsReader) {
  const Report report =
      check_linearizable(operations_of("1 2 1 put k ok value=1\n"
                                       "5 6 2 get k ok value=9\n"));
  ASSERT_EQ(report.violations.size(), 1u);
  EXPECT_EQ(report.violations[0].what, "a reply shows what nobody wrote");
  EXPECT_EQ(report.violations[0].excerpt, "  5 6 2 get k ok value=9\n");
}

TEST(Linearizable, WorkIsBounded) {
  // Any subset of 12 PUTs may come before the DELETE, which can explain one of the two GETs.
  std::string lines = "1 - 1 delete k unknown\n";
  for (int i = 1; i <= 12; ++i) lines += "1 50 1 put k ok value=" + std::to_string(i) + "\n";
  lines +=
      "60 61 2 get k absent\n"
      "62 63 2 put k ok value=13\n"
      "64 65 2 get k absent\n";
  const Operations operations = operations_of(lines);
  EXPECT_EQ(check_linearizable(operations, {.tried_max = 100}).verdict(), Verdict::kUnknown);
  EXPECT_EQ(check_linearizable(operations).verdict(), Verdict::kViolated);
}

}  // namespace
}  // namespace aisfs::tests::history
