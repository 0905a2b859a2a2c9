// SPDX-License-Identifier: MIT
// ListObjectVersions: current versions, older ones and delete markers, newest first within a key.
#include "common/model/version_key.h"
#include "common/s3/date.h"
#include "node/front/s3/list_query.h"

namespace aisfs::front::s3 {
namespace {

using aisfs::s3::XmlWriter;

constexpr std::uint32_t kKeysMax = 1000;

struct Query {
  std::string prefix, delimiter, key_marker, version_marker;
  std::uint32_t limit = kKeysMax;
  NameEncoding encode;
};

Result<Query> parse_query(const Request& r) {
  Query query{.prefix = std::string(r.param("prefix")),
              .delimiter = std::string(r.param("delimiter")),
              .key_marker = std::string(r.param("key-marker")),
              .version_marker = std::string(r.param("version-id-marker"))};
  TRY(query.limit, limit_of(r, "max-keys", kKeysMax));
  TRY(query.encode, NameEncoding::of(r));
  if (!query.version_marker.empty() && query.key_marker.empty()) {
    return fail("InvalidArgument", "A version-id marker cannot be specified without a key marker.");
  }
  return query;
}

bool is_common_prefix(const Query& query, const std::string& name) {
  if (query.delimiter.empty() || name.size() < query.prefix.size()) return false;
  const auto at = name.find(query.delimiter, query.prefix.size());
  return at != std::string::npos && at + query.delimiter.size() == name.size();
}

/// The name that the page begins behind.
Task<Result<std::string>> after_of(Request& r, const Query& query) {
  if (query.key_marker.empty() || is_common_prefix(query, query.key_marker)) {
    co_return query.key_marker;
  }
  if (query.version_marker.empty()) co_return after_versions(query.key_marker);
  std::string asked = version_key(query.key_marker, query.version_marker);
  if (query.version_marker != kNullVersion) co_return asked;
  // Its place in the order is not in its id.
  ObjectName name{r.bucket_name(), std::move(asked)};
  const auto info = co_await r.deps.objects.head(r.context(), std::move(name), Conditions{});
  if (info.ok()) co_return kept_key(query.key_marker, *info);
  if (info.error() == Errc::not_found) co_return after_versions(query.key_marker);
  co_return info.error();
}

/// Tells which entries of a key are shown, and which is the latest.
class Order {
 public:
  /// `begun` is a key whose newest version an earlier page has shown.
  explicit Order(std::string begun) : key_(std::move(begun)), any_(!key_.empty()) {}

  struct Shown {
    std::string_view key;
    std::string id;
    bool latest = false;
  };
  /// nullopt for what a change that was not finished has left beside the current version.
  std::optional<Shown> next(const ListEntry& entry) {
    const std::string_view key = plain_key(entry.key);
    if (!any_ || key != key_) {
      key_ = key;
      any_ = true;
      current_.clear();
      return first(entry, key);
    }
    const std::string_view id = version_id_of_suffix(version_suffix(entry.key));
    if (id == current_) return std::nullopt;
    return Shown{key, std::string(id), false};
  }

 private:
  Shown first(const ListEntry& entry, std::string_view key) {
    if (is_version_key(entry.key)) {
      return {key, std::string(version_id_of_suffix(version_suffix(entry.key))), true};
    }
    current_ = version_id(entry.info);
    return {key, current_, true};
  }

  std::string key_, current_;
  bool any_ = false;
};

void write_version(XmlWriter& xml,
                   const Request& r,
                   const Query& query,
                   const ListEntry& entry,
                   const Order::Shown& shown) {
  const bool marker = is_delete_marker(entry.info);
  const std::int64_t seconds = entry.info.modified_ns / 1'000'000'000 * 1'000'000'000;
  xml.open(marker ? "DeleteMarker" : "Version").leaf("Key", query.encode(shown.key));
  xml.leaf("VersionId", shown.id).flag("IsLatest", shown.latest);
  xml.leaf("LastModified", aisfs::s3::iso_date(seconds));
  if (!marker) {
    xml.leaf("ETag", quoted(entry.info.etag)).leaf("Size", entry.info.size);
    xml.leaf("StorageClass", "STANDARD");
  }
  write_owner(xml, r, "Owner", r.found->owner);
  xml.close();
}

void write_next(XmlWriter& xml, const Query& query, const ListPage& page) {
  if (!page.more || page.entries.empty()) return;
  const ListEntry& last = page.entries.back();
  xml.leaf("NextKeyMarker", query.encode(plain_key(last.key)));
  if (last.is_prefix) return;
  const std::string kept = is_version_key(last.key) ? last.key : kept_key(last.key, last.info);
  xml.leaf("NextVersionIdMarker", version_suffix(kept));
}

}  // namespace

Answer list_versions(Request& r) {
  CO_TRY(const Query query, parse_query(r));
  ListPage page;
  if (query.limit > 0) {
    ListOptions options{
        .prefix = query.prefix, .after = {}, .delimiter = query.delimiter, .limit = query.limit};
    options.attributes = options.versions = true;
    CO_TRY(options.after, co_await after_of(r, query));
    CO_TRY(page, co_await r.deps.objects.list(r.context(), r.bucket_name(), std::move(options)));
  }
  XmlWriter xml("ListVersionsResult", aisfs::s3::kS3Namespace);
  xml.leaf("Name", r.bucket).leaf("Prefix", query.encode(query.prefix));
  xml.leaf("KeyMarker", query.encode(query.key_marker));
  xml.leaf("VersionIdMarker", query.version_marker);
  write_next(xml, query, page);
  xml.leaf("MaxKeys", std::uint64_t{query.limit});
  if (!query.delimiter.empty()) xml.leaf("Delimiter", query.encode(query.delimiter));
  query.encode.write(xml);
  xml.flag("IsTruncated", page.more);
  Order order(query.version_marker.empty() ? std::string() : query.key_marker);
  for (const ListEntry& entry : page.entries) {
    if (entry.is_prefix) continue;
    if (const auto shown = order.next(entry)) write_version(xml, r, query, entry, *shown);
  }
  for (const ListEntry& entry : page.entries) {
    if (entry.is_prefix) xml.open("CommonPrefixes").leaf("Prefix", query.encode(entry.key)).close();
  }
  co_return xml_reply(std::move(xml).finish());
}

}  // namespace aisfs::front::s3
