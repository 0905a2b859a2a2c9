// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "common/model/cluster_map.h"
#include "common/model/may_end.h"
#include "common/model/object.h"
#include "common/model/range.h"

namespace aisfs {
namespace {

TEST(Version, EpochBeatsClockBeatsIncarnation) {
  const Version base{2, 100, 5};
  EXPECT_LT(base, (Version{3, 1, 1}));
  EXPECT_LT(base, (Version{2, 101, 1}));
  EXPECT_LT(base, (Version{2, 100, 6}));
}

TEST(Version, TextRoundTrips) {
  const Version v{0xffffffff, 0x123456789abcdef0, 7};
  EXPECT_EQ(*Version::parse(v.to_string()), v);
  for (const char* bad : {"", "1.2", "1.2.3.4", "g.1.1", "1..1", "100000000.1.1"}) {
    EXPECT_FALSE(Version::parse(bad).ok()) << bad;
  }
}

TEST(BucketName, IsWrittenAsAistoreDoes) {
  EXPECT_EQ(native_bucket("b").uname(), "ais/@#/b/");
  EXPECT_EQ((BucketName{"aws", "@u#n", "b"}).display(), "aws://@u#n/b");
  EXPECT_EQ((ObjectName{native_bucket("b"), "d/o"}).display(), "ais://b/d/o");
}

TEST(BucketName, RulesOfAistoreAndOfS3) {
  for (const char* good : {"a", "A_b.c-1"}) EXPECT_TRUE(validate_bucket_name(good).ok()) << good;
  for (const char* bad : {"", ".a", "a..b", "a/b", "a b"}) {
    EXPECT_FALSE(validate_bucket_name(bad).ok()) << bad;
  }
  EXPECT_TRUE(validate_s3_bucket_name("my.bucket-1").ok());
  for (const char* bad : {"ab", "Abc", "a_b", "-ab", "ab-", "a..b", "192.168.5.4", "a.-b"}) {
    EXPECT_FALSE(validate_s3_bucket_name(bad).ok()) << bad;
  }
}

TEST(Key, OnlyEmptyLongAndNulAreRefused) {
  EXPECT_TRUE(validate_key(std::string(kKeyBytesMax, 'x')).ok());
  EXPECT_TRUE(validate_key("../a//b/./\r\n\xff").ok());
  EXPECT_EQ(validate_key(std::string(kKeyBytesMax + 1, 'x')).error().code(), Errc::name_too_long);
  EXPECT_FALSE(validate_key("").ok());
  EXPECT_FALSE(validate_key(std::string_view("a\0b", 3)).ok());
}

TEST(ByteRange, IsCutToTheObject) {
  EXPECT_EQ(ByteRange{}.within(10), (ByteRange{0, 10}));
  EXPECT_EQ((ByteRange{5, 100}).within(10), (ByteRange{5, 5}));
  EXPECT_EQ((ByteRange{10, 1}).within(10), (ByteRange{10, 0}));
}

TEST(Endpoint, TextRoundTripsWithAndWithoutV6) {
  for (const char* text : {"127.0.0.1:80", "[::1]:51080", "host:1"}) {
    EXPECT_EQ(Endpoint::parse(text)->to_string(), text);
  }
  EXPECT_EQ(*Endpoint::parse("http://h:8080/"), (Endpoint{"h", 8080}));
  for (const char* bad : {"", "h", "h:", ":1", "h:0", "h:65536", "h:x", "https://h:1"}) {
    EXPECT_FALSE(Endpoint::parse(bad).ok()) << bad;
  }
}

TEST(MayEnd, OnlyWhoseNamesAreElsewhere) {
  ClusterMap map;
  map.nodes["g"] = {.id = "g", .role = NodeRole::kGateway};
  map.nodes["h"] = {.id = "h", .role = NodeRole::kGateway};
  map.nodes["t"] = {.id = "t", .role = NodeRole::kTarget};
  map.store_node = "g";
  EXPECT_TRUE(may_end(map, "h").ok());
  EXPECT_EQ(may_end(map, "g").error(), Errc::busy);
  EXPECT_EQ(may_end(map, "x").error(), Errc::not_found);
  EXPECT_EQ(may_end(map, "t").error(), Errc::precondition_failed);
  map.nodes["t"].state = NodeState::kMaintenance;
  EXPECT_TRUE(may_end(map, "t").ok());
  map.placement.past = {{.until = 2, .targets = {"t", "u"}}};
  EXPECT_EQ(may_end(map, "t").error(), Errc::busy);
  map.placement.past = {{.until = 2, .targets = {"u"}}};
  EXPECT_TRUE(may_end(map, "t").ok());
  map.placement.next["t"] = NodeState::kJoining;
  EXPECT_EQ(may_end(map, "t").error(), Errc::busy);
}

}  // namespace
}  // namespace aisfs
