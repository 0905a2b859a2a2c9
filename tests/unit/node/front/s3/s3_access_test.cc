// SPDX-License-Identifier: MIT
// What is open to others than the owner, and the older and odder ways to sign.
#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/s3/date.h"
#include "common/s3/sigv2.h"
#include "tests/unit/node/front/s3/s3_fixture.h"

namespace aisfs::front::s3 {
namespace {

using http::Method;

class S3AccessTest : public S3Test {
 protected:
  S3AccessTest() { EXPECT_EQ(put("/box").status, 200); }

  Response anonymous(Method method, std::string target, std::string body = {}, Headers headers = {}) {
    http::RequestHead head{.method = method, .target = std::move(target), .fields = {}};
    head.fields.set("Host", host());
    for (const auto& [name, value] : headers) head.fields.set(name, value);
    return raw(std::move(head), std::move(body));
  }

  /// An old-style signed URL, good for so many seconds from now.
  std::string v2_url(const std::string& path, const aisfs::s3::KeyPair& keys, int seconds) {
    const std::string expires = std::to_string(clock_.unix_ns() / 1'000'000'000 + seconds);
    const http::RequestHead head{.method = Method::kGet, .target = path, .fields = {}};
    const auto target = http::Target::parse(path);
    const std::string signature = to_base64(as_bytes(aisfs::s3::hmac_sha1(
        keys.secret_key, aisfs::s3::v2_string_to_sign(head, *target, expires))));
    return path + (path.find('?') == path.npos ? "?" : "&") + "AWSAccessKeyId=" + keys.access_key +
           "&Expires=" + expires + "&Signature=" + percent_encode(signature, Slash::kEncode);
  }

  using Parts = std::vector<std::pair<std::string, std::string>>;
  static std::string form(const Parts& fields, const std::string& file) {
    std::string body;
    for (const auto& [name, value] : fields) {
      body += "--xyz\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
    }
    return body + "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.txt\"\r\n"
                  "Content-Type: text/plain\r\n\r\n" + file + "\r\n--xyz--\r\n";
  }
  Response post_form(const Parts& fields, const std::string& file) {
    return anonymous(Method::kPost, "/box", form(fields, file),
                     {{"Content-Type", "multipart/form-data; boundary=xyz"}});
  }
  /// The fields of a form that alice signs; `conditions` is the inside of the policy's list.
  Parts signed_form(const std::string& conditions, Parts fields, int seconds = 60) {
    const std::int64_t now = clock_.unix_ns();
    const std::string date = aisfs::s3::amz_date(now);
    const aisfs::s3::Scope scope{date.substr(0, 8), "us-east-1", "s3"};
    const std::string policy = to_base64(as_bytes(
        "{\"expiration\":\"" + aisfs::s3::iso_date(now + seconds * 1'000'000'000LL) +
        "\",\"conditions\":[" + conditions + "]}"));
    const auto& keys = keys_.at("alice");
    fields.emplace_back("policy", policy);
    fields.emplace_back("x-amz-algorithm", "AWS4-HMAC-SHA256");
    fields.emplace_back("x-amz-credential", keys.access_key + "/" + scope.to_string());
    fields.emplace_back("x-amz-date", date);
    fields.emplace_back("x-amz-signature",
                        to_hex(as_bytes(hmac_sha256(
                            aisfs::s3::signing_key(keys.secret_key, scope), policy))));
    return fields;
  }
};

TEST_F(S3AccessTest, NobodyIsLetInWithoutAGrant) {
  ASSERT_EQ(put("/box/o", "bytes").status, 200);
  EXPECT_EQ(anonymous(Method::kGet, "/box/o").code(), "AccessDenied");
  EXPECT_EQ(anonymous(Method::kGet, "/box/none").code(), "AccessDenied");
  EXPECT_EQ(anonymous(Method::kGet, "/box").code(), "AccessDenied");
  EXPECT_EQ(anonymous(Method::kPut, "/box/o", "x").code(), "AccessDenied");
  EXPECT_EQ(anonymous(Method::kGet, "/").code(), "AccessDenied");
  EXPECT_EQ(anonymous(Method::kGet, "/none/o").code(), "NoSuchBucket");
  EXPECT_EQ(as("bob", Method::kGet, "/box/o").code(), "AccessDenied");
  EXPECT_EQ(as("bob", Method::kDelete, "/box/o").code(), "AccessDenied");
  EXPECT_EQ(get("/box/o").body, "bytes");
}

TEST_F(S3AccessTest, AnObjectIsOpenedToReadersAlone) {
  ASSERT_EQ(put("/box/o", "bytes", {{"x-amz-acl", "public-read"}}).status, 200);
  ASSERT_EQ(put("/box/other", "secret").status, 200);
  EXPECT_EQ(anonymous(Method::kGet, "/box/o").body, "bytes");
  EXPECT_EQ(anonymous(Method::kHead, "/box/o").status, 200);
  EXPECT_EQ(as("bob", Method::kGet, "/box/o").body, "bytes");
  EXPECT_EQ(anonymous(Method::kGet, "/box/o").header("x-amz-acl"), "");
  EXPECT_EQ(anonymous(Method::kPut, "/box/o", "x").code(), "AccessDenied");
  EXPECT_EQ(anonymous(Method::kDelete, "/box/o").code(), "AccessDenied");
  EXPECT_EQ(anonymous(Method::kPut, "/box/o?acl", "", {{"x-amz-acl", "private"}}).code(), "AccessDenied");
  EXPECT_EQ(anonymous(Method::kGet, "/box/other").code(), "AccessDenied");
  EXPECT_EQ(anonymous(Method::kGet, "/box").code(), "AccessDenied");
  EXPECT_EQ(anonymous(Method::kPut, "/box/copy", "", {{"x-amz-copy-source", "/box/other"}}).code(),
            "AccessDenied");
  // Written again without saying so, or copied, it is private.
  ASSERT_EQ(put("/box/copy", "", {{"x-amz-copy-source", "/box/o"}}).status, 200);
  EXPECT_EQ(anonymous(Method::kGet, "/box/copy").code(), "AccessDenied");
  ASSERT_EQ(put("/box/o", "new").status, 200);
  EXPECT_EQ(anonymous(Method::kGet, "/box/o").code(), "AccessDenied");
}

TEST_F(S3AccessTest, ListsComeAsXmlAndAsHeaders) {
  ASSERT_EQ(put("/box/o", "bytes").status, 200);
  const std::string xml =
      "<AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Owner><ID>alice</ID>"
      "</Owner><AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
      " xsi:type=\"CanonicalUser\"><ID>alice</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>"
      "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\">"
      "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee>"
      "<Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>";
  ASSERT_EQ(put("/box/o?acl", xml).status, 200);
  EXPECT_EQ(anonymous(Method::kGet, "/box/o").body, "bytes");
  const auto list = get("/box/o?acl").xml();
  ASSERT_EQ(list.find("AccessControlList")->children.size(), 2u);
  const auto& grant = list.find("AccessControlList")->children[0];
  EXPECT_EQ(grant.find("Grantee")->get("URI"), "http://acs.amazonaws.com/groups/global/AllUsers");
  EXPECT_EQ(grant.get("Permission"), "READ");

  ASSERT_EQ(put("/box/o?acl", "", {{"x-amz-grant-read", "id=\"bob\""}}).status, 200);
  EXPECT_EQ(anonymous(Method::kGet, "/box/o").code(), "AccessDenied");
  EXPECT_EQ(as("bob", Method::kGet, "/box/o").body, "bytes");
  EXPECT_EQ(as("bob", Method::kGet, "/box/o?acl").code(), "AccessDenied");
  EXPECT_EQ(put("/box/o?acl", "", {{"x-amz-grant-read", "id=nobody"}}).code(), "InvalidArgument");
  EXPECT_EQ(put("/box/o?acl", "", {{"x-amz-acl", "wide-open"}}).code(), "InvalidArgument");
  EXPECT_EQ(put("/box/o?acl", "<AccessControlPolicy/>").code(), "MalformedACLError");
  EXPECT_EQ(put("/box/none?acl", "", {{"x-amz-acl", "private"}}).code(), "NoSuchKey");
}

TEST_F(S3AccessTest, ABucketsListOpensTheBucketAndNotWhatIsInIt) {
  ASSERT_EQ(put("/box/o", "bytes").status, 200);
  ASSERT_EQ(put("/box?acl", "", {{"x-amz-acl", "public-read"}}).status, 200);
  EXPECT_EQ(anonymous(Method::kGet, "/box").status, 200);
  EXPECT_EQ(anonymous(Method::kHead, "/box").status, 200);
  EXPECT_EQ(anonymous(Method::kGet, "/box/o").code(), "AccessDenied");
  EXPECT_EQ(anonymous(Method::kGet, "/box/none").code(), "NoSuchKey");
  EXPECT_EQ(anonymous(Method::kPut, "/box/new", "x").code(), "AccessDenied");
  EXPECT_EQ(anonymous(Method::kDelete, "/box").code(), "AccessDenied");
  ASSERT_EQ(put("/box?acl", "", {{"x-amz-acl", "public-read-write"}}).status, 200);
  EXPECT_EQ(anonymous(Method::kPut, "/box/new", "x").status, 200);
  EXPECT_EQ(get("/box/new").body, "x");
  EXPECT_EQ(anonymous(Method::kDelete, "/box/new").status, 204);
  EXPECT_EQ(anonymous(Method::kPut, "/box?acl", "", {{"x-amz-acl", "private"}}).code(), "AccessDenied");
  ASSERT_EQ(put("/box?acl", "", {{"x-amz-acl", "private"}}).status, 200);
  EXPECT_EQ(anonymous(Method::kGet, "/box").code(), "AccessDenied");
}

/// Needs a grant at both ends, and neither owner's other rights.
TEST_F(S3AccessTest, ACopyReadsAndWritesByTheSendersRights) {
  ASSERT_EQ(put("/box/open", "bytes", {{"x-amz-acl", "public-read"}, {"x-amz-meta-color", "blue"},
                                       {"content-type", "text/plain"}}).status, 200);
  ASSERT_EQ(put("/box/secret", "secret").status, 200);
  ASSERT_EQ(as("bob", Method::kPut, "/bobs").status, 200);
  const auto copy = [&](const std::string& from, std::string to) {
    return as("bob", Method::kPut, std::move(to), "", {{"x-amz-copy-source", from}});
  };
  // From another's object to a bucket of one's own.
  ASSERT_EQ(copy("/box/open", "/bobs/mine").status, 200);
  const auto got = as("bob", Method::kGet, "/bobs/mine");
  EXPECT_EQ(got.body, "bytes");
  EXPECT_EQ(got.header("x-amz-meta-color"), "blue");
  EXPECT_EQ(got.header("content-type"), "text/plain");
  EXPECT_EQ(anonymous(Method::kGet, "/bobs/mine").code(), "AccessDenied");
  EXPECT_EQ(copy("/box/secret", "/bobs/mine").code(), "AccessDenied");
  EXPECT_EQ(copy("/box/none", "/bobs/mine").code(), "AccessDenied");
  EXPECT_EQ(copy("/none/o", "/bobs/mine").code(), "NoSuchBucket");
  // Into another's bucket.
  EXPECT_EQ(copy("/bobs/mine", "/box/theirs").code(), "AccessDenied");
  ASSERT_EQ(put("/box?acl", "", {{"x-amz-grant-write", "id=bob"}}).status, 200);
  EXPECT_EQ(copy("/bobs/mine", "/box/theirs").status, 200);
  EXPECT_EQ(get("/box/theirs").body, "bytes");
  // Within it; what its owner may read does not count.
  EXPECT_EQ(copy("/box/open", "/box/again").status, 200);
  EXPECT_EQ(copy("/box/secret", "/box/again").code(), "AccessDenied");
}

TEST_F(S3AccessTest, ACopyIntoAPartReadsByTheSendersRights) {
  ASSERT_EQ(put("/box/open", "bytes", {{"x-amz-acl", "public-read"}}).status, 200);
  ASSERT_EQ(put("/box/secret", "secret").status, 200);
  ASSERT_EQ(put("/box?acl", "", {{"x-amz-acl", "public-read-write"}}).status, 200);
  const std::string id = as("bob", Method::kPost, "/box/big?uploads").xml().find("UploadId")->text;
  const auto copy = [&](const std::string& from) {
    return as("bob", Method::kPut, "/box/big?partNumber=1&uploadId=" + id, "",
              {{"x-amz-copy-source", from}});
  };
  EXPECT_EQ(copy("/box/open").status, 200);
  EXPECT_EQ(copy("/box/secret").code(), "AccessDenied");
}

TEST_F(S3AccessTest, OldSignedUrls) {
  ASSERT_EQ(put("/box/o", "bytes").status, 200);
  const auto& alice = keys_.at("alice");
  EXPECT_EQ(anonymous(Method::kGet, v2_url("/box/o", alice, 60)).body, "bytes");
  EXPECT_EQ(anonymous(Method::kGet, v2_url("/box/o?acl", alice, 60)).status, 200);
  EXPECT_EQ(anonymous(Method::kGet, v2_url("/box/o", alice, -1)).code(), "AccessDenied");
  EXPECT_EQ(anonymous(Method::kGet, v2_url("/box/o", {"AKALICE", "guessed"}, 60)).code(),
            "SignatureDoesNotMatch");
  EXPECT_EQ(anonymous(Method::kGet, v2_url("/box/o", {"AKNONE", "guessed"}, 60)).code(),
            "InvalidAccessKeyId");
  EXPECT_EQ(anonymous(Method::kGet, v2_url("/box/o", keys_.at("bob"), 60)).code(), "AccessDenied");
  EXPECT_EQ(anonymous(Method::kDelete, v2_url("/box/o", alice, 60)).code(), "SignatureDoesNotMatch");
  EXPECT_EQ(anonymous(Method::kGet, "/box/o?AWSAccessKeyId=AKALICE&Signature=x").status, 403);
}

TEST_F(S3AccessTest, AFormUploadsWhatItsPolicyAllows) {
  const std::string conditions = R"({"bucket":"box"},["starts-with","$key","up/"],{"acl":"public-read"},)"
                                 R"(["eq","$x-amz-meta-color","blue"],["content-length-range",3,8])";
  const Parts fields{{"key", "up/${filename}"}, {"acl", "public-read"}, {"x-amz-meta-color", "blue"}};
  EXPECT_EQ(post_form(signed_form(conditions, fields), "bytes").status, 204);
  const auto got = anonymous(Method::kGet, "/box/up/f.txt");
  EXPECT_EQ(got.body, "bytes");
  EXPECT_EQ(got.header("x-amz-meta-color"), "blue");
  EXPECT_EQ(got.header("content-type"), "text/plain");

  EXPECT_EQ(post_form(signed_form(conditions, fields, -1), "bytes").code(), "AccessDenied");
  EXPECT_EQ(post_form(signed_form(conditions, fields), "123456789").code(), "EntityTooLarge");
  EXPECT_EQ(post_form(signed_form(conditions, fields), "12").code(), "EntityTooSmall");
  Parts elsewhere = fields;
  elsewhere[0].second = "other";
  EXPECT_EQ(post_form(signed_form(conditions, elsewhere), "bytes").code(), "AccessDenied");
  Parts more = fields;
  more.emplace_back("x-amz-meta-size", "large");
  EXPECT_EQ(post_form(signed_form(conditions, more), "bytes").code(), "AccessDenied");
  Parts forged = signed_form(conditions, fields);
  forged.back().second = std::string(64, '0');
  EXPECT_EQ(post_form(forged, "bytes").code(), "SignatureDoesNotMatch");
  EXPECT_EQ(post_form(fields, "bytes").code(), "AccessDenied");  // without a policy
  EXPECT_EQ(get("/box/other").code(), "NoSuchKey");
}

TEST_F(S3AccessTest, AFormAnswersAsItAsksFor) {
  const std::string any = R"({"bucket":"box"},["starts-with","$key",""],)"
                          R"(["starts-with","$success_action_status",""],)"
                          R"(["starts-with","$success_action_redirect",""])";
  auto created = post_form(signed_form(any, {{"key", "a"}, {"success_action_status", "201"}}), "x");
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(created.xml().get("Key"), "a");
  auto moved = post_form(
      signed_form(any, {{"key", "a"}, {"success_action_redirect", "http://host/done"}}), "x");
  EXPECT_EQ(moved.status, 303);
  EXPECT_TRUE(moved.header("location").starts_with("http://host/done?bucket=box&key=a&etag="));
}

TEST_F(S3AccessTest, FormsAreReadStrictly) {
  const Headers type{{"Content-Type", "multipart/form-data; boundary=xyz"}};
  const auto code = [&](std::string body) {
    return anonymous(Method::kPost, "/box", std::move(body), type).code();
  };
  EXPECT_EQ(code("no form"), "MalformedPOSTRequest");
  EXPECT_EQ(code("--xyz\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk"),
            "MalformedPOSTRequest");
  EXPECT_EQ(code("--xyz\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n--xyz--\r\n"),
            "InvalidArgument");
  EXPECT_EQ(code("--xyz\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"), "MalformedPOSTRequest");
  EXPECT_EQ(anonymous(Method::kPost, "/box", "x", {{"Content-Type", "text/plain"}}).code(),
            "InvalidRequest");
  // A file that is full of what looks like boundaries.
  ASSERT_EQ(put("/box?acl", "", {{"x-amz-acl", "public-read-write"}}).status, 200);
  const std::string file = "--xyz\r\n-\r\n--xy\r\n--\r\n\r\n--x";
  EXPECT_EQ(post_form({{"key", "odd"}}, file).status, 204);
  EXPECT_EQ(get("/box/odd").body, file);
  EXPECT_EQ(post_form({{"key", "empty"}}, "").status, 204);
  EXPECT_EQ(get("/box/empty").body, "");
}

TEST(HmacSha1, Rfc2202) {
  EXPECT_EQ(to_hex(as_bytes(aisfs::s3::hmac_sha1("Jefe", "what do ya want for nothing?"))),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(to_hex(as_bytes(aisfs::s3::hmac_sha1(
                std::string(80, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"))),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

}  // namespace
}  // namespace aisfs::front::s3
