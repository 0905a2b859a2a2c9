// SPDX-License-Identifier: MIT
#include "node/store/index.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include "tests/unit/node/store/temp_dir.h"

namespace aisfs::store {
namespace {

constexpr BucketId kBucket{7};

IndexRecord record(std::uint64_t size, std::uint64_t hlc = 1) {
  IndexRecord r;
  r.info.size = size;
  r.info.meta_version = r.info.content_version = {1, hlc, 1};
  return r;
}

class IndexTest : public ::testing::Test {
 protected:
  std::unique_ptr<Index> open(std::uint64_t mount = 1) {
    auto index = Index::open({.path = dir_.path() + "/%index", .mount = {"boot", mount}});
    EXPECT_TRUE(index.ok()) << index.error().what();
    return std::move(*index);
  }
  static std::vector<std::string> keys(const ScanPage& page) {
    std::vector<std::string> out;
    for (const ScanEntry& e : page.entries) out.push_back(e.is_prefix ? e.key + "*" : e.key);
    return out;
  }
  /// All pages of `limit` entries.
  static std::vector<std::string> list(const Index& index, ScanOptions options) {
    std::vector<std::string> out;
    for (;;) {
      const auto page = index.scan(kBucket, options);
      EXPECT_TRUE(page.ok());
      for (auto& k : keys(*page)) out.push_back(k);
      if (!page->more) return out;
      EXPECT_EQ(page->entries.size(), options.limit);
      options.after = page->next;
    }
  }

