// SPDX-License-Identifier: MIT
#include "common/http/message.h"

#include <gtest/gtest.h>

namespace aisfs::http {
namespace {

constexpr std::int64_t kNov1994 = 784111777LL * 1'000'000'000;

TEST(Fields, NamesCompareWithoutCaseAndKeepTheirOrder) {
  Fields fields;
  fields.add("X-B", "1");
  fields.add("x-a", "2");
  fields.add("x-b", "3");
  EXPECT_EQ(fields.get("X-b"), "1");
  EXPECT_EQ(fields.count("X-B"), 2u);
  EXPECT_EQ(fields.find("x-c"), nullptr);
  fields.set("X-B", "4");
  EXPECT_EQ(fields.count("x-b"), 1u);
  EXPECT_EQ(fields.begin()->value, "4");
  fields.remove("X-A");
  EXPECT_EQ(fields.size(), 1u);
}

TEST(Target, DecodesPathAndQueryOnce) {
  const auto target = Target::parse("/b/a%252f%20+x?prefix=a%2Fb+c&uploads&empty=&prefix=2");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->raw_path, "/b/a%252f%20+x");
  EXPECT_EQ(target->path, "/b/a%2f +x");
  EXPECT_EQ(target->get("prefix"), "a/b+c");
  ASSERT_EQ(target->query.size(), 4u);
  EXPECT_FALSE(target->query[1].has_value);
  EXPECT_TRUE(target->query[2].has_value);
  EXPECT_TRUE(target->has("uploads"));
  EXPECT_FALSE(target->has("upload"));
}

TEST(Target, RefusesOtherFormsAndBadEscapes) {
  for (const char* bad : {"", "*", "http://h/p", "h:80", "/%", "/%4", "/%zz", "/?a=%g1", "/a#b"}) {
    EXPECT_FALSE(Target::parse(bad).ok()) << bad;
  }
}

TEST(Method, RoundTrips) {
  for (const char* name : {"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"}) {
    EXPECT_EQ(to_string(parse_method(name)), name);
  }
  EXPECT_EQ(parse_method("get"), Method::kOther);
}

TEST(Reason, KnowsTheOrdinaryOnes) {
  EXPECT_EQ(reason_of(100), "Continue");
  EXPECT_EQ(reason_of(206), "Partial Content");
  EXPECT_EQ(reason_of(507), "Insufficient Storage");
  EXPECT_EQ(reason_of(299), "Unknown");
  EXPECT_EQ(reason_of(999), "Unknown");
}

TEST(HttpDate, Prints) {
  EXPECT_EQ(http_date(kNov1994), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(http_date(951782400LL * 1'000'000'000), "Tue, 29 Feb 2000 00:00:00 GMT");
}

TEST(HttpDate, ReadsAllThreeForms) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), kNov1994);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), kNov1994);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), kNov1994);
}

TEST(HttpDate, RefusesEverythingElse) {
  for (const char* bad :
       {"", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMTx", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 9994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "784111777"}) {
    EXPECT_EQ(parse_http_date(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace aisfs::http
