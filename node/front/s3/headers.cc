// SPDX-License-Identifier: MIT
#include "node/front/s3/headers.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"
#include "node/front/s3/acl.h"
#include "node/front/s3/mapping.h"
#include "node/front/s3/tags.h"
#include "node/front/s3/versioning.h"

namespace aisfs::front::s3 {
namespace {

constexpr std::string_view kMetaPrefix = "x-amz-meta-";
constexpr std::string_view kChecksumPrefix = "x-amz-checksum-";
constexpr std::size_t kMetadataBytesMax = 2048;
constexpr std::array<std::string_view, 5> kStoredHeaders = {
    "cache-control", "content-disposition", "content-encoding", "content-language", "expires"};

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_token(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c < 127 &&
           std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
  });
}

/// Every element of a list of etags, without quotes and "W/".
std::vector<std::string> etags_of(std::string_view value) {
  std::vector<std::string> etags;
  for (std::string_view piece : split(value, ',')) {
    piece = trim(piece);
    if (piece.starts_with("W/")) piece.remove_prefix(2);
    if (!piece.empty()) etags.push_back(unquoted(piece));
  }
  return etags;
}

/// aws-chunked is how the body travels, not how it is encoded.
std::string without_aws_chunked(std::string_view encoding) {
  std::string out;
  for (std::string_view piece : split(encoding, ',')) {
    piece = trim(piece);
    if (piece.empty() || iequals(piece, "aws-chunked")) continue;
    if (!out.empty()) out += ", ";
    out.append(piece);
  }
  return out;
}

std::map<std::string, std::string> stored_headers_of(const http::Fields& fields) {
  std::map<std::string, std::string> headers;
  for (std::string_view name : kStoredHeaders) {
    const auto* value = fields.find(name);
    if (value == nullptr) continue;
    std::string kept = name == "content-encoding" ? without_aws_chunked(*value) : *value;
    if (!kept.empty()) headers[std::string(name)] = std::move(kept);
  }
  return headers;
}

Result<std::map<std::string, std::string>> user_metadata_of(const http::Fields& fields) {
  std::map<std::string, std::string> user;
  std::size_t bytes = 0;
  for (const auto& field : fields) {
    const std::string name = to_lower(field.name);
    if (!name.starts_with(kMetaPrefix)) continue;
    const std::string key = name.substr(kMetaPrefix.size());
    bytes += key.size() + field.value.size();
    std::string& value = user[key];
    if (!value.empty()) value += ",";
    value += field.value;
  }
  if (bytes > kMetadataBytesMax) return fail("MetadataTooLarge");
  return user;
}

