// SPDX-License-Identifier: MIT
#include "node/front/s3/mapping.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/model/meta_time.h"
#include "node/front/s3/errors.h"
#include "node/front/s3/tags.h"

namespace aisfs::front::s3 {
namespace {

using User = std::map<std::string, std::string>;
constexpr std::int64_t kNow = 42;

TEST(Mapping, ReadsWhatS3fsWrites) {
  User user = {{"mode", "33188"},       {"uid", "1000"},
               {"gid", "100"},          {"mtime", "1700000000.123456789"},
               {"ctime", "1700000001"}, {"atime", "1700000002.5"},
               {"owner", "me"}};
  const auto posix = take_posix(user, "f", "text/plain", kNow);
  ASSERT_TRUE(posix);
  EXPECT_EQ(posix->mode, static_cast<std::uint32_t>(S_IFREG | 0644));
  EXPECT_EQ(posix->uid, 1000u);
  EXPECT_EQ(posix->gid, 100u);
  EXPECT_EQ(posix->mtime_ns, 1700000000'123456789);
  EXPECT_EQ(posix->ctime_ns, 1700000001'000000000);
  EXPECT_EQ(posix->atime_ns, 1700000002'500000000);
  EXPECT_EQ(user, (User{{"owner", "me"}}));
}

TEST(Mapping, WhatIsShownIsReadBackTheSame) {
  const PosixAttrs posix{.mode = S_IFDIR | 0750,
                         .uid = 1,
                         .gid = 2,
                         .atime_ns = 3,
                         .mtime_ns = -1'500'000'000,
                         .ctime_ns = 5'000'000'000};
  User user = show_posix(posix);
  EXPECT_EQ(user["mode"], "16872");
  EXPECT_EQ(user["mtime"], "-2.500000000");
  EXPECT_EQ(user["ctime"], "5.000000000");
}

TEST(Mapping, AMissingTypeComesFromTheName) {
  User dir = {{"mode", "493"}}, file = {{"mode", "420"}}, owner = {{"uid", "7"}};
  EXPECT_EQ(take_posix(dir, "d/", "", kNow)->mode, static_cast<std::uint32_t>(S_IFDIR | 0755));
  EXPECT_EQ(take_posix(file, "f", "", kNow)->mode, static_cast<std::uint32_t>(S_IFREG | 0644));
  const auto posix = take_posix(owner, "f", "", kNow);
  EXPECT_EQ(posix->mode, static_cast<std::uint32_t>(S_IFREG | 0644));
  EXPECT_EQ(posix->mtime_ns, kNow);
}

TEST(Mapping, RclonesMtimeStaysMetadataAndIsTheMtime) {
  ObjectInfo info;
  info.user = {{"mtime", "1700000000.25"}};
  EXPECT_FALSE(take_posix(info.user, "f", "", kNow));
  EXPECT_EQ(mtime_of(info), 1700000000'250000000);
  EXPECT_EQ(mtime_of(ObjectInfo{}), std::nullopt);
}

TEST(Mapping, WhatIsNoNumberStaysMetadata) {
  for (const char* bad : {"", "x", "12x", "-1", "99999999999"}) {
    User user = {{"mode", bad}};
    EXPECT_FALSE(take_posix(user, "f", "", kNow)) << bad;
    EXPECT_EQ(user.size(), 1u);
  }
  for (const char* bad : {"", ".", "1.", "1.x", "99999999999", "1.5.5"}) {
    EXPECT_EQ(parse_meta_time(bad), std::nullopt) << bad;
  }
}

TEST(Links, HaveATargetOrAreFiles) {
  PosixAttrs link{.mode = S_IFLNK | 0777};
  make_link(link, "../a b");
  EXPECT_TRUE(is_link(link));
  EXPECT_EQ(link.symlink, "../a b");
  for (const std::string& none : {std::string(), std::string(kLinkBytesMax + 1, 'x'),
                                  std::string("a\0b", 3)}) {
    PosixAttrs file{.mode = S_IFLNK | 0640};
    make_link(file, none);
    EXPECT_EQ(file.mode, S_IFREG | 0640u);
    EXPECT_TRUE(file.symlink.empty());
  }
  EXPECT_FALSE(is_link(std::nullopt));
}

TEST(Tags, AreLimitedSortedAndRoundTrip) {
  EXPECT_EQ(*parse_tag_header("foo=bar&bar"), (Tags{{"bar", ""}, {"foo", "bar"}}));
  const Tags odd = {{"a&b", "c=d +%"}, {"\xc3\xa9", "x"}};
  EXPECT_EQ(parse_stored_tags(format_tags(odd)), odd);
  EXPECT_EQ(code_of(parse_tag_header("a=1&a=2").error()), "InvalidTag");
  EXPECT_EQ(code_of(parse_tag_header(std::string(129, 'k')).error()), "InvalidTag");
  EXPECT_EQ(code_of(parse_tag_header("k=" + std::string(257, 'v')).error()), "InvalidTag");
  EXPECT_EQ(code_of(parse_tag_xml("<Tagging/>", kObjectTagsMax).error()), "MalformedXML");
}

TEST(Errors, OnesOfTheClusterHaveTheirWords) {
  EXPECT_EQ(s3_error_of(Error(Errc::not_found, "x"), Noun::kKey).code, "NoSuchKey");
  EXPECT_EQ(s3_error_of(Error(Errc::not_found, "x"), Noun::kUpload).code, "NoSuchUpload");
  EXPECT_EQ(
      s3_error_of(Error(Errc::not_found, "bucket \"ais://b\" does not exist"), Noun::kKey).code,
      "NoSuchBucket");
  EXPECT_EQ(s3_error_of(Error(Errc::unreachable, "t1 is away"), Noun::kKey).status, 503);
  const auto io = s3_error_of(Error(Errc::io, "/secret/path: failed"), Noun::kKey);
  EXPECT_EQ(io.code, "InternalError");
  EXPECT_EQ(io.message.find("secret"), std::string::npos);
  const auto own = s3_error_of(fail("InvalidPart", "part 3: gone"), Noun::kKey);
  EXPECT_EQ(own.code, "InvalidPart");
  EXPECT_EQ(own.message, "part 3: gone");
}

}  // namespace
}  // namespace aisfs::front::s3
