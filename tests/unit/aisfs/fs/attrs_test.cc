// SPDX-License-Identifier: MIT
#include "aisfs/fs/attrs.h"

#include <gtest/gtest.h>

#include "aisfs/fs/names.h"

namespace aisfs::fs {
namespace {

const AttrDefaults kDefaults{.uid = 7, .gid = 8, .file_mode = 0640, .dir_mode = 0750, .time_ns = 5};

TEST(Attrs, AnObjectOfS3ShowsTheDefaults) {
  const Attr attr = file_attr({.ino = 3, .size = 10, .modified_ns = 99}, kDefaults);
  EXPECT_EQ(attr.mode, S_IFREG | 0640u);
  EXPECT_EQ(attr.uid, 7u);
  EXPECT_EQ(attr.mtime_ns, 99);
  EXPECT_FALSE(attr.has_posix);
}

TEST(Attrs, MetadataOfS3fsAndRcloneIsUnderstood) {
  ObjectInfo s3fs{.user = {{"mode", "33188"}, {"uid", "12"}, {"gid", "13"}, {"mtime", "1700000000"}}};
  const Attr a = file_attr(s3fs, kDefaults);
  EXPECT_EQ(a.mode, 0100644u);
  EXPECT_EQ(a.uid, 12u);
  EXPECT_EQ(a.mtime_ns, 1'700'000'000'000'000'000);
  ObjectInfo rclone{.user = {{"mtime", "1700000000.5"}, {"mode", "100600"}}};
  const Attr b = file_attr(rclone, kDefaults);
  EXPECT_EQ(b.mode, 0100600u);
  EXPECT_EQ(b.mtime_ns, 1'700'000'000'500'000'000);
}

TEST(Attrs, GarbageInMetadataIsIgnored) {
  ObjectInfo info{.modified_ns = 1, .user = {{"mode", "99999999"}, {"uid", "-1"}, {"mtime", "x.y"}}};
  const Attr attr = file_attr(info, kDefaults);
  EXPECT_EQ(attr.mode, S_IFREG | 0640u);
  EXPECT_EQ(attr.uid, 7u);
  EXPECT_EQ(attr.mtime_ns, 1);
}

TEST(Attrs, APlainKeyIsNeverADirectory) {
  ObjectInfo info;
  info.posix = PosixAttrs{.mode = S_IFDIR | 0755};
  EXPECT_TRUE(file_attr(info, kDefaults).is_regular());
}

TEST(Attrs, ADirectoryIsOneWhateverItsMarkerSays) {
  ObjectInfo marker;
  marker.posix = PosixAttrs{.mode = S_IFREG | 0700};
  EXPECT_EQ(dir_attr(&marker, 9, kDefaults).mode, S_IFDIR | 0700u);
  EXPECT_EQ(dir_attr(nullptr, 9, kDefaults).mode, S_IFDIR | 0750u);
  EXPECT_EQ(dir_attr(nullptr, 9, kDefaults).ino, 9u);
}

TEST(Attrs, TimesBefore1970Survive) {
  Attr attr;
  attr.mtime_ns = -1;
  const struct stat st = stat_of(attr);
  EXPECT_EQ(st.st_mtim.tv_sec, -1);
  EXPECT_EQ(st.st_mtim.tv_nsec, 999'999'999);
}

TEST(Names, WhatNoFileCanBeCalledIsHidden) {
  for (const auto* name : {"", ".", "..", "a/b"}) EXPECT_FALSE(is_visible(name)) << name;
  EXPECT_FALSE(is_visible(std::string(256, 'a')));
  EXPECT_TRUE(is_visible(std::string(255, 'a')));
  EXPECT_EQ(validate_component(std::string(256, 'a')).error().code(), Errc::name_too_long);
}

}  // namespace
}  // namespace aisfs::fs
