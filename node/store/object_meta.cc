// SPDX-License-Identifier: MIT
#include "node/store/object_meta.h"

#include "common/base/hash.h"
#include "common/wire/envelope.h"
#include "node/store/layout.h"

namespace aisfs::store {
namespace {

/// The parts of unbounded length. A part is in the xattr or, whole, in the side file.
struct LongParts {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;

  std::string key, symlink, etag, content_type;
  std::map<std::string, std::string> headers, user, xattrs, checksums;
  std::vector<std::uint64_t> part_sizes, blocks;
  std::string reference_key;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(key, symlink, etag, content_type, headers, user, xattrs, checksums, part_sizes, blocks,
       reference_key);
  }
};

/// What is always in the xattr, and in front, so that a program which knows nothing else can tell
/// versions and size.
struct Inline {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;

  std::uint64_t bucket = 0;
  std::uint64_t key_hash = 0;
  Version content_version, meta_version;
  std::uint64_t size = 0, ino = 0;
  std::int64_t modified_ns = 0;
  std::uint32_t nlink = 1;
  std::uint8_t level = 0;
  std::uint64_t root = 0;
  std::optional<PosixAttrs> posix;           // without the symlink's target
  std::optional<Version> reference_version;  // set: a reference, its key among the parts
  std::uint64_t side_bytes = 0;              // 0: no side file
  std::uint64_t side_hash = 0;
  LongParts parts;  // those that fit

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(bucket, key_hash, content_version, meta_version, size, ino, modified_ns, nlink, level, root,
       posix, reference_version, side_bytes, side_hash);
    parts.fields(ar, version);
  }
};

Inline inline_of(const StoredMeta& meta) {
  Inline out{.bucket = meta.bucket.value,
             .key_hash = layout::key_hash(meta.key),
             .content_version = meta.info.content_version,
             .meta_version = meta.info.meta_version,
             .size = meta.info.size,
             .ino = meta.info.ino,
             .modified_ns = meta.info.modified_ns,
             .nlink = meta.info.nlink,
             .level = static_cast<std::uint8_t>(meta.level),
             .root = meta.hashes.root,
             .posix = meta.info.posix};
  out.parts = {.key = meta.key,
               .etag = meta.info.etag,
               .content_type = meta.info.content_type,
               .headers = meta.info.headers,
               .user = meta.info.user,
               .xattrs = meta.info.xattrs,
               .checksums = meta.info.checksums,
               .part_sizes = meta.info.part_sizes};
  if (meta.hashes.blocks.size() > 1) out.parts.blocks = meta.hashes.blocks;
  if (out.posix) out.parts.symlink = std::exchange(out.posix->symlink, {});
  if (meta.reference) {
    out.reference_version = meta.reference->content_version;
    out.parts.reference_key = meta.reference->key;
  }
  return out;
}

/// Moves `from` to `to`, which is empty; false when there is nothing to move.
template <class T>
bool move_part(T& from, T& to) {
  if (from.empty()) return false;
  to = std::exchange(from, {});
  return true;
}

/// Moves the next part out of the xattr, those first that readers of HEAD miss least. False when
/// none is left.
bool spill_one(LongParts& from, LongParts& to) {
  return move_part(from.blocks, to.blocks) || move_part(from.part_sizes, to.part_sizes) ||
         move_part(from.xattrs, to.xattrs) || move_part(from.user, to.user) ||
         move_part(from.headers, to.headers) || move_part(from.checksums, to.checksums) ||
         move_part(from.symlink, to.symlink) || move_part(from.reference_key, to.reference_key) ||
         move_part(from.key, to.key) || move_part(from.content_type, to.content_type) ||
         move_part(from.etag, to.etag);
}

/// A part is in one of the two places, never in both.
template <class T>
bool merge_part(T& into, T& side) {
  if (side.empty()) return true;
  if (!into.empty()) return false;
  into = std::move(side);
  return true;
}

bool merge(LongParts& into, LongParts& side) {
  return merge_part(into.key, side.key) && merge_part(into.symlink, side.symlink) &&
         merge_part(into.etag, side.etag) && merge_part(into.content_type, side.content_type) &&
         merge_part(into.headers, side.headers) && merge_part(into.user, side.user) &&
         merge_part(into.xattrs, side.xattrs) && merge_part(into.checksums, side.checksums) &&
         merge_part(into.part_sizes, side.part_sizes) && merge_part(into.blocks, side.blocks) &&
         merge_part(into.reference_key, side.reference_key);
}

