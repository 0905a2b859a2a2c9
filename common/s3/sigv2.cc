// SPDX-License-Identifier: MIT
#include "common/s3/sigv2.h"

#include <algorithm>
#include <array>
#include <map>

#include "common/base/hash.h"
#include "common/base/text.h"

namespace aisfs::s3 {
namespace {

/// The parameters that are part of the resource, sorted; others are not signed.
constexpr std::array<std::string_view, 28> kSubresources = {"acl",
                                                            "cors",
                                                            "delete",
                                                            "lifecycle",
                                                            "location",
                                                            "logging",
                                                            "notification",
                                                            "partNumber",
                                                            "policy",
                                                            "requestPayment",
                                                            "response-cache-control",
                                                            "response-content-disposition",
                                                            "response-content-encoding",
                                                            "response-content-language",
                                                            "response-content-type",
                                                            "response-expires",
                                                            "restore",
                                                            "tagging",
                                                            "torrent",
                                                            "uploadId",
                                                            "uploads",
                                                            "versionId",
                                                            "versioning",
                                                            "versions",
                                                            "website",
                                                            "attributes",
                                                            "object-lock",
                                                            "retention"};

std::string resource_of(const http::Target& target) {
  std::map<std::string, const http::Target::Param*> signed_params;
  for (const auto& param : target.query) {
    const bool part =
        std::find(kSubresources.begin(), kSubresources.end(), param.name) != kSubresources.end();
    if (part) signed_params[param.name] = &param;
  }
  std::string text = target.raw_path;
  char separator = '?';
  for (const auto& [name, param] : signed_params) {
    text += separator + name;
    if (param->has_value) text += "=" + param->value;
    separator = '&';
  }
  return text;
}

std::string amz_headers_of(const http::Fields& fields) {
  std::map<std::string, std::string> headers;
  for (const auto& field : fields) {
    const std::string name = to_lower(field.name);
    if (!name.starts_with("x-amz-")) continue;
    std::string& value = headers[name];
    if (!value.empty()) value += ",";
    value.append(trim(field.value));
  }
  std::string text;
  for (const auto& [name, value] : headers) text += name + ":" + value + "\n";
  return text;
}

}  // namespace

std::string hmac_sha1(std::string_view key, std::string_view text) {
  constexpr std::size_t kBlock = 64;
  const auto digest = [](std::string_view first, std::string_view second) {
    Digest sha1(Digest::Kind::kSha1);
    sha1.update(as_bytes(first));
    sha1.update(as_bytes(second));
    return sha1.finish();
  };
  std::string block(key.size() > kBlock ? digest(key, {}) : std::string(key));
  block.resize(kBlock, '\0');
  std::string inner = block, outer = block;
  for (char& c : inner) c = static_cast<char>(c ^ 0x36);
  for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
  return digest(outer, digest(inner, text));
}

bool carries_v2_query(const http::Target& target) {
  return target.has("AWSAccessKeyId") || target.has("Signature");
}

Result<QueryClaimV2> parse_v2_query(const http::Target& target) {
  for (const std::string_view name : {"AWSAccessKeyId", "Signature", "Expires"}) {
    const auto count = std::count_if(target.query.begin(), target.query.end(),
                                     [&](const auto& param) { return param.name == name; });
    if (count != 1) return Error(Errc::invalid_argument, std::string(name) + " must be there once");
  }
  const auto expires = parse_i64(target.get("Expires"));
  const auto raw = from_base64(target.get("Signature"));
  if (!expires || *expires < 0) return Error(Errc::invalid_argument, "Expires is no time");
  if (!raw || raw->size() != 20) return Error(Errc::invalid_argument, "Signature is none");
  return QueryClaimV2{.access_key = std::string(target.get("AWSAccessKeyId")),
                      .signature = std::string(target.get("Signature")),
                      .expires_s = *expires};
}

std::string v2_string_to_sign(const http::RequestHead& head,
                              const http::Target& target,
                              std::string_view expires) {
  std::string text(http::to_string(head.method));
  text.append("\n").append(head.fields.get("content-md5"));
  text.append("\n").append(head.fields.get("content-type"));
  text.append("\n").append(expires).append("\n");
  return text + amz_headers_of(head.fields) + resource_of(target);
}

bool v2_signature_matches(const QueryClaimV2& claim,
                          const http::RequestHead& head,
                          const http::Target& target,
                          std::string_view secret_key) {
  const auto matches = [&](const http::Target& as_signed) {
    const std::string text = v2_string_to_sign(head, as_signed, target.get("Expires"));
    const std::string signature = to_base64(as_bytes(hmac_sha1(secret_key, text)));
    return equal_constant_time(signature, claim.signature);
  };
  if (matches(target)) return true;
  // Some clients sign the canonical encoding of the path that they send in another one.
  http::Target canonical = target;
  canonical.raw_path = percent_encode(target.path, Slash::kKeep);
  return canonical.raw_path != target.raw_path && matches(canonical);
}

}  // namespace aisfs::s3
