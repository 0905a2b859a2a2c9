// SPDX-License-Identifier: MIT
#include "node/ec/layout.h"

#include <algorithm>
#include <bit>
#include <string>

#include "common/base/assert.h"

namespace aisfs::ec {

std::uint32_t tail_block_bytes(Geometry geometry, std::uint64_t bytes) {
  const std::uint64_t share = (bytes + geometry.data - 1) / geometry.data;
  return static_cast<std::uint32_t>((share + kBlockAlign - 1) / kBlockAlign * kBlockAlign);
}

Status validate_unit(std::uint32_t unit) {
  if (std::has_single_bit(unit) && unit >= kUnitMin && unit <= kUnitMax) return {};
  return Error(Errc::invalid_argument,
               "stripe unit " + std::to_string(unit) + ": must be a power of two from " +
                   std::to_string(kUnitMin) + " to " + std::to_string(kUnitMax));
}

Result<Layout> Layout::make(Geometry geometry, std::uint32_t unit, std::uint64_t object_bytes) {
  CHECK_OK(geometry.validate());
  CHECK_OK(validate_unit(unit));
  if (object_bytes > kObjectBytesMax) {
    return Error(Errc::invalid_argument, "object of " + std::to_string(object_bytes) +
                                             " bytes: at most " + std::to_string(kObjectBytesMax) +
                                             " can be encoded");
  }
  return Layout(geometry, unit, object_bytes);
}

Layout::Layout(Geometry geometry, std::uint32_t unit, std::uint64_t object_bytes)
    : geometry_(geometry),
      unit_(unit),
      object_bytes_(object_bytes),
      full_stripes_(object_bytes / stripe_bytes()),
      tail_block_bytes_(ec::tail_block_bytes(geometry, object_bytes % stripe_bytes())) {}

std::uint32_t Layout::block_bytes(std::uint64_t stripe) const {
  AISFS_ASSERT(stripe < stripes());
  return stripe < full_stripes_ ? unit_ : tail_block_bytes_;
}

ByteRange Layout::object_range(std::uint64_t stripe) const {
  return ByteRange{stripe * stripe_bytes(), stripe_bytes()}.within(object_bytes_);
}

std::vector<SlicePiece> Layout::pieces(ByteRange range) const {
  range = range.within(object_bytes_);
  std::vector<SlicePiece> out;
  while (range.length != 0) {
    const std::uint64_t stripe = range.offset / stripe_bytes();
    const std::uint64_t block = block_bytes(stripe);
    const std::uint64_t in_stripe = range.offset % stripe_bytes();
    const std::uint64_t in_block = in_stripe % block;
    const std::uint64_t n = std::min(range.length, block - in_block);
    out.push_back({.slice = static_cast<unsigned>(in_stripe / block),
                   .offset = block_offset(stripe) + in_block,
                   .length = n});
    range = {range.offset + n, range.length - n};
  }
  return out;
}

StripeRange Layout::stripes_of(ByteRange range) const {
  range = range.within(object_bytes_);
  if (range.length == 0) return {};
  const std::uint64_t last = (range.offset + range.length - 1) / stripe_bytes();
  return {range.offset / stripe_bytes(), last + 1};
}

ByteRange Layout::slice_range(StripeRange stripes) const {
  const std::uint64_t begin = std::min(block_offset(stripes.first), slice_bytes());
  const std::uint64_t end = std::min(block_offset(stripes.end), slice_bytes());
  return {begin, end - begin};
}

}  // namespace aisfs::ec
