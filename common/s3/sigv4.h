// SPDX-License-Identifier: MIT
// AWS Signature Version 4 as S3 uses it: the path is encoded once and never normalised.
//
// A request's signature is made of three parts: what the client claims (parse_claim), the
// canonical request that both sides compute, and the signing key that only they know.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/message.h"

namespace aisfs::s3 {

inline constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kStreamingSigned = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
inline constexpr std::string_view kStreamingSignedTrailer =
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
inline constexpr std::string_view kStreamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// "<date>/<region>/<service>/aws4_request": for what, where and on which day a key signs.
struct Scope {
  std::string date;  // YYYYMMDD
  std::string region;
  std::string service = "s3";

  bool operator==(const Scope&) const = default;
  std::string to_string() const;
};

/// The key of a scope, derived from the secret; 32 raw bytes, worth caching for the day.
std::string signing_key(std::string_view secret_key, const Scope& scope);

/// What a request says about its own signature. Nothing in it is proven.
struct Claim {
  enum class Place : std::uint8_t { kHeader, kQuery };
  Place place = Place::kHeader;
  std::string access_key;
  Scope scope;
  std::string timestamp;         // amz_date form
  std::int64_t time_ns = 0;      // the same as a number
  std::uint64_t expires_s = 0;   // kQuery only
  std::vector<std::string> signed_headers;  // lower case, sorted
  std::string signature;         // 64 hex digits
  std::string payload;           // hash or mode, as in x-amz-content-sha256
};

/// How a request carries SigV4 credentials.
enum class Carries : std::uint8_t { kNothing, kHeader, kQuery, kBoth };
Carries carries_signature(const http::RequestHead& head, const http::Target& target);

/// Takes the claim out of the Authorization header or the query. invalid_argument for anything
/// that is not exactly the documented form: unknown algorithm, missing or repeated parts, a scope
/// whose date is not the timestamp's, expires outside of 1..604800, no payload hash.
Result<Claim> parse_claim(const http::RequestHead& head,
                          const http::Target& target,
                          Claim::Place place);

/// invalid_argument unless `host` and every x-amz-* header of the request are signed.
Status check_signed_headers(const Claim& claim, const http::RequestHead& head);

/// Lets only a date within `skew_ns` of now pass; a presigned request until it expires.
/// Fails with invalid_argument (too skewed) or permission_denied (expired).
Status check_time(const Claim& claim, std::int64_t now_ns, std::int64_t skew_ns);

/// True when the signature is the one of the request under `key`. Takes the same time for every
/// wrong signature.
bool signature_matches(const Claim& claim,
                       const http::RequestHead& head,
                       const http::Target& target,
                       std::string_view key);

struct KeyPair {
  std::string access_key;
  std::string secret_key;
};

struct SignOptions {
  std::string region = "us-east-1";
  std::string host;          // what the Host header will be; "" takes it from the request
  std::int64_t time_ns = 0;  // now
  /// sha256 of the body in hex, or one of the modes above; "" is that of an empty body.
  std::string payload;
};

/// Signs `head` by adding x-amz-date, x-amz-content-sha256 and Authorization; all x-amz-* headers,
/// content-type, content-md5 and range are signed. Returns what the chunks of an aws-chunked body
/// need (see aws_chunked.h). The target must be parseable.
struct Signed {
  std::string signature;
  std::string timestamp;
  Scope scope;
};
Result<Signed> sign(http::RequestHead& head, const KeyPair& keys, const SignOptions& options);

/// The target (path and query) that lets its holder repeat the request until it expires.
/// Only `host` is signed, so the request may have no x-amz-* header.
Result<std::string> presign(http::Method method,
                            std::string_view target,
                            const KeyPair& keys,
                            const SignOptions& options,
                            std::uint64_t expires_s);

/// Chained signature of a chunk's data, given that of its predecessor (the seed for the first).
std::string chunk_signature(std::string_view key,
                            std::string_view timestamp,
                            const Scope& scope,
                            std::string_view previous,
                            std::string_view data_sha256_hex);
/// Of the trailer: "name:value\n" lines.
std::string trailer_signature(std::string_view key,
                              std::string_view timestamp,
                              const Scope& scope,
                              std::string_view previous,
                              std::string_view canonical_trailers);

/// Exposed for tests and for other services' signatures.
std::string canonical_request(http::Method method,
                              std::string_view canonical_path,
                              const std::vector<http::Target::Param>& query,
                              const http::Fields& fields,
                              const std::vector<std::string>& signed_headers,
                              std::string_view payload);

}  // namespace aisfs::s3
