// SPDX-License-Identifier: MIT
#include "aisfs/cli/location.h"

#include <gtest/gtest.h>

namespace aisfs::cli {
namespace {

TEST(Location, AllFormsMeanTheSame) {
  for (const char* text : {"b/x/y", "ais://b/x/y", "s3://b/x/y"}) {
    const auto location = parse_location(text);
    ASSERT_TRUE(location.ok()) << text;
    EXPECT_EQ(location->bucket, native_bucket("b"));
    EXPECT_EQ(location->key, "x/y");
  }
}

TEST(Location, TheKeyIsTakenAsItIs) {
  EXPECT_EQ(parse_location("b")->key, "");
  EXPECT_EQ(parse_location("b/")->key, "");
  EXPECT_EQ(parse_location("b//x")->key, "/x");
  EXPECT_EQ(parse_location("b/x/")->key, "x/");
  EXPECT_EQ(parse_location("b/a://c")->key, "a://c");
}

TEST(Location, RefusesWhatNamesNoBucketHere) {
  for (const char* text : {"", "/", "/x", "ais://", "ais:///x", "gs://b/x", "..", "b c/x"}) {
    EXPECT_EQ(parse_location(text).error().code(), Errc::invalid_argument) << text;
  }
}

TEST(Location, ObjectAndBucketInsistOnTheirKind) {
  EXPECT_EQ(parse_object("b/x")->key, "x");
  EXPECT_FALSE(parse_object("b").ok());
  EXPECT_EQ(*parse_bucket("ais://b/"), native_bucket("b"));
  EXPECT_FALSE(parse_bucket("b/x").ok());
}

TEST(BaseName, IgnoresSlashesAtTheEnd) {
  EXPECT_EQ(base_name("a/b.tar"), "b.tar");
  EXPECT_EQ(base_name("a/b/"), "b");
  EXPECT_EQ(base_name("x"), "x");
}

}  // namespace
}  // namespace aisfs::cli
