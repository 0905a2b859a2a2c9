// SPDX-License-Identifier: MIT
#include "node/store/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "common/base/hash.h"
#include "node/store/log_records.h"
#include "tests/kit/golden.h"
#include "tests/unit/node/store/temp_dir.h"

namespace aisfs::store {
namespace {

class LogTest : public ::testing::Test {
 protected:
  std::unique_ptr<Log> open(std::uint64_t segment_bytes = 1 << 20) {
    auto log = Log::open({.root = dir_.root(), .segment_bytes = segment_bytes});
    EXPECT_TRUE(log.ok()) << log.error().what();
    return std::move(*log);
  }
  static std::vector<std::string> payloads(const Log& log, Lsn from = 0) {
    std::vector<std::string> out;
    const auto add = [&](const LogRecord& r) {
      out.emplace_back(r.payload);
      return Status{};
    };
    EXPECT_TRUE(log.replay(from, add).ok());
    return out;
  }
  std::vector<std::filesystem::path> segments() const {
    std::vector<std::filesystem::path> out;
    for (const auto& f : std::filesystem::directory_iterator(dir_.path() + "/%log")) {
      out.push_back(f.path());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  TempDir dir_;
};

TEST_F(LogTest, GivesBackWhatWasFlushedInOrder) {
  Lsn second = 0;
  {
    auto log = open();
    EXPECT_EQ(log->end(), 0u);
    log->append(LogType::kTombstone, "one");
    second = log->end();
    log->append(LogType::kReference, "two");
    ASSERT_TRUE(log->flush(log->append(LogType::kPublishIntent, "three")).ok());
    EXPECT_EQ(payloads(*log), (std::vector<std::string>{"one", "two", "three"}));
  }
  auto log = open();
  EXPECT_EQ(payloads(*log), (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(payloads(*log, second), (std::vector<std::string>{"two", "three"}));
  EXPECT_EQ(payloads(*log, log->end()), std::vector<std::string>{});
}

TEST_F(LogTest, WhatWasFlushedIsInTheFileThoughTheProcessDies) {
  auto log = open();
  ASSERT_TRUE(log->flush(log->append(LogType::kTombstone, "kept")).ok());
  log->append(LogType::kTombstone, "in the buffer");
  const auto bytes = disk::read_file(dir_.root(), "%log/0000000000000000.log", 1 << 20);
  EXPECT_NE(bytes->find("kept"), std::string::npos);
  EXPECT_EQ(bytes->find("in the buffer"), std::string::npos);
}

TEST_F(LogTest, ATornTailIsCutOffAtEveryByte) {
  std::vector<Lsn> ends;
  std::string whole;
  {
    auto log = open();
    for (int i = 0; i < 3; ++i) {
      ends.push_back(log->append(LogType::kTombstone, "record " + std::to_string(i)));
    }
    ASSERT_TRUE(log->sync(log->end()).ok());
    whole = *disk::read_file(dir_.root(), "%log/0000000000000000.log", 1 << 20);
  }
  const std::string path = dir_.path() + "/%log/0000000000000000.log";
  for (std::size_t cut = kLogSegmentHeaderBytes; cut <= whole.size(); ++cut) {
    ASSERT_EQ(::truncate(path.c_str(), 0), 0);
    const auto fd = disk::open_beneath(dir_.root(), "%log/0000000000000000.log", O_RDWR);
    std::string torn = whole.substr(0, cut);
    torn.resize(whole.size() + 100, '\0');  // as a file system may leave it
    ASSERT_TRUE(disk::pwrite_all(fd->get(), as_bytes(torn), 0).ok());
    auto log = open();
    const auto whole_ones = std::count_if(
        ends.begin(), ends.end(), [&](Lsn e) { return e + kLogSegmentHeaderBytes <= cut; });
    ASSERT_EQ(payloads(*log).size(), static_cast<std::size_t>(whole_ones)) << cut;
    ASSERT_TRUE(log->flush(log->append(LogType::kTombstone, "goes on")).ok());
    ASSERT_EQ(payloads(*log).back(), "goes on");
  }
}

TEST_F(LogTest, ARecordMovedElsewhereIsNoRecord) {
  std::string bytes;
  encode_record_to(bytes, 100, LogType::kTombstone, "x");
  int seen = 0;
  const auto count = [&](const LogRecord&) {
    ++seen;
    return Status{};
  };
  EXPECT_EQ(*walk_records(bytes, 100, count), 100 + bytes.size());
  EXPECT_EQ(*walk_records(bytes, 101, count), 101u);
  EXPECT_EQ(seen, 1);
}

TEST_F(LogTest, EveryFlippedBitEndsTheLog) {
  std::string good;
  encode_record_to(good, 0, LogType::kTombstone, "payload");
  const auto ignore = [](const LogRecord&) { return Status{}; };
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    EXPECT_EQ(*walk_records(bad, 0, ignore), 0u) << bit;
  }
}

TEST_F(LogTest, GoesOnInSegmentsAndCompactsThem) {
  {
    auto log = open(200);
    for (int i = 0; i < 40; ++i) {
      ASSERT_TRUE(log->flush(log->append(LogType::kTombstone, "r" + std::to_string(i))).ok());
    }
    EXPECT_GT(segments().size(), 2u);
    EXPECT_EQ(payloads(*log).size(), 40u);
    const Lsn checkpoint = log->end();
    const auto keep = [](const LogRecord& r) { return r.payload == "r3" || r.payload == "r17"; };
    ASSERT_TRUE(log->compact(checkpoint, keep).ok());
    EXPECT_GT(log->begin(), 0u);
    EXPECT_LT(payloads(*log).size(), 20u);
  }
  auto log = open(200);
  const auto left = payloads(*log);
  EXPECT_EQ(std::count(left.begin(), left.end(), "r3"), 1);
  EXPECT_EQ(std::count(left.begin(), left.end(), "r17"), 1);
  EXPECT_EQ(std::count(left.begin(), left.end(), "r39"), 1);  // of the newest segment
}

TEST_F(LogTest, ADamagedOrMissingOlderSegmentIsAnError) {
  {
    auto log = open(100);
    for (int i = 0; i < 30; ++i) {
      ASSERT_TRUE(log->flush(log->append(LogType::kTombstone, "record")).ok());
    }
  }
  const auto files = segments();
  ASSERT_GT(files.size(), 3u);
  std::filesystem::rename(files[1], dir_.path() + "/aside");
  EXPECT_EQ(Log::open({.root = dir_.root()}).error().code(), Errc::corrupt);
  std::filesystem::rename(dir_.path() + "/aside", files[1]);
  EXPECT_TRUE(Log::open({.root = dir_.root()}).ok());
  std::filesystem::resize_file(files[1], kLogSegmentHeaderBytes + 20);
  EXPECT_EQ(Log::open({.root = dir_.root()}).error().code(), Errc::corrupt);
}

TEST_F(LogTest, ASegmentWhoseMakingWasCutOffIsForgotten) {
  Lsn end = 0;
  {
    auto log = open();
    ASSERT_TRUE(log->sync(log->append(LogType::kTombstone, "kept")).ok());
    end = log->end();
  }
  const std::string name = "%log/" + to_hex(end) + ".log";
  ASSERT_TRUE(disk::open_beneath(dir_.root(), name, O_CREAT | O_RDWR).ok());
  auto log = open();
  EXPECT_EQ(payloads(*log), std::vector<std::string>{"kept"});
  EXPECT_EQ(segments().size(), 1u);
}

TEST_F(LogTest, ManyWritersShareFlushesAndSyncs) {
  auto log = open(4096);
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < 200; ++i) {
        const Lsn lsn = log->append(LogType::kTombstone, std::to_string(w));
        EXPECT_TRUE((i % 50 == 0 ? log->sync(lsn) : log->flush(lsn)).ok());
      }
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(payloads(*log).size(), 800u);
}

TEST(LogRecords, GoldenBytesDecodeForEver) {
  const TombstoneRecord tombstone{{7}, "a/b", {1, 2, 3}};
  const ReferenceRecord reference{"xattr bytes", "side bytes"};
  const PublishIntentRecord intent{{7}, "a/b", {1, 2, 3}, {1, 4, 3}, true, "%wk/1"};
  const RenameIntentRecord rename{"op", RenameIntentRecord::State::kCommitted, {7}, "a", "b",
                                  {1, 2, 3}, {1, 4, 3}, {1, 5, 3}};
  const BucketDestroyedRecord destroyed{{7}};
  const DirRenameRecord dir{"op", DirRenameRecord::State::kBegun, {7}, "a/", "b/"};

  std::string now = encode_segment_header(4096);
  Lsn at = 4096;
  const auto add = [&](LogType type, const std::string& payload) {
    const std::size_t before = now.size();
    encode_record_to(now, at, type, payload);
    at += now.size() - before;
  };
  add(LogType::kTombstone, wire::encode(tombstone));
  add(LogType::kReference, wire::encode(reference));
  add(LogType::kPublishIntent, wire::encode(intent));
  add(LogType::kRenameIntent, wire::encode(rename));
  add(LogType::kBucketDestroyed, wire::encode(destroyed));
  add(LogType::kDirRename, wire::encode(dir));

  EXPECT_EQ(golden("log.1", now), now);
  for (const char* name : {"log.1", "log.1.ais1"}) {
    const std::string old = golden(name, "");
    EXPECT_EQ(*decode_segment_header(old), 4096u);
    std::vector<std::string> found;
    const auto collect = [&](const LogRecord& r) {
      found.emplace_back(r.payload);
      return Status{};
    };
    EXPECT_EQ(*walk_records(std::string_view(old).substr(kLogSegmentHeaderBytes), 4096, collect),
              at);
    ASSERT_EQ(found.size(), 6u);
    EXPECT_EQ(*wire::decode<TombstoneRecord>(found[0]), tombstone);
    EXPECT_EQ(*wire::decode<ReferenceRecord>(found[1]), reference);
    EXPECT_EQ(*wire::decode<PublishIntentRecord>(found[2]), intent);
    EXPECT_EQ(*wire::decode<RenameIntentRecord>(found[3]), rename);
    EXPECT_EQ(*wire::decode<BucketDestroyedRecord>(found[4]), destroyed);
    EXPECT_EQ(*wire::decode<DirRenameRecord>(found[5]), dir);
  }
}

}  // namespace
}  // namespace aisfs::store
