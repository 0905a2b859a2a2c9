// SPDX-License-Identifier: MIT
// Objects that lie in slices (node/ec) on several targets, each slice a file of its own:
//
//   <bucket>/%ec/<hh>/<version>-<hash of key>.<index>
//
// Its blocks come first, as node/ec/layout.h deals them out, then what it says of itself and of the
// whole: an envelope with the slice header and the hashes of its blocks. The last 16 bytes say how
// long that is. A slice on its way to another target looks the same, so its sender need not know at
// the beginning what is known at the end only. Byte by byte in man/aisfs-formats.7.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/ec/slice_header.h"
#include "node/store/object_meta.h"

namespace aisfs::store {

/// The content of `key` in slices, as the reference of its name. `version` is that of the slices,
/// which no other content and no other splitting of the same content has.
Reference sliced(std::string_view key, ec::Geometry geometry, Version version);
/// nullopt when the reference is to content that lies in one piece.
std::optional<ec::Geometry> geometry_of(const Reference& reference);
inline bool is_sliced(const Reference& reference) { return geometry_of(reference).has_value(); }
/// not_ready for content in slices: what is asked for needs it in one piece, and it was a moment ago.
Status check_whole(const std::optional<Reference>& reference, const std::string& what);
/// The key whose content it is.
std::string_view sliced_key(const Reference& reference);

/// What a slice says at its end.
struct SliceTail {
  ec::SliceHeader header;
  std::vector<std::uint64_t> hashes;  // of its blocks

  bool operator==(const SliceTail&) const = default;
};

/// More than the hashes of a slice of 5 TiB need.
inline constexpr std::uint64_t kSliceTailBytesMax = 64_MiB;
/// At the very end: the size of the envelope before it, and that this is a slice.
inline constexpr std::size_t kSliceEndBytes = 16;

/// All that follows the blocks.
std::string encode_tail(const SliceTail& tail);
/// The size of the envelope, by the last kSliceEndBytes of the slice. corrupt.
Result<std::uint64_t> tail_bytes(std::string_view end);
/// corrupt, unsupported; also when the header and the hashes contradict each other.
Result<SliceTail> decode_tail(std::string_view envelope);

/// What a slice's header has as `meta`: enough to make the name anew. The hashes are not in it.
std::string pack_meta(const StoredMeta& meta);
Result<StoredMeta> unpack_meta(std::string_view packed);

}  // namespace aisfs::store
