// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <optional>
#include <vector>

#include "node/ec/block_memory.h"
#include "node/ec/codec.h"
#include "node/ec/layout.h"
#include "node/ec/slice_header.h"
#include "node/ec/slice_reader.h"

namespace aisfs::ec {

/// The first thing that was wrong with a slice: what a repair is asked for.
struct SliceFault {
  unsigned slice = 0;
  std::uint64_t stripe = 0;
  Error error;
};

/// The blocks to read next, so that all of `wanted` are there or can be computed: nothing when that
/// is so already, nullopt when there is no way. `have` was read, and lies in `usable`; D = `data`.
std::optional<SliceSet> blocks_to_read(const SliceSet& wanted,
                                       const SliceSet& have,
                                       const SliceSet& usable,
                                       unsigned data);

/// Brings in the blocks of one stripe after the other: reads those that are wanted if it can, else
/// any D and computes the rest. What a slice fails to give, or gives wrong, is taken from another
/// one.
///
/// Memory: a block for each slice that was ever read or computed. One task at a time; the reader
/// outlives it.
class StripeLoader {
 public:
  /// The header is valid and has a state for each slice.
  StripeLoader(SliceHeader header, std::vector<SliceState> slices, SliceReader& reader);

  /// Afterwards block() has every slice of `wanted`. unreachable when too few slices can be read,
  /// but enough if those that are away come back; corrupt when even these would not do; both say
  /// what is wrong with each slice. cancelled if a read was.
  Task<Status> load(std::uint64_t stripe, SliceSet wanted);

  /// Of the stripe that was loaded last; good until the next load.
  ConstBytes block(unsigned slice) const;
  /// The block's hash, if it was verified by one.
  std::optional<std::uint64_t> hash(unsigned slice) const { return hashes_[slice]; }

  const SliceHeader& header() const { return header_; }
  const Layout& layout() const { return layout_; }
  /// At most one for each slice, in the order in which they were found.
  const std::vector<SliceFault>& faults() const { return faults_; }

 private:
  void judge(unsigned slice);
  MutableBytes memory(unsigned slice);
  Task<Status> fetch(SliceSet slices);
  void verify(std::span<SliceRead> reads);
  bool is_right(unsigned slice, std::uint64_t hash) const;
  Status take(const SliceRead& read);
  void blame(unsigned slice, Error error);
  void compute_missing(const SliceSet& missing);
  Error too_few() const;

  // Set at construction
  const SliceHeader header_;
  const Layout layout_;
  const Codec& codec_;
  SliceReader& reader_;
  std::vector<SliceState> slices_;

  // Of all stripes so far
  SliceSet there_;
  SliceSet away_;
  std::array<BlockMemory, kSlicesMax> memory_;
  std::vector<SliceFault> faults_;
  Recipe recipe_;  // of repair_from_ for repair_to_
  SliceSet repair_from_, repair_to_;

  // Of the stripe that is loaded
  std::uint64_t stripe_ = 0;
  std::size_t block_bytes_ = 0;
  SliceSet have_;  // read and verified
  SliceSet bad_;   // not to be had in this stripe
  std::array<std::optional<std::uint64_t>, kSlicesMax> hashes_;
};

}  // namespace aisfs::ec
