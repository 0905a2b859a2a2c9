// SPDX-License-Identifier: MIT
#include "node/store/intent_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "node/store/log_records.h"
#include "node/store/roll_forward.h"
#include "tests/kit/golden.h"
#include "tests/unit/node/store/temp_dir.h"

namespace aisfs::store {
namespace {

Version version(std::uint64_t hlc) { return {1, hlc, 1}; }

class IntentLogTest : public ::testing::Test {
 protected:
  std::unique_ptr<IntentLog> open() {
    auto log = IntentLog::open({.root = dir_.root(), .segment_bytes = 1_MiB});
    EXPECT_TRUE(log.ok()) << log.error().what();
    return std::move(*log);
  }
  static std::vector<std::string> payloads(const IntentLog& log) {
    std::vector<std::string> out;
    const auto add = [&](const LogRecord& r) {
      out.emplace_back(r.payload);
      return Status{};
    };
    EXPECT_TRUE(log.replay(add).ok());
    return out;
  }
  static IntentLog::Ticket append(IntentLog& log, std::uint64_t hlc, const std::string& content) {
    auto ticket = log.append(LogType::kStagedPut, "", as_bytes(content), version(hlc));
    EXPECT_TRUE(ticket.ok());
    return std::move(*ticket);
  }
  /// Appends until there is no room; the number of records.
  static std::uint64_t fill(IntentLog& log,
                            std::uint64_t hlc,
                            std::vector<IntentLog::Ticket>& tickets) {
    std::uint64_t count = 0;
    for (; count < 30; ++count) {
      auto ticket = append(log, hlc + count, std::string(100'000, 'x'));
      if (!ticket.valid()) break;
      tickets.push_back(std::move(ticket));
    }
    return count;
  }

  TempDir dir_;
};

TEST_F(IntentLogTest, GivesBackWhatWasAppendedAlsoToTheNextProcess) {
  {
    auto log = open();
    EXPECT_TRUE(payloads(*log).empty());
    auto ticket = log->append(LogType::kStagedPut, "head ", as_bytes("content"), version(1));
    EXPECT_TRUE(log->append(LogType::kTombstone, "gone", {}, version(2)).ok());
    EXPECT_TRUE(log->sync().ok());
    EXPECT_TRUE(log->holds(version(1)));
  }
  auto log = open();
  EXPECT_EQ(payloads(*log), (std::vector<std::string>{"head content", "gone"}));
  EXPECT_TRUE(log->clear().ok());
  EXPECT_TRUE(payloads(*log).empty());
  EXPECT_TRUE(payloads(*open()).empty());
}

TEST_F(IntentLogTest, ATornRecordEndsItsFile) {
  {
    auto log = open();
    for (int i = 1; i < 4; ++i) append(*log, static_cast<std::uint64_t>(i), "record").settle();
  }
  const UniqueFd fd = *disk::open_beneath(dir_.root(), "%intent/0", O_RDWR);
  const std::uint64_t third = kLogSegmentHeaderBytes + 2 * (kLogRecordHeaderBytes + 6);
  ASSERT_TRUE(disk::pwrite_all(fd.get(), as_bytes("?"), third + kLogRecordHeaderBytes).ok());
  EXPECT_EQ(payloads(*open()).size(), 2U);
}

TEST_F(IntentLogTest, AFileIsWrittenOverWhenABarrierHasPassedSinceItsLastEffect) {
  auto log = open();
  std::vector<IntentLog::Ticket> tickets;
  ASSERT_EQ(fill(*log, 1, tickets), 20U) << "ten to a file, and no third file";
  EXPECT_FALSE(log->wants_barrier());
  for (std::size_t i = 0; i < 10; ++i) tickets[i].settle();
  EXPECT_TRUE(log->wants_barrier());
  EXPECT_FALSE(log->wants_barrier()) << "once is enough";
  EXPECT_FALSE(append(*log, 100, std::string(100'000, 'x')).valid()) << "no barrier yet";
  const auto settled = log->settled();
  tickets[10].settle();  // while the barrier goes on: not covered
  log->forget(settled);
  EXPECT_FALSE(log->holds(version(1)));
  EXPECT_TRUE(log->holds(version(11)));
  EXPECT_TRUE(append(*log, 100, std::string(100'000, 'n')).valid());
  const auto found = payloads(*log);
  ASSERT_EQ(found.size(), 11U) << "of the first file nothing old is left behind the new record";
  EXPECT_EQ(found[0].front(), 'n');
}

TEST_F(IntentLogTest, AnIntentIsHeldUntilABarrierThatBeganBehindItsEffect) {
  auto log = open();
  auto first = append(*log, 1, "a");
  auto second = append(*log, 2, "b");
  first.settle();
  const auto settled = log->settled();
  second.settle();
  log->forget(settled);
  EXPECT_FALSE(log->holds(version(1)));
  EXPECT_TRUE(log->holds(version(2)));
  log->forget(log->settled());
  EXPECT_TRUE(log->empty());
}

TEST_F(IntentLogTest, AVersionThatComesASecondTimeIsHeldForItself) {
  auto log = open();
  auto first = append(*log, 1, "a");
  auto second = append(*log, 1, "a");
  first.settle();
  log->forget(log->settled());
  EXPECT_TRUE(log->holds(version(1)));
  second.settle();
  log->forget(log->settled());
  EXPECT_FALSE(log->holds(version(1)));
  EXPECT_TRUE(log->empty());
}

TEST_F(IntentLogTest, WhatABarrierHasMadeDurableIsNotLookedAtAgain) {
  {
    auto log = open();
    auto first = append(*log, 1, "a");
    auto second = append(*log, 2, "b");
    auto third = append(*log, 3, "c");
    first.settle();
    third.settle();
    log->forget(log->settled());
    EXPECT_EQ(payloads(*log), (std::vector<std::string>{"b", "c"}))
        << "from the oldest that is held";
    second.settle();
    log->forget(log->settled());
    append(*log, 4, "d").settle();
  }
  EXPECT_EQ(payloads(*open()), std::vector<std::string>{"d"});
}

TEST_F(IntentLogTest, WithoutRoomThereIsNoTicket) {
  auto log = IntentLog::open({.root = dir_.root(), .segment_bytes = 0});
  ASSERT_TRUE(log.ok());
  EXPECT_FALSE(append(**log, 1, "a").valid());
  EXPECT_FALSE(append(*open(), 1, std::string(200'000, 'x')).valid()) << "too much for one record";
}

TEST_F(IntentLogTest, APutThatFailedIsNotCarriedOutTheOneBeforeItIs) {
  auto log = open();
  const auto stage = [&](std::uint64_t hlc, const std::string& work_path) {
    const StagedPutRecord record{
        .bucket = {7}, .key = "a", .content_version = version(hlc), .work_path = work_path};
    return log->append(LogType::kStagedPut, wire::encode(record), {}, version(hlc)).ok();
  };
  ASSERT_TRUE(stage(1, "") && stage(2, "%wk/1") && stage(3, ""));
  const StagedCancelledRecord failed{{7}, "a", version(3)};
  ASSERT_TRUE(log->cancel(wire::encode(failed)).ok());
  const auto sum = sum_up_intents(*log);
  ASSERT_TRUE(sum.ok());
  const auto& staged = sum->staged.at({BucketId{7}, "a"});
  EXPECT_EQ(staged.versions, (std::set<Version>{version(1), version(2)}));
  EXPECT_EQ(staged.certain, version(1)) << "the second may have no file";
}

TEST(IntentRecords, GoldenBytesDecodeForEver) {
  const StagedPutRecord inline_put{{7}, "a/b", {1, 2, 3}, "", 7, "xattr bytes", "side bytes"};
  const StagedPutRecord large_put{{7}, "a/b", {1, 3, 3}, "%wk/1"};
  const StagedCancelledRecord cancelled{{7}, "a/b", {1, 3, 3}};
  std::string now = encode_segment_header(4096);
  Lsn at = 4096;
  const auto add = [&](LogType type, const std::string& payload) {
    const std::size_t before = now.size();
    encode_record_to(now, at, type, payload);
    at += now.size() - before;
  };
  add(LogType::kStagedPut, wire::encode(inline_put) + "content");
  add(LogType::kStagedPut, wire::encode(large_put));
  add(LogType::kStagedCancelled, wire::encode(cancelled));

  const std::string old = golden("intent.1", now);
  EXPECT_EQ(old, now);
  std::vector<std::string> found;
  const auto collect = [&](const LogRecord& r) {
    found.emplace_back(r.payload);
    return Status{};
  };
  EXPECT_EQ(*walk_records(std::string_view(old).substr(kLogSegmentHeaderBytes), 4096, collect), at);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(*wire::decode<StagedPutRecord>(found[0]), inline_put);
  EXPECT_EQ(found[0].substr(*wire::envelope_size(found[0])), "content");
  EXPECT_EQ(*wire::decode<StagedPutRecord>(found[1]), large_put);
  EXPECT_EQ(*wire::decode<StagedCancelledRecord>(found[2]), cancelled);
}

TEST(IntentRecords, GoldenBytesOfTheBeginDecodeForEver) {
  const IntentsBeginRecord begin{.begin = 4096};
  const std::string now = wire::encode(begin), old = golden("intents_begin.1", now);
  EXPECT_EQ(old, now);
  EXPECT_EQ(*wire::decode<IntentsBeginRecord>(old), begin);
}

}  // namespace
}  // namespace aisfs::store
