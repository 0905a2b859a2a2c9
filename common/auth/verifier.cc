// SPDX-License-Identifier: MIT
#include "common/auth/verifier.h"

#include <mutex>
#include <unordered_map>

#include "common/auth/node_auth.h"
#include "common/auth/seal.h"
#include "common/auth/token.h"
#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/obs/log.h"
#include "common/s3/body_check.h"
#include "common/s3/sigv2.h"

namespace aisfs::auth {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::size_t kDerivedKeysMax = 8;  // of an access key: days and regions
constexpr std::size_t kProvenTokensMax = 4096;

Error refuse(Refusal reason, Errc code, std::string text, Refusal& why) {
  why = reason;
  return Error(code, std::move(text));
}

Refusal malformed_at(s3::Claim::Place place) {
  return place == s3::Claim::Place::kHeader ? Refusal::kMalformedHeader : Refusal::kMalformedQuery;
}

std::vector<std::string> announced_trailers(const http::Fields& fields) {
  std::vector<std::string> names;
  for (const auto& field : fields) {
    if (!iequals(field.name, "x-amz-trailer")) continue;
    for (std::string_view name : split(field.value, ',')) {
      if (!trim(name).empty()) names.push_back(to_lower(trim(name)));
    }
  }
  return names;
}

}  // namespace

/// Who signs with which secret. The index follows the map's snapshot; the derived keys are kept
/// together with the sealed secret that they come from, so a replaced secret is never served.
class Verifier::KeyCache {
 public:
  struct Account {
    User user;  // without keys
    std::string sealed;
    std::vector<std::pair<s3::Scope, std::string>> derived;  // a few; guarded by the cache's mutex
  };
  using AccountPtr = std::shared_ptr<Account>;

  /// Null for none.
  AccountPtr find(const MapSnapshot& map, const std::string& access_key) {
    const std::lock_guard lock(mutex_);
    if (map != indexed_) {
      if (indexed_ == nullptr || map->users != indexed_->users) rebuild(*map);
      indexed_ = map;
    }
    const auto it = index_.find(access_key);
    return it == index_.end() ? nullptr : it->second;
  }

  Result<std::string> signing_key(const std::string& seal_key,
                                  Account& account,
                                  const std::string& access_key,
                                  const s3::Scope& scope) {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [known, key] : account.derived) {
        if (known == scope) return key;
      }
    }
    TRY(const auto secret, unseal(seal_key, account.sealed, access_key));
    std::string key = s3::signing_key(secret, scope);
    const std::lock_guard lock(mutex_);
    if (account.derived.size() >= kDerivedKeysMax) account.derived.clear();
    account.derived.emplace_back(scope, key);
    return key;
  }

 private:
  void rebuild(const ClusterMap& map) {
    index_.clear();
    for (const auto& [_, user] : map.users) {
      User bare = user;
      bare.keys.clear();
      for (const auto& [access, sealed] : user.keys) {
        index_[access] = std::make_shared<Account>(Account{bare, sealed, {}});
      }
    }
  }

  std::mutex mutex_;
  MapSnapshot indexed_;                                // guarded by mutex_, as are the others
  std::unordered_map<std::string, AccountPtr> index_;  // by access key
};

/// Tokens whose signature was found right: the same one comes with every request of a client. Who
/// it names and until when it counts is looked at each time.
class Verifier::TokenCache {
 public:
  std::shared_ptr<const TokenClaims> find(std::string_view token) {
    const std::lock_guard lock(mutex_);
    const auto it = proven_.find(token);
    return it == proven_.end() ? nullptr : it->second;
  }

  void insert(std::string_view token, std::shared_ptr<const TokenClaims> claims) {
    const std::lock_guard lock(mutex_);
    if (proven_.size() >= kProvenTokensMax) proven_.clear();
    proven_.emplace(token, std::move(claims));
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return xxh3_64(as_bytes(text)); }
  };
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const TokenClaims>, Hash, std::equal_to<>>
      proven_;  // guarded by mutex_
};

