// SPDX-License-Identifier: MIT
// Listings of a bucket: version 1 and version 2.
#include "common/base/text.h"
#include "common/s3/date.h"
#include "common/s3/list_marker.h"
#include "node/front/s3/list_query.h"

namespace aisfs::front::s3 {
namespace {

using aisfs::s3::XmlWriter;

constexpr std::uint32_t kKeysMax = 1000;

struct Query {
  std::string prefix, delimiter;
  std::uint32_t limit = kKeysMax;
  NameEncoding encode;
};

Result<Query> parse_query(const Request& r) {
  Query query{.prefix = std::string(r.param("prefix")),
              .delimiter = std::string(r.param("delimiter"))};
  TRY(query.limit, limit_of(r, "max-keys", kKeysMax));
  TRY(query.encode, NameEncoding::of(r));
  return query;
}

Task<Result<ListPage>> list_page(Request& r, const Query& query, std::string after) {
  if (query.limit == 0) co_return ListPage{};
  ListOptions options{.prefix = query.prefix,
                      .after = std::move(after),
                      .delimiter = query.delimiter,
                      .limit = query.limit};
  co_return co_await r.deps.objects.list(r.context(), r.bucket_name(), std::move(options));
}

enum class ShowOwner : unsigned char { kNo, kYes };

void write_object(
    XmlWriter& xml, const Request& r, const Query& query, const ListEntry& entry, ShowOwner owner) {
  xml.open("Contents").leaf("Key", query.encode(entry.key));
  xml.leaf("LastModified", aisfs::s3::iso_date(entry.info.modified_ns));
  xml.leaf("ETag", quoted(entry.info.etag)).leaf("Size", entry.info.size);
  if (owner == ShowOwner::kYes) write_owner(xml, r, "Owner", r.found->owner);
  xml.leaf("StorageClass", "STANDARD").close();
}

void write_prefixes(XmlWriter& xml, const Query& query, const ListPage& page) {
  for (const auto& entry : page.entries) {
    if (entry.is_prefix) xml.open("CommonPrefixes").leaf("Prefix", query.encode(entry.key)).close();
  }
}

void write_entries(
    XmlWriter& xml, const Request& r, const Query& query, const ListPage& page, ShowOwner owner) {
  for (const auto& entry : page.entries) {
    if (!entry.is_prefix) write_object(xml, r, query, entry, owner);
  }
  write_prefixes(xml, query, page);
}

void write_query(XmlWriter& xml,
                 const Request& r,
                 const Query& query,
                 std::string_view shown_prefix) {
  xml.leaf("Name", r.bucket).leaf("Prefix", shown_prefix);
  xml.leaf("MaxKeys", std::uint64_t{query.limit});
  if (!query.delimiter.empty()) xml.leaf("Delimiter", query.encode(query.delimiter));
  query.encode.write(xml);
}

/// The whole millisecond of Last-Modified differs between XML and HTTP; S3 gives whole seconds in
/// both, and clients compare them.
void to_whole_seconds(ListPage& page) {
  for (auto& entry : page.entries) {
    entry.info.modified_ns = entry.info.modified_ns / 1'000'000'000 * 1'000'000'000;
  }
}

}  // namespace

Answer list_objects_v1(Request& r) {
  CO_TRY(const Query query, parse_query(r));
  const std::string marker(r.param("marker"));
  CO_TRY(ListPage page, co_await list_page(r, query, marker));
  to_whole_seconds(page);
  XmlWriter xml("ListBucketResult", aisfs::s3::kS3Namespace);
  write_query(xml, r, query, query.prefix);  // S3 never encodes it here, and clients know
  xml.leaf("Marker", query.encode(marker)).flag("IsTruncated", page.more);
  if (page.more && !query.delimiter.empty()) {
    xml.leaf("NextMarker",
             query.encode(page.entries.empty() ? page.next : page.entries.back().key));
  }
  write_entries(xml, r, query, page, ShowOwner::kYes);
  co_return xml_reply(std::move(xml).finish());
}

Answer list_objects_v2(Request& r) {
  CO_TRY(const Query query, parse_query(r));
  const std::string start_after(r.param("start-after"));
  std::string after = start_after;
  const std::string token(r.param("continuation-token"));
  if (!token.empty()) {
    auto decoded = aisfs::s3::decode_marker(token);
    if (!decoded.ok())
      co_return fail("InvalidArgument", "The continuation token provided is incorrect");
    after = std::move(*decoded);
  }
  CO_TRY(ListPage page, co_await list_page(r, query, std::move(after)));
  to_whole_seconds(page);
  XmlWriter xml("ListBucketResult", aisfs::s3::kS3Namespace);
  write_query(xml, r, query, query.encode(query.prefix));
  xml.leaf("KeyCount", std::uint64_t{page.entries.size()}).flag("IsTruncated", page.more);
  if (r.has_param("continuation-token")) xml.leaf("ContinuationToken", token);
  if (r.has_param("start-after")) xml.leaf("StartAfter", query.encode(start_after));
  if (page.more) xml.leaf("NextContinuationToken", aisfs::s3::encode_marker(page.next));
  const bool owner = iequals(r.param("fetch-owner"), "true");
  write_entries(xml, r, query, page, owner ? ShowOwner::kYes : ShowOwner::kNo);
  co_return xml_reply(std::move(xml).finish());
}

}  // namespace aisfs::front::s3
