// SPDX-License-Identifier: MIT
#include "common/auth/token.h"

#include <boost/json.hpp>

#include "common/base/hash.h"
#include "common/base/text.h"

namespace aisfs::auth {
namespace {

namespace json = boost::json;

constexpr std::string_view kIssuer = "aisfs";
constexpr std::size_t kTokenBytesMax = 4096;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kSkewSeconds = 60;

Error refused(std::string_view why) {
  return Error(Errc::unauthenticated, "token: " + std::string(why));
}

/// The one header we make; anything else is somebody else's token.
Status check_header(const json::object& header) {
  const auto* alg = header.if_contains("alg");
  const auto* typ = header.if_contains("typ");
  if (alg == nullptr || !alg->is_string() || alg->get_string() != "HS256") {
    return refused("the algorithm is not HS256");
  }
  if (typ == nullptr || !typ->is_string() || typ->get_string() != "JWT" || header.size() != 2) {
    return refused("unexpected header");
  }
  return {};
}

Result<json::object> decode_part(std::string_view part) {
  const auto text = from_base64url(part);
  if (!text.ok()) return refused("not base64url");
  json::parse_options options;
  options.max_depth = 4;
  boost::system::error_code ec;
  json::value value = json::parse(*text, ec, {}, options);
  if (ec || !value.is_object()) return refused("not a JSON object");
  return std::move(value.get_object());
}

Result<std::string> text_claim(const json::object& claims, const char* name) {
  const auto* value = claims.if_contains(name);
  if (value == nullptr || !value->is_string() || value->get_string().empty()) {
    return refused(std::string(name) + " is missing");
  }
  return std::string(value->get_string());
}

Result<std::int64_t> time_claim(const json::object& claims, const char* name) {
  const auto* value = claims.if_contains(name);
  if (value == nullptr || !value->is_int64() || value->get_int64() <= 0) {
    return refused(std::string(name) + " is missing");
  }
  return value->get_int64();
}

std::string encode_part(const json::object& part) {
  return to_base64url(as_bytes(json::serialize(part)));
}

Result<TokenClaims> check_claims(const json::object& body,
                                 std::string_view cluster_uuid,
                                 std::int64_t now_s) {
  TokenClaims claims;
  TRY(const auto issuer, text_claim(body, "iss"));
  TRY(claims.cluster, text_claim(body, "aud"));
  TRY(claims.user, text_claim(body, "sub"));
  TRY(claims.id, text_claim(body, "jti"));
  TRY(claims.expires_s, time_claim(body, "exp"));
  TRY(const auto issued_s, time_claim(body, "iat"));
  if (issuer != kIssuer) return refused("another issuer's");
  if (claims.cluster != cluster_uuid) return refused("another cluster's");
  if (claims.expires_s <= now_s) return refused("expired; make a new one: ais token create");
  if (issued_s > now_s + kSkewSeconds) return refused("from the future");
  return claims;
}

}  // namespace

Result<std::string> create_token(const ClusterKey& key,
                                 std::string_view cluster_uuid,
                                 std::string_view user,
                                 Duration lifetime,
                                 std::int64_t now_ns) {
  if (lifetime < std::chrono::seconds(1) || lifetime > kTokenLifetimeMax) {
    return Error(Errc::invalid_argument, "a token lives from 1 second to 90 days");
  }
  const std::int64_t now_s = now_ns / kSecond;
  json::object claims;
  claims["iss"] = kIssuer;
  claims["aud"] = cluster_uuid;
  claims["sub"] = user;
  claims["iat"] = now_s;
  claims["exp"] = now_s + std::chrono::duration_cast<std::chrono::seconds>(lifetime).count();
  claims["jti"] = to_hex(as_bytes(random_bytes(16)));
  const json::object header = {{"alg", "HS256"}, {"typ", "JWT"}};
  const std::string text = encode_part(header) + "." + encode_part(claims);
  return text + "." + to_base64url(as_bytes(hmac_sha256(key.token(), text)));
}

Result<TokenClaims> verify_token(const ClusterKey& key,
                                 std::string_view cluster_uuid,
                                 std::string_view token,
                                 std::int64_t now_ns) {
  if (token.size() > kTokenBytesMax) return refused("too long");
  const auto parts = split(token, '.');
  if (parts.size() != 3) return refused("not a JWT");
  // The signature first: nothing of an unproven token is looked at but its length.
  const std::string_view text = token.substr(0, parts[0].size() + 1 + parts[1].size());
  const std::string expected = to_base64url(as_bytes(hmac_sha256(key.token(), text)));
  if (!equal_constant_time(expected, parts[2])) return refused("the signature does not match");
  TRY(const auto header, decode_part(parts[0]));
  CHECK_OK(check_header(header));
  TRY(const auto claims, decode_part(parts[1]));
  return check_claims(claims, cluster_uuid, now_ns / kSecond);
}

}  // namespace aisfs::auth