Verifier::Verifier(ClusterKey key, MapNow map, const Clock& clock, VerifierOptions options)
    : key_(std::move(key)),
      map_(std::move(map)),
      clock_(clock),
      options_(std::move(options)),
      cache_(std::make_unique<KeyCache>()),
      tokens_(std::make_unique<TokenCache>()) {}
Verifier::~Verifier() = default;

Result<Verified> Verifier::verify(const http::RequestHead& head,
                                  const http::Target& target,
                                  Front front,
                                  Refusal* why) const {
  Refusal ignored = Refusal::kNone;
  Refusal& reason = why != nullptr ? *why : ignored;
  reason = Refusal::kNone;
  switch (front) {
    case Front::kPublic:
      return verify_public(head, target, reason);
    case Front::kCluster:
      return verify_cluster(head, reason);
  }
  return refuse(Refusal::kUnknownScheme, Errc::permission_denied, "unknown front", reason);
}

Result<Verified> Verifier::verify_public(const http::RequestHead& head,
                                         const http::Target& target,
                                         Refusal& why) const {
  if (head.fields.has(kNodeAuthHeader)) {
    return refuse(Refusal::kUnknownScheme, Errc::permission_denied,
                  "node credentials are not accepted here", why);
  }
  const auto carried = s3::carries_signature(head, target);
  const std::string_view authorization = head.fields.get("authorization");
  switch (carried) {
    case s3::Carries::kBoth:
      return refuse(Refusal::kSeveralCredentials, Errc::invalid_argument,
                    "credentials both in the header and in the query", why);
    case s3::Carries::kQuery:
      return verify_signature(head, target, s3::Claim::Place::kQuery, why);
    case s3::Carries::kHeader:
      if (s3::carries_v2_query(target)) {
        return refuse(Refusal::kSeveralCredentials, Errc::invalid_argument,
                      "credentials both in the header and in the query", why);
      }
      if (authorization.starts_with(s3::kAlgorithm)) {
        return verify_signature(head, target, s3::Claim::Place::kHeader, why);
      }
      if (authorization.starts_with(kBearer) && head.fields.count("authorization") == 1) {
        return verify_bearer(trim(authorization.substr(kBearer.size())), why);
      }
      return refuse(Refusal::kUnknownScheme, Errc::permission_denied,
                    "the Authorization header is neither AWS4-HMAC-SHA256 nor Bearer", why);
    case s3::Carries::kNothing:
      break;
  }
  if (s3::carries_v2_query(target)) return verify_v2_query(head, target, why);
  if (options_.allow_anonymous) return Verified{};
  return refuse(Refusal::kNoCredentials, Errc::unauthenticated, "the request is not signed", why);
}

Result<Verified> Verifier::verify_signature(const http::RequestHead& head,
                                            const http::Target& target,
                                            s3::Claim::Place place,
                                            Refusal& why) const {
  auto claim = s3::parse_claim(head, target, place);
  if (!claim.ok()) {
    why = malformed_at(place);
    return std::move(claim.error());
  }
  // There is one region here, whatever a client calls it; its name is part of what is signed.
  if (claim->scope.service != "s3") {
    return refuse(Refusal::kWrongScope, Errc::invalid_argument,
                  "the credential's scope is not of the service s3", why);
  }
  const MapSnapshot map = map_();
  const auto account = cache_->find(map, claim->access_key);
  if (!account) {
    return refuse(Refusal::kUnknownKey, Errc::unauthenticated, "unknown access key", why);
  }
  auto key = cache_->signing_key(key_.seal(), *account, claim->access_key, claim->scope);
  if (!key.ok()) {
    LOG_ERROR("secret of a user cannot be opened", "user", account->user.id, "error",
              key.error().what());
    return refuse(Refusal::kUnknownKey, Errc::unauthenticated, "unknown access key", why);
  }
  if (!s3::signature_matches(*claim, head, target, *key)) {
    return refuse(Refusal::kBadSignature, Errc::permission_denied,
                  "the signature does not match; check the secret key and the clock", why);
  }
  if (auto ok = s3::check_signed_headers(*claim, head); !ok) {
    why = Refusal::kUnsignedHeaders;
    return std::move(ok.error());
  }
  if (auto ok = s3::check_time(*claim, clock_.unix_ns(), options_.skew_max.count()); !ok) {
    why = ok.error() == Errc::permission_denied ? Refusal::kExpired : Refusal::kSkewed;
    return std::move(ok.error());
  }
  TRY(auto body, body_auth(*claim, head, std::move(*key), why));
  return Verified{.who = identity_of(account->user), .body = std::move(body)};
}

