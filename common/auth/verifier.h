// SPDX-License-Identifier: MIT
// The one place where a request becomes an identity.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/async/byte_stream.h"
#include "common/async/clock.h"
#include "common/auth/cluster_key.h"
#include "common/auth/identity.h"
#include "common/auth/token.h"
#include "common/http/message.h"
#include "common/model/cluster_map.h"
#include "common/s3/acl.h"
#include "common/s3/aws_chunked.h"

namespace aisfs::auth {

/// How the body has to be read so that the request's signature covers it.
struct BodyAuth {
  enum class Kind : std::uint8_t {
    kPlain,    // not covered: bearer token, node, UNSIGNED-PAYLOAD
    kHashed,   // SHA-256 must be `sha256_hex`
    kChunked,  // aws-chunked as `chunked` says
  };
  Kind kind = Kind::kPlain;
  std::string sha256_hex;
  s3::AwsChunkedOptions chunked;
};

struct Verified {
  Identity who;
  BodyAuth body;
};

/// Why a request was refused, for fronts that have a word for each.
enum class Refusal : std::uint8_t {
  kNone,
  kNoCredentials,
  kSeveralCredentials,  // in header and query, or of several kinds
  kUnknownScheme,
  kMalformedHeader,
  kMalformedQuery,
  kUnsignedHeaders,  // host or an x-amz-* header is not signed
  kWrongScope,
  kUnknownKey,
  kBadSignature,
  kSkewed,
  kExpired,
  kMissingLength,  // aws-chunked without x-amz-decoded-content-length
  kBadToken,
  kBadNode,
};

/// Which listener the request came in at: what it may use to prove itself.
enum class Front : std::uint8_t {
  kPublic,   // SigV4, bearer token
  kCluster,  // node HMAC only
};

struct VerifierOptions {
  std::string region = "us-east-1";    // told to clients; signatures for any other are as good
  bool allow_anonymous = false;        // give Identity{} to requests without credentials
  bool allow_unsigned_payload = true;  // UNSIGNED-PAYLOAD in headers (presigned requests always)
  Duration skew_max = std::chrono::minutes(15);
};

/// Verifies requests of all fronts. Thread-safe; keeps unsealed secrets, derived keys of the day
/// and proven tokens in bounded caches that follow the map: a key or user removed from the map is
/// refused at once.
class Verifier {
 public:
  using MapNow = std::function<MapSnapshot()>;

  /// `clock` outlives the verifier; `map` is called for every request.
  Verifier(ClusterKey key, MapNow map, const Clock& clock, VerifierOptions options);
  ~Verifier();
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  const VerifierOptions& options() const { return options_; }
  const ClusterKey& key() const { return key_; }
  std::int64_t now_ns() const { return clock_.unix_ns(); }

  /// The identity of a request. Fails with unauthenticated or permission_denied (signature, time),
  /// invalid_argument (form); `why` tells fronts the exact reason. Default deny: a kind of
  /// credentials that is not named in Front is refused.
  Result<Verified> verify(const http::RequestHead& head,
                          const http::Target& target,
                          Front front,
                          Refusal* why = nullptr) const;

  /// Who signed the policy of an HTML form: HMAC over `policy`, as it is in the form, by the user's
  /// key. `date` and `credential` are those of Signature Version 4; with "" for both, `access_key`
  /// and a signature of Version 2. That the policy allows the form is the caller's to check.
  struct FormClaim {
    std::string policy, signature;
    std::string credential, date;  // Version 4
    std::string access_key;        // Version 2
  };
  Result<Identity> verify_form(const FormClaim& claim, Refusal* why = nullptr) const;

  /// For someone whom authorize() does not let in: if the access control list (of the bucket or of
  /// one of its objects, as it is stored) gives `who` the permission, the identity to act with, which
  /// is the owner's, for this one request; else permission_denied.
  static Result<Identity> by_acl(const Identity& who,
                                 s3::Permission permission,
                                 const Bucket& bucket,
                                 std::string_view acl);
  /// To look at an object's access control list, and for nothing else.
  static Identity reader_of_acl(const Bucket& bucket) {
    return Identity(Identity::Kind::kUser, bucket.owner, {});
  }

 private:
  class KeyCache;
  class TokenCache;

  Result<Verified> verify_public(const http::RequestHead& head,
                                 const http::Target& target,
                                 Refusal& why) const;
  Result<Verified> verify_signature(const http::RequestHead& head,
                                    const http::Target& target,
                                    s3::Claim::Place place,
                                    Refusal& why) const;
  Result<Verified> verify_v2_query(const http::RequestHead& head,
                                   const http::Target& target,
                                   Refusal& why) const;
  /// The secret of an access key, and whose it is.
  struct Secret {
    User user;
    std::string text;
  };
  Result<Secret> secret_of(const std::string& access_key, Refusal& why) const;
  Result<Verified> verify_bearer(std::string_view token, Refusal& why) const;
  Result<std::shared_ptr<const TokenClaims>> claims_of(std::string_view token,
                                                       const ClusterMap& map) const;
  Result<Verified> verify_cluster(const http::RequestHead& head, Refusal& why) const;
  Identity identity_of(const User& user) const;
  Result<BodyAuth> body_auth(const s3::Claim& claim,
                             const http::RequestHead& head,
                             std::string signing_key,
                             Refusal& why) const;

  ClusterKey key_;
  MapNow map_;
  const Clock& clock_;
  VerifierOptions options_;
  std::unique_ptr<KeyCache> cache_;
  std::unique_ptr<TokenCache> tokens_;
};

/// The body of a verified request: reads from the connection's body as BodyAuth demands. Owns the
/// decoder, if any; `inner` outlives it.
class VerifiedBody {
 public:
  VerifiedBody(BodySource& inner, const BodyAuth& auth);
  BodySource& source() { return decoder_ ? *decoder_ : inner_; }

 private:
  BodySource& inner_;
  std::unique_ptr<BodySource> decoder_;
};

}  // namespace aisfs::auth
