// SPDX-License-Identifier: MIT
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "common/async/byte_stream.h"
#include "common/base/block_hashes.h"
#include "common/model/range.h"
#include "node/ec/stripe_loader.h"

namespace aisfs::ec {

/// A range of an object, read from its slices: of the data slices while these are good, else of any
/// D.
///
/// No byte leaves it that was not verified, or computed of verified ones, by the hashes that the
/// header vouches for; one who reads the whole object gets its last stripe only after the object's
/// own hash was right. An error names every slice's fault (StripeLoader::load); what was read
/// before it is right, and not the whole. One task at a time; the reader outlives it.
class Decoder final : public BodySource {
 public:
  /// The header is valid and has a state for each slice. Of the range counts what the object has.
  Decoder(SliceHeader header,
          std::vector<SliceState> slices,
          SliceReader& reader,
          ByteRange range = {});

  /// The range's next bytes, of one stripe, without a copy; good until the next call. Nothing at
  /// the end.
  Task<Result<std::vector<ConstBytes>>> next();

  Task<Result<std::size_t>> read(MutableBytes into) override;
  std::optional<std::uint64_t> remaining() const override { return left_; }
  bool rewind() override;

  /// What was wrong with slices that were read, or known before.
  const std::vector<SliceFault>& faults() const { return loader_.faults(); }

 private:
  ByteRange part_of(std::uint64_t stripe) const;
  Task<Status> check_object(std::uint64_t stripe);
  void hash(std::uint64_t stripe);

  SliceReader& reader_;
  StripeLoader loader_;
  const ByteRange range_;
  const StripeRange stripes_;
  std::uint64_t stripe_;                    // to be read next
  std::uint64_t left_;                      // of the range, for read()
  std::vector<ConstBytes> pieces_;          // what read() has not given out yet, the last one first
  std::optional<BlockHasher> object_hash_;  // if the range is the whole object
};

}  // namespace aisfs::ec
