// SPDX-License-Identifier: MIT
// Slices in memory, for tests.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "node/ec/encoder.h"
#include "tests/unit/node/ec/losses.h"

namespace aisfs::ec {

inline constexpr Version kVersion{3, 0x1234567890, 2};

struct Slices {
  EncodedObject object;
  std::vector<std::string> bytes;  // of each slice

  SliceHeader header(unsigned index = 0) const {
    SliceHeader out = object.header(kVersion, "meta");
    out.index = static_cast<std::uint8_t>(index);
    return out;
  }
};

/// Encodes the object, which arrives in pieces of at most so many bytes.
inline Slices slices_of(const std::string& object,
                        Geometry geometry,
                        std::uint32_t unit = kUnitMin,
                        std::size_t piece = 1_MiB) {
  Slices out{.object = {}, .bytes = std::vector<std::string>(geometry.slices())};
  const StripeSink append = [&](const Stripe& stripe) {
    EXPECT_EQ(stripe.blocks.size(), out.bytes.size());
    for (std::size_t i = 0; i < out.bytes.size(); ++i) out.bytes[i] += as_text(stripe.blocks[i]);
    return Status{};
  };
  Encoder encoder(geometry, unit);
  for (std::size_t at = 0; at < object.size(); at += piece) {
    EXPECT_TRUE(encoder.write(as_bytes(std::string_view(object).substr(at, piece)), append).ok());
  }
  if (const auto last = encoder.flush()) {
    EXPECT_TRUE(append(*last).ok());
  }
  out.object = encoder.finish();
  return out;
}

}  // namespace aisfs::ec
