// SPDX-License-Identifier: MIT
// Multipart uploads: begin, send a part, put together, give up.
#include <algorithm>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/s3/xml_reader.h"
#include "common/s3/xml_writer.h"
#include "node/front/s3/headers.h"
#include "node/front/s3/mapping.h"
#include "node/front/s3/upload_body.h"
#include "node/front/s3/versioning.h"

namespace aisfs::front::s3 {
namespace {

constexpr std::uint64_t kPartBytesMax = std::uint64_t{5} << 30;
constexpr std::uint64_t kPartBytesMin = 5 << 20;  // of all parts but the last
constexpr std::uint32_t kPartsMax = 10000;
constexpr std::size_t kCompleteBytesMax = 8 << 20;

std::string upload_id_of(const Request& r) { return std::string(r.param("uploadId")); }

struct Chosen {
  CompletedPart part;
  std::map<std::string, std::string> checksums;
};

Result<std::vector<Chosen>> parse_complete(std::string_view text) {
  const auto root =
      aisfs::s3::parse_xml(text, {.bytes = kCompleteBytesMax, .depth = 8, .nodes = 100000});
  if (!root.ok() || root->name != "CompleteMultipartUpload") return fail("MalformedXML");
  std::vector<Chosen> chosen;
  for (const auto& node : root->children) {
    if (node.name != "Part") continue;
    const auto number = parse_u64(node.get("PartNumber"));
    if (!number || *number < 1 || *number > kPartsMax) return fail("MalformedXML");
    Chosen one{.part = {static_cast<std::uint32_t>(*number), unquoted(trim(node.get("ETag")))},
               .checksums = {}};
    for (const auto& child : node.children) {
      if (!child.name.starts_with("Checksum")) continue;
      const auto kind = aisfs::s3::parse_checksum_kind(std::string_view(child.name).substr(8));
      if (kind) one.checksums[std::string(name_of(*kind))] = child.text;
    }
    // A part that was sent again may be named again; the later one counts.
    const bool again = !chosen.empty() && chosen.back().part.number == one.part.number;
    if (again) chosen.pop_back();
    chosen.push_back(std::move(one));
  }
  if (chosen.empty() || chosen.size() > kPartsMax) return fail("MalformedXML");
  const auto descends = [](const Chosen& a, const Chosen& b) {
    return a.part.number >= b.part.number;
  };
  if (std::adjacent_find(chosen.begin(), chosen.end(), descends) != chosen.end()) {
    return fail("InvalidPartOrder");
  }
  return chosen;
}

Task<Result<std::map<std::uint32_t, UploadPart>>> all_parts(Request& r) {
  std::map<std::uint32_t, UploadPart> parts;
  std::uint32_t after = 0;
  while (true) {
    CO_TRY(PartList page, co_await r.deps.objects.list_parts(r.context(), r.object(),
                                                             upload_id_of(r), after, 1000));
    for (auto& part : page.parts) {
      after = part.number;
      parts[part.number] = std::move(part);
    }
    if (!page.more) co_return parts;
  }
}

/// Each part that is named is there, is the one that was meant, and is large enough.
Status check_parts(const std::vector<Chosen>& chosen,
                   const std::map<std::uint32_t, UploadPart>& parts) {
  for (const Chosen& wanted : chosen) {
    const auto it = parts.find(wanted.part.number);
    if (it == parts.end() || (!wanted.part.etag.empty() && wanted.part.etag != it->second.etag)) {
      return fail("InvalidPart");
    }
    for (const auto& [name, value] : wanted.checksums) {
      const auto stored = it->second.checksums.find(name);
      if (stored != it->second.checksums.end() && stored->second != value)
        return fail("InvalidPart");
    }
    const bool last = &wanted == &chosen.back();
    if (!last && it->second.size < kPartBytesMin) return fail("EntityTooSmall");
  }
  return {};
}

/// base64(hash of the parts' raw checksums)-<parts>; nullopt when a part has none.
std::optional<std::string> composite_of(std::string_view name,
                                        const std::vector<Chosen>& chosen,
                                        const std::map<std::uint32_t, UploadPart>& parts) {
  aisfs::s3::Checksum checksum(*aisfs::s3::parse_checksum_kind(name));
  for (const Chosen& wanted : chosen) {
    const auto& stored = parts.at(wanted.part.number).checksums;
    const auto it = stored.find(std::string(name));
    const auto raw = from_base64(it == stored.end() ? std::string_view{} : it->second);
    if (!raw.ok() || raw->empty()) return std::nullopt;
    checksum.update(as_bytes(*raw));
  }
  return to_base64(as_bytes(checksum.finish())) + "-" + std::to_string(chosen.size());
}

/// The checksum of the whole, if the request names a composite one.
Status check_composite(const Request& r,
                       const std::vector<Chosen>& chosen,
                       const std::map<std::uint32_t, UploadPart>& parts) {
  if (iequals(r.field("x-amz-checksum-type"), "FULL_OBJECT")) return {};
  TRY(const auto announced, checksums_of(r));
  for (const auto& [name, value] : announced) {
    const auto composite = composite_of(name, chosen, parts);
    if (composite && *composite != value) return fail("BadDigest");
  }
  return {};
}

std::string location_of(const Request& r) {
  return std::string(r.exchange.scheme()) + std::string(r.field("host")) +
         percent_encode(r.target().path, Slash::kKeep);
}

std::string complete_xml(const Request& r, const ObjectInfo& info) {
  aisfs::s3::XmlWriter xml("CompleteMultipartUploadResult", aisfs::s3::kS3Namespace);
  xml.leaf("Location", location_of(r)).leaf("Bucket", r.bucket).leaf("Key", r.key);
  xml.leaf("ETag", quoted(info.etag));
  for (const auto& [name, value] : info.checksums) {
    std::string element = "Checksum";
    for (char c : name) element += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    if (!value.empty()) xml.leaf(element, value);
  }
  return std::move(xml).finish();
}

}  // namespace

Answer create_upload(Request& r) {
  CO_TRY(PutOptions options, put_options_of(r));
  if (is_link(options.posix)) make_link(*options.posix, "");  // too large for a link
  const std::string algorithm(r.field("x-amz-checksum-algorithm"));
  const bool composite = !iequals(r.field("x-amz-checksum-type"), "FULL_OBJECT");
  const auto kind = aisfs::s3::parse_checksum_kind(algorithm);
  if (!algorithm.empty() && !kind) co_return fail("InvalidRequest", "unknown checksum algorithm");
  if (kind && composite) options.checksums[std::string(name_of(*kind))] = "";
  options.initiator = r.sender.user();
  CO_TRY(const std::string id,
         co_await r.deps.objects.create_upload(r.context(), r.object(), std::move(options)));
  aisfs::s3::XmlWriter xml("InitiateMultipartUploadResult", aisfs::s3::kS3Namespace);
  xml.leaf("Bucket", r.bucket).leaf("Key", r.key).leaf("UploadId", id);
  Reply reply = xml_reply(std::move(xml).finish());
  if (kind) {
    reply.head.fields.set("x-amz-checksum-algorithm", algorithm);
    reply.head.fields.set("x-amz-checksum-type", composite ? "COMPOSITE" : "FULL_OBJECT");
  }
  co_return reply;
}

Answer upload_part(Request& r) {
  const auto number = parse_u64(r.param("partNumber"));
  if (!number || *number < 1 || *number > kPartsMax) {
    co_return fail("InvalidArgument",
                   "Part number must be an integer between 1 and 10000, inclusive");
  }
  if (!r.has_param("uploadId")) co_return fail("InvalidArgument", "uploadId is missing");
  CO_TRY(const auto body, UploadBody::open(r, kPartBytesMax));
  CO_CHECK_OK(co_await body->check_empty());
  ExpectedChecksums expected{.md5 = body->md5(), .named = body->checksums()};
  CO_TRY(const UploadPart part,
         co_await r.deps.objects.put_part(r.bulk_context(), r.object(), upload_id_of(r),
                                          static_cast<std::uint32_t>(*number), std::move(expected),
                                          body->source()));
  Reply reply = empty_reply(200);
  reply.head.fields.set("ETag", quoted(part.etag));
  for (const auto& [name, value] : part.checksums) {
    if (!value.empty()) reply.head.fields.set("x-amz-checksum-" + name, value);
  }
  co_return reply;
}

Answer complete_upload(Request& r) {
  CO_TRY(const std::string text, co_await read_body(r, kCompleteBytesMax));
  CO_TRY(const auto chosen, parse_complete(text));
  const auto parts = co_await all_parts(r);
  if (parts.ok()) {
    CO_CHECK_OK(check_parts(chosen, *parts));
    CO_CHECK_OK(check_composite(r, chosen, *parts));
  } else if (parts.error().code() != Errc::not_found) {
    co_return parts.error();
  }
  // An upload that is gone may have been completed by an earlier try of this very request.
  std::vector<CompletedPart> completed;
  for (const Chosen& one : chosen) completed.push_back(one.part);
  auto info =
      co_await r.deps.objects.complete_upload(r.bulk_context(), r.object(), upload_id_of(r),
                                              std::move(completed), conditions_of(r.fields(), ""));
  if (!info.ok()) {
    if (info.error() == Errc::invalid_argument) co_return fail("InvalidPart", info.error().what());
    if (info.error() == Errc::not_modified) co_return fail("PreconditionFailed");
    co_return std::move(info.error());
  }
  Reply reply = xml_reply(complete_xml(r, *info));
  add_new_version(*info, reply.head.fields);
  co_return reply;
}

Answer abort_upload(Request& r) {
  CO_CHECK_OK(co_await r.deps.objects.abort_upload(r.context(), r.object(), upload_id_of(r)));
  co_return empty_reply(204);
}

}  // namespace aisfs::front::s3
