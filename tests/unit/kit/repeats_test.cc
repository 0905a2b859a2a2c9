// SPDX-License-Identifier: MIT
#include "tests/kit/history/repeats.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/kit/history/linearizable.h"
#include "tests/unit/kit/written.h"

namespace aisfs::tests::history {
namespace {

// As it was in a storm: the target of 1 died after the first 1 had been written.
constexpr std::string_view kTwice =
    "10 90 1 put k ok value=1\n"
    "20 21 2 put-if-absent k conflict value=2\n"
    "30 40 3 put k ok value=3\n"
    "50 51 4 get k ok value=3\n"
    "95 96 4 get k ok value=1\n";

/// What is left of the violations, after how many keys were explained.
std::pair<std::size_t, std::size_t> judged(std::string_view lines,
                                           const std::set<std::size_t>& repeatable) {
  const Operations operations = operations_of(lines);
  Report report = check_linearizable(operations);
  const auto keys = take_out_repeats(operations, repeatable, report);
  return {report.violations.size(), keys.size()};
}

TEST(Repeats, ExplainAValueThatComesBackWhileItsPutIsUnderWay) {
  EXPECT_EQ(judged(kTwice, {0}), std::pair(std::size_t{0}, std::size_t{1}));
}

TEST(Repeats, AreOnlyThoseOfRequestsThatMayBeSentAgain) {
  EXPECT_EQ(judged(kTwice, {}), std::pair(std::size_t{1}, std::size_t{0}));
  EXPECT_EQ(judged(kTwice, {2}), std::pair(std::size_t{1}, std::size_t{0}));
}

TEST(Repeats, DoNotExplainAValueThatComesBackLater) {
  EXPECT_EQ(judged("10 20 1 put k ok value=1\n"
                   "30 40 3 put k ok value=3\n"
                   "95 96 4 get k ok value=1\n",
                   {0, 1}),
            std::pair(std::size_t{1}, std::size_t{0}));
}

}  // namespace
}  // namespace aisfs::tests::history
