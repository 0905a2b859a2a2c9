// SPDX-License-Identifier: MIT
// Reading objects whose slices fail while they are read, or are not what they should be.
#include <gtest/gtest.h>

#include "node/ec/decoder.h"
#include "tests/unit/node/ec/memory_reader.h"

namespace aisfs::ec {
namespace {

/// Three stripes of 4+2, the last a short one.
class Degraded : public testing::Test {
 protected:
  Result<std::string> read_all_of(const SliceSet& lost = {}) {
    return read(slices_, reader_, lost);
  }

  void expect_whole(const Result<std::string>& back) {
    ASSERT_TRUE(back.ok()) << back.error().what();
    EXPECT_TRUE(*back == object_);
  }

  const std::string object_ = content(9 * kUnitMin);
  const Slices slices_ = slices_of(object_, {4, 2});
  MemoryReader reader_{slices_.bytes};
};

TEST_F(Degraded, BlocksAreChosenSoThatNothingIsReadTwice) {
  const SliceSet all(0b111111), data(0b001111);
  EXPECT_EQ(blocks_to_read(data, {}, all, 4), data);
  EXPECT_EQ(blocks_to_read(SliceSet(0b000100), {}, all, 4), SliceSet(0b000100));
  EXPECT_EQ(blocks_to_read(data, data, all, 4), SliceSet());
  // Slice 1 has failed, the others of `data` are here: one parity block makes up for it.
  EXPECT_EQ(blocks_to_read(data, SliceSet(0b001101), SliceSet(0b111101), 4), SliceSet(0b010000));
  EXPECT_EQ(blocks_to_read(SliceSet(0b000010), {}, SliceSet(0b111101), 4), SliceSet(0b011101));
  EXPECT_EQ(blocks_to_read(data, SliceSet(0b000001), SliceSet(0b110001), 4), std::nullopt);
}

TEST_F(Degraded, AFlippedBitAnywhereIsFoundAndReadAround) {
  for (unsigned slice = 0; slice < 6; ++slice) {
    for (std::size_t at = 0; at < slices_.bytes[0].size(); at += 777) {
      MemoryReader reader(slices_.bytes);
      reader.flip(slice, at);
      // Parity is read only when something is lost.
      const SliceSet lost(slice < 4 ? 0 : 1);
      const auto back = read(slices_, reader, lost);
      expect_whole(back);
    }
  }
}

TEST_F(Degraded, FlippedBitsBeyondParityAreAnError) {
  for (const unsigned slice : {0u, 2u, 5u}) reader_.flip(slice, kUnitMin + 9);
  const auto back = read_all_of();
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code(), Errc::corrupt);
  for (const char* part :
       {"stripe 1 of 4+2", "4 are needed, 3 are good", "slice 0: corrupt the block at 4096",
        "slice 2: corrupt", "slice 5: corrupt"}) {
    EXPECT_NE(back.error().what().find(part), std::string::npos) << back.error().what();
  }
}

TEST_F(Degraded, RotInDifferentStripesIsNoLossEvenIfAllSlicesHaveSome) {
  reader_.flip(0, 5);
  reader_.flip(1, 6);
  reader_.flip(2, kUnitMin + 5);
  reader_.flip(3, kUnitMin + 5);
  reader_.flip(4, 2 * kUnitMin + 5);
  reader_.flip(5, 2 * kUnitMin + 5);
  Decoder decoder(slices_.header(), states_of(slices_), reader_);
  expect_whole(run(rest_of(decoder)));
  ASSERT_EQ(decoder.faults().size(), 4u);  // parity is not looked at while data are good
  EXPECT_EQ(decoder.faults()[0].slice, 0u);
  EXPECT_EQ(decoder.faults()[2].slice, 2u);
  EXPECT_EQ(decoder.faults()[2].stripe, 1u);
  EXPECT_EQ(decoder.faults()[2].error.code(), Errc::corrupt);
}

TEST_F(Degraded, AHolderThatDiesMidWayIsNotAskedAgain) {
  unsigned asked = 0;
  reader_.fail(2, [&asked](std::uint64_t offset) {
    ++asked;
    return offset == 0 ? Status{} : Status(Error(Errc::unreachable, "gone"));
  });
  expect_whole(read_all_of());
  EXPECT_EQ(asked, 2u);
}

TEST_F(Degraded, OneBadSectorCostsOneStripe) {
  unsigned asked = 0;
  reader_.fail(2, [&asked](std::uint64_t offset) {
    ++asked;
    return offset != 0 ? Status{} : Status(Error(Errc::io, "bad sector"));
  });
  expect_whole(read_all_of());
  EXPECT_EQ(asked, 3u);
}

TEST_F(Degraded, AShortSliceIsReadAround) {
  auto bytes = slices_.bytes;
  bytes[1].resize(kUnitMin + 10);
  MemoryReader reader(bytes);
  expect_whole(read(slices_, reader, {}));
}

TEST_F(Degraded, WhatIsAwayMayComeBackSoTheErrorSaysUnreachable) {
  for (const unsigned slice : {1u, 4u, 5u}) reader_.fail(slice, Errc::timed_out);
  const auto back = read_all_of();
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code(), Errc::unreachable);
  EXPECT_NE(back.error().what().find("away: 1, 4, 5"), std::string::npos) << back.error().what();
}

