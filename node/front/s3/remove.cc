// SPDX-License-Identifier: MIT
// DELETE of one object, and of up to a thousand.
#include "common/async/gather.h"
#include "common/base/text.h"
#include "common/model/version_key.h"
#include "common/s3/xml_reader.h"
#include "common/s3/xml_writer.h"
#include "node/front/s3/headers.h"
#include "node/front/s3/versioning.h"

namespace aisfs::front::s3 {
namespace {

constexpr std::size_t kDeleteBytesMax = 2 << 20;
constexpr std::size_t kKeysMax = 1000;
// Deletes wait for the disk; this many together share its syncs.
constexpr std::size_t kAtOnce = 64;

struct Wanted {
  std::string key;
  std::string version;
  std::string etag;
};

struct DeleteList {
  std::vector<Wanted> objects;
  bool quiet = false;
};

Result<DeleteList> parse_delete(std::string_view text) {
  const auto root =
      aisfs::s3::parse_xml(text, {.bytes = kDeleteBytesMax, .depth = 8, .nodes = 20000});
  if (!root.ok() || root->name != "Delete") return fail("MalformedXML");
  DeleteList list{.objects = {}, .quiet = iequals(root->get("Quiet"), "true")};
  for (const auto& node : root->children) {
    if (node.name != "Object") continue;
    if (node.get("Key").empty()) return fail("MalformedXML");
    list.objects.push_back({.key = std::string(node.get("Key")),
                            .version = std::string(node.get("VersionId")),
                            .etag = unquoted(node.get("ETag"))});
  }
  if (list.objects.empty() || list.objects.size() > kKeysMax) return fail("MalformedXML");
  return list;
}

/// The list must be protected by a checksum, or by the signature over its hash.
Status check_digest(const Request& r, std::string_view text) {
  TRY(const auto md5, content_md5_of(r));
  TRY(const auto checksums, checksums_of(r));
  const bool is_signed = r.verified.body.kind != auth::BodyAuth::Kind::kPlain;
  if (!md5 && checksums.empty() && !is_signed) {
    return fail("InvalidRequest", "Missing required header for this request: Content-MD5");
  }
  if (md5) {
    Digest digest(Digest::Kind::kMd5);
    digest.update(as_bytes(text));
    if (digest.finish() != *md5) return fail("BadDigest");
  }
  for (const auto& [name, value] : checksums) {
    aisfs::s3::Checksum checksum(*aisfs::s3::parse_checksum_kind(name));
    checksum.update(as_bytes(text));
    if (to_base64(as_bytes(checksum.finish())) != value) return fail("BadDigest");
  }
  return {};
}

/// What a delete did.
struct Removed {
  std::string version;  // that is gone; "": none was named
  std::string marker;   // id of the delete marker that was left, or that is gone
};

/// Exactly one version goes, for good; one that is not there is no error.
Task<Result<Removed>> remove_version(Request& r,
                                     std::string key,
                                     std::string version,
                                     Conditions conditions) {
  CO_CHECK_OK(check_version_id(version));
  Removed removed{.version = version, .marker = {}};
  ObjectName name{r.bucket_name(), version_key(key, version)};
  const auto there = co_await r.deps.objects.head(r.context(), name, conditions);
  if (!there.ok()) {
    if (there.error() == Errc::not_found) co_return removed;
    co_return there.error();
  }
  if (is_delete_marker(*there)) removed.marker = version;
  RemoveOptions options{.conditions = std::move(conditions), .missing_ok = true};
  const auto done =
      co_await r.deps.objects.remove(r.context(), std::move(name), std::move(options));
  if (!done.ok() && done.error() != Errc::not_found) co_return done.error();
  co_return removed;
}

Task<Result<Removed>> remove(Request& r,
                             std::string key,
                             std::string version,
                             Conditions conditions) {
  if (!version.empty()) {
    co_return co_await remove_version(r, std::move(key), std::move(version), std::move(conditions));
  }
  ObjectName name{r.bucket_name(), std::move(key)};
  if (r.has_versions()) {
    CO_TRY(const ObjectInfo marker,
           co_await put_delete_marker(r, std::move(name), std::move(conditions)));
    co_return Removed{.version = {}, .marker = version_id(marker)};
  }
  RemoveOptions options{.conditions = std::move(conditions), .missing_ok = true};
  CO_CHECK_OK(co_await r.deps.objects.remove(r.context(), std::move(name), std::move(options)));
  co_return Removed{};
}

Task<Result<Removed>> remove_one(Request& r, Wanted wanted) {
  CO_CHECK_OK(validate_key(wanted.key));
  Conditions conditions;
  if (!wanted.etag.empty()) conditions.if_match = {wanted.etag};
  co_return co_await remove(r, std::move(wanted.key), std::move(wanted.version),
                            std::move(conditions));
}

void write_outcome(aisfs::s3::XmlWriter& xml,
                   const Wanted& wanted,
                   const Result<Removed>& outcome,
                   bool quiet) {
  if (outcome.ok()) {
    if (quiet) return;
    xml.open("Deleted").leaf("Key", wanted.key);
    if (!wanted.version.empty()) xml.leaf("VersionId", wanted.version);
    if (!outcome->marker.empty()) {
      xml.flag("DeleteMarker", true).leaf("DeleteMarkerVersionId", outcome->marker);
    }
    xml.close();
    return;
  }
  const S3Error error = s3_error_of(outcome.error(), Noun::kKey);
  xml.open("Error").leaf("Key", wanted.key);
  if (!wanted.version.empty()) xml.leaf("VersionId", wanted.version);
  xml.leaf("Code", error.code).leaf("Message", error.message).close();
}

}  // namespace

Answer delete_object(Request& r) {
  Conditions conditions = conditions_of(r.fields(), "");
  if (const auto size = parse_u64(r.field("x-amz-if-match-size"))) conditions.if_size = *size;
  std::string version(r.param("versionId"));
  CO_TRY(const Removed removed,
         co_await remove(r, r.key, std::move(version), std::move(conditions)));
  Reply reply = empty_reply(204);
  if (!r.has_versions()) co_return reply;
  if (!removed.marker.empty()) reply.head.fields.set(kDeleteMarkerHeader, "true");
  const std::string& id = removed.version.empty() ? removed.marker : removed.version;
  if (!id.empty()) reply.head.fields.set(kVersionIdHeader, id);
  co_return reply;
}

Answer delete_objects(Request& r) {
  CO_TRY(const std::string text, co_await read_body(r, kDeleteBytesMax));
  CO_CHECK_OK(check_digest(r, text));
  CO_TRY(const DeleteList list, parse_delete(text));
  aisfs::s3::XmlWriter xml("DeleteResult", aisfs::s3::kS3Namespace);
  for (std::size_t at = 0; at < list.objects.size(); at += kAtOnce) {
    const std::size_t end = std::min(at + kAtOnce, list.objects.size());
    std::vector<Task<Result<Removed>>> batch;
    for (std::size_t i = at; i < end; ++i) batch.push_back(remove_one(r, list.objects[i]));
    const auto outcomes = co_await gather(std::move(batch));
    for (std::size_t i = at; i < end; ++i) {
      write_outcome(xml, list.objects[i], outcomes[i - at], list.quiet);
    }
  }
  co_return xml_reply(std::move(xml).finish());
}

}  // namespace aisfs::front::s3
