// SPDX-License-Identifier: MIT
// What every slice of an object says about itself and about the whole: any one of them is enough to
// know what the others must be. An envelope, byte by byte in man/aisfs-formats.7.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/version.h"
#include "common/wire/envelope.h"
#include "node/ec/layout.h"

namespace aisfs::ec {

/// The object's metadata may have user xattrs of 64 KiB and as much again in names and tags; block
/// hashes of the object are not among them.
inline constexpr std::size_t kSliceMetaBytesMax = 256_KiB;
inline constexpr std::size_t kSliceHeaderBytesMax = kSliceMetaBytesMax + 4_KiB;

struct SliceHeader {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;

  Version version;  // of the object's content
  Geometry geometry;
  std::uint8_t index = 0;  // of this slice
  std::uint32_t unit = kUnitDefault;
  std::uint64_t object_bytes = 0;
  std::uint64_t object_root = 0;           // root of the object's block hashes
  std::vector<std::uint64_t> slice_roots;  // root of the hashes of each slice's blocks
  std::string meta;                        // what the store knows of the object, in its own words

  bool operator==(const SliceHeader&) const = default;

  /// The header is valid.
  Layout layout() const { return *Layout::make(geometry, unit, object_bytes); }

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(version, geometry, index, unit, object_bytes, object_root, slice_roots, meta);
  }
};

std::string encode_header(const SliceHeader& header);

/// corrupt for bytes that are no header, or one that contradicts itself; unsupported when only a
/// newer release can read it. Allocates no more than eight times kSliceHeaderBytesMax.
Result<SliceHeader> decode_header(std::string_view bytes);

/// Whether these slices are parts of one object and may be combined. precondition_failed when one
/// has another version than the first; corrupt when it has the same and yet differs in anything but
/// its index and metadata, or has an index that another has too. The error names the index and the
/// difference. Metadata change without the content (chmod), and a slice that was away may have
/// older ones: which are the newest only the store can tell.
Status check_same_object(std::span<const SliceHeader> headers);

}  // namespace aisfs::ec