/// What a checksum cannot promise: that the numbers agree with each other.
Status check(const Inline& in) {
  if (in.level > static_cast<std::uint8_t>(Durability::kFull)) {
    return Error(Errc::unsupported, "object metadata: unknown durability level");
  }
  if (in.key_hash != layout::key_hash(in.parts.key)) {
    return Error(Errc::corrupt, "object metadata: not the metadata of its key");
  }
  // The hash of a single block is the root, and is not written twice.
  const std::uint64_t blocks = block_count(in.size);
  if (!in.parts.blocks.empty() && (in.parts.blocks.size() != blocks || blocks < 2)) {
    return Error(Errc::corrupt, "object metadata: hashes and size disagree");
  }
  return {};
}

StoredMeta meta_of(Inline in) {
  StoredMeta out;
  out.bucket.value = in.bucket;
  out.key = std::move(in.parts.key);
  out.level = static_cast<Durability>(in.level);
  out.hashes = {.root = in.root, .blocks = std::move(in.parts.blocks)};
  if (in.posix) in.posix->symlink = std::move(in.parts.symlink);
  out.info = {.ino = in.ino,
              .content_version = in.content_version,
              .meta_version = in.meta_version,
              .size = in.size,
              .modified_ns = in.modified_ns,
              .etag = std::move(in.parts.etag),
              .content_type = std::move(in.parts.content_type),
              .headers = std::move(in.parts.headers),
              .user = std::move(in.parts.user),
              .xattrs = std::move(in.parts.xattrs),
              .posix = std::move(in.posix),
              .nlink = in.nlink,
              .part_sizes = std::move(in.parts.part_sizes),
              .checksums = std::move(in.parts.checksums)};
  if (in.reference_version) {
    out.reference = Reference{std::move(in.parts.reference_key), *in.reference_version};
  }
  return out;
}

}  // namespace

EncodedMeta encode_meta(const StoredMeta& meta) {
  Inline in = inline_of(meta);
  EncodedMeta out{.xattr = wire::encode(in)};
  LongParts side;
  while (out.xattr.size() > kMetaXattrBytesMax && spill_one(in.parts, side)) {
    out.side = wire::encode(side);
    in.side_bytes = out.side.size();
    in.side_hash = xxh3_64(as_bytes(out.side));
    out.xattr = wire::encode(in);
  }
  AISFS_ASSERT(out.xattr.size() <= kMetaXattrBytesMax);  // without parts it is about 250 bytes
  return out;
}

bool surely_without_side(std::string_view key, const ObjectInfo& info) {
  constexpr std::size_t kRoom = 500;  // what else is in an xattr has less than 400 bytes
  const bool no_maps = info.headers.empty() && info.user.empty() && info.xattrs.empty() &&
                       info.checksums.empty() && info.part_sizes.empty() &&
                       (!info.posix || info.posix->symlink.empty());
  const std::uint64_t blocks = block_count(info.size);
  return no_maps && blocks < kRoom &&
         key.size() + info.etag.size() + info.content_type.size() + 8 * blocks <= kRoom;
}

Result<std::optional<SideRef>> side_of(std::string_view xattr) {
  TRY(const Inline in, wire::decode<Inline>(xattr));
  if (in.side_bytes == 0) return std::optional<SideRef>();
  return std::optional(SideRef{.meta_version = in.meta_version,
                               .key_hash = in.key_hash,
                               .size = in.side_bytes,
                               .hash = in.side_hash});
}

Result<StoredMeta> decode_meta(std::string_view xattr, std::string_view side) {
  TRY(Inline in, wire::decode<Inline>(xattr));
  if (in.side_bytes != 0) {
    if (side.size() != in.side_bytes || xxh3_64(as_bytes(side)) != in.side_hash) {
      return Error(Errc::corrupt, "object metadata: the side file is not the one that is meant");
    }
    TRY(LongParts parts, wire::decode<LongParts>(side));
    if (!merge(in.parts, parts)) {
      return Error(Errc::corrupt, "object metadata: a part is in both places");
    }
  }
  CHECK_OK(check(in));
  return meta_of(std::move(in));
}

}  // namespace aisfs::store
