// SPDX-License-Identifier: MIT
#include "common/auth/verifier.h"

#include <gtest/gtest.h>

#include "common/auth/node_auth.h"
#include "common/auth/seal.h"
#include "common/auth/token.h"
#include "common/base/hash.h"
#include "common/base/text.h"

namespace aisfs::auth {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

class FixedClock final : public Clock {
 public:
  TimePoint now() const override { return {}; }
  std::int64_t unix_ns() const override { return unix_ns_; }
  Task<Status> sleep_until(TimePoint) override { co_return Status{}; }

  std::int64_t unix_ns_ = 1'700'000'000 * kSecond;
};

class VerifierTest : public ::testing::Test {
 protected:
  VerifierTest() { set_users(); }

  void set_users() {
    auto map = std::make_shared<ClusterMap>();
    map->uuid = "uuid-1";
    User alice{.id = "alice", .display_name = "Alice", .admin = false, .keys = {}};
    alice.keys[alice_.access_key] = seal(key_.seal(), alice_.secret_key, alice_.access_key);
    User root{.id = "root", .display_name = "Root", .admin = true, .keys = {}};
    map->users = {{"alice", alice}, {"root", root}};
    map_ = map;
  }

  std::unique_ptr<Verifier> make(VerifierOptions options = {}) {
    return std::make_unique<Verifier>(key_, [this] { return map_; }, clock_, std::move(options));
  }

  http::RequestHead signed_get(std::string target, std::string payload = {}) {
    http::RequestHead head{.method = http::Method::kGet, .target = std::move(target), .fields = {}};
    head.fields.add("Host", "localhost");
    EXPECT_TRUE(s3::sign(head, alice_, sign_options(std::move(payload))).ok());
    return head;
  }
  s3::SignOptions sign_options(std::string payload = {}) const {
    return {.region = "us-east-1",
            .host = "localhost",
            .time_ns = clock_.unix_ns_,
            .payload = std::move(payload)};
  }

  /// The refusal of a request, kNone if it was taken.
  Refusal refusal(const http::RequestHead& head, Front front = Front::kPublic) {
    return refusal(*make(), head, front);
  }
  static Refusal refusal(const Verifier& verifier,
                         const http::RequestHead& head,
                         Front front = Front::kPublic) {
    Refusal why = Refusal::kNone;
    const auto verified = verifier.verify(head, *http::Target::parse(head.target), front, &why);
    EXPECT_EQ(verified.ok(), why == Refusal::kNone);
    return why;
  }

