// SPDX-License-Identifier: MIT
#include "common/client/merge.h"

#include <gmock/gmock.h>

namespace aisfs {
namespace {

ListPage page_of(std::vector<std::string> keys, bool more) {
  ListPage page;
  for (auto& key : keys) {
    const bool prefix = key.ends_with('/');
    page.entries.push_back({.key = key, .is_prefix = prefix, .info = {}});
  }
  page.more = more;
  if (more) page.next = keys.back();
  return page;
}

std::vector<std::string> keys_of(const ListPage& page) {
  std::vector<std::string> keys;
  for (const auto& entry : page.entries) keys.push_back(entry.key);
  return keys;
}

TEST(MergePages, PutsNamesInOrder) {
  const ListPage merged = merge_pages({page_of({"a", "d"}, false), page_of({"b", "c"}, false)}, 10);
  EXPECT_THAT(keys_of(merged), testing::ElementsAre("a", "b", "c", "d"));
  EXPECT_FALSE(merged.more);
}

TEST(MergePages, StopsWhereOneTargetHasNotListedFurther) {
  const ListPage merged = merge_pages({page_of({"a", "b"}, true), page_of({"a2", "z"}, false)}, 10);
  EXPECT_THAT(keys_of(merged), testing::ElementsAre("a", "a2", "b"));
  EXPECT_TRUE(merged.more);
  EXPECT_EQ(merged.next, "b");
}

TEST(MergePages, CutsAtTheLimit) {
  const ListPage merged = merge_pages({page_of({"a", "c"}, false), page_of({"b"}, false)}, 2);
  EXPECT_THAT(keys_of(merged), testing::ElementsAre("a", "b"));
  EXPECT_TRUE(merged.more);
  EXPECT_EQ(merged.next, "b");
}

TEST(MergePages, MakesOneOfEqualPrefixesAndGoesOnBehindThem) {
  const ListPage merged =
      merge_pages({page_of({"d/", "e"}, false), page_of({"d/", "f"}, false)}, 1);
  EXPECT_THAT(keys_of(merged), testing::ElementsAre("d/"));
  EXPECT_TRUE(merged.more);
  EXPECT_GT(merged.next, std::string("d/zzzz"));
  EXPECT_LT(merged.next, std::string("d0"));
}

TEST(MergePages, IsExactlyFullWithoutMore) {
  EXPECT_FALSE(merge_pages({page_of({"a"}, false), page_of({"b"}, false)}, 2).more);
}

TEST(ShareOf, IsEnoughForEverybodyTogetherAndNeverMoreThanAsked) {
  for (const std::uint32_t wanted : {1u, 2u, 3u, 17u, 1000u, 10'000u}) {
    EXPECT_EQ(share_of(wanted, 1), wanted);
    for (const std::size_t parts : {2u, 3u, 10u}) {
      EXPECT_LE(share_of(wanted, parts), wanted);
      EXPECT_GE(share_of(wanted, parts) * parts, wanted);
    }
  }
  EXPECT_LT(share_of(10'000, 4), 3000u);
}

TEST(MergeLookups, DirectoryBeatsFileAndMarkerBeatsImplied) {
  LookupReply none, file, implied, marker;
  file.kind = LookupReply::Kind::kFile;
  implied.kind = marker.kind = LookupReply::Kind::kDirectory;
  marker.explicit_dir = true;
  EXPECT_EQ(merge_lookups({none, file}).kind, LookupReply::Kind::kFile);
  EXPECT_EQ(merge_lookups({implied, file}).kind, LookupReply::Kind::kDirectory);
  EXPECT_TRUE(merge_lookups({implied, marker, file}).explicit_dir);
  EXPECT_EQ(merge_lookups({none, none}).kind, LookupReply::Kind::kNone);
}

TEST(MergeUploads, ByKeyThenId) {
  UploadList a, b;
  a.uploads = {{.key = "k", .id = "2"}, {.key = "z", .id = "1"}};
  b.uploads = {{.key = "k", .id = "1"}};
  const UploadList merged = merge_uploads({a, b}, 2);
  ASSERT_EQ(merged.uploads.size(), 2U);
  EXPECT_EQ(merged.uploads[0].id, "1");
  EXPECT_EQ(merged.uploads[1].id, "2");
  EXPECT_TRUE(merged.more);
}

}  // namespace
}  // namespace aisfs
