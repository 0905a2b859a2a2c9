// SPDX-License-Identifier: MIT
#include "tests/kit/history/listing.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/kit/written.h"

namespace aisfs::tests::history {
namespace {

/// "WHERE: WHAT" of the first violation; "" if there is none.
std::string wrong(const std::string& lines) {
  const Report report = check_listing(operations_of(lines));
  if (report.holds()) return "";
  return report.violations[0].where + ": " + report.violations[0].what;
}

constexpr const char* kTwoKeys =
    "1 2 1 put a ok value=1\n"
    "3 4 1 put b ok value=2\n";

TEST(Listing, ShowsWhatIsThereOnce) {
  const std::string keys = kTwoKeys;
  EXPECT_EQ(wrong(keys + "5 6 1 list \"\" ok listing=1 entries=a,b last=1\n"), "");
  EXPECT_EQ(wrong(keys + "5 6 1 list \"\" ok listing=1 entries=a last=1\n"),
            "listing 1, key b: is present throughout and not listed");
  EXPECT_EQ(wrong(keys + "5 6 1 list \"\" ok listing=1 entries=a,b,b last=1\n"),
            "listing 1, key b: is listed more than once");
  EXPECT_EQ(wrong(keys + "5 6 1 list \"\" ok listing=1 entries=a,b,c last=1\n"),
            "listing 1, key c: is absent throughout and listed");
}

TEST(Listing, ItsPagesAreOneWhole) {
  const std::string keys = kTwoKeys;
  EXPECT_EQ(wrong(keys + "5 6 1 list \"\" ok listing=1 entries=a\n"
                         "7 8 1 list \"\" ok listing=1 after=a entries=b last=1\n"),
            "");
  EXPECT_EQ(wrong(keys + "5 6 1 list \"\" ok listing=1 entries=a\n"
                         "7 8 1 list \"\" ok listing=1 after=a entries=a,b last=1\n"),
            "listing 1, key a: is listed more than once");
  EXPECT_EQ(wrong(keys + "5 6 1 list \"\" ok listing=1 entries=a\n"
                         "7 8 1 list \"\" ok listing=1 after=a last=1\n"),
            "listing 1, key b: is present throughout and not listed");
}

TEST(Listing, OneThatWasGivenUpOwesNothing) {
  const std::string keys = kTwoKeys;
  EXPECT_EQ(wrong(keys + "5 6 1 list \"\" ok listing=1 entries=a\n"
                         "7 - 1 list \"\" unknown listing=1 after=a\n"),
            "");
}

TEST(Listing, ShowsOnlyWhatWasAskedFor) {
  const std::string keys = kTwoKeys;
  EXPECT_EQ(wrong(keys + "5 6 1 list b ok listing=1 entries=b last=1\n"), "");
  EXPECT_EQ(wrong(keys + "5 6 1 list \"\" ok listing=1 after=a entries=b last=1\n"), "");
  EXPECT_EQ(wrong(keys + "5 6 1 list b ok listing=1 entries=a,b last=1\n"),
            "listing 1, key a: is listed and was not asked for");
}

TEST(Listing, AKeyThatComesOrGoesMeanwhileMayShow) {
  for (const char* entries : {"entries=a ", ""}) {
    const std::string list = std::string("5 9 1 list \"\" ok listing=1 ") + entries + "last=1\n";
    EXPECT_EQ(wrong("6 7 2 put a ok value=1\n" + list), "");
    EXPECT_EQ(wrong("1 2 2 put a ok value=1\n6 12 2 delete a ok\n" + list), "");
    EXPECT_EQ(wrong("1 2 2 put a ok value=1\n3 - 2 delete a unknown\n" + list), "");
    EXPECT_EQ(wrong("1 - 2 put a unknown value=1\n" + list), "");
    EXPECT_EQ(wrong("1 4 2 put a ok value=1\n2 3 3 delete a ok\n" + list), "");
  }
}

TEST(Listing, OverwritingHidesNothing) {
  EXPECT_EQ(wrong("1 2 2 put a ok value=1\n"
                  "3 - 3 put a unknown value=2\n"
                  "6 12 2 put a ok value=3\n"
                  "5 9 1 list \"\" ok listing=1 last=1\n"),
            "listing 1, key a: is present throughout and not listed");
}

TEST(Listing, ADeletedKeyDoesNotShow) {
  EXPECT_EQ(wrong("1 2 2 put a ok value=1\n"
                  "3 4 2 delete a ok\n"
                  "5 9 1 list \"\" ok listing=1 entries=a last=1\n"),
            "listing 1, key a: is absent throughout and listed");
}

TEST(Listing, TheExcerptShowsPageAndMutations) {
  const Report report =
      check_listing(operations_of("1 2 2 put a ok value=1\n"
                                  "3 4 2 delete a ok\n"
                                  "5 9 1 list \"\" ok listing=1 entries=a,b last=1\n"
                                  "0 1 2 put b ok value=2\n"));
  ASSERT_EQ(report.violations.size(), 1u);
  EXPECT_EQ(report.violations[0].excerpt,
            "  the listing runs from 5 to 9\n"
            "  5 9 1 list \"\" ok listing=1 entries=a last=1\n"
            "  3 4 2 delete a ok\n");
}

}  // namespace
}  // namespace aisfs::tests::history
