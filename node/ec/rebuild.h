// SPDX-License-Identifier: MIT
#pragma once
#include <vector>

#include "common/base/block_hashes.h"
#include "node/ec/encoder.h"
#include "node/ec/stripe_loader.h"

namespace aisfs::ec {

/// Makes slices anew of D others, data and parity alike, a stripe at a time.
///
/// One task at a time; the reader outlives it.
class Rebuild {
 public:
  /// The header is valid, has a state for each slice, and all of `wanted` are among them. These are
  /// not read, whatever is said of them.
  Rebuild(SliceHeader header, std::vector<SliceState> slices, SliceReader& reader, SliceSet wanted);

  /// The next block of each wanted slice, by ascending index, good until the next call; no blocks
  /// at the end. Fails as StripeLoader::load does; and with corrupt, instead of the last stripe, if
  /// a slice is not what its root in the header says: what was made of it is of no use then.
  Task<Result<Stripe>> next();

  /// After the end: hashes of the slice's blocks, and its header. It was wanted.
  BlockHashes hashes(unsigned slice) const;
  SliceHeader header(unsigned slice) const;

  const std::vector<SliceFault>& faults() const { return loader_.faults(); }

 private:
  void hash(const Stripe& stripe);
  Status check_roots() const;

  SliceReader& reader_;
  StripeLoader loader_;
  const std::vector<unsigned> wanted_;
  std::uint64_t stripe_ = 0;
  std::vector<std::vector<std::uint64_t>> hashes_;  // as wanted_
};

}  // namespace aisfs::ec
