// SPDX-License-Identifier: MIT
#include "common/client/endpoints.h"

#include <gtest/gtest.h>

namespace aisfs {
namespace {

TEST(GivenEndpoints, SayWhetherTheySpeakTls) {
  const auto plain = GivenEndpoints::parse("http://a:1,b:2");
  ASSERT_TRUE(plain.ok()) << plain.error().what();
  EXPECT_EQ(plain->nodes, (std::vector<Endpoint>{{"a", 1}, {"b", 2}}));
  EXPECT_FALSE(plain->tls);
  const auto secure = GivenEndpoints::parse("https://a:1/,https://[::1]:2");
  ASSERT_TRUE(secure.ok()) << secure.error().what();
  EXPECT_EQ(secure->nodes, (std::vector<Endpoint>{{"a", 1}, {"::1", 2}}));
  EXPECT_TRUE(secure->tls);
}

TEST(GivenEndpoints, HttpAndHttpsDoNotMix) {
  for (const char* mixed : {"http://a:1,https://b:2", "https://a:1,b:2"}) {
    const auto given = GivenEndpoints::parse(mixed);
    ASSERT_FALSE(given.ok()) << mixed;
    EXPECT_EQ(given.error(), Errc::invalid_argument);
    EXPECT_NE(given.error().what().find("do not mix"), std::string::npos);
  }
  EXPECT_FALSE(GivenEndpoints::parse("").ok());
  EXPECT_FALSE(GivenEndpoints::parse("https://a").ok());
}

}  // namespace
}  // namespace aisfs
