// SPDX-License-Identifier: MIT
// AWS Signature Version 2 in the query of a URL, as s3cmd's signurl and other old tools make it:
// AWSAccessKeyId, Expires, Signature. In headers it is not spoken.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/http/message.h"

namespace aisfs::s3 {

/// What a URL says about its own signature. Nothing in it is proven.
struct QueryClaimV2 {
  std::string access_key;
  std::string signature;     // base64
  std::int64_t expires_s = 0;  // since 1970
};

bool carries_v2_query(const http::Target& target);

/// invalid_argument when one of the three is missing, twice there, or not of its form.
Result<QueryClaimV2> parse_v2_query(const http::Target& target);

/// True when the signature is the request's under the secret. Takes the same time for every wrong
/// one. The bucket is in the path.
bool v2_signature_matches(const QueryClaimV2& claim,
                          const http::RequestHead& head,
                          const http::Target& target,
                          std::string_view secret_key);

/// For clients: the text that is signed.
std::string v2_string_to_sign(const http::RequestHead& head,
                              const http::Target& target,
                              std::string_view expires);

/// RFC 2104 with SHA-1, 20 raw bytes; exposed for its test vectors.
std::string hmac_sha1(std::string_view key, std::string_view text);

}  // namespace aisfs::s3
