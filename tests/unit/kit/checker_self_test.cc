// SPDX-License-Identifier: MIT
// Whether the checkers can be trusted: they accept every history of a perfect store, agree with a
// search that tries everything, and see the faults that are put into histories.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "tests/kit/history/history_file.h"
#include "tests/kit/history/linearizable.h"
#include "tests/kit/history/listing.h"
#include "tests/kit/history/versions.h"
#include "tests/unit/kit/brute_force.h"
#include "tests/unit/kit/mutants.h"
#include "tests/unit/kit/register_sim.h"

namespace aisfs::tests::history {
namespace {

constexpr SimOptions kSmall{.clients = 4, .operations = 8, .unknown_percent = 15};
constexpr SimOptions kRegister{.clients = 10, .operations = 300};
constexpr SimOptions kManyKeys{.clients = 12, .keys = 16, .operations = 800, .listings = 10};

/// What each check says of a history.
struct Verdicts {
  Verdict linearizable, versions, listing;

  bool caught() const {
    return linearizable == Verdict::kViolated || versions == Verdict::kViolated ||
           listing == Verdict::kViolated;
  }
};

Verdicts verdicts_of(const Operations& operations) {
  return {check_linearizable(operations).verdict(), check_versions(operations).verdict(),
          check_listing(operations).verdict()};
}

void expect_all_hold(const SimOptions& options, std::uint64_t seed) {
  Random random(seed);
  const Operations operations = simulate(options, random);
  for (const Report& report :
       {check_linearizable(operations), check_versions(operations), check_listing(operations)}) {
    ASSERT_TRUE(report.holds()) << "seed " << seed << '\n' << report.to_string();
  }
}

TEST(CheckerSelfTest, APerfectStoreIsAccepted) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) expect_all_hold(kRegister, seed);
  for (std::uint64_t seed = 1; seed <= 100; ++seed) expect_all_hold(kManyKeys, seed);
}

TEST(CheckerSelfTest, APerfectStoreIsAcceptedUnderManyUnknowns) {
  SimOptions options = kRegister;
  options.clients = 20;
  options.unknown_percent = 30;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) expect_all_hold(options, seed);
}

TEST(CheckerSelfTest, AHistoryKeepsItsVerdictInAFile) {
  Random random(1);
  const Operations operations = simulate(kManyKeys, random);
  const auto back = parse_text(to_text(operations));
  ASSERT_TRUE(back) << back.error().what();
  EXPECT_EQ(*back, operations);
}

/// Compares with brute force; counts the histories by what it says.
struct Agreement {
  std::size_t explained = 0, refuted = 0;

  bool agrees(const Operations& operations) {
    const bool explains = some_order_explains(operations);
    ++(explains ? explained : refuted);
    const Verdict wanted = explains ? Verdict::kHolds : Verdict::kViolated;
    return check_linearizable(operations).verdict() == wanted;
  }
};

TEST(CheckerSelfTest, AgreesWithBruteForceOnInventedHistories) {
  Agreement agreement;
  for (std::uint64_t seed = 1; seed <= 40'000; ++seed) {
    Random random(seed);
    const Operations operations = invent(random);
    ASSERT_TRUE(agreement.agrees(operations)) << "seed " << seed << '\n' << to_text(operations);
  }
  EXPECT_GT(agreement.explained, 5000u);
  EXPECT_GT(agreement.refuted, 5000u);
  std::printf("invented: %zu explained, %zu refuted, all agreed\n", agreement.explained,
              agreement.refuted);
}

TEST(CheckerSelfTest, AgreesWithBruteForceOnSmallMutants) {
  for (const Mutation& mutation : kMutations) {
    if (mutation.apply == repeat_entry) continue;  // no matter of order
    Agreement agreement;
    for (std::uint64_t seed = 1; seed <= 8000; ++seed) {
      Random random(seed);
      const auto mutant = mutation.apply(simulate(kSmall, random), random);
      if (!mutant) continue;
      ASSERT_TRUE(agreement.agrees(*mutant)) << mutation.name << ", seed " << seed << '\n'
                                             << to_text(*mutant);
    }
    std::printf("small, %s: %zu not linearizable, all caught; %zu still linearizable\n",
                std::string(mutation.name).c_str(), agreement.refuted, agreement.explained);
    EXPECT_GT(agreement.refuted, 20u) << mutation.name;
  }
}

/// By construction every one of these mutants breaks a promise.
TEST(CheckerSelfTest, CatchesMutantsOfLongHistories) {
  for (const Mutation& mutation : kMutations) {
    std::size_t mutants = 0, caught = 0, linearizable = 0, versions = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      Random random(seed);
      const auto mutant = mutation.apply(simulate(kManyKeys, random), random);
      if (!mutant) continue;
      const Verdicts verdicts = verdicts_of(*mutant);
      ++mutants;
      caught += verdicts.caught();
      linearizable += verdicts.linearizable == Verdict::kViolated;
      versions += verdicts.versions == Verdict::kViolated;
    }
    std::printf("long, %s: %zu of %zu caught; %zu by order search, %zu by versions\n",
                std::string(mutation.name).c_str(), caught, mutants, linearizable, versions);
    EXPECT_GT(mutants, 100u) << mutation.name;
    EXPECT_EQ(caught, mutants) << mutation.name;
  }
}

/// The order search alone, without help from versions, on one key with hundreds of operations.
TEST(CheckerSelfTest, TheOrderSearchAloneCatchesStaleAndLost) {
  for (const auto mutate : {drop_write, stale_read, resurrect, lose_write, double_success}) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      Random random(seed);
      const auto mutant = mutate(simulate(kRegister, random), random);
      if (!mutant) continue;
      EXPECT_EQ(check_linearizable(*mutant).verdict(), Verdict::kViolated) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace aisfs::tests::history
