// SPDX-License-Identifier: MIT
// What uploads there are, and what parts one has.
#include "common/base/text.h"
#include "common/s3/date.h"
#include "node/front/s3/list_query.h"

namespace aisfs::front::s3 {
namespace {

using aisfs::s3::XmlWriter;

constexpr std::uint32_t kPageMax = 1000;

struct UploadQuery {
  std::string prefix, delimiter, key_marker, id_marker;
  std::uint32_t limit = kPageMax;
  NameEncoding encode;
};

Result<UploadQuery> parse_query(const Request& r) {
  UploadQuery query{.prefix = std::string(r.param("prefix")),
                    .delimiter = std::string(r.param("delimiter")),
                    .key_marker = std::string(r.param("key-marker")),
                    .id_marker = std::string(r.param("upload-id-marker"))};
  TRY(query.limit, limit_of(r, "max-uploads", kPageMax));
  TRY(query.encode, NameEncoding::of(r));
  return query;
}

struct UploadPage {
  std::vector<UploadInfo> uploads;
  std::vector<std::string> prefixes;
  bool more = false;
  std::string next_key, next_id;

  std::size_t size() const { return uploads.size() + prefixes.size(); }
};

std::string rolled_up(const UploadQuery& query, const std::string& key) {
  if (query.delimiter.empty()) return {};
  const auto at = key.find(query.delimiter, query.prefix.size());
  return at == key.npos ? std::string() : key.substr(0, at + query.delimiter.size());
}

/// Adds an upload or its common prefix; false when the page is full and it does not fit.
bool add(UploadPage& page, const UploadQuery& query, UploadInfo upload) {
  const std::string prefix = rolled_up(query, upload.key);
  const bool known = !prefix.empty() && !page.prefixes.empty() && page.prefixes.back() == prefix;
  const bool before = !prefix.empty() && prefix == query.key_marker;
  if (!known && !before) {
    if (page.size() >= query.limit) return false;
    if (!prefix.empty()) page.prefixes.push_back(prefix);
    page.next_key = prefix.empty() ? upload.key : prefix;
    page.next_id = prefix.empty() ? upload.id : "";
    if (prefix.empty()) page.uploads.push_back(std::move(upload));
  }
  return true;
}

Task<Result<UploadPage>> list_page(Request& r, const UploadQuery& query) {
  UploadPage page;
  std::string key = query.key_marker, id = query.id_marker;
  while (true) {
    CO_TRY(UploadList list, co_await r.deps.objects.list_uploads(r.context(), r.bucket_name(),
                                                                 query.prefix, key, id, kPageMax));
    for (auto& upload : list.uploads) {
      key = upload.key;
      id = upload.id;
      if (!add(page, query, std::move(upload))) {
        page.more = true;
        co_return page;
      }
    }
    if (!list.more) co_return page;
  }
}

}  // namespace

Answer list_uploads(Request& r) {
  CO_TRY(const UploadQuery query, parse_query(r));
  CO_TRY(const UploadPage page, co_await list_page(r, query));
  XmlWriter xml("ListMultipartUploadsResult", aisfs::s3::kS3Namespace);
  xml.leaf("Bucket", r.bucket).leaf("KeyMarker", query.encode(query.key_marker));
  xml.leaf("UploadIdMarker", query.id_marker).leaf("Prefix", query.encode(query.prefix));
  if (!query.delimiter.empty()) xml.leaf("Delimiter", query.encode(query.delimiter));
  query.encode.write(xml);
  xml.leaf("MaxUploads", std::uint64_t{query.limit}).flag("IsTruncated", page.more);
  if (page.more) {
    xml.leaf("NextKeyMarker", query.encode(page.next_key)).leaf("NextUploadIdMarker", page.next_id);
  }
  for (const auto& upload : page.uploads) {
    const std::string& user = upload.initiator.empty() ? r.found->owner : upload.initiator;
    xml.open("Upload").leaf("Key", query.encode(upload.key)).leaf("UploadId", upload.id);
    write_owner(xml, r, "Initiator", user);
    write_owner(xml, r, "Owner", user);
    xml.leaf("StorageClass", "STANDARD");
    xml.leaf("Initiated", aisfs::s3::iso_date(upload.started_ns)).close();
  }
  for (const auto& prefix : page.prefixes) {
    xml.open("CommonPrefixes").leaf("Prefix", query.encode(prefix)).close();
  }
  co_return xml_reply(std::move(xml).finish());
}

Answer list_parts(Request& r) {
  CO_TRY(const std::uint32_t limit, limit_of(r, "max-parts", kPageMax));
  CO_TRY(const std::uint32_t after, limit_of(r, "part-number-marker", 10000));
  const std::uint32_t from = r.param("part-number-marker").empty() ? 0 : after;
  const std::string id(r.param("uploadId"));
  CO_TRY(const PartList list,
         co_await r.deps.objects.list_parts(r.context(), r.object(), id, from, limit));
  CO_TRY(const NameEncoding encode, NameEncoding::of(r));
  XmlWriter xml("ListPartsResult", aisfs::s3::kS3Namespace);
  xml.leaf("Bucket", r.bucket).leaf("Key", encode(r.key)).leaf("UploadId", id);
  encode.write(xml);
  write_owner(xml, r, "Initiator", r.found->owner);
  write_owner(xml, r, "Owner", r.found->owner);
  xml.leaf("StorageClass", "STANDARD").leaf("PartNumberMarker", std::uint64_t{from});
  xml.leaf("NextPartNumberMarker",
           std::uint64_t{list.parts.empty() ? from : list.parts.back().number});
  xml.leaf("MaxParts", std::uint64_t{limit}).flag("IsTruncated", list.more);
  for (const auto& part : list.parts) {
    xml.open("Part").leaf("PartNumber", std::uint64_t{part.number});
    xml.leaf("LastModified", aisfs::s3::iso_date(part.modified_ns));
    xml.leaf("ETag", quoted(part.etag)).leaf("Size", part.size).close();
  }
  co_return xml_reply(std::move(xml).finish());
}

}  // namespace aisfs::front::s3
