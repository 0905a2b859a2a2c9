// SPDX-License-Identifier: MIT
#include "common/s3/sigv4.h"

#include <algorithm>
#include <array>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/s3/date.h"

namespace aisfs::s3 {
namespace {

constexpr std::string_view kTerminator = "aws4_request";
constexpr std::uint64_t kPresignSecondsMax = 604800;  // 7 days
constexpr std::size_t kSignedHeadersMax = 100;

Error malformed(std::string_view what) {
  return Error(Errc::invalid_argument, "signature: " + std::string(what));
}

bool is_hex_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool is_payload(std::string_view text) {
  return is_hex_digest(text) || text == kUnsignedPayload || text == kStreamingSigned ||
         text == kStreamingSignedTrailer || text == kStreamingUnsignedTrailer;
}

/// "AK/20130524/us-east-1/s3/aws4_request"; an access key may contain '/'.
Status parse_credential(std::string_view text, Claim& claim) {
  std::array<std::string_view, 4> tail;  // terminator, service, region, date
  for (auto& part : tail) {
    const auto slash = text.rfind('/');
    if (slash == text.npos)
      return malformed("the credential is not key/date/region/service/aws4_request");
    part = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  if (tail[0] != kTerminator || tail[1].empty() || tail[2].empty() || text.empty()) {
    return malformed("the credential is not key/date/region/service/aws4_request");
  }
  claim.access_key = text;
  claim.scope = {std::string(tail[3]), std::string(tail[2]), std::string(tail[1])};
  return {};
}

Status parse_signed_headers(std::string_view text, Claim& claim) {
  for (std::string_view name : split(text, ';')) claim.signed_headers.emplace_back(name);
  const auto& names = claim.signed_headers;
  const bool sorted = std::adjacent_find(names.begin(), names.end(),
                                         [](auto& a, auto& b) { return a >= b; }) == names.end();
  const bool plain = std::all_of(names.begin(), names.end(), [](const std::string& name) {
    return !name.empty() &&
           std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  });
  if (!sorted || !plain || names.size() > kSignedHeadersMax) {
    return malformed("signed headers must be lower case and sorted");
  }
  return {};
}

Status set_time(std::string_view timestamp, Claim& claim) {
  const auto time = parse_amz_date(timestamp);
  if (!time) return malformed("the date is not of the form YYYYMMDDThhmmssZ");
  if (timestamp.substr(0, 8) != claim.scope.date) {
    return malformed("the date of the credential's scope is not the request's");
  }
  claim.timestamp = timestamp;
  claim.time_ns = *time;
  return {};
}

Status set_signature(std::string_view text, Claim& claim) {
  if (!is_hex_digest(text)) return malformed("the signature is not 64 lower-case hex digits");
  claim.signature = text;
  return {};
}

Status set_payload(std::string_view text, Claim& claim) {
  if (!is_payload(text)) {
    return malformed("x-amz-content-sha256 is neither a SHA-256 in hex nor a known mode");
  }
  claim.payload = text;
  return {};
}

struct HeaderParts {
  std::string_view credential, signed_headers, signature;
};

Result<HeaderParts> split_authorization(std::string_view text) {
  if (!text.starts_with(kAlgorithm)) return malformed("unknown algorithm");
  text.remove_prefix(kAlgorithm.size());
  if (!text.starts_with(' ')) return malformed("unknown algorithm");
  HeaderParts parts;
  for (std::string_view piece : split(text, ',')) {
    piece = trim(piece);
    const auto equals = piece.find('=');
    if (equals == piece.npos) return malformed("a part of the header has no value");
    const std::string_view name = piece.substr(0, equals), value = piece.substr(equals + 1);
    auto* slot = name == "Credential"      ? &parts.credential
                 : name == "SignedHeaders" ? &parts.signed_headers
                 : name == "Signature"     ? &parts.signature
                                           : nullptr;
    if (slot == nullptr) return malformed("unknown part in the header");
    if (slot->data() != nullptr) return malformed("a part of the header is given twice");
    *slot = value;
  }
  if (parts.credential.empty() || parts.signed_headers.empty() || parts.signature.empty()) {
    return malformed("Credential, SignedHeaders and Signature are required");
  }
  return parts;
}

/// The date that a request signed in its headers has: x-amz-date, else Date.
Result<std::string> header_timestamp(const http::RequestHead& head) {
  if (head.fields.count("x-amz-date") > 1) return malformed("x-amz-date is given twice");
  if (const auto* date = head.fields.find("x-amz-date")) return std::string(trim(*date));
  const auto date = http::parse_http_date(head.fields.get("date"));
  if (!date) return malformed("neither x-amz-date nor a valid Date header");
  return amz_date(*date);
}

Result<Claim> parse_header_claim(const http::RequestHead& head) {
  if (head.fields.count("authorization") != 1) return malformed("more than one Authorization");
  TRY(const auto parts, split_authorization(head.fields.get("authorization")));
  Claim claim{.place = Claim::Place::kHeader};
  CHECK_OK(parse_credential(parts.credential, claim));
  CHECK_OK(parse_signed_headers(parts.signed_headers, claim));
  CHECK_OK(set_signature(parts.signature, claim));
  TRY(const auto timestamp, header_timestamp(head));
  CHECK_OK(set_time(timestamp, claim));
  if (head.fields.count("x-amz-content-sha256") != 1) {
    return malformed("x-amz-content-sha256 is required, once");
  }
  CHECK_OK(set_payload(trim(head.fields.get("x-amz-content-sha256")), claim));
  return claim;
}

Result<std::string> query_part(const http::Target& target, std::string_view name) {
  const std::string* found = nullptr;
  for (const auto& param : target.query) {
    if (!iequals(param.name, name)) continue;
    if (found != nullptr) return malformed(std::string(name) + " is given twice");
    found = &param.value;
    if (param.name != name) return malformed(std::string(name) + " is spelt differently");
  }
  if (found == nullptr || found->empty()) return malformed(std::string(name) + " is missing");
  return *found;
}

Result<Claim> parse_query_claim(const http::RequestHead& head, const http::Target& target) {
  Claim claim{.place = Claim::Place::kQuery};
  TRY(const auto algorithm, query_part(target, "X-Amz-Algorithm"));
  if (algorithm != kAlgorithm) return malformed("unknown algorithm");
  TRY(const auto credential, query_part(target, "X-Amz-Credential"));
  CHECK_OK(parse_credential(credential, claim));
  TRY(const auto names, query_part(target, "X-Amz-SignedHeaders"));
  CHECK_OK(parse_signed_headers(names, claim));
  TRY(const auto signature, query_part(target, "X-Amz-Signature"));
  CHECK_OK(set_signature(signature, claim));
  TRY(const auto date, query_part(target, "X-Amz-Date"));
  CHECK_OK(set_time(date, claim));
  TRY(const auto expires_text, query_part(target, "X-Amz-Expires"));
  const auto expires = parse_u64(expires_text);
  if (!expires || *expires < 1 || *expires > kPresignSecondsMax) {
    return malformed("X-Amz-Expires must be 1 to 604800 seconds");
  }
  claim.expires_s = *expires;
  const auto* in_query = target.find("X-Amz-Content-Sha256");
  const auto* in_header = head.fields.find("x-amz-content-sha256");
  CHECK_OK(set_payload(in_query    ? std::string_view(*in_query)
                       : in_header ? trim(*in_header)
                                   : kUnsignedPayload,
                       claim));
  return claim;
}

/// Trimmed, runs of spaces made one.
void append_header_value(std::string& out, std::string_view value) {
  bool space = false;
  for (char c : trim(value)) {
    if (c != ' ' || !space) out += c;
    space = c == ' ';
  }
}

void append_canonical_headers(std::string& out,
                              const http::Fields& fields,
                              const std::vector<std::string>& names) {
  for (const auto& name : names) {
    out.append(name).append(":");
    bool first = true;
    for (const auto& field : fields) {
      if (!iequals(field.name, name)) continue;
      if (!first) out += ',';
      first = false;
      append_header_value(out, field.value);
    }
    out += '\n';
  }
  out += '\n';
  for (std::size_t i = 0; i < names.size(); ++i) out.append(i == 0 ? "" : ";").append(names[i]);
}

std::string canonical_query(const std::vector<http::Target::Param>& query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& param : query) {
    pairs.emplace_back(percent_encode(param.name, Slash::kEncode),
                       percent_encode(param.value, Slash::kEncode));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

std::string request_signature(const Claim& claim,
                              std::string_view key,
                              std::string_view canonical) {
  std::string text;
  text.reserve(kAlgorithm.size() + 160);
  text.append(kAlgorithm).append("\n").append(claim.timestamp).append("\n");
  text.append(claim.scope.to_string());
  text.append("\n").append(to_hex(as_bytes(sha256(canonical))));
  return to_hex(as_bytes(hmac_sha256(key, text)));
}

}  // namespace

std::string Scope::to_string() const {
  return date + "/" + region + "/" + service + "/" + std::string(kTerminator);
}

std::string signing_key(std::string_view secret_key, const Scope& scope) {
  const std::string date = hmac_sha256("AWS4" + std::string(secret_key), scope.date);
  return hmac_sha256(hmac_sha256(hmac_sha256(date, scope.region), scope.service), kTerminator);
}

Carries carries_signature(const http::RequestHead& head, const http::Target& target) {
  const bool header = head.fields.has("authorization");
  const bool query = std::any_of(target.query.begin(), target.query.end(), [](const auto& param) {
    return iequals(param.name, "X-Amz-Signature") || iequals(param.name, "X-Amz-Algorithm") ||
           iequals(param.name, "X-Amz-Credential");
  });
  if (header && query) return Carries::kBoth;
  return header ? Carries::kHeader : query ? Carries::kQuery : Carries::kNothing;
}

Result<Claim> parse_claim(const http::RequestHead& head,
                          const http::Target& target,
                          Claim::Place place) {
  return place == Claim::Place::kHeader ? parse_header_claim(head)
                                        : parse_query_claim(head, target);
}

Status check_signed_headers(const Claim& claim, const http::RequestHead& head) {
  const auto is_signed = [&](const std::string& name) {
    return std::binary_search(claim.signed_headers.begin(), claim.signed_headers.end(), name);
  };
  if (!is_signed("host")) return malformed("the host header must be signed");
  constexpr std::string_view kAmz = "x-amz-";
  for (const auto& field : head.fields) {
    if (!iequals(std::string_view(field.name).substr(0, kAmz.size()), kAmz)) continue;
    const std::string name = to_lower(field.name);
    if (!is_signed(name)) return malformed("there is a header that is not signed: " + name);
  }
  return {};
}

Status check_time(const Claim& claim, std::int64_t now_ns, std::int64_t skew_ns) {
  const std::int64_t age_ns = now_ns - claim.time_ns;
  if (age_ns < -skew_ns) {
    return malformed("the request's time is too far ahead of the server's");
  }
  if (claim.place == Claim::Place::kHeader) {
    if (age_ns > skew_ns) return malformed("the request's time is too far behind the server's");
    return {};
  }
  if (age_ns > static_cast<std::int64_t>(claim.expires_s) * 1'000'000'000) {
    return Error(Errc::permission_denied, "Request has expired");
  }
  return {};
}

bool signature_matches(const Claim& claim,
                       const http::RequestHead& head,
                       const http::Target& target,
                       std::string_view key) {
  std::vector<http::Target::Param> query;
  for (const auto& param : target.query) {
    if (claim.place == Claim::Place::kQuery && param.name == "X-Amz-Signature") continue;
    query.push_back(param);
  }
  const auto matches = [&](std::string_view path) {
    const std::string canonical = canonical_request(head.method, path, query, head.fields,
                                                    claim.signed_headers, claim.payload);
    return equal_constant_time(request_signature(claim, key, canonical), claim.signature);
  };
  // Some clients sign the path as they send it, others its canonical encoding. Both name the same
  // key, because the path is decoded once.
  if (matches(target.raw_path)) return true;
  const std::string encoded = percent_encode(target.path, Slash::kKeep);
  return encoded != target.raw_path && matches(encoded);
}

std::string chunk_signature(std::string_view key,
                            std::string_view timestamp,
                            const Scope& scope,
                            std::string_view previous,
                            std::string_view data_sha256_hex) {
  static const std::string kEmptyHash = to_hex(as_bytes(sha256("")));
  std::string text = "AWS4-HMAC-SHA256-PAYLOAD\n";
  text.append(timestamp).append("\n").append(scope.to_string()).append("\n");
  text.append(previous).append("\n").append(kEmptyHash).append("\n").append(data_sha256_hex);
  return to_hex(as_bytes(hmac_sha256(key, text)));
}

std::string trailer_signature(std::string_view key,
                              std::string_view timestamp,
                              const Scope& scope,
                              std::string_view previous,
                              std::string_view canonical_trailers) {
  std::string text = "AWS4-HMAC-SHA256-TRAILER\n";
  text.append(timestamp).append("\n").append(scope.to_string()).append("\n");
  text.append(previous).append("\n").append(to_hex(as_bytes(sha256(canonical_trailers))));
  return to_hex(as_bytes(hmac_sha256(key, text)));
}

std::string canonical_request(http::Method method,
                              std::string_view canonical_path,
                              const std::vector<http::Target::Param>& query,
                              const http::Fields& fields,
                              const std::vector<std::string>& signed_headers,
                              std::string_view payload) {
  constexpr std::size_t kOrdinary = 512;
  std::string out;
  out.reserve(kOrdinary);
  out.append(http::to_string(method)).append("\n").append(canonical_path).append("\n");
  out.append(canonical_query(query)).append("\n");
  append_canonical_headers(out, fields, signed_headers);
  out.append("\n").append(payload);
  return out;
}

}  // namespace aisfs::s3
