// SPDX-License-Identifier: MIT
#include "common/base/text.h"
#include "tests/unit/node/front/s3/s3_fixture.h"

namespace aisfs::front::s3 {
namespace {

class S3MultipartTest : public S3Test {
 protected:
  S3MultipartTest() { put("/b-1"); }

  std::string begin(const std::string& key) {
    return std::string(post("/b-1/" + key + "?uploads").xml().get("UploadId"));
  }
  std::string part(const std::string& key, const std::string& id, int number, std::string body) {
    return put("/b-1/" + key + "?partNumber=" + std::to_string(number) + "&uploadId=" + id,
               std::move(body))
        .header("ETag");
  }
  Response complete(const std::string& key,
                    const std::string& id,
                    const std::vector<std::pair<int, std::string>>& parts) {
    std::string xml = "<CompleteMultipartUpload>";
    for (const auto& [number, etag] : parts) {
      xml += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" + etag +
             "</ETag></Part>";
    }
    return post("/b-1/" + key + "?uploadId=" + id, xml + "</CompleteMultipartUpload>");
  }

  const std::string big_ = std::string(5 << 20, 'a');
};

TEST_F(S3MultipartTest, PartsBecomeOneObjectAndCompletingTwiceIsFine) {
  const auto id = begin("k");
  const auto one = part("k", id, 1, big_), two = part("k", id, 2, "tail");
  const auto listed = get("/b-1/k?uploadId=" + id).xml();
  EXPECT_EQ(listed.get("NextPartNumberMarker"), "2");
  const auto done = complete("k", id, {{1, one}, {2, two}});
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_TRUE(done.xml().get("ETag").ends_with("-2\""));
  EXPECT_EQ(complete("k", id, {{1, one}, {2, two}}).status, 200);
  const auto whole = head("/b-1/k");
  EXPECT_EQ(whole.header("Content-Length"), std::to_string(big_.size() + 4));
  const auto second = get("/b-1/k?partNumber=2");
  EXPECT_EQ(second.status, 206);
  EXPECT_EQ(second.body, "tail");
  EXPECT_EQ(second.header("x-amz-mp-parts-count"), "2");
  const auto attributes = get("/b-1/k?attributes", {{"x-amz-object-attributes", "ObjectParts"},
                                                    {"x-amz-max-parts", "1"},
                                                    {"x-amz-part-number-marker", "1"}})
                              .xml();
  const auto* parts = attributes.find("ObjectParts");
  ASSERT_NE(parts, nullptr);
  EXPECT_EQ(parts->get("PartsCount"), "2");
  EXPECT_EQ(parts->get("IsTruncated"), "false");
  EXPECT_EQ(parts->find("Part")->get("Size"), "4");
}

TEST_F(S3MultipartTest, WrongCompletionsAreNamed) {
  const auto id = begin("k");
  const auto one = part("k", id, 1, "small"), two = part("k", id, 2, "small too");
  EXPECT_EQ(complete("k", id, {{1, one}, {2, two}}).code(), "EntityTooSmall");
  EXPECT_EQ(complete("k", id, {{2, two}, {1, one}}).code(), "InvalidPartOrder");
  EXPECT_EQ(complete("k", id, {{1, "\"0123456789abcdef0123456789abcdef\""}}).code(), "InvalidPart");
  EXPECT_EQ(complete("k", id, {{3, one}}).code(), "InvalidPart");
  EXPECT_EQ(complete("k", id, {}).code(), "MalformedXML");
  EXPECT_EQ(complete("k", "nothing", {{1, one}}).code(), "NoSuchUpload");
  EXPECT_EQ(put("/b-1/k?partNumber=0&uploadId=" + id).code(), "InvalidArgument");
  EXPECT_EQ(put("/b-1/k?partNumber=1&uploadId=nothing", "x").code(), "NoSuchUpload");
}

TEST_F(S3MultipartTest, UploadsAreListedAndAborted) {
  const auto id = begin("dir/one");
  begin("two");
  const auto list = get("/b-1?uploads&delimiter=/").xml();
  EXPECT_EQ(list.find("Upload")->get("Key"), "two");
  EXPECT_EQ(list.find("Upload")->find("Owner")->get("DisplayName"), "The alice");
  EXPECT_EQ(list.find("CommonPrefixes")->get("Prefix"), "dir/");
  const auto page = get("/b-1?uploads&max-uploads=1").xml();
  EXPECT_EQ(page.get("IsTruncated"), "true");
  EXPECT_EQ(page.get("NextKeyMarker"), "dir/one");
  EXPECT_EQ(page.get("NextUploadIdMarker"), id);
  EXPECT_EQ(del("/b-1/dir/one?uploadId=" + id).status, 204);
  EXPECT_EQ(del("/b-1/dir/one?uploadId=" + id).code(), "NoSuchUpload");
}

TEST_F(S3MultipartTest, PartsAreCopiedFromRangesOfObjects) {
  put("/b-1/src", "0123456789");
  const auto id = begin("k");
  const std::string target = "/b-1/k?partNumber=1&uploadId=" + id;
  const auto copied = put(
      target, "", {{"x-amz-copy-source", "/b-1/src"}, {"x-amz-copy-source-range", "bytes=2-4"}});
  EXPECT_EQ(copied.status, 200) << copied.body;
  EXPECT_EQ(complete("k", id, {{1, std::string(copied.xml().get("ETag"))}}).status, 200);
  EXPECT_EQ(get("/b-1/k").body, "234");
  for (const char* bad : {"0-2", "bytes=0", "bytes=hello-world", "bytes=0-bar", "bytes=0-2,3-5"}) {
    EXPECT_EQ(put(target, "", {{"x-amz-copy-source", "/b-1/src"}, {"x-amz-copy-source-range", bad}})
                  .code(),
              "InvalidArgument")
        << bad;
  }
  EXPECT_EQ(put(target, "",
                {{"x-amz-copy-source", "/b-1/src"}, {"x-amz-copy-source-range", "bytes=0-21"}})
                .code(),
            "InvalidRange");
  EXPECT_EQ(put(target, "", {{"x-amz-copy-source", "/b-1/none"}}).code(), "NoSuchKey");
}

TEST_F(S3Test, AnUploadIsListedAsOfWhoBeganIt) {
  ASSERT_EQ(put("/shared").status, 200);
  ASSERT_EQ(put("/shared?acl", "", {{"x-amz-acl", "public-read-write"}}).status, 200);
  ASSERT_EQ(post("/shared/a?uploads").status, 200);
  ASSERT_EQ(as("bob", http::Method::kPost, "/shared/b?uploads").status, 200);
  const auto list = as("bob", http::Method::kGet, "/shared?uploads").xml();
  std::string initiators;
  for (const auto& node : list.children) {
    if (node.name == "Upload") initiators.append(node.find("Initiator")->get("ID")).append(" ");
  }
  EXPECT_EQ(initiators, "alice bob ");
}

}  // namespace
}  // namespace aisfs::front::s3
