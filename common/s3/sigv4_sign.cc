// SPDX-License-Identifier: MIT
// The client's half of SigV4.
#include <algorithm>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/s3/date.h"
#include "common/s3/sigv4.h"

namespace aisfs::s3 {
namespace {

bool to_be_signed(std::string_view lower_name) {
  return lower_name == "host" || lower_name == "content-type" || lower_name == "content-md5" ||
         lower_name == "range" || lower_name.starts_with("x-amz-");
}

std::vector<std::string> names_to_sign(const http::Fields& fields) {
  std::vector<std::string> names;
  for (const auto& field : fields) {
    std::string name = to_lower(field.name);
    if (to_be_signed(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out.append(out.empty() ? "" : ";").append(name);
  return out;
}

/// A client signs with one secret all day: the key, five hashes, is derived once a thread.
const std::string& todays_key(std::string_view secret, const Scope& scope) {
  struct Derived {
    std::string secret;
    Scope scope;
    std::string key;
  };
  thread_local Derived last;
  if (last.key.empty() || last.secret != secret || last.scope != scope) {
    last = {std::string(secret), scope, signing_key(secret, scope)};
  }
  return last.key;
}

std::string signature_of(std::string_view secret,
                         const Scope& scope,
                         std::string_view timestamp,
                         std::string_view canonical) {
  std::string text(kAlgorithm);
  text.append("\n").append(timestamp).append("\n").append(scope.to_string());
  text.append("\n").append(to_hex(as_bytes(sha256(canonical))));
  return to_hex(as_bytes(hmac_sha256(todays_key(secret, scope), text)));
}

}  // namespace

Result<Signed> sign(http::RequestHead& head, const KeyPair& keys, const SignOptions& options) {
  TRY(const auto target, http::Target::parse(head.target));
  Signed out{.signature = {}, .timestamp = amz_date(options.time_ns), .scope = {}};
  out.scope = {.date = out.timestamp.substr(0, 8), .region = options.region};
  head.fields.remove("authorization");
  head.fields.set("x-amz-date", out.timestamp);
  head.fields.set("x-amz-content-sha256",
                  options.payload.empty() ? to_hex(as_bytes(sha256(""))) : options.payload);

  http::Fields fields = head.fields;
  if (!options.host.empty()) fields.set("host", options.host);
  const auto names = names_to_sign(fields);
  const std::string canonical =
      canonical_request(head.method, percent_encode(target.path, Slash::kKeep), target.query,
                        fields, names, head.fields.get("x-amz-content-sha256"));
  out.signature = signature_of(keys.secret_key, out.scope, out.timestamp, canonical);
  std::string value(kAlgorithm);
  value.append(" Credential=").append(keys.access_key).append("/").append(out.scope.to_string());
  value.append(", SignedHeaders=").append(joined(names));
  value.append(", Signature=").append(out.signature);
  head.fields.set("Authorization", value);
  return out;
}

Result<std::string> presign(http::Method method,
                            std::string_view target,
                            const KeyPair& keys,
                            const SignOptions& options,
                            std::uint64_t expires_s) {
  TRY(auto parsed, http::Target::parse(target));
  const std::string timestamp = amz_date(options.time_ns);
  const Scope scope{.date = timestamp.substr(0, 8), .region = options.region};
  const auto add = [&](std::string name, std::string value) {
    parsed.query.push_back({.name = std::move(name), .value = std::move(value), .has_value = true});
  };
  add("X-Amz-Algorithm", std::string(kAlgorithm));
  add("X-Amz-Credential", keys.access_key + "/" + scope.to_string());
  add("X-Amz-Date", timestamp);
  add("X-Amz-Expires", std::to_string(expires_s));
  add("X-Amz-SignedHeaders", "host");

  http::Fields fields;
  fields.add("host", options.host);
  const std::string path = percent_encode(parsed.path, Slash::kKeep);
  const std::string canonical =
      canonical_request(method, path, parsed.query, fields, {"host"}, kUnsignedPayload);
  add("X-Amz-Signature", signature_of(keys.secret_key, scope, timestamp, canonical));
  std::string out = path;
  for (const auto& param : parsed.query) {
    out += out.size() == path.size() ? '?' : '&';
    out.append(percent_encode(param.name, Slash::kEncode));
    if (param.has_value) out.append("=").append(percent_encode(param.value, Slash::kEncode));
  }
  return out;
}

}  // namespace aisfs::s3