  TempDir dir_;
};

TEST_F(IndexTest, WhatIsPutIsSeenAtOnceAndAfterTheCommit) {
  auto index = open();
  EXPECT_TRUE(index->fresh());
  index->put(kBucket, "a", record(5));
  EXPECT_EQ((*index->get(kBucket, "a"))->info.size, 5u);
  EXPECT_EQ(list(*index, {}), std::vector<std::string>{"a"});
  ASSERT_TRUE(index->flush().ok());
  EXPECT_EQ((*index->get(kBucket, "a"))->info.size, 5u);
  EXPECT_EQ(index->counters(kBucket), (BucketCounters{1, 5}));
  EXPECT_EQ(*index->get(kBucket, "b"), std::nullopt);
  EXPECT_EQ(*index->get({8}, "a"), std::nullopt);
}

TEST_F(IndexTest, TombstonesAreRememberedAndNotListed) {
  auto index = open();
  index->put(kBucket, "a", record(5, 1));
  index->put(kBucket, "b", record(6, 1));
  ASSERT_TRUE(index->flush().ok());
  index->put(kBucket, "a", tombstone_of({1, 2, 1}));
  for (int committed = 0; committed < 2; ++committed) {
    EXPECT_FALSE((*index->get(kBucket, "a"))->visible());
    EXPECT_EQ((*index->get(kBucket, "a"))->info.meta_version, (Version{1, 2, 1}));
    EXPECT_EQ(list(*index, {}), std::vector<std::string>{"b"});
    EXPECT_EQ(list(*index, {.tombstones = true}), std::vector<std::string>{"a"});
    EXPECT_FALSE(*index->any_below(kBucket, "a"));
    ASSERT_TRUE(index->flush().ok());
  }
  EXPECT_EQ(index->counters(), (BucketCounters{1, 6}));
  index->put(kBucket, "a", record(1, 3));
  index->erase(kBucket, "b");
  ASSERT_TRUE(index->flush().ok());
  EXPECT_EQ(list(*index, {}), std::vector<std::string>{"a"});
  EXPECT_EQ(list(*index, {.tombstones = true}), std::vector<std::string>{});
  EXPECT_EQ(index->counters(), (BucketCounters{1, 1}));
}

TEST_F(IndexTest, PutIfNewerKeepsTheNewer) {
  auto index = open();
  index->put(kBucket, "a", record(5, 9));
  index->put_if_newer(kBucket, "a", record(1, 8));
  EXPECT_EQ((*index->get(kBucket, "a"))->info.size, 5u);
  index->put_if_newer(kBucket, "a", tombstone_of({1, 10, 1}));
  EXPECT_FALSE((*index->get(kBucket, "a"))->visible());
}

TEST_F(IndexTest, RollsUpByDelimiterOverPages) {
  auto index = open();
  for (const char* key : {"a", "d/1", "d/2", "d/e/3", "d0", "e/", "e/x", "f\xff/1", "f\xff/2", "g"}) {
    index->put(kBucket, key, record(1));
  }
  for (int committed = 0; committed < 2; ++committed) {
    for (const std::size_t limit : {1u, 2u, 3u, 100u}) {
      EXPECT_EQ(list(*index, {.delimiter = "/", .limit = limit}),
                (std::vector<std::string>{"a", "d/*", "d0", "e/*", "f\xff/*", "g"}));
      EXPECT_EQ(list(*index, {.prefix = "d/", .delimiter = "/", .limit = limit}),
                (std::vector<std::string>{"d/1", "d/2", "d/e/*"}));
      EXPECT_EQ(list(*index, {.prefix = "e/", .delimiter = "/", .limit = limit}),
                (std::vector<std::string>{"e/", "e/x"}));
      EXPECT_EQ(list(*index, {.after = "d/2", .limit = limit}),
                (std::vector<std::string>{"d/e/3", "d0", "e/", "e/x", "f\xff/1", "f\xff/2", "g"}));
    }
    EXPECT_EQ(list(*index, {.prefix = "zz"}), std::vector<std::string>{});
    EXPECT_EQ(list(*index, {.prefix = "d/", .after = "e"}), std::vector<std::string>{});
    EXPECT_TRUE(*index->any_below(kBucket, "d/e/"));
    EXPECT_FALSE(*index->any_below(kBucket, "d/e/4"));
    ASSERT_TRUE(index->flush().ok());
  }
}

/// Keys of all lengths, many with long common beginnings, against a std::set; half of them in the
/// queue at any time.
TEST_F(IndexTest, KeepsByteOrderForKeysOfEveryLength) {
  auto index = open();
  std::mt19937 random(1);
  std::set<std::string> model;
  const std::size_t lengths[] = {1, 2, 500, 501, 502, 503, 1001, 1002, 1003, 1004, 1023, 1024};
  for (int i = 0; i < 3000; ++i) {
    std::string key(lengths[random() % std::size(lengths)], "ab\x00\xff"[random() % 2]);
    key[random() % key.size()] = "ab\x01\xff"[random() % 4];
    if (key.size() > 600) key[600 + random() % (key.size() - 600)] = "ab\x01\xff"[random() % 4];
    if (random() % 3 == 0) {
      index->erase(kBucket, key);
      model.erase(key);
    } else {
      index->put(kBucket, key, record(1));
      model.insert(key);
    }
    if (i % 500 == 0) {
      ASSERT_TRUE(index->flush().ok());
    }
  }
  const std::vector<std::string> want(model.begin(), model.end());
  for (int committed = 0; committed < 2; ++committed) {
    ASSERT_EQ(list(*index, {.limit = 7}), want);
    ASSERT_EQ(list(*index, {.limit = 100000}), want);
    for (const std::string& key : want) {
      ASSERT_TRUE((*index->get(kBucket, key)).has_value());
    }
    ASSERT_TRUE(index->flush().ok());
  }
  EXPECT_EQ(index->counters().objects, want.size());
  for (const std::string& key : want) index->erase(kBucket, key);
  ASSERT_TRUE(index->flush().ok());
  EXPECT_EQ(list(*index, {}), std::vector<std::string>{});
  EXPECT_EQ(index->counters(), BucketCounters{});
}

TEST_F(IndexTest, ErasesABucketAndOnlyIt) {
  auto index = open();
  for (int i = 0; i < 100; ++i) {
    index->put(kBucket, std::string(600, 'x') + std::to_string(i), record(1));
    index->put({8}, std::to_string(i), record(1));
  }
  index->erase_bucket(kBucket);
  ASSERT_TRUE(index->flush().ok());
  EXPECT_EQ(list(*index, {}), std::vector<std::string>{});
  EXPECT_EQ(index->counters(), (BucketCounters{100, 100}));
}

TEST_F(IndexTest, IsBelievedOnTheSameMountOrAfterACleanEnd) {
  {
    auto index = open(1);
    index->put(kBucket, "a", record(5));
    index->advance_checkpoint(77);
    ASSERT_TRUE(index->set_built().ok());
  }  // no clean mark: as after kill -9
  {
    auto index = open(1);
    EXPECT_FALSE(index->fresh());
    EXPECT_EQ(index->checkpoint(), 77u);
    EXPECT_EQ(index->counters(), (BucketCounters{1, 5}));
  }
  {
    auto index = open(2);  // another mount and no clean mark: as after power loss
    EXPECT_TRUE(index->fresh());
    EXPECT_EQ(index->checkpoint(), 0u);
    EXPECT_EQ(*index->get(kBucket, "a"), std::nullopt);
    index->put(kBucket, "b", record(6));
    ASSERT_TRUE(index->set_built().ok());
    ASSERT_TRUE(index->close_clean().ok());
  }
  {
    auto index = open(3);  // another mount, but closed cleanly
    EXPECT_FALSE(index->fresh());
    EXPECT_TRUE((*index->get(kBucket, "b")).has_value());
  }
  EXPECT_TRUE(open(4)->fresh());  // the clean mark went with the first opening
}

TEST_F(IndexTest, AnIndexThatWasNotFinishedBeginsAfresh) {
  open(1)->put(kBucket, "a", record(5));
  EXPECT_TRUE(open(1)->fresh());
}

TEST_F(IndexTest, TheCheckpointNeverComesWithoutTheUpdatesBeforeIt) {
  auto index = open();
  for (int i = 1; i <= 2000; ++i) {
    index->put(kBucket, std::to_string(i), record(1));
    index->advance_checkpoint(static_cast<Lsn>(i));
    const Lsn seen = index->checkpoint();
    ASSERT_GE(index->counters().objects, seen);
  }
  ASSERT_TRUE(index->flush().ok());
  EXPECT_EQ(index->checkpoint(), 2000u);
}

TEST_F(IndexTest, ListsWhileOthersWrite) {
  auto index = open();
  for (int i = 0; i < 1000; ++i) index->put(kBucket, "stays/" + std::to_string(i), record(1));
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      const std::string key = "stays/" + std::to_string(i % 500) + "x";
      if (i % 2 == 0) {
        index->put(kBucket, key, record(2));
      } else {
        index->erase(kBucket, key);
      }
    }
  });
  for (int i = 0; i < 20; ++i) {
    std::size_t stayed = 0;
    std::string before;
    for (const std::string& key : list(*index, {.prefix = "stays/", .limit = 100})) {
      EXPECT_LT(before, key);
      before = key;
      if (!key.ends_with('x')) ++stayed;
    }
    EXPECT_EQ(stayed, 1000u);
  }
  stop = true;
  writer.join();
}

