// SPDX-License-Identifier: MIT
#include "tests/unit/node/front/s3/s3_fixture.h"

namespace aisfs::front::s3 {
namespace {

std::vector<std::string> all(const aisfs::s3::XmlNode& root,
                             std::string_view element,
                             std::string_view child) {
  std::vector<std::string> out;
  for (const auto& node : root.children) {
    if (node.name == element) out.emplace_back(node.get(child));
  }
  return out;
}
using Names = std::vector<std::string>;

class S3ListTest : public S3Test {
 protected:
  S3ListTest() {
    put("/b-1");
    for (const char* key : {"asdf", "boo/bar", "boo/baz/xyzzy", "cquux/bla", "cquux/thud"}) {
      put("/b-1/" + std::string(key), "x");
    }
  }
};

TEST_F(S3ListTest, VersionOneRollsUpAndPages) {
  const auto first = get("/b-1?delimiter=/&max-keys=2").xml();
  EXPECT_EQ(all(first, "Contents", "Key"), Names{"asdf"});
  EXPECT_EQ(all(first, "CommonPrefixes", "Prefix"), Names{"boo/"});
  EXPECT_EQ(first.get("IsTruncated"), "true");
  EXPECT_EQ(first.get("NextMarker"), "boo/");
  const auto second = get("/b-1?delimiter=/&max-keys=2&marker=boo/").xml();
  EXPECT_EQ(all(second, "CommonPrefixes", "Prefix"), Names{"cquux/"});
  EXPECT_EQ(second.get("IsTruncated"), "false");
  EXPECT_EQ(second.find("NextMarker"), nullptr);
  EXPECT_EQ(get("/b-1").xml().children.back().find("Owner")->get("DisplayName"), "The alice");
}

TEST_F(S3ListTest, VersionTwoGoesOnWithATokenAndShowsOwnersOnRequest) {
  Names keys;
  std::string token;
  do {
    const auto page =
        get("/b-1?list-type=2&max-keys=2" + (token.empty() ? "" : "&continuation-token=" + token))
            .xml();
    for (auto& key : all(page, "Contents", "Key")) keys.push_back(key);
    token = page.get("NextContinuationToken");
    EXPECT_EQ(page.children.back().find("Owner"), nullptr);
  } while (!token.empty());
  EXPECT_EQ(keys, (Names{"asdf", "boo/bar", "boo/baz/xyzzy", "cquux/bla", "cquux/thud"}));
  const auto owned = get("/b-1?list-type=2&fetch-owner=true&start-after=boo/bar").xml();
  EXPECT_EQ(owned.get("KeyCount"), "3");
  EXPECT_EQ(owned.get("StartAfter"), "boo/bar");
  EXPECT_NE(owned.children.back().find("Owner"), nullptr);
  const auto empty_token = get("/b-1?list-type=2&continuation-token=").xml();
  ASSERT_NE(empty_token.find("ContinuationToken"), nullptr);
  EXPECT_EQ(get("/b-1?list-type=2&continuation-token=made-up").code(), "InvalidArgument");
}

TEST_F(S3ListTest, NamesAreEncodedOnRequestAndLimitsChecked) {
  put("/b-1/foo%2B1/a", "x");
  const auto page = get("/b-1?delimiter=/&encoding-type=url&prefix=foo").xml();
  EXPECT_EQ(all(page, "CommonPrefixes", "Prefix"), Names{"foo%2B1/"});
  EXPECT_EQ(page.get("EncodingType"), "url");
  EXPECT_EQ(get("/b-1?max-keys=blah").code(), "InvalidArgument");
  EXPECT_EQ(get("/b-1?max-keys=-1").code(), "InvalidArgument");
  EXPECT_EQ(get("/b-1?encoding-type=x").code(), "InvalidArgument");
  const auto none = get("/b-1?max-keys=0").xml();
  EXPECT_EQ(none.get("IsTruncated"), "false");
  EXPECT_TRUE(all(none, "Contents", "Key").empty());
}

TEST_F(S3ListTest, EveryObjectHasOneVersion) {
  const auto versions = get("/b-1?versions").xml();
  EXPECT_EQ(all(versions, "Version", "VersionId"), Names(5, "null"));
  EXPECT_EQ(del("/b-1/asdf?versionId=null").status, 204);
  EXPECT_EQ(del("/b-1/asdf?versionId=other").code(), "InvalidArgument");
}

TEST_F(S3ListTest, ManyObjectsAreDeletedAtOnce) {
  const auto answer =
      post("/b-1?delete",
           "<Delete><Object><Key>asdf</Key></Object><Object><Key>none</Key></Object>"
           "<Object><Key>boo/bar</Key><VersionId>v7</VersionId></Object></Delete>");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(all(answer.xml(), "Deleted", "Key"), (Names{"asdf", "none"}));
  EXPECT_EQ(all(answer.xml(), "Error", "Code"), Names{"InvalidArgument"});
  EXPECT_EQ(cluster_.bytes_of("b-1", "asdf"), std::nullopt);
  const auto quiet = post(
      "/b-1?delete", "<Delete><Quiet>true</Quiet><Object><Key>cquux/bla</Key></Object></Delete>");
  EXPECT_TRUE(quiet.xml().children.empty());
  EXPECT_EQ(post("/b-1?delete", "<Delete></Delete>").code(), "MalformedXML");
  EXPECT_EQ(post("/b-1?delete", "<Delete><Object><Key>a</Key></Object></Delete>",
                 {{"Content-MD5", "rL0Y20zC+Fzt72VPzMSk2A=="}})
                .code(),
            "BadDigest");
  std::string many = "<Delete>";
  for (int i = 0; i < 1001; ++i) many += "<Object><Key>k</Key></Object>";
  EXPECT_EQ(post("/b-1?delete", many + "</Delete>").code(), "MalformedXML");
}

}  // namespace
}  // namespace aisfs::front::s3
