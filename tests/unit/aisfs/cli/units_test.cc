// SPDX-License-Identifier: MIT
#include "aisfs/cli/units.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace aisfs::cli {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ParseDuration, KnowsTheUnitsAndPlainSeconds) {
  EXPECT_EQ(*parse_duration("500ms"), Duration(milliseconds(500)));
  EXPECT_EQ(*parse_duration("90"), Duration(seconds(90)));
  EXPECT_EQ(*parse_duration("90s"), Duration(seconds(90)));
  EXPECT_EQ(*parse_duration("5m"), Duration(seconds(300)));
  EXPECT_EQ(*parse_duration("12h"), Duration(hours(12)));
  EXPECT_EQ(*parse_duration("30d"), Duration(hours(720)));
}

TEST(ParseDuration, RefusesTheRest) {
  for (const char* text :
       {"", "s", "-1s", "1.5h", "1w", "1 s", "99999999999999999999d", "36501d"}) {
    EXPECT_EQ(parse_duration(text).error().code(), Errc::invalid_argument) << text;
  }
}

TEST(ClockOf, HoursOnlyWhenThereAreSome) {
  EXPECT_EQ(clock_of(seconds(7)), "0:07");
  EXPECT_EQ(clock_of(seconds(725)), "12:05");
  EXPECT_EQ(clock_of(seconds(3 * 3600 + 245)), "3:04:05");
}

TEST(IsoTime, KeepsNanosecondsAlsoBefore1970) {
  EXPECT_EQ(iso_time(1), "1970-01-01T00:00:00.000000001Z");
  EXPECT_EQ(iso_time(-1), "1969-12-31T23:59:59.999999999Z");
}

TEST(ModeText, ReadsLikeLs) {
  EXPECT_EQ(mode_text(S_IFREG | 0644), "-rw-r--r--");
  EXPECT_EQ(mode_text(S_IFDIR | 01777), "drwxrwxrwt");
  EXPECT_EQ(mode_text(S_IFREG | 04711), "-rws--x--x");
  EXPECT_EQ(mode_text(S_IFREG | 02604), "-rw---Sr--");
}

TEST(CountOf, OneIsSingular) {
  EXPECT_EQ(count_of(1, "object"), "1 object");
  EXPECT_EQ(count_of(0, "object"), "0 objects");
}

}  // namespace
}  // namespace aisfs::cli
