// SPDX-License-Identifier: MIT
// GetObjectAttributes: what HEAD says, in XML, and the parts.
#include <algorithm>
#include <set>

#include "common/base/text.h"
#include "common/model/version_key.h"
#include "common/s3/checksum.h"
#include "common/s3/xml_writer.h"
#include "node/front/s3/list_query.h"
#include "node/front/s3/versioning.h"

namespace aisfs::front::s3 {
namespace {

using aisfs::s3::XmlWriter;

constexpr std::uint32_t kPartsMax = 1000;

Result<std::set<std::string>> wanted_attributes(const Request& r) {
  static const std::set<std::string> kKnown = {"ETag", "Checksum", "ObjectParts", "StorageClass",
                                               "ObjectSize"};
  std::set<std::string> wanted;
  for (const auto& field : r.fields()) {
    if (!iequals(field.name, "x-amz-object-attributes")) continue;
    for (std::string_view name : split(field.value, ',')) wanted.emplace(trim(name));
  }
  const bool known = std::includes(kKnown.begin(), kKnown.end(), wanted.begin(), wanted.end());
  if (wanted.empty() || !known) return fail("InvalidArgument", "Invalid attribute name specified.");
  return wanted;
}

void write_checksums(XmlWriter& xml, const ObjectInfo& info) {
  if (info.checksums.empty()) return;
  xml.open("Checksum");
  for (const auto& [name, value] : info.checksums) {
    if (!aisfs::s3::parse_checksum_kind(name)) continue;
    std::string element = "Checksum";
    for (char c : name) element += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    xml.leaf(element, value);
    xml.leaf("ChecksumType", value.find('-') == std::string::npos ? "FULL_OBJECT" : "COMPOSITE");
  }
  xml.close();
}

Status write_parts(XmlWriter& xml, const Request& r, const ObjectInfo& info) {
  const auto& sizes = info.part_sizes;
  if (sizes.empty()) return {};
  const std::string_view marker_text = r.field("x-amz-part-number-marker");
  const std::string_view max_text = r.field("x-amz-max-parts");
  const auto marker =
      marker_text.empty() ? std::optional<std::uint64_t>(0) : parse_u64(marker_text);
  const auto max = max_text.empty() ? std::optional<std::uint64_t>(kPartsMax) : parse_u64(max_text);
  if (!marker || !max) return fail("InvalidArgument", "the part marker or limit is not a number");
  const std::uint64_t limit = std::min<std::uint64_t>(*max, kPartsMax);
  const std::uint64_t first = std::min<std::uint64_t>(*marker, sizes.size());
  const std::uint64_t last = std::min<std::uint64_t>(first + limit, sizes.size());
  xml.open("ObjectParts").leaf("PartsCount", std::uint64_t{sizes.size()});
  xml.leaf("PartNumberMarker", *marker).leaf("NextPartNumberMarker", last);
  xml.leaf("MaxParts", limit).flag("IsTruncated", last < sizes.size());
  for (std::uint64_t i = first; i < last; ++i) {
    xml.open("Part").leaf("PartNumber", i + 1).leaf("Size", sizes[i]).close();
  }
  xml.close();
  return {};
}

}  // namespace

Answer get_attributes(Request& r) {
  CO_TRY(const auto wanted, wanted_attributes(r));
  CO_TRY(const ObjectInfo info, co_await r.deps.objects.head(r.context(), r.asked(), Conditions{}));
  if (is_delete_marker(info)) co_return marker_reply(r, "MethodNotAllowed", info);
  XmlWriter xml("GetObjectAttributesResponse", aisfs::s3::kS3Namespace);
  if (wanted.contains("ETag")) xml.leaf("ETag", info.etag);
  if (wanted.contains("Checksum")) write_checksums(xml, info);
  if (wanted.contains("ObjectParts")) CO_CHECK_OK(write_parts(xml, r, info));
  if (wanted.contains("StorageClass")) xml.leaf("StorageClass", "STANDARD");
  if (wanted.contains("ObjectSize")) xml.leaf("ObjectSize", info.size);
  Reply reply = xml_reply(std::move(xml).finish());
  reply.head.fields.set("Last-Modified", http::http_date(info.modified_ns));
  add_version_headers(r, info, reply.head.fields);
  co_return reply;
}

}  // namespace aisfs::front::s3
