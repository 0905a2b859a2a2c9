// SPDX-License-Identifier: MIT
#include "common/http/range.h"

#include <gtest/gtest.h>

namespace aisfs::http {
namespace {

using Kind = RangeRequest::Kind;

TEST(Range, APartIsCutToTheSize) {
  struct Row {
    const char* header;
    std::uint64_t offset, length;
  };
  for (const Row& row : {Row{"bytes=0-0", 0, 1}, Row{"bytes=0-99", 0, 10}, Row{"bytes=3-", 3, 7},
                         Row{"bytes=9-9", 9, 1}, Row{"bytes=-4", 6, 4}, Row{"bytes=-40", 0, 10},
                         Row{" Bytes= 2-3 ", 2, 2}, Row{"bytes=1-99999999999999999999", 1, 9}}) {
    const RangeRequest range = parse_range(row.header, 10);
    EXPECT_EQ(range.kind, Kind::kPart) << row.header;
    EXPECT_EQ(range.part, (ByteRange{row.offset, row.length})) << row.header;
  }
}

TEST(Range, PastTheEndIsUnsatisfiable) {
  for (const char* header : {"bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999-"}) {
    EXPECT_EQ(parse_range(header, 10).kind, Kind::kUnsatisfiable) << header;
  }
  EXPECT_EQ(parse_range("bytes=0-", 0).kind, Kind::kUnsatisfiable);
  EXPECT_EQ(parse_range("bytes=-1", 0).kind, Kind::kUnsatisfiable);
}

TEST(Range, WhatIsNotOneRangeMeansTheWhole) {
  for (const char* header : {"", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "items=0-1",
                             "bytes=0-1,3-4", "bytes=0x1-2", "bytes=--1", "bytes=+1-2", "bytes =0-1"}) {
    EXPECT_EQ(parse_range(header, 10).kind, Kind::kWhole) << header;
  }
}

TEST(Range, ContentRange) { EXPECT_EQ(content_range({0, 100}, 200), "bytes 0-99/200"); }

}  // namespace
}  // namespace aisfs::http