  ClusterKey key_ = ClusterKey::generate();
  s3::KeyPair alice_{"AKALICE", "alice-secret"};
  FixedClock clock_;
  MapSnapshot map_;
};

TEST_F(VerifierTest, ASignedRequestHasItsUser) {
  const auto head = signed_get("/b/k");
  const auto verified = make()->verify(head, *http::Target::parse(head.target), Front::kPublic);
  ASSERT_TRUE(verified.ok()) << verified.error().what();
  EXPECT_EQ(verified->who.user(), "alice");
  EXPECT_FALSE(verified->who.is_admin());
  EXPECT_EQ(verified->body.kind, BodyAuth::Kind::kHashed);
}

TEST_F(VerifierTest, NothingIsTakenWithoutCredentialsUnlessAllowed) {
  http::RequestHead head;
  EXPECT_EQ(refusal(head), Refusal::kNoCredentials);
  EXPECT_EQ(refusal(*make({.allow_anonymous = true}), head), Refusal::kNone);
  head.fields.add("Authorization", "Basic YTpi");
  EXPECT_EQ(refusal(*make({.allow_anonymous = true}), head), Refusal::kUnknownScheme);
  EXPECT_EQ(refusal({.method = http::Method::kGet,
                     .target = "/b/k?AWSAccessKeyId=AKALICE&Expires=1&Signature=x",
                     .fields = {}}),
            Refusal::kMalformedQuery);
}

TEST_F(VerifierTest, CredentialsInTwoPlacesAreRefused) {
  auto head = signed_get("/b/k?X-Amz-Signature=" + std::string(64, 'a'));
  EXPECT_EQ(refusal(head), Refusal::kSeveralCredentials);
}

TEST_F(VerifierTest, WrongSecretAndUnknownKeyAreToldAnyRegionWillDo) {
  auto head = signed_get("/b/k");
  alice_.secret_key = "other-secret";
  EXPECT_EQ(refusal(signed_get("/b/k")), Refusal::kBadSignature);
  alice_.access_key = "AKNOBODY";
  EXPECT_EQ(refusal(signed_get("/b/k")), Refusal::kUnknownKey);
  EXPECT_EQ(refusal(*make({.region = "eu-west-1"}), head), Refusal::kNone);
}

TEST_F(VerifierTest, ARemovedUserAndAReplacedSecretAreRefusedAtOnce) {
  const auto verifier = make();
  const auto head = signed_get("/b/k");
  EXPECT_EQ(refusal(*verifier, head), Refusal::kNone);
  const auto old = alice_;
  alice_.secret_key = "new-secret";
  set_users();
  EXPECT_EQ(refusal(*verifier, head), Refusal::kBadSignature);
  map_ = std::make_shared<ClusterMap>();
  EXPECT_EQ(refusal(*verifier, head), Refusal::kUnknownKey);
}

TEST_F(VerifierTest, TheClockMayBeFifteenMinutesOff) {
  const auto head = signed_get("/b/k");
  clock_.unix_ns_ += 900 * kSecond;
  EXPECT_EQ(refusal(head), Refusal::kNone);
  clock_.unix_ns_ += kSecond;
  EXPECT_EQ(refusal(head), Refusal::kSkewed);
  clock_.unix_ns_ -= 1802 * kSecond;
  EXPECT_EQ(refusal(head), Refusal::kSkewed);
}

TEST_F(VerifierTest, APresignedRequestExpires) {
  const auto url = *s3::presign(http::Method::kGet, "/b/k", alice_, sign_options(), 60);
  http::RequestHead head{.method = http::Method::kGet, .target = url, .fields = {}};
  head.fields.add("Host", "localhost");
  EXPECT_EQ(refusal(head), Refusal::kNone);
  auto more = head;
  more.fields.add("x-amz-meta-a", "b");
  EXPECT_EQ(refusal(more), Refusal::kUnsignedHeaders);
  clock_.unix_ns_ += 61 * kSecond;
  EXPECT_EQ(refusal(head), Refusal::kExpired);
}

TEST_F(VerifierTest, AChunkedBodyNeedsItsLengthAndGetsTheSeed) {
  auto head = signed_get("/b/k", std::string(s3::kStreamingUnsignedTrailer));
  EXPECT_EQ(refusal(head), Refusal::kMissingLength);
  head = {.method = http::Method::kPut, .target = "/b/k", .fields = {}};
  head.fields.add("Host", "localhost");
  head.fields.add("x-amz-decoded-content-length", "5");
  head.fields.add("x-amz-trailer", "x-amz-checksum-crc32");
  const auto signature =
      *s3::sign(head, alice_, sign_options(std::string(s3::kStreamingUnsignedTrailer)));
  const auto verified = make()->verify(head, *http::Target::parse("/b/k"), Front::kPublic);
  ASSERT_TRUE(verified.ok());
  EXPECT_EQ(verified->body.kind, BodyAuth::Kind::kChunked);
  EXPECT_EQ(verified->body.chunked.decoded_length, 5u);
  EXPECT_EQ(verified->body.chunked.auth.seed_signature, signature.signature);
  EXPECT_EQ(verified->body.chunked.trailers, std::vector<std::string>{"x-amz-checksum-crc32"});
  // The seed's own signature counts although the chunks are not signed.
  head.fields.set("x-amz-decoded-content-length", "6");
  EXPECT_EQ(refusal(head), Refusal::kBadSignature);
}

TEST_F(VerifierTest, ABearerTokenStandsForItsUserWhileHeExists) {
  http::RequestHead head;
  head.fields.add(
      "Authorization",
      "Bearer " + *create_token(key_, "uuid-1", "root", std::chrono::hours(1), clock_.unix_ns_));
  const auto verified = make()->verify(head, *http::Target::parse("/"), Front::kPublic);
  ASSERT_TRUE(verified.ok());
  EXPECT_TRUE(verified->who.is_admin());
  auto map = std::make_shared<ClusterMap>(*map_);
  map->users.erase("root");
  map_ = map;
  EXPECT_EQ(refusal(head), Refusal::kBadToken);
}

TEST_F(VerifierTest, NodesProveThemselvesOnlyWhereNodesAreHeard) {
  http::RequestHead head{.method = http::Method::kPost, .target = "/v1/x/join", .fields = {}};
  sign_node_request(key_, "t1", test_identity("alice", false), clock_.unix_ns_, head);
  const auto verified = make()->verify(head, *http::Target::parse(head.target), Front::kCluster);
  ASSERT_TRUE(verified.ok()) << verified.error().what();
  EXPECT_EQ(verified->who.user(), "alice");
  EXPECT_FALSE(verified->who.is_admin());
  EXPECT_EQ(refusal(head, Front::kPublic), Refusal::kUnknownScheme);
  EXPECT_EQ(refusal(signed_get("/b/k"), Front::kCluster), Refusal::kBadNode);

  auto other_target = head;
  other_target.target = "/v1/x/leave";
  EXPECT_EQ(refusal(other_target, Front::kCluster), Refusal::kBadNode);
  auto promoted = head;
  std::string value(promoted.fields.get(kNodeAuthHeader));
  value.replace(value.find(";u;"), 3, ";a;");
  promoted.fields.set(kNodeAuthHeader, value);
  EXPECT_EQ(refusal(promoted, Front::kCluster), Refusal::kBadNode);
  clock_.unix_ns_ += 31 * kSecond;
  EXPECT_EQ(refusal(head, Front::kCluster), Refusal::kBadNode);
}

}  // namespace
}  // namespace aisfs::auth
