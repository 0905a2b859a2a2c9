// SPDX-License-Identifier: MIT
#include "node/ec/codec.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "tests/kit/golden.h"
#include "tests/unit/node/ec/losses.h"

namespace aisfs::ec {
namespace {

/// A stripe of blocks, parity computed.
struct Blocks {
  explicit Blocks(Geometry geometry, std::size_t bytes) {
    for (unsigned i = 0; i < geometry.slices(); ++i) {
      blocks.push_back(i < geometry.data ? content(bytes, i + 1) : std::string(bytes, '\0'));
    }
    const auto& parity = Codec::of(geometry).parity();
    apply(parity, blocks);
  }

  void apply(const Recipe& recipe, std::vector<std::string>& out) {
    std::vector<const std::byte*> from;
    for (unsigned i : recipe.sources()) from.push_back(as_bytes(blocks[i]).data());
    std::vector<std::byte*> to;
    for (unsigned i : recipe.outputs()) to.push_back(reinterpret_cast<std::byte*>(out[i].data()));
    recipe.apply(from, to, blocks[0].size());
  }

  std::vector<std::string> blocks;
};

/// Loses the slices and computes them of the others.
void expect_repaired(Geometry geometry, Blocks& stripe, const SliceSet& lost) {
  const SliceSet all = SliceSet().set() >> (kSlicesMax - geometry.slices());
  const auto recipe = Codec::of(geometry).repair(all & ~lost, lost);
  ASSERT_TRUE(recipe.ok());
  std::vector<std::string> out(kSlicesMax, std::string(stripe.blocks[0].size(), '?'));
  stripe.apply(*recipe, out);
  for (unsigned i : indices(lost)) {
    ASSERT_EQ(out[i], stripe.blocks[i]) << geometry.to_string() << " lost " << to_string(lost);
  }
}

TEST(Geometry, HasBoundsOnBothSides) {
  EXPECT_TRUE((Geometry{1, 1}.validate().ok()));
  EXPECT_TRUE((Geometry{16, 16}.validate().ok()));
  for (const Geometry bad : {Geometry{0, 1}, Geometry{1, 0}, Geometry{17, 1}, Geometry{1, 17}}) {
    EXPECT_EQ(bad.validate().error().code(), Errc::invalid_argument) << bad.to_string();
  }
}

TEST(Codec, AnyLossThatIsSmallEnoughIsRepaired) {
  // All losses of P slices: what any D of D + P give.
  for (std::uint8_t data = 1; data <= 8; ++data) {
    for (std::uint8_t parity = 1; parity <= 4; ++parity) {
      const Geometry geometry{data, parity};
      Blocks stripe(geometry, 64);
      for_each_loss(geometry.slices(), parity,
                    [&](const SliceSet& lost) { expect_repaired(geometry, stripe, lost); });
    }
  }
}

TEST(Codec, AnyLossIsRepairedInLargeGeometriesToo) {
  std::mt19937_64 random(7);
  for (std::uint8_t data = 1; data <= kDataMax; ++data) {
    for (std::uint8_t parity = 1; parity <= kParityMax; ++parity) {
      const Geometry geometry{data, parity};
      Blocks stripe(geometry, 64);
      const int samples = data == kDataMax && parity == kParityMax ? 2000 : 20;
      for (int i = 0; i < samples; ++i) {
        const unsigned lost = 1 + static_cast<unsigned>(random() % parity);
        expect_repaired(geometry, stripe, random_loss(random, geometry.slices(), lost));
      }
    }
  }
}

TEST(Codec, BlocksLongerThanAStepAndOfOddLength) {
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{63}, std::size_t{4097}, std::size_t{300001}}) {
    Blocks stripe({4, 2}, bytes);
    expect_repaired({4, 2}, stripe, SliceSet(0b100010));
  }
}

TEST(Codec, RefusesWhatCannotBeComputed) {
  const Codec& codec = Codec::of({2, 1});
  EXPECT_EQ(codec.repair(SliceSet(0b001), SliceSet(0b010)).error().code(), Errc::invalid_argument);
  EXPECT_EQ(codec.repair(SliceSet(0b011), SliceSet(0b010)).error().code(), Errc::invalid_argument);
  EXPECT_EQ(codec.repair(SliceSet(0b011), SliceSet(0b1000)).error().code(), Errc::invalid_argument);
}

TEST(Codec, ThreadsThatNeedItAtOnceShareIt) {
  std::vector<const Codec*> seen(4);
  std::vector<std::thread> threads;
  for (const Codec*& slot : seen) threads.emplace_back([&slot] { slot = &Codec::of({13, 11}); });
  for (std::thread& thread : threads) thread.join();
  for (const Codec* codec : seen) EXPECT_EQ(codec, seen.front());
}

TEST(Codec, ParityIsTheSameForEver) {
  std::string now;
  for (const Geometry geometry : {Geometry{1, 1}, Geometry{4, 2}, Geometry{16, 16}}) {
    const Blocks stripe(geometry, 32);
    for (unsigned i = geometry.data; i < geometry.slices(); ++i) now += stripe.blocks[i];
  }
  EXPECT_EQ(golden("ec_parity.1", now), now);
}

}  // namespace
}  // namespace aisfs::ec
