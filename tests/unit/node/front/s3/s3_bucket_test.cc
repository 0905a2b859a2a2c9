// SPDX-License-Identifier: MIT
// What a bucket remembers of what its owner told of it.
#include "tests/unit/node/front/s3/s3_fixture.h"

namespace aisfs::front::s3 {
namespace {

std::string create_in(const std::string& region) {
  return "<CreateBucketConfiguration><LocationConstraint>" + region +
         "</LocationConstraint></CreateBucketConfiguration>";
}

std::string tag(const std::string& key, const std::string& value) {
  return "<Tag><Key>" + key + "</Key><Value>" + value + "</Value></Tag>";
}

std::string tagging(const std::string& tags) {
  return "<Tagging><TagSet>" + tags + "</TagSet></Tagging>";
}

TEST_F(S3Test, ABucketIsWhereItWasCreated) {
  ASSERT_EQ(put("/here").status, 200);
  EXPECT_EQ(get("/here?location").xml().text, "");
  EXPECT_EQ(head("/here").header("x-amz-bucket-region"), "us-east-1");
  ASSERT_EQ(put("/there", create_in("eu-west-3")).status, 200);
  EXPECT_EQ(get("/there?location").xml().text, "eu-west-3");
  EXPECT_EQ(head("/there").header("x-amz-bucket-region"), "eu-west-3");
  ASSERT_EQ(put("/said", create_in("us-east-1")).status, 200);
  EXPECT_EQ(get("/said?location").xml().text, "");
  EXPECT_EQ(put("/nowhere", create_in("no where")).code(), "InvalidLocationConstraint");
  EXPECT_EQ(put("/nowhere", create_in(std::string(64, 'a'))).code(), "InvalidLocationConstraint");
  EXPECT_EQ(put("/nowhere", "<Other/>").code(), "MalformedXML");
}

TEST_F(S3Test, TagsOfABucketAreItsOwners) {
  ASSERT_EQ(put("/box").status, 200);
  EXPECT_EQ(get("/box?tagging").code(), "NoSuchTagSet");
  ASSERT_EQ(put("/box?tagging", tagging(tag("a b", "&amp;=x") + tag("c", ""))).status, 204);
  const auto tags = get("/box?tagging").xml().find("TagSet")->children;
  ASSERT_EQ(tags.size(), 2u);
  EXPECT_EQ(tags[0].get("Key"), "a b");
  EXPECT_EQ(tags[0].get("Value"), "&=x");
  EXPECT_EQ(tags[1].get("Key"), "c");

  ASSERT_EQ(put("/box?acl", "", {{"x-amz-acl", "public-read-write"}}).status, 200);
  EXPECT_EQ(get("/box?tagging").status, 200) << "another configuration has taken them away";
  using http::Method;
  EXPECT_EQ(as("bob", Method::kGet, "/box?tagging").code(), "AccessDenied");
  EXPECT_EQ(as("bob", Method::kPut, "/box?tagging", tagging("")).code(), "AccessDenied");
  EXPECT_EQ(as("bob", Method::kDelete, "/box?tagging").code(), "AccessDenied");

  EXPECT_EQ(del("/box?tagging").status, 204);
  EXPECT_EQ(get("/box?tagging").code(), "NoSuchTagSet");
}

TEST_F(S3Test, WhatIsNotS3sStaysWhenABucketIsConfigured) {
  ASSERT_EQ(put("/box").status, 200);
  BucketProps props = cluster_.current()->find_bucket(native_bucket("box"))->props;
  EXPECT_EQ(props.disk_copies, 1u);
  props.disk_copies = 3;
  ASSERT_TRUE(cluster_.state().set_bucket_props(native_bucket("box"), props).ok());
  ASSERT_EQ(put("/box?tagging", tagging(tag("a", "b"))).status, 204);
  ASSERT_EQ(put("/box?acl", "", {{"x-amz-acl", "public-read"}}).status, 200);
  ASSERT_EQ(put("/box?versioning",
                "<VersioningConfiguration><Status>Enabled</Status>"
                "</VersioningConfiguration>")
                .status,
            200);
  ASSERT_EQ(put("/box?cors",
                "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin>"
                "<AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>")
                .status,
            200);
  EXPECT_EQ(cluster_.current()->find_bucket(native_bucket("box"))->props.disk_copies, 3u);
}

TEST_F(S3Test, ABucketHasAtMostFiftyTags) {
  ASSERT_EQ(put("/box").status, 200);
  std::string tags;
  for (int i = 0; i < 50; ++i) tags += tag("k" + std::to_string(i), "v");
  EXPECT_EQ(put("/box?tagging", tagging(tags)).status, 204);
  EXPECT_EQ(get("/box?tagging").xml().find("TagSet")->children.size(), 50u);
  EXPECT_EQ(put("/box?tagging", tagging(tags + tag("more", "v"))).code(), "InvalidTag");
  EXPECT_EQ(put("/box?tagging", tagging(tag("k", "v") + tag("k", "w"))).code(), "InvalidTag");
  EXPECT_EQ(put("/box?tagging", "<Tagging/>").code(), "MalformedXML");
}

}  // namespace
}  // namespace aisfs::front::s3
