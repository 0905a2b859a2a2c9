// SPDX-License-Identifier: MIT
// Which files an overwrite may write into, and which it must leave alone.
#include <fcntl.h>
#include <unistd.h>

#include <thread>

#include "common/base/unique_fd.h"
#include "node/store/open_files.h"
#include "node/store/spare_files.h"
#include "tests/unit/node/store/store_fixture.h"

namespace aisfs::store {
namespace {

TEST(SpareFiles, ServesItsBucketWithAFileOfAboutTheSize) {
  SpareFiles spares;
  EXPECT_TRUE(spares.give({BucketId{1}, "a", 4096}).empty());
  EXPECT_TRUE(spares.give({BucketId{1}, "b", 5000}).empty());
  EXPECT_FALSE(spares.take(BucketId{2}, 4096));
  EXPECT_FALSE(spares.take(BucketId{1}, 100'000));
  EXPECT_FALSE(spares.take(BucketId{1}, 100));
  EXPECT_EQ(spares.take(BucketId{1}, 4096)->path, "b");  // the newest: its pages are in memory
  EXPECT_EQ(spares.take(BucketId{1}, 4096)->path, "a");
  EXPECT_FALSE(spares.take(BucketId{1}, 4096));
}

TEST(SpareFiles, IsBoundedInFilesAndBytes) {
  SpareFiles spares;
  for (std::size_t i = 0; i < SpareFiles::kFilesMax; ++i) {
    EXPECT_TRUE(spares.give({BucketId{1}, std::to_string(i), 1}).empty());
  }
  const auto gone = spares.give({BucketId{1}, "more", 1});
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].path, "0");
  EXPECT_EQ(spares.give({BucketId{1}, "huge", SpareFiles::kBytesMax + 1}).at(0).path, "huge");
  EXPECT_EQ(spares.give({BucketId{1}, "big", SpareFiles::kBytesMax}).size(), SpareFiles::kFilesMax);
  EXPECT_EQ(spares.take_all().size(), 1U);
}

class Overwrite : public StoreTest {
 protected:
  std::string path_of(const std::string& name) const {
    const std::string m1 = dir_ + "/m1/@ais/b/%ob/" + name;
    return std::filesystem::exists(m1) ? m1 : dir_ + "/m2/@ais/b/%ob/" + name;
  }
  /// The file that the name has now; while it is open its inode stands for nothing else.
  UniqueFd file_of(const std::string& name) const {
    return UniqueFd(::open(path_of(name).c_str(), O_RDONLY | O_CLOEXEC));
  }
  static std::string content_of(const UniqueFd& fd) {
    std::string text(100, '\0');
    const ssize_t n = ::pread(fd.get(), text.data(), text.size(), 0);
    text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return text;
  }
};

TEST_F(Overwrite, AReplacedFileHoldsTheNextVersion) {
  ASSERT_TRUE(put("x", "version 1").ok());
  const UniqueFd first = file_of("x");
  ASSERT_TRUE(put("x", "version 2").ok());
  EXPECT_EQ(content_of(first), "version 1");
  ASSERT_TRUE(put("x", "shorter").ok());
  EXPECT_EQ(content_of(first), "shorter");
  EXPECT_EQ(*get("x"), "shorter");
  restart_without_index();
  EXPECT_EQ(*get("x"), "shorter");
}

TEST_F(Overwrite, AFileWithReadersIsLeftToThem) {
  StoreOptions few = options();
  few.open_files = 0;
  store_.reset();
  store_ = std::make_unique<Store>(few, clock_);
  ASSERT_TRUE(store_->open().ok());
  ASSERT_TRUE(put("x", "version 1").ok());
  GetOptions all;
  auto stream = run(store_->open_object(key("x"), std::move(all), VerifyRead::kNever));
  ASSERT_TRUE(stream.ok());
  for (int i = 0; i < 100; ++i) {  // push its file out of the cache
    ASSERT_TRUE(put("y", "another").ok());
    ASSERT_EQ(*get("y"), "another");
  }
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(put("x", "version " + std::to_string(i + 2)).ok());
  EXPECT_EQ(*run(read_all(*stream->body, 100)), "version 1");
  EXPECT_EQ(*get("x"), "version 4");
}

TEST_F(Overwrite, AFileThatWasReadIsNotWrittenIntoWhenItsReaderIsGone) {
  StoreOptions few = options();
  few.open_files = 0;  // nothing but the reader itself keeps it open
  store_.reset();
  store_ = std::make_unique<Store>(few, clock_);
  ASSERT_TRUE(store_->open().ok());
  ASSERT_TRUE(put("x", "version 1").ok());
  ASSERT_EQ(*get("x"), "version 1");  // its pages may still wait in a socket
  const UniqueFd first = file_of("x");
  for (int i = 2; i < 5; ++i) ASSERT_TRUE(put("x", "version " + std::to_string(i)).ok());
  EXPECT_EQ(content_of(first), "version 1");
}

TEST(ReadPins, RemembersWhoWasReadWithinABound) {
  ReadPins pins;
  constexpr std::uint64_t kMany = 200'000;
  for (std::uint64_t i = 1; i <= kMany; ++i) { const auto pin = pins.pin({1, i * 2, 1}); }
  for (std::uint64_t i = 1; i <= kMany; i += 100) EXPECT_TRUE(pins.was_read({1, i * 2, 1}));
  EXPECT_FALSE(pins.was_read({1, kMany * 2 + 1, 1}));
  pins.assume_read(kMany * 3);
  EXPECT_TRUE(pins.was_read({1, kMany * 2 + 1, 1}));
}

TEST_F(Overwrite, WhatWasSyncedStaysUntilItsSuccessorIs) {
  ASSERT_TRUE(put("x", "version 1").ok());
  const UniqueFd synced = file_of("x");
  ASSERT_TRUE(run(store_->sync(key("x"))).ok());
  ASSERT_TRUE(put("x", "version 2").ok());
  ASSERT_TRUE(put("x", "version 3").ok());
  EXPECT_EQ(content_of(synced), "version 1");
}

TEST_F(Overwrite, AFileThatWasReplacedDurablyHoldsTheNextVersion) {
  level_ = Durability::kFull;
  ASSERT_TRUE(put("x", "version 1").ok());
  const UniqueFd first = file_of("x");
  ASSERT_TRUE(put("x", "version 2").ok());
  EXPECT_EQ(content_of(first), "version 1");
  ASSERT_TRUE(put("x", "shorter").ok());
  EXPECT_EQ(content_of(first), "shorter");
  level_ = Durability::kData;  // its name may be lost, and then the old one counts
  const UniqueFd third = file_of("x");
  ASSERT_TRUE(put("x", "version 4").ok());
  ASSERT_TRUE(put("x", "version 5").ok());
  EXPECT_EQ(content_of(third), "shorter");
}

TEST_F(Overwrite, WhatWasPublishedDurablyOrBeforeTheStartIsNotWrittenInto) {
  level_ = Durability::kFull;
  ASSERT_TRUE(put("full", "version 1").ok());
  const UniqueFd full = file_of("full");
  level_ = Durability::kNone;
  ASSERT_TRUE(put("earlier", "version 1").ok());
  const UniqueFd earlier = file_of("earlier");
  ASSERT_TRUE(put("full", "version 2").ok());
  restart_cleanly();
  for (const char* name : {"full", "earlier"}) {
    for (int i = 3; i < 6; ++i) ASSERT_TRUE(put(name, "version " + std::to_string(i)).ok());
  }
  EXPECT_EQ(content_of(full), "version 1");
  EXPECT_EQ(content_of(earlier), "version 1");
}

TEST_F(Overwrite, ReadersAndWritersOfOneNameNeverMix) {
  const auto body = [](int i) { return std::string(20'000 + i % 3 * 5'000, static_cast<char>('a' + i % 26)); };
  ASSERT_TRUE(put("x", body(0)).ok());
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0, reads = 0;
  std::thread reader([&] {
    while (!done || reads < 20) {
      const auto text = get("x");
      ++reads;
      const bool whole = text.ok() && !text->empty() &&
                         text->find_first_not_of(text->front()) == std::string::npos;
      if (!whole) ++torn;
    }
  });
  for (int i = 1; i < 600; ++i) ASSERT_TRUE(put("x", body(i)).ok());
  done = true;
  reader.join();
  EXPECT_EQ(torn, 0);
}

TEST_F(Overwrite, AHotReadFollowsTheName) {
  const GetOptions all;
  const auto hot = [&]() -> std::string {
    auto stream = store_->open_now(key("x"), all, VerifyRead::kFirst);
    return stream ? *run(read_all(*stream->body, 100)) : "ask get";
  };
  EXPECT_EQ(hot(), "ask get");
  ASSERT_TRUE(put("x", "version 1").ok());
  EXPECT_EQ(hot(), "ask get");
  EXPECT_EQ(*get("x"), "version 1");
  EXPECT_EQ(hot(), "version 1");
  const GetOptions pinned{.version = head("x")->content_version};
  EXPECT_TRUE(store_->open_now(key("x"), pinned, VerifyRead::kFirst));
  ASSERT_TRUE(put("x", "version 2").ok());
  EXPECT_EQ(hot(), "ask get");
  EXPECT_EQ(*get("x"), "version 2");
  EXPECT_EQ(hot(), "version 2");
  EXPECT_FALSE(store_->open_now(key("x"), pinned, VerifyRead::kFirst));
  AttrChange change{.mode = 0100600};
  ASSERT_TRUE(run(store_->set_attrs(key("x"), change, {}, level_)).ok());
  EXPECT_EQ(hot(), "ask get");  // what is open has the old attributes
  ASSERT_TRUE(remove("x").ok());
  EXPECT_EQ(hot(), "ask get");
}

}  // namespace
}  // namespace aisfs::store
