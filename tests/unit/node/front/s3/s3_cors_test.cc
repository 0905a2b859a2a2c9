// SPDX-License-Identifier: MIT
#include "tests/unit/node/front/s3/s3_fixture.h"

namespace aisfs::front::s3 {
namespace {

class S3CorsTest : public S3Test {
 protected:
  S3CorsTest() { put("/b-1"); }

  Response configure() {
    return put("/b-1?cors",
               "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod>"
               "<AllowedOrigin>https://*.example</AllowedOrigin></CORSRule></CORSConfiguration>");
  }
  Response anonymous(http::Method method, const std::string& target, const Headers& headers) {
    http::RequestHead head{.method = method, .target = target, .fields = {}};
    for (const auto& [name, value] : headers) head.fields.set(name, value);
    head.fields.set("Host", host());
    return raw(std::move(head));
  }
  Response preflight(const Headers& headers) {
    return anonymous(http::Method::kOptions, "/b-1/key", headers);
  }
};

TEST_F(S3CorsTest, RulesAreKeptWithTheBucket) {
  EXPECT_EQ(get("/b-1?cors").code(), "NoSuchCORSConfiguration");
  EXPECT_EQ(put("/b-1?cors", "<CORSConfiguration/>").code(), "MalformedXML");
  ASSERT_EQ(configure().status, 200);
  EXPECT_EQ(get("/b-1?cors").xml().find("CORSRule")->get("AllowedMethod"), "GET");
  EXPECT_EQ(del("/b-1?cors").status, 204);
  EXPECT_EQ(get("/b-1?cors").status, 404);
  EXPECT_EQ(get("/b-1").status, 200);
}

TEST_F(S3CorsTest, APreflightIsAnsweredByTheRulesAlone) {
  EXPECT_EQ(preflight({}).status, 400);
  EXPECT_EQ(preflight({{"Origin", "https://a.example"}}).status, 400);
  const Headers wish = {{"Origin", "https://a.example"}, {"Access-Control-Request-Method", "GET"}};
  EXPECT_EQ(preflight(wish).code(), "AccessForbidden");
  configure();
  const auto allowed = preflight(wish);
  EXPECT_EQ(allowed.status, 200);
  EXPECT_EQ(allowed.header("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(allowed.header("Access-Control-Allow-Methods"), "GET");
  Headers more = wish;
  more["Access-Control-Request-Headers"] = "x-amz-date";
  EXPECT_EQ(preflight(more).status, 403);
  more = wish;
  more["Access-Control-Request-Method"] = "PUT";
  EXPECT_EQ(preflight(more).status, 403);
}

TEST_F(S3CorsTest, EveryAnswerToAnAllowedOriginSaysSo) {
  configure();
  put("/b-1/key", "bytes");
  const Headers from = {{"Origin", "https://a.example"}};
  EXPECT_EQ(get("/b-1/key", from).header("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(get("/b-1/none", from).header("Access-Control-Allow-Origin"), "https://a.example");
  const auto refused = anonymous(http::Method::kGet, "/b-1/key", from);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.header("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_FALSE(get("/b-1/key").fields.has("Access-Control-Allow-Origin"));
  const auto other = get("/b-1/key", {{"Origin", "https://evil"}});
  EXPECT_EQ(other.body, "bytes");
  EXPECT_FALSE(other.fields.has("Access-Control-Allow-Origin"));
}

}  // namespace
}  // namespace aisfs::front::s3
