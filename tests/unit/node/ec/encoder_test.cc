// SPDX-License-Identifier: MIT
#include "node/ec/encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "common/base/hash.h"
#include "tests/unit/node/ec/slices.h"

namespace aisfs::ec {
namespace {

BlockHashes block_hashes(std::string_view bytes) {
  BlockHasher hasher;
  hasher.update(as_bytes(bytes));
  return hasher.finish();
}

TEST(Encoder, HowTheObjectArrivesMakesNoDifference) {
  const std::string object = content(7 * 4 * kUnitMin + 777);
  const Slices whole = slices_of(object, {4, 2}, kUnitMin, object.size());
  for (const std::size_t piece :
       {std::size_t{1000}, std::size_t{4096}, std::size_t{16384}, std::size_t{40000}}) {
    const Slices pieces = slices_of(object, {4, 2}, kUnitMin, piece);
    EXPECT_EQ(pieces.bytes, whole.bytes) << piece;
    EXPECT_EQ(pieces.header(), whole.header()) << piece;
  }
}

TEST(Encoder, RoomIsFilledStripeByStripe) {
  const std::string object = content(2 * 2 * kUnitMin + 5);
  Encoder encoder({2, 1}, kUnitMin);
  std::vector<std::string> slices(3);
  const auto append = [&](const Stripe& stripe) {
    for (std::size_t i = 0; i < 3; ++i) slices[i] += as_text(stripe.blocks[i]);
  };
  std::size_t at = 0;
  while (at < object.size()) {
    const MutableBytes room = encoder.room();
    ASSERT_FALSE(room.empty());
    const std::size_t n = std::min({room.size(), object.size() - at, std::size_t{3000}});
    std::memcpy(room.data(), object.data() + at, n);
    encoder.advance(n);
    at += n;
    if (encoder.full()) append(encoder.encode());
  }
  const auto last = encoder.flush();
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->index, 2u);
  append(*last);
  EXPECT_EQ(slices, slices_of(object, {2, 1}).bytes);
}

TEST(Encoder, PutsEveryByteWhereTheLayoutSays) {
  for (const std::uint64_t size :
       {1u, 63u, 64u, 129u, 3 * kUnitMin - 1, 3 * kUnitMin, 6 * kUnitMin + 200}) {
    const std::string object = content(size);
    const Slices slices = slices_of(object, {3, 2});
    const Layout layout = slices.header().layout();
    for (const std::string& slice : slices.bytes) ASSERT_EQ(slice.size(), layout.slice_bytes());
    std::string back;
    for (const SlicePiece& piece : layout.pieces({})) {
      ASSERT_LT(piece.slice, 3u);
      back += slices.bytes[piece.slice].substr(piece.offset, piece.length);
    }
    EXPECT_EQ(back, object) << size;
  }
}

TEST(Encoder, HashesOfTheObjectAreThoseOfTheStore) {
  for (const std::uint32_t unit : {kUnitMin, kUnitMax}) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{100}, std::size_t{2_MiB}, std::size_t{3_MiB} + 1,
          std::size_t{8_MiB}, std::size_t{8_MiB} + 5000}) {
      const std::string object = content(size);
      const Slices slices = slices_of(object, {2, 1}, unit, 300000);
      EXPECT_EQ(slices.object.object, block_hashes(object)) << unit << " " << size;
      EXPECT_EQ(slices.object.bytes, size);
    }
  }
}

TEST(Encoder, HashesOfSlicesInDefaultBlocksAreThoseOfTheStore) {
  const Slices slices = slices_of(content(7_MiB + 12345), {2, 2}, kUnitDefault);
  for (std::size_t i = 0; i < slices.bytes.size(); ++i) {
    EXPECT_EQ(slices.object.slices[i], block_hashes(slices.bytes[i])) << i;
    EXPECT_EQ(slices.header().slice_roots[i], slices.object.slices[i].root);
  }
}

TEST(Encoder, AnEmptyObjectHasEmptySlices) {
  const Slices slices = slices_of("", {2, 2});
  EXPECT_EQ(slices.bytes, std::vector<std::string>(4));
  EXPECT_EQ(slices.header().object_bytes, 0u);
  EXPECT_TRUE(decode_header(encode_header(slices.header())).ok());
}

TEST(Encoder, ASinkThatFailsEndsTheWrite) {
  Encoder encoder({2, 1}, kUnitMin);
  const std::string object = content(10 * kUnitMin);
  const auto status = encoder.write(as_bytes(object), [](const Stripe& stripe) {
    return stripe.index == 1 ? Status(Error(Errc::no_space, "full")) : Status{};
  });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), Errc::no_space);
}

}  // namespace
}  // namespace aisfs::ec