Result<Verifier::Secret> Verifier::secret_of(const std::string& access_key, Refusal& why) const {
  const MapSnapshot map = map_();
  const auto account = cache_->find(map, access_key);
  if (!account) return refuse(Refusal::kUnknownKey, Errc::unauthenticated, "unknown access key", why);
  auto secret = unseal(key_.seal(), account->sealed, access_key);
  if (!secret.ok()) {
    LOG_ERROR("secret of a user cannot be opened", "user", account->user.id, "error",
              secret.error().what());
    return refuse(Refusal::kUnknownKey, Errc::unauthenticated, "unknown access key", why);
  }
  return Secret{account->user, *std::move(secret)};
}

Result<Verified> Verifier::verify_v2_query(const http::RequestHead& head,
                                           const http::Target& target,
                                           Refusal& why) const {
  auto claim = s3::parse_v2_query(target);
  if (!claim.ok()) {
    why = Refusal::kMalformedQuery;
    return std::move(claim.error());
  }
  TRY(const Secret secret, secret_of(claim->access_key, why));
  if (!s3::v2_signature_matches(*claim, head, target, secret.text)) {
    return refuse(Refusal::kBadSignature, Errc::permission_denied,
                  "the signature does not match; check the secret key", why);
  }
  if (clock_.unix_ns() / 1'000'000'000 > claim->expires_s) {
    return refuse(Refusal::kExpired, Errc::permission_denied, "the URL has expired", why);
  }
  return Verified{.who = identity_of(secret.user), .body = {}};
}

Result<Identity> Verifier::verify_form(const FormClaim& claim, Refusal* reason) const {
  Refusal ignored = Refusal::kNone;
  Refusal& why = reason != nullptr ? *reason : ignored;
  const bool v2 = claim.credential.empty() && claim.date.empty();
  const auto parts = split(claim.credential, '/');  // key/date/region/s3/aws4_request
  const bool scoped = parts.size() == 5 && parts[3] == "s3" && parts[4] == "aws4_request" &&
                      claim.date.starts_with(parts[1]) && parts[1].size() == 8;
  if (!v2 && !scoped) {
    return refuse(Refusal::kMalformedQuery, Errc::invalid_argument,
                  "x-amz-credential is not <key>/<date>/<region>/s3/aws4_request", why);
  }
  TRY(const Secret secret, secret_of(v2 ? claim.access_key : std::string(parts[0]), why));
  std::string expected;
  if (v2) {
    expected = to_base64(as_bytes(s3::hmac_sha1(secret.text, claim.policy)));
  } else {
    const s3::Scope scope{std::string(parts[1]), std::string(parts[2]), "s3"};
    const std::string key = s3::signing_key(secret.text, scope);
    expected = to_hex(as_bytes(hmac_sha256(key, claim.policy)));
  }
  if (!equal_constant_time(expected, claim.signature)) {
    return refuse(Refusal::kBadSignature, Errc::permission_denied,
                  "the signature of the policy does not match", why);
  }
  return identity_of(secret.user);
}

Result<Identity> Verifier::by_acl(const Identity& who,
                                  s3::Permission permission,
                                  const Bucket& bucket,
                                  std::string_view acl) {
  if (s3::grants(s3::parse_stored_acl(acl, bucket.owner), who.user(), permission)) {
    return Identity(Identity::Kind::kUser, bucket.owner, {});
  }
  return Error(Errc::permission_denied, "no access control list lets " +
                                            (who.is_anonymous() ? "everybody" : who.user()) +
                                            " do this");
}

