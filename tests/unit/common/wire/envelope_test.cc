// SPDX-License-Identifier: MIT
#include "common/wire/envelope.h"

#include <gtest/gtest.h>

#include "common/base/hash.h"
#include "common/client/object_api.h"
#include "common/model/cluster_map.h"

namespace aisfs::wire {
namespace {

struct V1 {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::string bucket;
  std::uint32_t copies = 1;
  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(bucket, copies);
  }
};
struct V2 {
  static constexpr std::uint16_t kVersion = 2, kCompat = 1;
  std::string bucket;
  std::uint32_t copies = 1;
  std::vector<std::string> tags;
  template <class A>
  void fields(A& ar, std::uint16_t v) {
    ar(bucket, copies);
    if (v >= 2) ar(tags);
  }
};
struct V3Incompatible {
  static constexpr std::uint16_t kVersion = 3, kCompat = 3;
  std::string bucket;
  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(bucket);
  }
};

TEST(Envelope, OldReadsNewAndNewReadsOld) {
  EXPECT_EQ(decode<V1>(encode(V2{"b", 3, {"x", "y"}}))->copies, 3u);
  const auto upgraded = decode<V2>(encode(V1{"c", 2}));
  EXPECT_EQ(upgraded->copies, 2u);
  EXPECT_TRUE(upgraded->tags.empty());
}

TEST(Envelope, RefusesWhatOnlyNewerReadersUnderstand) {
  EXPECT_EQ(decode<V2>(encode(V3Incompatible{"z"})).error().code(), Errc::unsupported);
}

TEST(Envelope, EveryFlippedBitAndEveryCutIsCorrupt) {
  const std::string good = encode(V2{"bucket", 3, {"x"}});
  for (std::size_t i = 0; i < good.size() * 8; ++i) {
    std::string bad = good;
    bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << i % 8));
    EXPECT_EQ(decode<V2>(bad).error().code(), Errc::corrupt) << "bit " << i;
  }
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(decode<V2>(std::string_view(good).substr(0, n)).ok()) << n;
  }
}

/// Of V1{"b", 3}, as it was written when the checksum was of the payload alone.
TEST(Envelope, TheFirstKindIsRead) {
  const std::string payload("\1\0\0\0b\3\0\0\0", 9);
  std::string bytes("AIS1\1\0\1\0\11\0\0\0", 12);
  const std::uint32_t crc = crc32c(as_bytes(payload));
  bytes.append(reinterpret_cast<const char*>(&crc), sizeof crc).append(payload);
  const auto read = decode<V1>(bytes);
  ASSERT_TRUE(read.ok()) << read.error().what();
  EXPECT_EQ(read->bucket, "b");
  EXPECT_EQ(read->copies, 3u);
  bytes[8] = 8;
  EXPECT_EQ(decode<V1>(bytes).error().code(), Errc::corrupt);
}

TEST(Envelope, ALengthBeyondTheInputAllocatesNothing) {
  std::string payload(4, '\xff');  // a string of 4 GiB
  std::string bytes(kEnvelopeHeaderBytes, '\0');
  bytes += payload;
  detail::seal_envelope(bytes, 0, 1, 1);
  EXPECT_EQ(decode<V1>(bytes).error().code(), Errc::corrupt);
}

TEST(Envelope, TheMapAndAListingSurvive) {
  ClusterMap map{.uuid = "u", .epoch = 7};
  map.nodes["t1"] = NodeInfo{.id = "t1", .public_net = {"127.0.0.1", 51081}};
  map.buckets["ais/@#/b/"] = Bucket{.id = {9}, .name = native_bucket("b"), .owner = "alice"};
  EXPECT_EQ(*decode<ClusterMap>(encode(map)), map);

  ListPage page;
  page.entries.push_back({"k", false, ObjectInfo{.ino = 3, .posix = PosixAttrs{.mode = 0100644}}});
  const auto back = decode<ListPage>(encode(page));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->entries[0].info, page.entries[0].info);
}

}  // namespace
}  // namespace aisfs::wire