TEST_F(Degraded, WhatIsLostDoesNotComeBack) {
  for (const unsigned slice : {1u, 4u}) reader_.fail(slice, Errc::not_found);
  reader_.fail(5, Errc::precondition_failed);
  EXPECT_EQ(read_all_of().error().code(), Errc::corrupt);
}

TEST_F(Degraded, SlicesThatWereAwayFromTheStartCountAsSuch) {
  auto states = states_of(slices_, SliceSet(0b110000));
  states[0].presence = Presence::kAway;
  Decoder decoder(slices_.header(), states, reader_);
  EXPECT_EQ(run(rest_of(decoder)).error().code(), Errc::unreachable);
  EXPECT_EQ(reader_.calls, 0u);
}

TEST_F(Degraded, ACancelledReadIsNoFaultOfTheSlice) {
  reader_.fail(1, Errc::cancelled);
  Decoder decoder(slices_.header(), states_of(slices_), reader_);
  EXPECT_EQ(run(rest_of(decoder)).error().code(), Errc::cancelled);
  EXPECT_TRUE(decoder.faults().empty());
}

TEST_F(Degraded, ASliceWithOtherHashesThanTheHeaderSaysIsNotRead) {
  auto states = states_of(slices_);
  states[0].block_hashes[1] ^= 1;
  states[3].block_hashes.clear();
  Decoder decoder(slices_.header(), states, reader_);
  expect_whole(run(rest_of(decoder)));
  EXPECT_EQ(reader_.bytes_read.count(0) + reader_.bytes_read.count(3), 0u);
  EXPECT_EQ(decoder.faults().size(), 2u);
}

TEST_F(Degraded, ASliceOfAnotherVersionIsNeverMixedIn) {
  // Its holder has overwritten it and says nothing: its own hashes are not those of the header.
  const Slices other = slices_of(content(9 * kUnitMin, 2), {4, 2});
  auto bytes = slices_.bytes;
  bytes[1] = other.bytes[1];
  MemoryReader reader(bytes);
  expect_whole(read(slices_, reader, {}));
  auto states = states_of(slices_);
  states[1].block_hashes = other.object.slices[1].blocks;
  Decoder decoder(slices_.header(), states, reader);
  expect_whole(run(rest_of(decoder)));
}

TEST_F(Degraded, WhoVerifiesHimselfIsBelieved) {
  auto states = states_of(slices_, SliceSet(0b000001));
  for (unsigned i = 1; i < 6; ++i)
    states[i] = {.presence = Presence::kVerified, .block_hashes = {}};
  reader_.fail(2, [](std::uint64_t offset) {
    return offset == kUnitMin ? Status(Error(Errc::corrupt, "a bad block")) : Status{};
  });
  Decoder decoder(slices_.header(), states, reader_);
  expect_whole(run(rest_of(decoder)));
}

TEST_F(Degraded, AWholeObjectThatIsNotTheOneThatWasEncodedIsNeverComplete) {
  SliceHeader header = slices_.header();
  header.object_root ^= 1;
  Decoder decoder(header, states_of(slices_), reader_);
  ASSERT_TRUE(run(decoder.next()).ok());
  ASSERT_TRUE(run(decoder.next()).ok());
  EXPECT_EQ(run(decoder.next()).error().code(), Errc::corrupt);
}

TEST_F(Degraded, ASliceOfOneBlockNeedsNoHashesButItsRoot) {
  const std::string object = content(5000);
  const Slices slices = slices_of(object, {4, 2});
  MemoryReader reader(slices.bytes);
  reader.flip(1, 3);
  auto states = states_of(slices, SliceSet(0b001000));
  for (SliceState& state : states) state.block_hashes.clear();
  Decoder decoder(slices.header(), states, reader);
  EXPECT_EQ(*run(rest_of(decoder)), object);
  EXPECT_EQ(decoder.faults().size(), 1u);
}

TEST_F(Degraded, RandomFaultsGiveTheObjectOrAnError) {
  std::mt19937_64 random(5);
  unsigned whole = 0, refused = 0;
  for (int round = 0; round < 400; ++round) {
    MemoryReader reader(slices_.bytes);
    const unsigned flips = static_cast<unsigned>(random() % 7);
    for (unsigned i = 0; i < flips; ++i) {
      reader.flip(static_cast<unsigned>(random() % 6), random() % slices_.bytes[0].size());
    }
    if (random() % 2 == 0) reader.fail(static_cast<unsigned>(random() % 6), Errc::unreachable);
    const auto back = read(slices_, reader, {});
    if (back.ok()) {
      ASSERT_TRUE(*back == object_);
      ++whole;
    } else {
      ++refused;
    }
  }
  EXPECT_GT(whole, 100u);
  EXPECT_GT(refused, 20u);
}

}  // namespace
}  // namespace aisfs::ec
