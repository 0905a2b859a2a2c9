// SPDX-License-Identifier: MIT
#include "node/ec/layout.h"

#include <gtest/gtest.h>

namespace aisfs::ec {
namespace {

constexpr std::uint32_t kUnit = kUnitMin;

TEST(EcLayout, RefusesWhatIsOutOfBounds) {
  EXPECT_EQ(Layout::make({0, 2}, kUnit, 1).error().code(), Errc::invalid_argument);
  for (const std::uint32_t unit : {0u, 2048u, 5000u, kUnitMax * 2}) {
    EXPECT_EQ(Layout::make({4, 2}, unit, 1).error().code(), Errc::invalid_argument) << unit;
  }
  EXPECT_TRUE(Layout::make({1, 1}, kUnitMin, kObjectBytesMax).ok());
  EXPECT_EQ(Layout::make({4, 2}, kUnit, kObjectBytesMax + 1).error().code(),
            Errc::invalid_argument);
}

TEST(EcLayout, TheLastStripeIsAsShortAsItCanBe) {
  const auto slice_bytes = [](std::uint64_t size) {
    return Layout::make({4, 2}, kUnit, size)->slice_bytes();
  };
  EXPECT_EQ(slice_bytes(0), 0u);
  EXPECT_EQ(slice_bytes(1), 64u);
  EXPECT_EQ(slice_bytes(256), 64u);
  EXPECT_EQ(slice_bytes(257), 128u);
  EXPECT_EQ(slice_bytes(4 * kUnit), kUnit);
  EXPECT_EQ(slice_bytes(4 * kUnit + 1), kUnit + 64);
  EXPECT_EQ(slice_bytes(8 * kUnit - 1), 2 * kUnit);
}

TEST(EcLayout, PiecesOfARangeFollowTheObject) {
  // Two full stripes of 8 KiB, then 100 bytes as 64 + 36.
  const auto layout = Layout::make({2, 1}, kUnit, 4 * kUnit + 100);
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->stripes(), 3u);
  const std::vector<SlicePiece> want{
      {1, 2 * kUnit - 10, 10}, {0, 2 * kUnit, 64}, {1, 2 * kUnit, 36}};
  EXPECT_EQ(layout->pieces({4 * kUnit - 10, ByteRange::kToEnd}), want);
  EXPECT_EQ(layout->pieces({kUnit, 1}), (std::vector<SlicePiece>{{1, 0, 1}}));
  EXPECT_TRUE(layout->pieces({4 * kUnit + 100, 10}).empty());
  EXPECT_TRUE(layout->pieces({5, 0}).empty());
}

TEST(EcLayout, StripesOfARangeAreWhatADegradedReadNeeds) {
  const auto layout = Layout::make({2, 1}, kUnit, 4 * kUnit + 100);
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->stripes_of({0, 1}), (StripeRange{0, 1}));
  EXPECT_EQ(layout->stripes_of({2 * kUnit - 1, 2}), (StripeRange{0, 2}));
  EXPECT_EQ(layout->stripes_of({}), (StripeRange{0, 3}));
  EXPECT_EQ(layout->stripes_of({4 * kUnit + 100, 1}), StripeRange{});
  EXPECT_EQ(layout->slice_range({1, 3}), (ByteRange{kUnit, kUnit + 64}));
  EXPECT_EQ(layout->slice_range({0, 1}), (ByteRange{0, kUnit}));
}

TEST(EcLayout, OffsetsOfTheLargestObjectDoNotOverflow) {
  const auto layout = Layout::make({16, 16}, kUnitMax, kObjectBytesMax);
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->slice_bytes(), kObjectBytesMax / 16);
  const auto last = layout->pieces({kObjectBytesMax - 1, ByteRange::kToEnd});
  EXPECT_EQ(last, (std::vector<SlicePiece>{{15, kObjectBytesMax / 16 - 1, 1}}));
}

}  // namespace
}  // namespace aisfs::ec
