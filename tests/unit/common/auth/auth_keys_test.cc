// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "common/auth/cluster_key.h"
#include "common/auth/seal.h"
#include "common/auth/token.h"
#include "common/base/hash.h"
#include "common/base/text.h"

namespace aisfs::auth {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'000'000'000;
using std::chrono::hours;

TEST(ClusterKey, IsKeptInAFileOfItsOwnerAlone) {
  const std::string dir = ::testing::TempDir() + "aisfs-key-" + std::to_string(::getpid());
  std::filesystem::create_directory(dir);
  const std::string file = dir + "/cluster.key";
  const auto key = ClusterKey::generate();
  ASSERT_TRUE(key.save(file).ok());
  EXPECT_EQ(key.save(file).error().code(), Errc::already_exists);
  EXPECT_EQ(ClusterKey::load(file)->seal(), key.seal());
  ::chmod(file.c_str(), 0640);
  EXPECT_EQ(ClusterKey::load(file).error().code(), Errc::permission_denied);
  std::filesystem::remove_all(dir);
}

TEST(ClusterKey, HasADifferentKeyForEachPurpose) {
  const auto key = *ClusterKey::parse(std::string(64, 'a') + "\n");
  EXPECT_NE(key.join(), key.node());
  EXPECT_NE(key.seal(), key.token());
  EXPECT_EQ(key.seal(), hmac_sha256(*from_hex(std::string(64, 'a')), "aisfs-seal"));
  EXPECT_FALSE(ClusterKey::parse("abc").ok());
}

TEST(Seal, OpensOnlyWithTheSameKeyAndBinding) {
  const std::string key(32, 'k');
  const std::string sealed = seal(key, "secret", "AK1");
  EXPECT_EQ(*unseal(key, sealed, "AK1"), "secret");
  EXPECT_NE(sealed, seal(key, "secret", "AK1"));
  EXPECT_EQ(unseal(key, sealed, "AK2").error().code(), Errc::corrupt);
  EXPECT_EQ(unseal(std::string(32, 'K'), sealed, "AK1").error().code(), Errc::corrupt);
  EXPECT_EQ(unseal(key, "s9.abc", "AK1").error().code(), Errc::unsupported);
  for (std::size_t i = 3; i < sealed.size(); ++i) {
    std::string bad = sealed;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(unseal(key, bad, "AK1").ok()) << i;
  }
}

TEST(GenerateKeys, MakesTheFormsThatToolsExpect) {
  const auto keys = generate_keys();
  EXPECT_EQ(keys.access_key.size(), 20u);
  EXPECT_EQ(keys.secret_key.size(), 40u);
  EXPECT_TRUE(validate_keys(keys).ok());
  EXPECT_NE(generate_keys().secret_key, keys.secret_key);
  EXPECT_FALSE(validate_keys({"a/b", "12345678"}).ok());
  EXPECT_FALSE(validate_keys({"abc", "short"}).ok());
}

TEST(Token, LivesUntilItExpiresAndOnlyInItsCluster) {
  const auto key = ClusterKey::generate();
  const auto token = *create_token(key, "uuid-1", "alice", hours(1), kNow);
  EXPECT_EQ(verify_token(key, "uuid-1", token, kNow)->user, "alice");
  EXPECT_TRUE(verify_token(key, "uuid-1", token, kNow + 3599'000'000'000).ok());
  EXPECT_FALSE(verify_token(key, "uuid-1", token, kNow + 3600'000'000'000).ok());
  EXPECT_FALSE(verify_token(key, "uuid-2", token, kNow).ok());
  EXPECT_FALSE(verify_token(ClusterKey::generate(), "uuid-1", token, kNow).ok());
  EXPECT_FALSE(create_token(key, "u", "alice", hours(24 * 91), kNow).ok());
  EXPECT_FALSE(create_token(key, "u", "alice", hours(0), kNow).ok());
}

/// A token with any header and claims, rightly signed.
std::string forged(const ClusterKey& key, std::string_view header, std::string_view claims) {
  const std::string text = to_base64url(as_bytes(header)) + "." + to_base64url(as_bytes(claims));
  return text + "." + to_base64url(as_bytes(hmac_sha256(key.token(), text)));
}

TEST(Token, OtherAlgorithmsAndMissingClaimsAreRefused) {
  const auto key = ClusterKey::generate();
  const std::string header = R"({"alg":"HS256","typ":"JWT"})";
  const std::string claims =
      R"({"iss":"aisfs","aud":"u","sub":"a","iat":1700000000,"exp":1700003600,"jti":"1"})";
  EXPECT_TRUE(verify_token(key, "u", forged(key, header, claims), kNow).ok());
  for (const char* bad : {R"({"alg":"none","typ":"JWT"})", R"({"alg":"hs256","typ":"JWT"})",
                          R"({"alg":"RS256","typ":"JWT"})", R"({"typ":"JWT"})", "[]", "",
                          R"({"alg":"HS256","typ":"JWT","kid":"../x"})"}) {
    EXPECT_FALSE(verify_token(key, "u", forged(key, bad, claims), kNow).ok()) << bad;
  }
  for (const char* name : {"iss", "aud", "sub", "iat", "exp", "jti"}) {
    std::string without = claims;
    without.replace(without.find(name), 3, "xxx");
    EXPECT_FALSE(verify_token(key, "u", forged(key, header, without), kNow).ok()) << name;
  }
}

TEST(Token, EveryChangedByteIsRefused) {
  const auto key = ClusterKey::generate();
  const auto token = *create_token(key, "u", "alice", hours(1), kNow);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string bad = token;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify_token(key, "u", bad, kNow).ok()) << i;
  }
}

}  // namespace
}  // namespace aisfs::auth
