// SPDX-License-Identifier: MIT
#include "aisfs/cli/progress.h"

#include <gtest/gtest.h>

#include "common/base/bytes.h"

namespace aisfs::cli {
namespace {

TEST(ProgressLine, ShowsShareBytesFilesRateAndTimeLeft) {
  const ProgressState state{.bytes_done = 50_MiB,
                            .bytes_total = 100_MiB,
                            .files_done = 3,
                            .files_total = 7,
                            .bytes_per_second = 10_MiB};
  EXPECT_EQ(progress_line(state, 200),
            "[============>           ] 50%  50.0 MiB of 100 MiB  3/7  10.0 MiB/s  ETA 0:05");
}

TEST(ProgressLine, IsCutToTheTerminal) {
  const ProgressState state{.bytes_done = 1, .bytes_total = 2};
  EXPECT_EQ(progress_line(state, 10).size(), 10u);
}

TEST(ProgressLine, AFileThatGrowsStaysAtItsEnd) {
  const ProgressState state{.bytes_done = 3_MiB, .bytes_total = 2_MiB, .bytes_per_second = 1};
  EXPECT_NE(progress_line(state, 200).find("100%"), std::string::npos);
}

TEST(ProgressLine, WithoutATotalThereIsNoBarAndNoEta) {
  const std::string line = progress_line({.bytes_done = 5_MiB, .files_total = 1}, 200);
  EXPECT_EQ(line, "5.00 MiB  0/1  0 B/s");
}

TEST(MoveLine, ShowsShareNamesBytesRateAndTimeLeft) {
  const MoveState state{.names_done = 50,
                        .names_total = 100,
                        .bytes_moved = 5_MiB,
                        .bytes_per_second = 1_MiB,
                        .names_per_second = 10};
  EXPECT_EQ(
      move_line(state, 200),
      "[============>           ] 50%  50 of 100 names  5.00 MiB moved  1.00 MiB/s  ETA 0:05");
  EXPECT_EQ(move_line(state, 10).size(), 10u);
  EXPECT_EQ(move_line({}, 200), "0 B moved  0 B/s");
}

TEST(RateMeter, ForgetsWhatIsOlderThanItsWindow) {
  RateMeter rate;
  const TimePoint start{};
  rate.record(start, 0);
  EXPECT_EQ(rate.bytes_per_second(), 0u);
  rate.record(start + std::chrono::seconds(1), 1000);
  EXPECT_EQ(rate.bytes_per_second(), 1000u);
  for (int i = 2; i < 20; ++i) rate.record(start + std::chrono::seconds(i), 1000);  // a stall
  EXPECT_EQ(rate.bytes_per_second(), 0u);
}

TEST(RateMeter, ManySamplesInAnInstantCountOnce) {
  RateMeter rate;
  const TimePoint start{};
  rate.record(start, 0);
  for (int i = 1; i <= 1000; ++i)
    rate.record(start + std::chrono::milliseconds(i), 10u * static_cast<unsigned>(i));
  EXPECT_NEAR(static_cast<double>(rate.bytes_per_second()), 10'000, 100);
}

}  // namespace
}  // namespace aisfs::cli
