// SPDX-License-Identifier: MIT
#include "node/ec/rebuild.h"

#include <gtest/gtest.h>

#include "tests/unit/node/ec/memory_reader.h"

namespace aisfs::ec {
namespace {

Task<Result<std::vector<std::string>>> rest_of(Rebuild& rebuild, std::size_t wanted) {
  std::vector<std::string> out(wanted);
  for (;;) {
    CO_TRY(const Stripe stripe, co_await rebuild.next());
    if (stripe.blocks.empty()) co_return out;
    for (std::size_t i = 0; i < wanted; ++i) out[i] += as_text(stripe.blocks[i]);
  }
}

void expect_rebuilt(const Slices& slices, const SliceSet& lost) {
  MemoryReader reader(slices.bytes);
  Rebuild rebuild(slices.header(), states_of(slices, lost), reader, lost);
  const auto made = run(rest_of(rebuild, lost.count()));
  ASSERT_TRUE(made.ok()) << made.error().what();
  std::size_t at = 0;
  for (unsigned i : indices(lost)) {
    ASSERT_TRUE((*made)[at++] == slices.bytes[i]) << i << " of " << to_string(lost);
    ASSERT_EQ(rebuild.hashes(i), slices.object.slices[i]);
    ASSERT_EQ(rebuild.header(i), slices.header(i));
  }
}

TEST(Rebuild, EveryLossOf4Plus2IsMadeGood) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{9 * kUnitMin + 5}}) {
    const Slices slices = slices_of(content(size), {4, 2});
    for (const unsigned count : {1u, 2u}) {
      for_each_loss(6, count, [&](const SliceSet& lost) { expect_rebuilt(slices, lost); });
    }
  }
}

TEST(Rebuild, HalfOf16Plus16IsMadeGood) {
  std::mt19937_64 random(3);
  const Slices slices = slices_of(content(40 * kUnitMin + 5), {16, 16});
  for (int i = 0; i < 20; ++i) expect_rebuilt(slices, random_loss(random, 32, 16));
}

TEST(Rebuild, GoesAroundASliceThatIsBad) {
  const Slices slices = slices_of(content(9 * kUnitMin), {4, 2});
  MemoryReader reader(slices.bytes);
  reader.flip(0, kUnitMin);
  Rebuild rebuild(slices.header(), states_of(slices), reader, SliceSet(0b000100));
  const auto made = run(rest_of(rebuild, 1));
  ASSERT_TRUE(made.ok()) << made.error().what();
  EXPECT_TRUE(made->front() == slices.bytes[2]);
  ASSERT_EQ(rebuild.faults().size(), 1u);
  EXPECT_EQ(rebuild.faults()[0].slice, 0u);
}

TEST(Rebuild, WhatIsNotTheSliceOfTheHeaderIsRefusedAtTheEnd) {
  const Slices slices = slices_of(content(9 * kUnitMin), {4, 2});
  MemoryReader reader(slices.bytes);
  SliceHeader header = slices.header();
  header.slice_roots[5] ^= 1;
  Rebuild rebuild(header, states_of(slices, SliceSet(0b100000)), reader, SliceSet(0b100000));
  EXPECT_EQ(run(rest_of(rebuild, 1)).error().code(), Errc::corrupt);
}

TEST(Rebuild, TooFewSlicesAreAnError) {
  const Slices slices = slices_of(content(9 * kUnitMin), {4, 2});
  MemoryReader reader(slices.bytes);
  Rebuild rebuild(slices.header(), states_of(slices, SliceSet(0b000110)), reader,
                  SliceSet(0b100010));
  EXPECT_EQ(run(rest_of(rebuild, 2)).error().code(), Errc::corrupt);
}

}  // namespace
}  // namespace aisfs::ec
