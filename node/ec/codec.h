// SPDX-License-Identifier: MIT
// Reed-Solomon over GF(2^8), polynomial 0x11d, byte by byte: byte j of parity block p is the sum
// over the data blocks d of byte j times 1 / ((D + p) xor d). That is a Cauchy matrix: each of its
// square parts can be inverted, so any D blocks of D + P give all others. It is part of the format.
#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "common/base/bytes.h"
#include "node/ec/geometry.h"

namespace aisfs::ec {

/// How blocks are computed of D others, whatever bytes they hold. A value.
class Recipe {
 public:
  /// The blocks it reads and those it makes, by index, ascending.
  const std::vector<unsigned>& sources() const { return sources_; }
  const std::vector<unsigned>& outputs() const { return outputs_; }

  /// Computes `length` bytes of each output; `from` and `to` are in the order of sources() and
  /// outputs(), and do not overlap. Busy for about as long as reading all of it from memory takes.
  void apply(std::span<const std::byte* const> from,
             std::span<std::byte* const> to,
             std::size_t length) const;

 private:
  friend class Codec;
  std::vector<unsigned> sources_;
  std::vector<unsigned> outputs_;
  std::vector<unsigned char>
      tables_;  // 32 bytes for each of sources x outputs, as ISA-L wants them
};

/// What is known of a geometry; immutable, thread-safe.
class Codec {
 public:
  /// Made at the first call for a geometry and kept for the life of the process (10 KiB at most).
  /// The geometry is valid.
  static const Codec& of(Geometry geometry);

  explicit Codec(Geometry geometry);

  Geometry geometry() const { return geometry_; }

  /// Parity of the data blocks.
  const Recipe& parity() const { return parity_; }

  /// The blocks `wanted` of D blocks of `present` (those with the lowest indices). invalid_argument
  /// when fewer are present, or a block is both or none of the geometry. Takes microseconds: once
  /// for all stripes that lack the same slices.
  Result<Recipe> repair(const SliceSet& present, const SliceSet& wanted) const;

 private:
  using Row = std::array<unsigned char, kDataMax>;

  const Geometry geometry_;
  // Row i: what of each data block is in block i. The upper D rows are the unit matrix.
  std::array<Row, kSlicesMax> matrix_{};
  Recipe parity_;
};

}  // namespace aisfs::ec
