// SPDX-License-Identifier: MIT
#include "common/s3/cors.h"

#include <gtest/gtest.h>

namespace aisfs::s3 {
namespace {

std::string rule(const std::string& inside) {
  return "<CORSConfiguration><CORSRule>" + inside + "</CORSRule></CORSConfiguration>";
}
constexpr const char* kGet = "<AllowedMethod>GET</AllowedMethod>";

TEST(Cors, AConfigurationGoesBothWays) {
  const auto rules = parse_cors_xml(
      rule("<ID>i</ID><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>"
           "<AllowedOrigin>https://*.example</AllowedOrigin><AllowedHeader>x-*</AllowedHeader>"
           "<MaxAgeSeconds>30</MaxAgeSeconds><ExposeHeader>ETag</ExposeHeader>"));
  ASSERT_TRUE(rules.ok()) << rules.error().what();
  EXPECT_EQ(*parse_cors_xml(format_cors_xml(*rules)), *rules);
  EXPECT_EQ(rules->front().max_age_s, 30u);
}

TEST(Cors, WhatIsNoConfigurationIsRefused) {
  const std::string origin = "<AllowedOrigin>*</AllowedOrigin>";
  for (const std::string& bad :
       {std::string(), std::string("<Other/>"), std::string("<CORSConfiguration/>"), rule(kGet),
        rule(origin), rule(origin + "<AllowedMethod>PATCH</AllowedMethod>"),
        rule(std::string(kGet) + "<AllowedOrigin>*.a.*</AllowedOrigin>"),
        rule(kGet + origin + "<MaxAgeSeconds>soon</MaxAgeSeconds>")}) {
    EXPECT_FALSE(parse_cors_xml(bad).ok()) << bad;
  }
}

TEST(Cors, TheFirstRuleThatLetsInAnswers) {
  const CorsRules rules = {
      {.id = {}, .origins = {"start*end"}, .methods = {"GET"}, .headers = {}, .expose = {"ETag"}},
      {.id = {}, .origins = {"*"}, .methods = {"PUT"}, .headers = {"X-Amz-*"}, .max_age_s = 9}};
  const auto get = cors_fields(rules, {.origin = "start-and-end", .method = "GET", .headers = {}});
  ASSERT_TRUE(get);
  EXPECT_EQ(get->get("Access-Control-Allow-Origin"), "start-and-end");
  EXPECT_EQ(get->get("Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(get->get("Access-Control-Expose-Headers"), "ETag");
  EXPECT_FALSE(cors_fields(rules, {.origin = "starend", .method = "GET", .headers = {}}));
  EXPECT_FALSE(cors_fields(rules, {.origin = "startend", .method = "POST", .headers = {}}));
  const auto put =
      cors_fields(rules, {.origin = "any", .method = "PUT", .headers = {"x-amz-date"}});
  ASSERT_TRUE(put);
  EXPECT_EQ(put->get("Access-Control-Allow-Origin"), "*");
  EXPECT_FALSE(put->has("Access-Control-Allow-Credentials"));
  EXPECT_EQ(put->get("Access-Control-Allow-Headers"), "x-amz-date");
  EXPECT_EQ(put->get("Access-Control-Max-Age"), "9");
  EXPECT_FALSE(cors_fields(rules, {.origin = "any", .method = "PUT", .headers = {"cookie"}}));
}

}  // namespace
}  // namespace aisfs::s3