std::int64_t unix_now_ns() {
  return std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Conditions conditions_of(const http::Fields& fields, std::string_view prefix) {
  const auto value = [&](std::string_view name) {
    return prefix.empty() ? fields.find(name)
                          : fields.find(std::string(prefix) + std::string(name));
  };
  Conditions conditions;
  const auto* match = value("if-match");
  const auto* none_match = value("if-none-match");
  if (match != nullptr) {
    conditions.must_exist = trim(*match) == "*";
    if (!conditions.must_exist) conditions.if_match = etags_of(*match);
  } else if (const auto* date = value("if-unmodified-since")) {
    conditions.if_unmodified_since_ns = http::parse_http_date(*date);
  }
  if (none_match != nullptr) {
    conditions.must_not_exist = trim(*none_match) == "*";
    if (!conditions.must_not_exist) conditions.if_none_match = etags_of(*none_match);
  } else if (const auto* date = value("if-modified-since")) {
    conditions.if_modified_since_ns = http::parse_http_date(*date);
  }
  return conditions;
}

Result<PutOptions> put_options_of(const Request& r) { return put_options_of(r, r.fields()); }

Result<PutOptions> put_options_of(const Request& r, const http::Fields& fields) {
  PutOptions options{.level = Durability::kNone};  // the bucket's level holds
  options.want_md5 = true;
  options.content_type = std::string(fields.get("content-type"));
  if (options.content_type.empty()) options.content_type = "binary/octet-stream";
  options.headers = stored_headers_of(fields);
  TRY(std::string acl, acl_text_of(r, fields));
  if (!acl.empty()) options.headers[std::string(kAclHeader)] = std::move(acl);
  TRY(options.user, user_metadata_of(fields));
  options.posix = take_posix(options.user, r.key, options.content_type, unix_now_ns());
  if (const auto* tagging = fields.find(kTaggingHeader)) {
    TRY(const Tags tags, parse_tag_header(*tagging));
    if (!tags.empty()) options.headers[std::string(kTaggingHeader)] = format_tags(tags);
  }
  return options;
}

Result<std::optional<std::string>> content_md5_of(const Request& r) {
  const auto* value = r.fields().find("content-md5");
  if (value == nullptr) return std::optional<std::string>();
  auto raw = from_base64(trim(*value));
  if (!raw.ok() || raw->size() != 16) return fail("InvalidDigest");
  return std::optional(std::move(*raw));
}

Result<std::map<std::string, std::string>> checksums_of(const Request& r) {
  std::map<std::string, std::string> checksums;
  for (const auto& field : r.fields()) {
    const std::string name = to_lower(field.name);
    if (!name.starts_with(kChecksumPrefix)) continue;
    const auto kind = aisfs::s3::parse_checksum_kind(name.substr(kChecksumPrefix.size()));
    if (kind) checksums[std::string(name_of(*kind))] = std::string(trim(field.value));
  }
  if (checksums.size() > 1) {
    return fail("InvalidRequest", "Expecting a single x-amz-checksum- header.");
  }
  return checksums;
}

std::vector<std::string> trailing_checksums_of(const Request& r) {
  std::vector<std::string> names;
  if (r.verified.body.kind != auth::BodyAuth::Kind::kChunked) return names;
  for (const auto& trailer : r.verified.body.chunked.trailers) {
    if (!trailer.starts_with(kChecksumPrefix)) continue;
    const auto kind = aisfs::s3::parse_checksum_kind(trailer.substr(kChecksumPrefix.size()));
    if (kind) names.emplace_back(name_of(*kind));
  }
  return names;
}

void add_checksum_headers(const ObjectInfo& info, http::Fields& fields) {
  for (const auto& [name, value] : info.checksums) {
    if (!aisfs::s3::parse_checksum_kind(name) || value.empty()) continue;
    fields.set(std::string(kChecksumPrefix) + name, value);
    fields.set("x-amz-checksum-type",
               value.find('-') == std::string::npos ? "FULL_OBJECT" : "COMPOSITE");
  }
}

void remove_checksum_headers(const ObjectInfo& info, http::Fields& fields) {
  for (const auto& [name, value] : info.checksums)
    fields.remove(std::string(kChecksumPrefix) + name);
  fields.remove("x-amz-checksum-type");
}

void add_object_headers(const Request& r, const ObjectInfo& info, http::Fields& fields) {
  fields.set("ETag", quoted(info.etag));
  fields.set("Last-Modified", http::http_date(info.modified_ns));
  fields.set("Accept-Ranges", "bytes");
  fields.set("Content-Type", info.content_type.empty() ? "binary/octet-stream" : info.content_type);
  for (std::string_view name : kStoredHeaders) {
    if (info.headers.empty()) break;  // as of most objects
    const auto it = info.headers.find(std::string(name));
    if (it != info.headers.end() && !has_control(it->second)) fields.set(name, it->second);
  }
  std::map<std::string, std::string> user = info.user;
  if (info.posix) {
    for (auto& [key, value] : show_posix(*info.posix)) user[key] = value;
  }
  for (const auto& [key, value] : user) {
    if (is_token(key) && !has_control(value)) fields.set(std::string(kMetaPrefix) + key, value);
  }
  if (const auto it = info.headers.find(std::string(kTaggingHeader)); it != info.headers.end()) {
    fields.set("x-amz-tagging-count", std::to_string(parse_stored_tags(it->second).size()));
  }
  add_version_headers(r, info, fields);
  if (iequals(r.field("x-amz-checksum-mode"), "ENABLED")) add_checksum_headers(info, fields);
}

}  // namespace aisfs::front::s3