TEST(IndexRecord, LeavesOutWhatIsLongAndSaysSo) {
  StoredMeta meta{.bucket = kBucket, .key = "k", .level = Durability::kFull};
  meta.info.etag = "etag";
  meta.info.posix = PosixAttrs{.mode = 0100644};
  meta.info.user = {{"a", "b"}};
  const IndexRecord whole = index_record_of(meta, true);
  EXPECT_TRUE(whole.complete && whole.escaped);
  EXPECT_EQ(whole.info, meta.info);
  EXPECT_EQ(*decode_index_record(encode_index_record(whole)), whole);

  meta.info.part_sizes.assign(10000, 5);
  meta.info.xattrs = {{"user.big", std::string(60000, 'x')}};
  meta.reference = Reference{std::string(1024, 'r'), {1, 2, 3}};
  const IndexRecord part = index_record_of(meta, false);
  EXPECT_FALSE(part.complete);
  EXPECT_EQ(part.kind, IndexRecord::Kind::kReference);
  EXPECT_EQ(part.reference, meta.reference);
  EXPECT_EQ(part.info.etag, "etag");
  EXPECT_EQ(part.info.user, meta.info.user);
  EXPECT_LT(encode_index_record(part).size(), 2100u);
  for (std::size_t n = 0; n < 100; ++n) {
    EXPECT_FALSE(decode_index_record(encode_index_record(whole).substr(0, n)).ok());
  }
}

}  // namespace
}  // namespace aisfs::store
