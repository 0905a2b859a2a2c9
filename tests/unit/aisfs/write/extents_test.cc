// SPDX-License-Identifier: MIT
#include "aisfs/write/extents.h"

#include <gtest/gtest.h>

#include <bitset>
#include <random>

namespace aisfs::write {
namespace {

TEST(Extents, NeighboursMerge) {
  Extents set;
  set.add({10, 5});
  set.add({20, 5});
  set.add({15, 5});
  EXPECT_EQ(set.ranges(), (std::vector<ByteRange>{{10, 15}}));
  EXPECT_EQ(set.end(), 25u);
}

TEST(Extents, PiecesCoverARangeInOrder) {
  Extents set;
  set.add({10, 10});
  const auto hole = set.piece_at({5, 100});
  EXPECT_FALSE(hole.inside);
  EXPECT_EQ(hole.range, (ByteRange{5, 5}));
  const auto part = set.piece_at({12, 100});
  EXPECT_TRUE(part.inside);
  EXPECT_EQ(part.range, (ByteRange{12, 8}));
}

TEST(Extents, AgreesWithABitmapOverRandomOperations) {
  constexpr std::size_t kSize = 512;
  std::mt19937 rng(7);
  Extents set;
  std::bitset<kSize> bits;
  for (int step = 0; step < 5000; ++step) {
    const std::uint64_t at = rng() % kSize, length = rng() % (kSize - at);
    if (rng() % 8 == 0) {
      set.truncate(at);
      for (std::size_t i = at; i < kSize; ++i) bits.reset(i);
    } else {
      set.add({at, length});
      for (std::size_t i = at; i < at + length; ++i) bits.set(i);
    }
    if (rng() % 32 == 0) {
      set.clear();
      bits.reset();
    }
    ASSERT_EQ(set.bytes(), bits.count());
    for (std::size_t i = 0; i < kSize; i += 1 + rng() % 8) {
      ASSERT_EQ(set.contains({i, 1}), bits.test(i)) << i;
    }
  }
}

}  // namespace
}  // namespace aisfs::write
