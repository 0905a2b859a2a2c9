// SPDX-License-Identifier: MIT
// Buckets and objects through the S3 front.
#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/s3/aws_chunked.h"
#include "tests/unit/node/front/s3/s3_fixture.h"

namespace aisfs::front::s3 {
namespace {

TEST_F(S3Test, UnsignedAndBadlySignedRequestsAreRefused) {
  const auto unsigned_request = raw({.method = http::Method::kGet, .target = "/", .fields = {}});
  EXPECT_EQ(unsigned_request.status, 403);
  EXPECT_EQ(unsigned_request.code(), "AccessDenied");
  EXPECT_FALSE(unsigned_request.header("x-amz-request-id").empty());
  keys_["alice"].secret_key = "wrong-secret";
  EXPECT_EQ(get("/").code(), "SignatureDoesNotMatch");
  keys_["alice"].access_key = "AKNOBODY";
  EXPECT_EQ(get("/").code(), "InvalidAccessKeyId");
}

TEST_F(S3Test, BucketsAreMadeListedAndDestroyedByTheirOwner) {
  EXPECT_EQ(put("/bucket-a").status, 200);
  EXPECT_EQ(put("/bucket-a").status, 200);  // one's own again, as in us-east-1
  EXPECT_EQ(as("bob", http::Method::kPut, "/bucket-a").code(), "BucketAlreadyExists");
  EXPECT_EQ(put("/Bad_Name").code(), "InvalidBucketName");
  EXPECT_EQ(put("/192.168.1.1").code(), "InvalidBucketName");
  const auto list = get("/").xml();
  EXPECT_EQ(list.find("Owner")->get("DisplayName"), "The alice");
  ASSERT_EQ(list.find("Buckets")->children.size(), 1u);
  EXPECT_EQ(list.find("Buckets")->children[0].get("Name"), "bucket-a");
  EXPECT_TRUE(as("bob", http::Method::kGet, "/").xml().find("Buckets")->children.empty());
  EXPECT_EQ(head("/bucket-a").status, 200);
  EXPECT_EQ(head("/nothing").status, 404);
  EXPECT_EQ(get("/bucket-a?location").status, 200);
  EXPECT_EQ(get("/bucket-a?policy").code(), "NoSuchBucketPolicy");
  EXPECT_EQ(put("/bucket-a/k", "x").status, 200);
  EXPECT_EQ(del("/bucket-a").code(), "BucketNotEmpty");
  EXPECT_EQ(del("/bucket-a/k").status, 204);
  EXPECT_EQ(del("/bucket-a").status, 204);
  EXPECT_EQ(del("/bucket-a").code(), "NoSuchBucket");
}

TEST_F(S3Test, NobodyTouchesAnothersBucket) {
  put("/mine");
  put("/mine/k", "secret");
  as("bob", http::Method::kPut, "/his");
  for (const auto method : {http::Method::kGet, http::Method::kPut, http::Method::kDelete}) {
    EXPECT_EQ(as("bob", method, "/mine/k").code(), "AccessDenied");
    EXPECT_EQ(as("bob", method, "/mine/not-there").code(), "AccessDenied");
  }
  EXPECT_EQ(as("bob", http::Method::kGet, "/mine").code(), "AccessDenied");
  EXPECT_EQ(as("bob", http::Method::kHead, "/mine/k", {},
               {{"If-Modified-Since", "Sun, 06 Nov 2094 08:49:37 GMT"}})
                .status,
            403);
  EXPECT_EQ(as("bob", http::Method::kPut, "/his/k", {}, {{"x-amz-copy-source", "/mine/k"}}).code(),
            "AccessDenied");
  EXPECT_EQ(cluster_.bytes_of("mine", "k"), "secret");
}

TEST_F(S3Test, AnObjectComesBackWithItsMetadata) {
  put("/b-1");
  const auto stored = put("/b-1/dir/a%20b", "hello",
                          {{"Content-Type", "text/x-test"},
                           {"x-amz-meta-Color", "blue"},
                           {"Cache-Control", "no-store"},
                           {"Content-Encoding", "gzip, aws-chunked"}});
  EXPECT_EQ(stored.status, 200);
  EXPECT_EQ(stored.header("ETag"), "\"5d41402abc4b2a76b9719d911017c592\"");
  const auto back = get("/b-1/dir/a%20b");
  EXPECT_EQ(back.status, 200);
  EXPECT_EQ(back.body, "hello");
  EXPECT_EQ(back.header("ETag"), stored.header("ETag"));
  EXPECT_EQ(back.header("Content-Type"), "text/x-test");
  EXPECT_EQ(back.header("x-amz-meta-color"), "blue");
  EXPECT_EQ(back.header("Cache-Control"), "no-store");
  EXPECT_EQ(back.header("Content-Encoding"), "gzip");
  const auto headed = head("/b-1/dir/a%20b");
  EXPECT_EQ(headed.status, 200);
  EXPECT_EQ(headed.header("Content-Length"), "5");
  EXPECT_EQ(get("/b-1/none").code(), "NoSuchKey");
  EXPECT_EQ(get("/none/none").code(), "NoSuchBucket");
}

TEST_F(S3Test, PosixAttributesOfS3fsAreTakenAndShown) {
  put("/b-1");
  put("/b-1/f", "x",
      {{"x-amz-meta-mode", "33261"},
       {"x-amz-meta-uid", "5"},
       {"x-amz-meta-gid", "6"},
       {"x-amz-meta-mtime", "1700000000"}});
  const auto info = cluster_.info_of("b-1", "f");
  ASSERT_TRUE(info && info->posix);
  EXPECT_EQ(info->posix->mode, 0100755u);
  EXPECT_TRUE(info->user.empty());
  const auto headed = head("/b-1/f");
  EXPECT_EQ(headed.header("x-amz-meta-mode"), "33261");
  EXPECT_EQ(headed.header("x-amz-meta-mtime"), "1700000000.000000000");
}

TEST_F(S3Test, RangesAndOverrides) {
  put("/b-1");
  put("/b-1/k", "0123456789");
  const auto part = get("/b-1/k", {{"Range", "bytes=2-4"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.header("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(get("/b-1/k", {{"Range", "bytes=-3"}}).body, "789");
  EXPECT_EQ(get("/b-1/k", {{"Range", "bytes=7-"}}).body, "789");
  EXPECT_EQ(get("/b-1/k", {{"Range", "bytes=40-50"}}).code(), "InvalidRange");
  EXPECT_EQ(get("/b-1/k", {{"Range", "bytes=2-4"}, {"If-Range", "\"other\""}}).status, 200);
  EXPECT_EQ(get("/b-1/k?response-content-type=foo%2Fbar").header("Content-Type"), "foo/bar");
  EXPECT_EQ(get("/b-1/k?response-content-type=a%0D%0AX:y").code(), "InvalidArgument");
  EXPECT_EQ(get("/b-1/k?partNumber=1").body, "0123456789");
  EXPECT_EQ(get("/b-1/k?partNumber=2").code(), "InvalidPart");
}

TEST_F(S3Test, ConditionsOfReadsAndWrites) {
  put("/b-1");
  const std::string etag = put("/b-1/k", "one").header("ETag");
  EXPECT_EQ(get("/b-1/k", {{"If-Match", etag}}).status, 200);
  EXPECT_EQ(get("/b-1/k", {{"If-Match", "\"other\""}}).code(), "PreconditionFailed");
  const auto unchanged = get("/b-1/k", {{"If-None-Match", etag}});
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.header("ETag"), etag);
  EXPECT_EQ(get("/b-1/k", {{"If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}}).status, 412);
  EXPECT_EQ(get("/b-1/k", {{"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}}).status, 200);
  EXPECT_EQ(put("/b-1/k", "two", {{"If-None-Match", "*"}}).code(), "PreconditionFailed");
  EXPECT_EQ(put("/b-1/new", "two", {{"If-None-Match", "*"}}).status, 200);
  EXPECT_EQ(put("/b-1/k", "two", {{"If-Match", "\"other\""}}).code(), "PreconditionFailed");
  EXPECT_EQ(put("/b-1/gone", "two", {{"If-Match", "*"}}).code(), "NoSuchKey");
  EXPECT_EQ(put("/b-1/k", "two", {{"If-Match", etag}}).status, 200);
  EXPECT_EQ(del("/b-1/k", {{"If-Match", etag}}).code(), "PreconditionFailed");
  EXPECT_EQ(cluster_.bytes_of("b-1", "k"), "two");
}

TEST_F(S3Test, DigestsAreChecked) {
  put("/b-1");
  EXPECT_EQ(put("/b-1/k", "hello", {{"Content-MD5", ""}}).code(), "InvalidDigest");
  EXPECT_EQ(put("/b-1/k", "hello", {{"Content-MD5", "YWJyYWNhZGFicmE="}}).code(), "InvalidDigest");
  EXPECT_EQ(put("/b-1/k", "hello", {{"Content-MD5", "rL0Y20zC+Fzt72VPzMSk2A=="}}).code(),
            "BadDigest");
  EXPECT_EQ(put("/b-1/k", "hello", {{"Content-MD5", "XUFAKrxLKna5cZ2REBfFkg=="}}).status, 200);
  EXPECT_EQ(put("/b-1/k", "hello", {{"x-amz-checksum-sha256", "bad"}}).code(), "BadDigest");
  EXPECT_EQ(
      put("/b-1/k", "hello", {{"x-amz-checksum-crc32", "NhCmhg=="}}).header("x-amz-checksum-crc32"),
      "NhCmhg==");
  EXPECT_EQ(head("/b-1/k").header("x-amz-checksum-crc32"), "");
  EXPECT_EQ(head("/b-1/k", {{"x-amz-checksum-mode", "ENABLED"}}).header("x-amz-checksum-crc32"),
            "NhCmhg==");
  const auto part = get("/b-1/k", {{"x-amz-checksum-mode", "ENABLED"}, {"Range", "bytes=0-1"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.header("x-amz-checksum-crc32"), "");
}

TEST_F(S3Test, ABodyThatIsNotTheSignedOneIsNotStored) {
  put("/b-1");
  http::RequestHead request{.method = http::Method::kPut, .target = "/b-1/k", .fields = {}};
  ASSERT_TRUE(
      aisfs::s3::sign(request, keys_["alice"], sign_options(to_hex(as_bytes(sha256("hello")))))
          .ok());
  EXPECT_EQ(raw(request, "hellO").status, 400);
  EXPECT_EQ(cluster_.bytes_of("b-1", "k"), std::nullopt);
}

TEST_F(S3Test, ChunkedBodiesAreDecodedAndTheirTrailersChecked) {
  put("/b-1");
  for (const char* checksum : {"NhCmhg==", "AAAAAA=="}) {
    http::RequestHead request{.method = http::Method::kPut, .target = "/b-1/k", .fields = {}};
    request.fields.set("Content-Encoding", "aws-chunked");
    request.fields.set("x-amz-decoded-content-length", "5");
    request.fields.set("x-amz-trailer", "x-amz-checksum-crc32");
    ASSERT_TRUE(aisfs::s3::sign(request, keys_["alice"],
                                sign_options(std::string(aisfs::s3::kStreamingUnsignedTrailer)))
                    .ok());
    http::Fields trailers;
    trailers.add("x-amz-checksum-crc32", checksum);
    const aisfs::s3::ChunkAuth auth{.mode = aisfs::s3::ChunkAuth::Mode::kUnsignedTrailer};
    const auto answer = raw(request, aisfs::s3::encode_aws_chunked(auth, "hello", 3, trailers));
    EXPECT_EQ(answer.code(), checksum == std::string("NhCmhg==") ? "" : "BadDigest");
  }
  EXPECT_EQ(get("/b-1/k").body, "hello");
  EXPECT_EQ(head("/b-1/k").header("Content-Encoding"), "");
}

TEST_F(S3Test, PresignedRequestsWorkForTheirMethodOnly) {
  put("/b-1");
  put("/b-1/k", "hello");
  const auto url =
      *aisfs::s3::presign(http::Method::kGet, "/b-1/k", keys_["alice"], sign_options(), 60);
  EXPECT_EQ(raw({.method = http::Method::kGet, .target = url, .fields = {}}).body, "hello");
  EXPECT_EQ(raw({.method = http::Method::kDelete, .target = url, .fields = {}}).code(),
            "SignatureDoesNotMatch");
  const auto never =
      *aisfs::s3::presign(http::Method::kGet, "/b-1/k", keys_["alice"], sign_options(), 0);
  EXPECT_EQ(raw({.method = http::Method::kGet, .target = never, .fields = {}}).status, 403);
}

TEST_F(S3Test, CopiesKeepOrReplaceMetadata) {
  put("/b-1");
  put("/b-2");
  put("/b-1/src%2Bx", "data", {{"x-amz-meta-a", "1"}, {"Content-Type", "text/a"}});
  const auto copied = put("/b-2/dst", "", {{"x-amz-copy-source", "/b-1/src%2Bx"}});
  EXPECT_EQ(copied.status, 200) << copied.body;
  EXPECT_EQ(copied.xml().get("ETag"), get("/b-2/dst").header("ETag"));
  EXPECT_EQ(head("/b-2/dst").header("x-amz-meta-a"), "1");
  put("/b-2/dst", "",
      {{"x-amz-copy-source", "b-1/src%2Bx"},
       {"x-amz-metadata-directive", "REPLACE"},
       {"x-amz-meta-b", "2"}});
  EXPECT_EQ(head("/b-2/dst").header("x-amz-meta-a"), "");
  EXPECT_EQ(head("/b-2/dst").header("x-amz-meta-b"), "2");
  EXPECT_EQ(put("/b-2/dst", "", {{"x-amz-copy-source", "/b-2/dst"}}).code(), "InvalidRequest");
  EXPECT_EQ(put("/b-2/d", "", {{"x-amz-copy-source", "/b-1/none"}}).code(), "NoSuchKey");
  EXPECT_EQ(put("/b-2/d", "", {{"x-amz-copy-source", "/none/none"}}).code(), "NoSuchBucket");
  EXPECT_EQ(
      put("/b-2/d", "",
          {{"x-amz-copy-source", "/b-1/src%2Bx"}, {"x-amz-copy-source-if-match", "\"other\""}})
          .code(),
      "PreconditionFailed");
}

TEST_F(S3Test, TagsAclsAndAttributes) {
  put("/b-1");
  put("/b-1/k", "hello", {{"x-amz-tagging", "foo=bar&bar"}});
  EXPECT_EQ(head("/b-1/k").header("x-amz-tagging-count"), "2");
  const auto tags = get("/b-1/k?tagging").xml();
  ASSERT_EQ(tags.find("TagSet")->children.size(), 2u);
  EXPECT_EQ(tags.find("TagSet")->children[0].get("Key"), "bar");
  EXPECT_EQ(del("/b-1/k?tagging").status, 204);
  EXPECT_EQ(head("/b-1/k").header("x-amz-tagging-count"), "");
  EXPECT_EQ(put("/b-1/k?tagging",
                "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>")
                .status,
            200);
  EXPECT_EQ(head("/b-1/k").header("x-amz-tagging-count"), "1");
  EXPECT_EQ(get("/b-1/k?acl").xml().find("Owner")->get("ID"), "alice");
  EXPECT_EQ(put("/b-1?acl", "", {{"x-amz-acl", "public-ready"}}).code(), "InvalidArgument");
  const auto attributes =
      get("/b-1/k?attributes", {{"x-amz-object-attributes", "ETag,ObjectSize"}}).xml();
  EXPECT_EQ(attributes.get("ObjectSize"), "5");
  EXPECT_EQ(attributes.get("ETag"), "5d41402abc4b2a76b9719d911017c592");
}

TEST_F(S3Test, AClusterInTroubleIsNeverAMissingKey) {
  put("/b-1");
  cluster_.on_call([](std::string_view operation, const std::string&) {
    return operation == "get" ? Status(Errc::unreachable) : Status();
  });
  const auto answer = get("/b-1/k");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.code(), "ServiceUnavailable");
}

}  // namespace
}  // namespace aisfs::front::s3
