// SPDX-License-Identifier: MIT
#include "node/ec/slice_header.h"

#include <gtest/gtest.h>

#include "tests/kit/golden.h"

namespace aisfs::ec {
namespace {

SliceHeader header(std::uint8_t index = 3) {
  return {.version = {3, 0x1234567890, 2},
          .geometry = {4, 2},
          .index = index,
          .unit = kUnitMax,
          .object_bytes = 10'000'000,
          .object_root = 0xfeedfacecafebeef,
          .slice_roots = {1, 2, 3, 4, 5, 0x8000000000000006},
          .meta = "what the store knows"};
}

TEST(SliceHeader, ReadsWhatWasWritten) {
  const auto back = decode_header(encode_header(header()));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, header());
}

TEST(SliceHeader, GoldenBytesDecodeForEver) {
  const std::string now = encode_header(header());
  EXPECT_EQ(golden("slice_header.1", now), now);
  EXPECT_EQ(*decode_header(golden("slice_header.1", now)), header());
}

TEST(SliceHeader, TheLargestGeometryAndMetadataFit) {
  SliceHeader large = header();
  large.geometry = {16, 16};
  large.slice_roots.assign(32, 9);
  large.meta.assign(kSliceMetaBytesMax, 'm');
  EXPECT_EQ(*decode_header(encode_header(large)), large);
  large.meta += '+';
  EXPECT_EQ(decode_header(encode_header(large)).error().code(), Errc::corrupt);
}

TEST(SliceHeader, EveryDamagedByteIsFound) {
  const std::string good = encode_header(header());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] ^= 0x40;
    // A higher version is none of damage: it is how a newer release is told from an older one.
    if (i == 4 || i == 5) continue;
    EXPECT_FALSE(decode_header(bad).ok()) << i;
    EXPECT_FALSE(decode_header(good.substr(0, i)).ok()) << i;
  }
}

TEST(SliceHeader, OneThatContradictsItselfIsCorrupt) {
  const auto expect_refused = [](auto change) {
    SliceHeader bad = header();
    change(bad);
    const auto back = decode_header(encode_header(bad));
    ASSERT_FALSE(back.ok());
    EXPECT_EQ(back.error().code(), Errc::corrupt) << back.error().what();
  };
  expect_refused([](SliceHeader& h) { h.index = 6; });
  expect_refused([](SliceHeader& h) { h.geometry.parity = 17; });
  expect_refused([](SliceHeader& h) { h.geometry.data = 0; });
  expect_refused([](SliceHeader& h) { h.slice_roots.pop_back(); });
  expect_refused([](SliceHeader& h) { h.slice_roots.push_back(7); });
  expect_refused([](SliceHeader& h) { h.unit = 3000; });
  expect_refused([](SliceHeader& h) { h.object_bytes = kObjectBytesMax + 1; });
}

TEST(SameObject, SlicesOfOneMayBeCombinedWhateverTheirMetadata) {
  std::vector<SliceHeader> headers{header(5), header(0), header(3)};
  headers[1].meta = "newer mode bits";
  EXPECT_TRUE(check_same_object(headers).ok());
  EXPECT_TRUE(check_same_object({}).ok());
}

TEST(SameObject, AnotherVersionIsRefusedByName) {
  std::vector<SliceHeader> headers{header(0), header(1), header(4)};
  headers[2].version.epoch = 4;
  const auto refused = check_same_object(headers);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Errc::precondition_failed);
  EXPECT_EQ(refused.error().what(),
            "slice 4 is of version 4.1234567890.2, slice 0 of 3.1234567890.2");
}

TEST(SameObject, AnyOtherDifferenceIsCorruptByName) {
  const auto expect_refused = [](std::string_view why, auto change) {
    std::vector<SliceHeader> headers{header(0), header(1)};
    change(headers[1]);
    const auto refused = check_same_object(headers);
    ASSERT_FALSE(refused.ok()) << why;
    EXPECT_EQ(refused.error().code(), Errc::corrupt);
    EXPECT_NE(refused.error().what().find(why), std::string::npos) << refused.error().what();
  };
  expect_refused("slice 1 has geometry 3+3, not 4+2", [](SliceHeader& h) { h.geometry = {3, 3}; });
  expect_refused("slice 1 has stripe unit 4096", [](SliceHeader& h) { h.unit = 4096; });
  expect_refused("slice 1 has object of 9 bytes", [](SliceHeader& h) { h.object_bytes = 9; });
  expect_refused("slice 1 has another hash of the object",
                 [](SliceHeader& h) { h.object_root = 1; });
  expect_refused("slice 1 has another hash of slice 2",
                 [](SliceHeader& h) { h.slice_roots[2] = 1; });
  expect_refused("slice 0 is there twice", [](SliceHeader& h) { h.index = 0; });
}

}  // namespace
}  // namespace aisfs::ec
