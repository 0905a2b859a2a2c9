// SPDX-License-Identifier: MIT
// Reading objects whose slices are there or lost, and good.
#include "node/ec/decoder.h"

#include <gtest/gtest.h>

#include "tests/unit/node/ec/memory_reader.h"

namespace aisfs::ec {
namespace {

/// Around every border that an object of blocks of `unit` can end at.
std::vector<std::size_t> sizes(Geometry geometry, std::size_t unit) {
  const std::size_t stripe = geometry.data * unit;
  return {0,      1,          unit - 1,       unit,       unit + 1,      stripe - 1,
          stripe, stripe + 1, 3 * stripe - 1, 3 * stripe, 3 * stripe + 1};
}

void expect_all_losses_survived(Geometry geometry) {
  for (const std::size_t size : sizes(geometry, kUnitMin)) {
    const std::string object = content(size);
    const Slices slices = slices_of(object, geometry);
    MemoryReader reader(slices.bytes);
    for_each_loss(geometry.slices(), geometry.parity, [&](const SliceSet& lost) {
      const auto back = read(slices, reader, lost);
      ASSERT_TRUE(back.ok()) << back.error().what();
      ASSERT_EQ(*back, object) << size << " bytes without " << to_string(lost);
    });
  }
}

void expect_sampled_losses_survived(Geometry geometry, int samples) {
  std::mt19937_64 random(geometry.data);
  for (const std::size_t size : sizes(geometry, kUnitMin)) {
    const std::string object = content(size);
    const Slices slices = slices_of(object, geometry);
    MemoryReader reader(slices.bytes);
    for (int i = 0; i < samples; ++i) {
      const SliceSet lost = random_loss(random, geometry.slices(), geometry.parity);
      const auto back = read(slices, reader, lost);
      ASSERT_TRUE(back.ok()) << back.error().what();
      ASSERT_EQ(*back, object) << size << " bytes without " << to_string(lost);
    }
  }
}

TEST(Decoder, SurvivesEveryLossOf2Plus2) { expect_all_losses_survived({2, 2}); }
TEST(Decoder, SurvivesEveryLossOf4Plus2) { expect_all_losses_survived({4, 2}); }
TEST(Decoder, SurvivesLossesOf8Plus3) { expect_sampled_losses_survived({8, 3}, 30); }
TEST(Decoder, SurvivesLossesOf16Plus16) { expect_sampled_losses_survived({16, 16}, 20); }

/// The slices that the object's own bytes lie in: a small one does not fill all of D.
SliceSet holders(const Slices& slices) {
  SliceSet out;
  for (const SlicePiece& piece : slices.header().layout().pieces({})) out.set(piece.slice);
  return out;
}

TEST(Decoder, OneMoreLossIsAnErrorUnlessItsBytesAreAllThere) {
  for (const Geometry geometry : {Geometry{2, 2}, Geometry{4, 2}}) {
    for (const std::size_t size : sizes(geometry, kUnitMin)) {
      const std::string object = content(size);
      const Slices slices = slices_of(object, geometry);
      MemoryReader reader(slices.bytes);
      for_each_loss(geometry.slices(), geometry.parity + 1u, [&](const SliceSet& lost) {
        const auto back = read(slices, reader, lost);
        const bool readable = (lost & holders(slices)).none();
        ASSERT_EQ(back.ok(), readable) << size << " bytes without " << to_string(lost);
        if (readable) {
          ASSERT_EQ(*back, object);
        } else {
          ASSERT_EQ(back.error().code(), Errc::corrupt);
        }
      });
    }
  }
}

TEST(Decoder, WhileAllIsWellParityIsNotRead) {
  const Slices slices = slices_of(content(12 * kUnitMin), {4, 2});
  MemoryReader reader(slices.bytes);
  ASSERT_TRUE(read(slices, reader, {}).ok());
  const std::map<unsigned, std::uint64_t> want{
      {0, 3 * kUnitMin}, {1, 3 * kUnitMin}, {2, 3 * kUnitMin}, {3, 3 * kUnitMin}};
  EXPECT_EQ(reader.bytes_read, want);
  EXPECT_EQ(reader.calls, 3u);
}

TEST(Decoder, ARangeReadsOnlyTheBlocksThatHoldIt) {
  const std::string object = content(12 * kUnitMin);
  const Slices slices = slices_of(object, {4, 2});
  MemoryReader reader(slices.bytes);
  const auto back = read(slices, reader, {}, {5 * kUnitMin + 7, 100});
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, object.substr(5 * kUnitMin + 7, 100));
  EXPECT_EQ(reader.bytes_read, (std::map<unsigned, std::uint64_t>{{1, kUnitMin}}));
}

TEST(Decoder, ARangeWithoutItsSliceReadsDBlocksAtOnce) {
  const std::string object = content(12 * kUnitMin);
  const Slices slices = slices_of(object, {4, 2});
  MemoryReader reader(slices.bytes);
  const auto back = read(slices, reader, SliceSet(0b000010), {5 * kUnitMin + 7, 100});
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, object.substr(5 * kUnitMin + 7, 100));
  EXPECT_EQ(reader.calls, 1u);
  EXPECT_EQ(reader.bytes_read.size(), 4u);
}

TEST(Decoder, RangesAreThoseOfTheObject) {
  const std::string object = content(9 * kUnitMin + 321);
  const Slices slices = slices_of(object, {4, 2});
  std::mt19937_64 random(11);
  for (int i = 0; i < 300; ++i) {
    MemoryReader reader(slices.bytes);
    const ByteRange range{random() % (object.size() + 10), random() % object.size()};
    const SliceSet lost = random_loss(random, 6, static_cast<unsigned>(random() % 3));
    const auto back = read(slices, reader, lost, range);
    ASSERT_TRUE(back.ok());
    const ByteRange have = range.within(object.size());
    ASSERT_EQ(*back, object.substr(have.offset, have.length));
  }
}

TEST(Decoder, IsABodyThatCanBeReadTwice) {
  const std::string object = content(9 * kUnitMin + 321);
  const Slices slices = slices_of(object, {4, 2});
  MemoryReader reader(slices.bytes);
  Decoder decoder(slices.header(), states_of(slices, SliceSet(0b000101)), reader);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(decoder.remaining(), object.size());
    const auto back = run(read_all(decoder, object.size()));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(*back, object);
    EXPECT_EQ(decoder.remaining(), 0u);
    ASSERT_TRUE(decoder.rewind());
  }
}

TEST(Decoder, BlocksOfOneMebibyte) {
  const std::string object = content(9_MiB + 321);
  const Slices slices = slices_of(object, {4, 2}, kUnitDefault);
  MemoryReader reader(slices.bytes);
  for (const SliceSet lost : {SliceSet(), SliceSet(0b000011), SliceSet(0b101000)}) {
    const auto back = read(slices, reader, lost);
    ASSERT_TRUE(back.ok()) << back.error().what();
    EXPECT_TRUE(*back == object);
  }
}

}  // namespace
}  // namespace aisfs::ec
