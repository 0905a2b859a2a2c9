// SPDX-License-Identifier: MIT
// What a file says about itself: the xattr user.ais.o, and the side file when that is too small.
// Byte by byte in man/aisfs-formats.7.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "common/base/block_hashes.h"
#include "common/model/object.h"

namespace aisfs::store {

inline constexpr const char* kMetaXattr = "user.ais.o";
/// ext4 with 1 KiB blocks holds 1,000 bytes of all xattrs together.
inline constexpr std::size_t kMetaXattrBytesMax = 900;
/// 10,000 parts, 5 TiB of block hashes (40 MiB) and 64 KiB xattrs fit.
inline constexpr std::size_t kMetaSideBytesMax = 64_MiB;

/// Content that lies where another key put it.
struct Reference {
  std::string key;          // whose placement and path it has; "": there is none
  Version content_version;

  /// A reservation: a name without a byte, known to log and index only, until its first publish.
  bool is_empty() const { return key.empty(); }

  bool operator==(const Reference&) const = default;

  template <class A>
  void serialize(A& ar) {
    ar(key, content_version);
  }
};

/// Everything that is known about an object, kept with its bytes.
struct StoredMeta {
  BucketId bucket;
  std::string key;  // the true one, also at an escaped path
  ObjectInfo info;
  Durability level = Durability::kNone;  // what its acknowledgement promised
  BlockHashes hashes;   // one block: only the root is stored, `blocks` comes back empty
  std::optional<Reference> reference;  // the content is elsewhere

  bool operator==(const StoredMeta&) const = default;
};

/// A StoredMeta as it goes to disk.
struct EncodedMeta {
  std::string xattr;  // at most kMetaXattrBytesMax
  std::string side;   // to be in place, as durable as the file, before the xattr is; "" for none
};
EncodedMeta encode_meta(const StoredMeta& meta);
/// True only when the metadata of such a plain object surely need no side file.
bool surely_without_side(std::string_view key, const ObjectInfo& info);

/// What the xattr says of the side file: its path is layout::side_path(dir, key_hash, version).
struct SideRef {
  Version meta_version;
  std::uint64_t key_hash = 0;
  std::uint64_t size = 0;
  std::uint64_t hash = 0;  // xxh3-64 of its bytes
};
/// nullopt when everything is in the xattr.
Result<std::optional<SideRef>> side_of(std::string_view xattr);

/// `side` is ignored when the xattr names none. corrupt (also for a side file that is not the one
/// the xattr means), unsupported (written by a newer release).
Result<StoredMeta> decode_meta(std::string_view xattr, std::string_view side);

}  // namespace aisfs::store
