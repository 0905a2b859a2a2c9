// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/block_hashes.h"
#include "node/ec/block_memory.h"
#include "node/ec/codec.h"
#include "node/ec/layout.h"
#include "node/ec/slice_header.h"

namespace aisfs::ec {

/// One block for each slice, data first. The next one of its slice: blocks are appended.
struct Stripe {
  std::uint64_t index = 0;
  std::vector<ConstBytes> blocks;  // all of one length
};
using StripeSink = std::function<Status(const Stripe&)>;

/// What is known of an object and its slices when all of it has been encoded.
struct EncodedObject {
  Geometry geometry;
  std::uint32_t unit = 0;
  std::uint64_t bytes = 0;
  BlockHashes object;
  std::vector<BlockHashes> slices;  // of the slices' blocks, one by one

  /// The header of slice 0; those of the others differ from it by `index`.
  SliceHeader header(Version version, std::string meta) const;
};

/// Makes slices of an object as it passes, a stripe at a time, and hashes both. How long the object
/// is needs not be known before its end. Memory: one stripe of D + P blocks, and 8 bytes for each
/// block that was made. One thread at a time; encode(), flush() and write() keep it busy for about
/// a millisecond for each 4 MiB, so call them where that holds up nobody.
///
///   for (;;) {
///     CO_TRY(const std::size_t n, co_await source.read(encoder.room()));
///     if (n == 0) break;
///     encoder.advance(n);
///     if (encoder.full()) CO_CHECK_OK(co_await append(encoder.encode()));
///   }
///   if (auto last = encoder.flush()) CO_CHECK_OK(co_await append(*std::move(last)));
///   const EncodedObject object = encoder.finish();
class Encoder {
 public:
  /// The geometry and the unit are valid.
  explicit Encoder(Geometry geometry, std::uint32_t unit = kUnitDefault);

  /// Where the next bytes of the object go; empty only while full().
  MutableBytes room();
  /// `n` bytes have been put into room().
  void advance(std::size_t n);
  bool full() const { return used_ == stripe_bytes(); }

  /// The stripe that is full. Its blocks are good until the next call.
  Stripe encode();
  /// The stripe that ends the object; nullopt when that ended with a full one. Nothing may follow.
  std::optional<Stripe> flush();
  /// The same for one that lies in other memory, its first `used` bytes, with nothing in room().
  /// They are encoded there; what its blocks have behind them (tail_bytes()) is filled with zeros.
  std::optional<Stripe> flush(MutableBytes memory, std::size_t used);
  /// How much memory the blocks of so many bytes, less than a stripe, take.
  static std::size_t tail_bytes(Geometry geometry, std::size_t used) {
    return std::size_t{geometry.data} * tail_block_bytes(geometry, used);
  }
  /// Hashes of all; flush() was called, the encoder is used up.
  EncodedObject finish();

  /// room(), advance() and encode() for bytes that lie in memory: whole stripes are encoded from
  /// there. Fails as `sink` does, and is of no use then.
  Status write(ConstBytes bytes, const StripeSink& sink);

 private:
  std::size_t stripe_bytes() const { return std::size_t{codec_.geometry().data} * unit_; }
  Stripe encode_blocks(ConstBytes bytes, const std::byte* data, std::uint32_t block_bytes);
  void hash(ConstBytes bytes, const Stripe& stripe);

  const Codec& codec_;
  const std::uint32_t unit_;
  BlockMemory data_;  // a stripe of the object, as it came; once there is one
  BlockMemory parity_;
  std::size_t used_ = 0;  // bytes of data_ that wait to be encoded
  bool flushed_ = false;
  std::uint64_t stripes_ = 0;
  std::uint64_t bytes_ = 0;  // of the object, encoded
  BlockHasher object_;
  std::vector<std::vector<std::uint64_t>> slices_;
};

}  // namespace aisfs::ec
