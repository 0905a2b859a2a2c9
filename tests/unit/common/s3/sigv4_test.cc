// SPDX-License-Identifier: MIT
#include "common/s3/sigv4.h"

#include <gtest/gtest.h>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/s3/date.h"

namespace aisfs::s3 {
namespace {

// The examples of AWS's documentation of Signature Version 4 for S3.
const KeyPair kKeys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
const std::string kTimestamp = "20130524T000000Z";
const Scope kScope{"20130524", "us-east-1", "s3"};

std::string hash_of(std::string_view text) { return to_hex(as_bytes(sha256(text))); }

http::RequestHead request(http::Method method, std::string target) {
  http::RequestHead head{.method = method, .target = std::move(target), .fields = {}};
  head.fields.add("Host", "examplebucket.s3.amazonaws.com");
  return head;
}

SignOptions options(std::string payload = {}) {
  return {.region = "us-east-1",
          .host = {},
          .time_ns = *parse_amz_date(kTimestamp),
          .payload = std::move(payload)};
}

bool verify(const http::RequestHead& head, Claim::Place place = Claim::Place::kHeader) {
  const auto target = http::Target::parse(head.target);
  if (!target.ok()) return false;
  const auto claim = parse_claim(head, *target, place);
  if (!claim.ok() || !check_signed_headers(*claim, head).ok()) return false;
  const auto key = signing_key(kKeys.secret_key, claim->scope);
  return claim->access_key == kKeys.access_key && signature_matches(*claim, head, *target, key);
}

TEST(SigV4, SignsAmazonsExamples) {
  auto get = request(http::Method::kGet, "/test.txt");
  get.fields.add("Range", "bytes=0-9");
  EXPECT_EQ(sign(get, kKeys, options())->signature,
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_TRUE(verify(get));

  auto lifecycle = request(http::Method::kGet, "/?lifecycle");
  EXPECT_EQ(sign(lifecycle, kKeys, options())->signature,
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_TRUE(verify(lifecycle));

  auto list = request(http::Method::kGet, "/?max-keys=2&prefix=J");
  EXPECT_EQ(sign(list, kKeys, options())->signature,
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
  EXPECT_TRUE(verify(list));
}

TEST(SigV4, VerifiesAmazonsPutThatSignsTheDateHeaderToo) {
  auto put = request(http::Method::kPut, "/test$file.text");
  put.fields.add("Date", "Fri, 24 May 2013 00:00:00 GMT");
  put.fields.add("x-amz-date", kTimestamp);
  put.fields.add("x-amz-storage-class", "REDUCED_REDUNDANCY");
  put.fields.add("x-amz-content-sha256", hash_of("Welcome to Amazon S3."));
  put.fields.add("Authorization",
                 "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
                 "aws4_request,SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;"
                 "x-amz-storage-class,Signature="
                 "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_TRUE(verify(put));
}

TEST(SigV4, PresignsAmazonsExample) {
  auto with_host = options();
  with_host.host = "examplebucket.s3.amazonaws.com";
  const auto url = presign(http::Method::kGet, "/test.txt", kKeys, with_host, 86400);
  ASSERT_TRUE(url.ok());
  EXPECT_TRUE(url->ends_with("aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"))
      << *url;
  EXPECT_TRUE(verify(request(http::Method::kGet, *url), Claim::Place::kQuery));
  EXPECT_FALSE(verify(request(http::Method::kPut, *url), Claim::Place::kQuery));
}

TEST(SigV4, ChainsTheChunksOfAmazonsExample) {
  const auto key = signing_key(kKeys.secret_key, kScope);
  const auto next = [&](std::string_view previous, std::string_view data) {
    return chunk_signature(key, kTimestamp, kScope, previous, hash_of(data));
  };
  const auto first = next("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
                          std::string(65536, 'a'));
  EXPECT_EQ(first, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
  const auto second = next(first, std::string(1024, 'a'));
  EXPECT_EQ(second, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
  EXPECT_EQ(next(second, ""), "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
}

TEST(SigV4, SignsTheTrailerOfAmazonsExample) {
  EXPECT_EQ(trailer_signature(signing_key(kKeys.secret_key, kScope), kTimestamp, kScope,
                              "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
                              "x-amz-checksum-crc32c:sOO8/Q==\n"),
            "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
}

TEST(SigV4, OddKeysAreSignedAsTheyAreSentOrAsTheyAreEncoded) {
  for (const char* target : {"/b/a%20b%2Bc", "/b/%E4%B8%AD", "/b/a//b/./../c", "/b/~tilde(1)*",
                             "/b/x?prefix=a%2Fb&empty=&flag&prefix=A", "/b/percent%25"}) {
    auto head = request(http::Method::kGet, target);
    ASSERT_TRUE(sign(head, kKeys, options()).ok());
    EXPECT_TRUE(verify(head)) << target;
  }
}

/// What the signature protects: method, decoded target, signed headers.
std::string meaning(const http::RequestHead& head) {
  const auto target = http::Target::parse(head.target);
  if (!target.ok()) return "bad";
  std::string out = target->path;
  for (const auto& param : target->query) out += "&" + param.name + "=" + param.value;
  return out;
}

TEST(SigV4, EveryChangedByteOfTheTargetIsRefused) {
  auto head = request(http::Method::kPut, "/bucket/some/k%65y.bin?partNumber=3&uploadId=abc");
  ASSERT_TRUE(sign(head, kKeys, options(hash_of("body"))).ok());
  int tried = 0;
  for (std::size_t at = 0; at < head.target.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = head;
      changed.target[at] = static_cast<char>(changed.target[at] ^ (1 << bit));
      if (meaning(changed) == meaning(head)) continue;  // %65 and e are one key
      ++tried;
      EXPECT_FALSE(verify(changed)) << changed.target;
    }
  }
  EXPECT_GT(tried, 300);
}

TEST(SigV4, EveryChangedByteOfASignedHeaderIsRefused) {
  auto head = request(http::Method::kPut, "/b/k");
  head.fields.add("x-amz-meta-owner", "alice");
  head.fields.add("Content-Type", "text/plain");
  ASSERT_TRUE(sign(head, kKeys, options(hash_of("body"))).ok());
  for (const auto& field : head.fields) {
    for (std::size_t at = 0; at < field.value.size(); ++at) {
      auto changed = head;
      std::string value = field.value;
      value[at] = static_cast<char>(value[at] ^ 1);
      changed.fields.set(field.name, value);
      EXPECT_FALSE(verify(changed)) << field.name << ": " << value;
    }
  }
}

TEST(SigV4, AnUnsignedAmzHeaderOrHostIsRefused) {
  auto head = request(http::Method::kPut, "/b/k");
  ASSERT_TRUE(sign(head, kKeys, options()).ok());
  auto more = head;
  more.fields.add("X-Amz-Acl", "public-read");
  EXPECT_FALSE(verify(more));
  auto twice = head;
  twice.fields.add("x-amz-date", kTimestamp);
  EXPECT_FALSE(verify(twice));
}

TEST(SigV4, MalformedClaimsAreNamed) {
  const std::string good =
      "AWS4-HMAC-SHA256 Credential=AK/20130524/us-east-1/s3/aws4_request, "
      "SignedHeaders=host;x-amz-date, Signature=" +
      std::string(64, 'a');
  const auto parse = [](std::string authorization) {
    http::RequestHead head;
    head.fields.add("x-amz-date", kTimestamp);
    head.fields.add("x-amz-content-sha256", std::string(kUnsignedPayload));
    head.fields.add("Authorization", std::move(authorization));
    return parse_claim(head, *http::Target::parse("/"), Claim::Place::kHeader);
  };
  EXPECT_TRUE(parse(good).ok());
  for (const char* bad : {"", "AWS AK:sig", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=AK",
                          "AWS4-HMAC-SHA512 Credential=AK/20130524/us-east-1/s3/aws4_request"}) {
    EXPECT_FALSE(parse(bad).ok()) << bad;
  }
  EXPECT_FALSE(parse(good + ", Signature=" + std::string(64, 'a')).ok());
  EXPECT_FALSE(parse(good + "a").ok());
  auto other_day = good;
  other_day.replace(other_day.find("20130524"), 8, "20130525");
  EXPECT_FALSE(parse(other_day).ok());
}

TEST(SigV4, PresignedRequestsLiveFromOneSecondToSevenDays) {
  auto with_host = options();
  with_host.host = "examplebucket.s3.amazonaws.com";
  const auto claims = [&](std::uint64_t seconds) {
    const auto url = presign(http::Method::kGet, "/k", kKeys, with_host, seconds);
    return parse_claim(request(http::Method::kGet, *url), *http::Target::parse(*url),
                       Claim::Place::kQuery);
  };
  EXPECT_FALSE(claims(0).ok());
  EXPECT_FALSE(claims(604801).ok());
  const auto claim = claims(604800);
  ASSERT_TRUE(claim.ok());
  const std::int64_t second = 1'000'000'000, skew = 900 * second;
  EXPECT_TRUE(check_time(*claim, claim->time_ns + 604800 * second, skew).ok());
  EXPECT_EQ(check_time(*claim, claim->time_ns + 604801 * second, skew).error().code(),
            Errc::permission_denied);
  EXPECT_TRUE(check_time(*claim, claim->time_ns - 900 * second, skew).ok());
  EXPECT_FALSE(check_time(*claim, claim->time_ns - 901 * second, skew).ok());
}

}  // namespace
}  // namespace aisfs::s3
