// SPDX-License-Identifier: MIT
#include "node/ec/encoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/base/assert.h"
#include "common/base/hash.h"

namespace aisfs::ec {

SliceHeader EncodedObject::header(Version version, std::string meta) const {
  SliceHeader out{.version = version,
                  .geometry = geometry,
                  .unit = unit,
                  .object_bytes = bytes,
                  .object_root = object.root,
                  .slice_roots = {},
                  .meta = std::move(meta)};
  for (const BlockHashes& slice : slices) out.slice_roots.push_back(slice.root);
  return out;
}

Encoder::Encoder(Geometry geometry, std::uint32_t unit)
    : codec_(Codec::of(geometry)),
      unit_(unit),
      parity_(std::size_t{geometry.parity} * unit),
      slices_(geometry.slices()) {
  AISFS_ASSERT(validate_unit(unit).ok());
}

MutableBytes Encoder::room() {
  if (!data_) data_ = BlockMemory(stripe_bytes());
  return data_.span().subspan(used_);
}

void Encoder::advance(std::size_t n) {
  AISFS_ASSERT(n <= stripe_bytes() - used_ && !flushed_);
  used_ += n;
}

Stripe Encoder::encode() {
  AISFS_ASSERT(full());
  used_ = 0;
  return encode_blocks(data_.span(), data_.data(), unit_);
}

std::optional<Stripe> Encoder::flush() {
  AISFS_ASSERT(!full());
  return flush(data_.span(), std::exchange(used_, 0));
}

std::optional<Stripe> Encoder::flush(MutableBytes memory, std::size_t used) {
  AISFS_ASSERT(used_ == 0 && used < stripe_bytes() && !flushed_);
  flushed_ = true;
  if (used == 0) return std::nullopt;
  const std::size_t blocks = tail_bytes(codec_.geometry(), used);
  AISFS_ASSERT(blocks <= memory.size());
  std::memset(memory.data() + used, 0, blocks - used);
  return encode_blocks(memory.first(used), memory.data(),
                       static_cast<std::uint32_t>(blocks / codec_.geometry().data));
}

Status Encoder::write(ConstBytes bytes, const StripeSink& sink) {
  while (!bytes.empty()) {
    const std::size_t n = std::min(stripe_bytes() - used_, bytes.size());
    const ConstBytes piece = bytes.first(n);
    bytes = bytes.subspan(n);
    if (n == stripe_bytes()) {
      AISFS_ASSERT(!flushed_);
      CHECK_OK(sink(encode_blocks(piece, piece.data(), unit_)));
      continue;
    }
    std::memcpy(room().data(), piece.data(), n);
    advance(n);
    if (full()) CHECK_OK(sink(encode()));
  }
  return {};
}

/// `bytes` are those of the object, `data` begins with them and goes on to the end of D blocks.
Stripe Encoder::encode_blocks(ConstBytes bytes, const std::byte* data, std::uint32_t block_bytes) {
  const Geometry geometry = codec_.geometry();
  Stripe stripe{.index = stripes_++, .blocks = {}};
  std::vector<const std::byte*> from;
  for (unsigned i = 0; i < geometry.data; ++i) from.push_back(data + std::size_t{i} * block_bytes);
  std::vector<std::byte*> to;
  for (unsigned i = 0; i < geometry.parity; ++i) {
    to.push_back(parity_.data() + std::size_t{i} * block_bytes);
  }
  codec_.parity().apply(from, to, block_bytes);
  for (const std::byte* block : from) stripe.blocks.emplace_back(block, block_bytes);
  for (const std::byte* block : to) stripe.blocks.emplace_back(block, block_bytes);
  hash(bytes, stripe);
  bytes_ += bytes.size();
  return stripe;
}

void Encoder::hash(ConstBytes bytes, const Stripe& stripe) {
  // A block that is as long as what the object is hashed by is hashed once for both.
  const bool shared = stripe.blocks.front().size() == kHashBlockBytes;
  for (std::size_t i = 0; i < stripe.blocks.size(); ++i) {
    slices_[i].push_back(xxh3_64(stripe.blocks[i]));
    const bool whole = shared && (i + 1) * kHashBlockBytes <= bytes.size();
    if (whole) object_.add_block(slices_[i].back());
  }
  object_.update(shared ? bytes.subspan(bytes.size() / kHashBlockBytes * kHashBlockBytes) : bytes);
}

EncodedObject Encoder::finish() {
  AISFS_ASSERT(flushed_);
  EncodedObject out{.geometry = codec_.geometry(),
                    .unit = unit_,
                    .bytes = bytes_,
                    .object = object_.finish(),
                    .slices = {}};
  for (auto& hashes : slices_) {
    const std::uint64_t root = root_of(hashes);
    out.slices.push_back({.root = root, .blocks = std::move(hashes)});
  }
  return out;
}

}  // namespace aisfs::ec
