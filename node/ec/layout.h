// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <vector>

#include "common/base/block_hashes.h"
#include "common/model/range.h"
#include "node/ec/geometry.h"

namespace aisfs::ec {

/// A block is a power of two in these bounds. At the upper one, which is the default, a block is
/// what the store hashes as one, so a slice has the same hashes whoever computes them.
inline constexpr std::uint32_t kUnitMin = 4096;
inline constexpr std::uint32_t kUnitMax = kHashBlockBytes;
inline constexpr std::uint32_t kUnitDefault = kUnitMax;
/// Blocks of the last stripe are a multiple of this: the widest register that encodes.
inline constexpr std::uint32_t kBlockAlign = 64;
/// Far above what a store takes (5 TiB); offsets cannot overflow below it.
inline constexpr std::uint64_t kObjectBytesMax = std::uint64_t{1} << 60;

/// A part of one slice.
struct SlicePiece {
  unsigned slice = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  bool operator==(const SlicePiece&) const = default;
};

/// [first, end) of the stripes of an object.
struct StripeRange {
  std::uint64_t first = 0;
  std::uint64_t end = 0;

  bool operator==(const StripeRange&) const = default;
};

/// Where the bytes of an object lie in its slices. A value; pure.
///
/// Stripe k holds the object's bytes [k * D * unit, (k + 1) * D * unit), of which data slice i has
/// the i-th block, at k * unit. What is left for the last stripe is dealt to D equal blocks, as
/// short as they can be (up to kBlockAlign), the end filled with zeros. So all slices have the same
/// length, an object of less than a stripe is not inflated, and the size needs not be known when
/// encoding begins. Parity slice p has the block at k * unit that is computed of the stripe's data
/// blocks.
class Layout {
 public:
  /// invalid_argument for a geometry, unit or size out of bounds.
  static Result<Layout> make(Geometry geometry, std::uint32_t unit, std::uint64_t object_bytes);

  Geometry geometry() const { return geometry_; }
  std::uint32_t unit() const { return unit_; }
  std::uint64_t object_bytes() const { return object_bytes_; }

  std::uint64_t stripes() const { return full_stripes_ + (tail_block_bytes_ != 0 ? 1 : 0); }
  std::uint64_t slice_bytes() const { return full_stripes_ * unit_ + tail_block_bytes_; }

  /// Of every block of the stripe, the filling included.
  std::uint32_t block_bytes(std::uint64_t stripe) const;
  /// Where the stripe's block begins in each slice.
  std::uint64_t block_offset(std::uint64_t stripe) const { return stripe * unit_; }
  /// The stripe's part of the object, without filling.
  ByteRange object_range(std::uint64_t stripe) const;

  /// The pieces that hold the range, in the order of the object; none for one past its end. As many
  /// as blocks are touched, so ask for ranges of bounded length.
  std::vector<SlicePiece> pieces(ByteRange range) const;
  /// The stripes that the range touches: what a degraded read of it has to read.
  StripeRange stripes_of(ByteRange range) const;
  /// The part of each slice that holds these stripes.
  ByteRange slice_range(StripeRange stripes) const;

 private:
  Layout(Geometry geometry, std::uint32_t unit, std::uint64_t object_bytes);

  std::uint64_t stripe_bytes() const { return std::uint64_t{geometry_.data} * unit_; }

  Geometry geometry_;
  std::uint32_t unit_;
  std::uint64_t object_bytes_;
  std::uint64_t full_stripes_;
  std::uint32_t tail_block_bytes_;  // 0: the last stripe is a full one
};

/// Of the blocks that D slices share `bytes` of an object in.
std::uint32_t tail_block_bytes(Geometry geometry, std::uint64_t bytes);

/// invalid_argument unless it is a power of two in the bounds.
Status validate_unit(std::uint32_t unit);

}  // namespace aisfs::ec
