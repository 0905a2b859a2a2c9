// SPDX-License-Identifier: MIT
#include "node/store/object_meta.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "common/base/hash.h"
#include "common/disk/posix.h"
#include "node/store/layout.h"
#include "tests/kit/golden.h"
#include "tests/unit/node/store/temp_dir.h"

namespace aisfs::store {
namespace {

StoredMeta small() {
  StoredMeta meta{.bucket = {7}, .key = "train/0001.jpg", .level = Durability::kFull};
  meta.info = {.ino = 42,
               .content_version = {3, 0x1234567890, 2},
               .meta_version = {3, 0x1234567891, 2},
               .size = 5000,
               .modified_ns = 1'700'000'000'123'456'789,
               .etag = "d41d8cd98f00b204e9800998ecf8427e",
               .content_type = "image/jpeg",
               .user = {{"label", "cat"}},
               .posix = PosixAttrs{.mode = 0100644, .uid = 1000, .gid = 100, .mtime_ns = 77}};
  meta.hashes.root = 0xfeedfacecafebeef;
  return meta;
}

StoredMeta large() {
  StoredMeta meta = small();
  meta.key = std::string(1024, 'k');
  meta.info.size = 300 * kHashBlockBytes;
  meta.info.headers = {{"cache-control", std::string(300, 'h')}};
  meta.info.user = {{"note", std::string(2000, 'u')}};
  meta.info.xattrs = {{"user.big", std::string(60000, 'x')}};
  meta.info.checksums = {{"crc32c", "AAAAAA=="}};
  meta.info.etag = std::string(500, 'e');
  meta.info.content_type = std::string(500, 't');
  meta.info.part_sizes.assign(30, 10 * kHashBlockBytes);
  for (std::uint64_t i = 0; i < 300; ++i) meta.hashes.blocks.push_back(i * 0x9e3779b97f4a7c15);
  meta.hashes.root = root_of(meta.hashes.blocks);
  meta.info.posix->symlink = std::string(4095, 's');
  meta.reference = Reference{std::string(1024, 'r'), {1, 2, 3}};
  return meta;
}

TEST(ObjectMeta, AnOrdinaryObjectFitsTheXattr) {
  const EncodedMeta bytes = encode_meta(small());
  EXPECT_LE(bytes.xattr.size(), kMetaXattrBytesMax);
  EXPECT_TRUE(bytes.side.empty());
  EXPECT_EQ(*side_of(bytes.xattr), std::nullopt);
  EXPECT_EQ(*decode_meta(bytes.xattr, ""), small());
}

TEST(ObjectMeta, WhereASideFileIsRuledOutThereIsNone) {
  StoredMeta meta = small();
  EXPECT_FALSE(surely_without_side(meta.key, meta.info));  // it has user metadata
  meta.info.user.clear();
  std::size_t longest = 0;
  for (std::size_t size = 1; size <= 1024; ++size) {
    meta.key = std::string(size, 'k');
    if (!surely_without_side(meta.key, meta.info)) continue;
    longest = size;
    EXPECT_TRUE(encode_meta(meta).side.empty()) << size;
  }
  EXPECT_GT(longest, 255U);
  meta.key = "k";
  for (std::uint64_t blocks = 1; blocks < 100; ++blocks) {
    meta.info.size = blocks * kHashBlockBytes;
    meta.hashes.blocks.assign(blocks, 1);
    if (surely_without_side(meta.key, meta.info)) {
      EXPECT_TRUE(encode_meta(meta).side.empty());
    }
  }
  EXPECT_FALSE(surely_without_side(meta.key, meta.info));
}

TEST(ObjectMeta, WhatIsTooLongGoesToTheSideFile) {
  const EncodedMeta bytes = encode_meta(large());
  EXPECT_LE(bytes.xattr.size(), kMetaXattrBytesMax);
  EXPECT_LE(bytes.side.size(), kMetaSideBytesMax);
  const auto side = side_of(bytes.xattr);
  ASSERT_TRUE(side.ok() && side->has_value());
  EXPECT_EQ((*side)->size, bytes.side.size());
  EXPECT_EQ((*side)->key_hash, layout::key_hash(large().key));
  EXPECT_EQ((*side)->meta_version, large().info.meta_version);
  EXPECT_EQ(*decode_meta(bytes.xattr, bytes.side), large());
}

/// Each of the long parts alone, at every length around the limit.
TEST(ObjectMeta, EveryPartSurvivesOnEitherSideOfTheLimit) {
  for (std::size_t n = 0; n < 1000; n += 13) {
    for (int part = 0; part < 5; ++part) {
      StoredMeta meta = small();
      const std::string text(n, 'p');
      if (part == 0) meta.info.user["u"] = text;
      if (part == 1) meta.info.xattrs["x"] = text;
      if (part == 2) meta.key += text;
      if (part == 3) meta.info.posix->symlink = text;
      if (part == 4) meta.info.etag = text;
      const EncodedMeta bytes = encode_meta(meta);
      ASSERT_LE(bytes.xattr.size(), kMetaXattrBytesMax);
      ASSERT_EQ(*decode_meta(bytes.xattr, bytes.side), meta) << part << " " << n;
    }
  }
}

TEST(ObjectMeta, AForeignOrDamagedSideFileIsCorrupt) {
  const EncodedMeta bytes = encode_meta(large());
  std::string other = bytes.side;
  other[other.size() / 2] ^= 1;
  EXPECT_EQ(decode_meta(bytes.xattr, other).error().code(), Errc::corrupt);
  EXPECT_EQ(decode_meta(bytes.xattr, "").error().code(), Errc::corrupt);
  EXPECT_EQ(decode_meta(bytes.xattr.substr(1), bytes.side).error().code(), Errc::corrupt);
}

TEST(ObjectMeta, ABlockOfOneIsItsRoot) {
  BlockHasher hasher;
  hasher.update(as_bytes("hello"));
  StoredMeta meta = small();
  meta.info.size = 5;
  meta.hashes = hasher.finish();
  const EncodedMeta bytes = encode_meta(meta);
  const auto back = decode_meta(bytes.xattr, "");
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(back->hashes.blocks.empty());
  EXPECT_EQ(back->hashes.root, root_of({xxh3_64(as_bytes("hello"))}));
}

TEST(ObjectMeta, TheXattrFitsThisFileSystem) {
  const TempDir dir;
  const auto fd = disk::open_beneath(dir.root(), "f", O_CREAT | O_RDWR);
  ASSERT_TRUE(fd.ok());
  const EncodedMeta bytes = encode_meta(large());
  ASSERT_TRUE(disk::set_xattr(fd->get(), kMetaXattr, bytes.xattr).ok());
  EXPECT_EQ(*disk::get_xattr(fd->get(), kMetaXattr), bytes.xattr);
}

TEST(ObjectMeta, GoldenBytesDecodeForEver) {
  const EncodedMeta a = encode_meta(small()), b = encode_meta(large());
  EXPECT_EQ(golden("object_meta.1.small", a.xattr), a.xattr);
  EXPECT_EQ(golden("object_meta.1.large", b.xattr), b.xattr);
  EXPECT_EQ(*decode_meta(golden("object_meta.1.small", a.xattr), ""), small());
  EXPECT_EQ(*decode_meta(golden("object_meta.1.large", b.xattr), b.side), large());
  EXPECT_EQ(*decode_meta(golden("object_meta.1.small.ais1", ""), ""), small());
}

}  // namespace
}  // namespace aisfs::store
