// SPDX-License-Identifier: MIT
#include "node/store/slice_file.h"

#include <gtest/gtest.h>

#include "tests/kit/golden.h"

namespace aisfs::store {
namespace {

constexpr Version kVersion{.epoch = 3, .hlc = 0x1122334455667788, .incarnation = 2};

StoredMeta meta() {
  StoredMeta meta{.bucket = BucketId{7}, .key = "dir/a", .level = Durability::kFull};
  meta.info.size = 5'000'000;
  meta.info.etag = "tag";
  meta.info.content_type = "text/plain";
  meta.info.user = {{"colour", "red"}};
  return meta;
}

SliceTail tail() {
  SliceTail tail;
  tail.header = {.version = kVersion,
                 .geometry = {2, 1},
                 .index = 1,
                 .object_bytes = 5'000'000,
                 .object_root = 99,
                 .slice_roots = {1, 2, 3},
                 .meta = pack_meta(meta())};
  tail.hashes = {11, 12, 13};
  tail.header.slice_roots[1] = root_of(tail.hashes);
  return tail;
}

/// What is between the blocks and the last 16 bytes.
std::string envelope_of(std::string bytes) {
  bytes.resize(bytes.size() - kSliceEndBytes);
  return bytes;
}

TEST(SliceReferenceTest, TellsTheKeyAndTheGeometry) {
  const Reference content = sliced("dir/a", {4, 2}, kVersion);
  EXPECT_EQ(content.content_version, kVersion);
  EXPECT_EQ(sliced_key(content), "dir/a");
  EXPECT_EQ(geometry_of(content), (ec::Geometry{4, 2}));
  EXPECT_TRUE(is_sliced(content));
}

TEST(SliceReferenceTest, OtherReferencesAreNone) {
  using namespace std::string_literals;
  for (const std::string& key : {""s, "dir/a"s, "a\0null"s, "a\0ec"s, "a\0ec0+2"s, "a\0ec2"s,
                                 "a\0ec17+1"s, "a\0ec2+2x"s}) {
    EXPECT_FALSE(is_sliced({key, kVersion})) << key;
  }
}

TEST(SliceFileTest, TheFormatStays) {
  const std::string now = encode_tail(tail());
  EXPECT_EQ(golden("slice_tail.1", now), now);
  const auto read = decode_tail(envelope_of(golden("slice_tail.1", now)));
  ASSERT_TRUE(read.ok()) << read.error().what();
  EXPECT_EQ(*read, tail());
  const auto known = unpack_meta(read->header.meta);
  ASSERT_TRUE(known.ok());
  EXPECT_EQ(known->key, "dir/a");
  EXPECT_EQ(known->info, meta().info);
}

TEST(SliceFileTest, TheEndSaysHowLongItIs) {
  const std::string bytes = encode_tail(tail());
  const auto size = tail_bytes(std::string_view(bytes).substr(bytes.size() - kSliceEndBytes));
  ASSERT_TRUE(size.ok());
  EXPECT_EQ(*size, bytes.size() - kSliceEndBytes);
  for (std::size_t cut = 1; cut < kSliceEndBytes; ++cut) {
    EXPECT_FALSE(tail_bytes(std::string_view(bytes).substr(bytes.size() - cut)).ok()) << cut;
  }
}

TEST(SliceFileTest, NoBitMayChange) {
  const std::string good = envelope_of(encode_tail(tail()));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    const auto read = decode_tail(bad);
    EXPECT_FALSE(read.ok() && *read != tail()) << "byte " << i;
  }
}

TEST(SliceFileTest, HashesThatContradictTheHeaderAreRefused) {
  SliceTail other = tail();
  other.hashes[0] = 1;
  EXPECT_EQ(decode_tail(envelope_of(encode_tail(other))).error().code(), Errc::corrupt);
  other = tail();
  other.hashes.push_back(1);
  EXPECT_EQ(decode_tail(envelope_of(encode_tail(other))).error().code(), Errc::corrupt);
}

}  // namespace
}  // namespace aisfs::store
