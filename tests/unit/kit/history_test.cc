// SPDX-License-Identifier: MIT
#include "tests/kit/history/history.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/kit/history/history_file.h"
#include "tests/kit/history/jepsen_log.h"

namespace aisfs::tests::history {
namespace {

TEST(History, RecordsRequestAndReplyWithTheirTimes) {
  std::int64_t now = 100;
  History history([&] { return now; });
  const auto id = history.begin({.client = 3, .kind = OpKind::kPut, .key = "k", .value = {7}});
  now = 140;
  history.end(id, {.outcome = Outcome::kOk, .version = {1, 2, 3}});
  const Operations operations = history.operations();
  ASSERT_EQ(operations.size(), 1u);
  EXPECT_EQ(to_line(operations[0]), "100 140 3 put k ok value=7 version=1.2.3");
}

TEST(History, WhatIsUnknownOrNeverEndsStaysOpen) {
  std::int64_t now = 5;
  History history([&] { return now; });
  const auto id = history.begin({.kind = OpKind::kDelete, .key = "k"});
  history.begin({.kind = OpKind::kGet, .key = "k"});
  now = 9;
  history.end(id, {.outcome = Outcome::kUnknown});
  for (const Operation& op : history.operations()) EXPECT_EQ(op.returned, kNever);
}

TEST(History, ManyThreadsRecordEachOperationOnce) {
  History history;
  const auto record = [&](std::uint32_t client) {
    for (std::uint64_t i = 1; i <= 1000; ++i) {
      const auto id = history.begin({.client = client, .kind = OpKind::kPut, .value = {i}});
      history.end(id, {.outcome = Outcome::kOk});
    }
  };
  std::vector<std::jthread> threads;
  for (std::uint32_t client = 0; client < 4; ++client) threads.emplace_back(record, client);
  threads.clear();
  std::vector<std::uint64_t> last(4);
  for (const Operation& op : history.operations()) {
    EXPECT_EQ(op.value.value, ++last[op.client]);
    EXPECT_GE(op.returned, op.invoked);
  }
  EXPECT_EQ(last, (std::vector<std::uint64_t>{1000, 1000, 1000, 1000}));
}

TEST(HistoryFile, EveryFieldComesBack) {
  const Operations operations{
      {.invoked = 1,
       .returned = 2,
       .client = 3,
       .kind = OpKind::kPutIfMatch,
       .key = "a b/\n%,=\"",
       .outcome = Outcome::kConflict,
       .value = {4},
       .version = {5, 6, 7},
       .if_value = {8},
       .if_version = {9, 10, 11}},
      {.invoked = -4, .client = 9, .kind = OpKind::kDelete, .key = "k"},
      {.invoked = 12,
       .returned = 13,
       .kind = OpKind::kList,
       .key = "",
       .outcome = Outcome::kOk,
       .listing = 14,
       .after = "x y",
       .entries = {"z,1", "z 2"},
       .last = true},
  };
  const auto back = parse_text(to_text(operations));
  ASSERT_TRUE(back) << back.error().what();
  EXPECT_EQ(*back, operations);
}

TEST(HistoryFile, ASavedHistoryLoads) {
  const std::string path = testing::TempDir() + "aisfs_history_test";
  const Operations operations{{.invoked = 1, .kind = OpKind::kPut, .key = "k", .value = {1}}};
  ASSERT_TRUE(save(path, operations));
  const auto back = load(path);
  ASSERT_TRUE(back) << back.error().what();
  EXPECT_EQ(*back, operations);
  std::remove(path.c_str());
  EXPECT_FALSE(load(path));
}

TEST(HistoryFile, CommentsAndEmptyLinesAreSkipped) {
  const auto back = parse_text("aisfs-history 1\n# seed 7\n\n1 - 2 delete k unknown\n");
  ASSERT_TRUE(back) << back.error().what();
  EXPECT_EQ(back->size(), 1u);
}

TEST(HistoryFile, AWrongLineIsNamed) {
  const std::string header(kHistoryHeader);
  EXPECT_FALSE(parse_text("1 2 3 get k absent\n"));
  for (const char* line : {
           "1 2 3 get k",                       // too short
           "1 2 3 grab k ok value=1",           // no such kind
           "1 2 3 get k fine value=1",          // no such outcome
           "x 2 3 get k absent",                // no time
           "3 2 3 get k absent",                // returns before it begins
           "1 2 3 get k unknown",               // unknown, and yet it returned
           "1 - 3 get k absent",                // certain, and yet it did not
           "1 2 3 get k ok",                    // nothing was seen
           "1 2 3 put k ok value=seven",        // no number
           "1 2 3 put k ok value=7 colour=2",   // no such field
           "1 2 3 put k ok value=7 version=1",  // no version
       }) {
    const auto back = parse_text(header + "\n1 2 3 get k absent\n" + line + "\n");
    ASSERT_FALSE(back) << line;
    EXPECT_TRUE(back.error().what().starts_with("line 3: ")) << back.error().what();
  }
}

TEST(JepsenLog, EachEndHasItsMeaning) {
  const auto operations = parse_jepsen_log(
      "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n"
      "INFO  jepsen.util - 1   :invoke :write  0\n"
      "INFO  jepsen.util - 0\t:ok\t:read\tnil\n"
      "INFO  jepsen.util - 1\t:ok\t:write\t0\n"
      "INFO  jepsen.util - :nemesis\t:info\t:start\tnil\n"
      "INFO  jepsen.util - 2\t:invoke\t:cas\t[0 3]\n"
      "INFO  jepsen.util - 2\t:fail\t:cas\t[0 3]\n"
      "INFO  jepsen.util - 2\t:invoke\t:cas\t[0 4]\n"
      "INFO  jepsen.util - 2\t:info\t:cas\t:timed-out\n"
      "INFO  jepsen.util - 3\t:invoke\t:read\tnil\n"
      "INFO  jepsen.util - 3\t:fail\t:read\t:timed-out\n"
      "INFO  jepsen.util - 4\t:invoke\t:read\tnil\n"
      "INFO  jepsen.util - 4\t:ok\t:read\t4\n");
  ASSERT_TRUE(operations) << operations.error().what();
  EXPECT_EQ(to_text(*operations),
            "aisfs-history 1\n"
            "1 3 0 get register absent\n"
            "2 4 1 put register ok value=1\n"
            "6 7 2 put-if-match register conflict value=4 if-value=1\n"
            "8 - 2 put-if-match register unknown value=5 if-value=1\n"
            "10 11 3 get register failed\n"
            "12 13 4 get register ok value=5\n");
}

TEST(JepsenLog, WhatItCannotReadIsAnError) {
  EXPECT_FALSE(parse_jepsen_log("INFO  jepsen.util - 1\t:ok\t:read\tnil\n"));
  EXPECT_FALSE(parse_jepsen_log("INFO  jepsen.util - 1\t:invoke\t:append\t1\n"));
}

}  // namespace
}  // namespace aisfs::tests::history