Result<BodyAuth> Verifier::body_auth(const s3::Claim& claim,
                                     const http::RequestHead& head,
                                     std::string signing_key,
                                     Refusal& why) const {
  BodyAuth body;
  if (claim.payload == s3::kUnsignedPayload) {
    if (claim.place == s3::Claim::Place::kHeader && !options_.allow_unsigned_payload) {
      return refuse(Refusal::kMalformedHeader, Errc::invalid_argument,
                    "UNSIGNED-PAYLOAD is not accepted here", why);
    }
    return body;
  }
  using Mode = s3::ChunkAuth::Mode;
  const auto mode =
      claim.payload == s3::kStreamingSigned            ? std::optional(Mode::kSigned)
      : claim.payload == s3::kStreamingSignedTrailer   ? std::optional(Mode::kSignedTrailer)
      : claim.payload == s3::kStreamingUnsignedTrailer ? std::optional(Mode::kUnsignedTrailer)
                                                       : std::nullopt;
  if (!mode) {
    body.kind = BodyAuth::Kind::kHashed;
    body.sha256_hex = claim.payload;
    return body;
  }
  const auto length = parse_u64(head.fields.get("x-amz-decoded-content-length"));
  if (!length) {
    return refuse(Refusal::kMissingLength, Errc::invalid_argument,
                  "x-amz-decoded-content-length is required", why);
  }
  body.kind = BodyAuth::Kind::kChunked;
  body.chunked.auth = {.mode = *mode,
                       .seed_signature = claim.signature,
                       .key = std::move(signing_key),
                       .timestamp = claim.timestamp,
                       .scope = claim.scope};
  body.chunked.decoded_length = *length;
  body.chunked.trailers = announced_trailers(head.fields);
  return body;
}

Result<std::shared_ptr<const TokenClaims>> Verifier::claims_of(std::string_view token,
                                                               const ClusterMap& map) const {
  const std::int64_t now_ns = clock_.unix_ns();
  auto known = tokens_->find(token);
  if (known && known->cluster == map.uuid && known->expires_s > now_ns / 1'000'000'000) {
    return known;
  }
  TRY(TokenClaims claims, verify_token(key_, map.uuid, token, now_ns));
  auto proven = std::make_shared<const TokenClaims>(std::move(claims));
  tokens_->insert(token, proven);
  return std::shared_ptr<const TokenClaims>(std::move(proven));
}

Result<Verified> Verifier::verify_bearer(std::string_view token, Refusal& why) const {
  const MapSnapshot map = map_();
  const auto claims = claims_of(token, *map);
  if (!claims.ok()) {
    why = Refusal::kBadToken;
    return claims.error();
  }
  const auto user = map->users.find((*claims)->user);
  if (user == map->users.end()) {
    return refuse(Refusal::kBadToken, Errc::unauthenticated, "token: its user is gone", why);
  }
  return Verified{.who = identity_of(user->second), .body = {}};
}

Result<Verified> Verifier::verify_cluster(const http::RequestHead& head, Refusal& why) const {
  auto claim = verify_node_request(key_, head, clock_.unix_ns());
  if (!claim.ok()) {
    why = Refusal::kBadNode;
    return std::move(claim.error());
  }
  return Verified{
      .who = Identity(claim->kind, std::move(claim->user), std::move(claim->display_name)),
      .body = {}};
}

Identity Verifier::identity_of(const User& user) const {
  return Identity(user.admin ? Identity::Kind::kAdmin : Identity::Kind::kUser, user.id,
                  user.display_name);
}

VerifiedBody::VerifiedBody(BodySource& inner, const BodyAuth& auth) : inner_(inner) {
  switch (auth.kind) {
    case BodyAuth::Kind::kPlain:
      break;
    case BodyAuth::Kind::kHashed:
      decoder_ = std::make_unique<s3::HashedSource>(inner, auth.sha256_hex);
      break;
    case BodyAuth::Kind::kChunked:
      decoder_ = std::make_unique<s3::AwsChunkedSource>(inner, auth.chunked);
      break;
  }
}

}  // namespace aisfs::auth
