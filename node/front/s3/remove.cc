// SPDX-License-Identifier: MIT
// DELETE of one object, and of up to a thousand.
#include "common/async/gather.h"
#include "common/base/text.h"
#include "common/s3/xml_reader.h"
#include "common/s3/xml_writer.h"
#include "node/front/s3/headers.h"

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

Task<Status> remove_one(Request& r, Wanted wanted) {
  if (!wanted.version.empty() && wanted.version != "null") co_return fail("NoSuchVersion");
  CO_CHECK_OK(validate_key(wanted.key));
  RemoveOptions options{.conditions = {}, .missing_ok = true};
  if (!wanted.etag.empty()) options.conditions.if_match = {wanted.etag};
  ObjectName name{r.bucket_name(), wanted.key};
  co_return co_await r.deps.objects.remove(r.context(), std::move(name), std::move(options));
}

void write_outcome(aisfs::s3::XmlWriter& xml,
                   const Wanted& wanted,
                   const Status& outcome,
                   bool quiet) {
  if (outcome.ok()) {
    if (quiet) return;
    xml.open("Deleted").leaf("Key", wanted.key);
    if (!wanted.version.empty()) xml.leaf("VersionId", wanted.version);
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
  RemoveOptions options;
  options.conditions = conditions_of(r.fields(), "");
  options.missing_ok = true;
  if (const auto size = parse_u64(r.field("x-amz-if-match-size")))
    options.conditions.if_size = *size;
  CO_CHECK_OK(co_await r.deps.objects.remove(r.context(), r.object(), std::move(options)));
  co_return empty_reply(204);
}

Answer delete_objects(Request& r) {
  CO_TRY(const std::string text, co_await read_body(r, kDeleteBytesMax));
  CO_CHECK_OK(check_digest(r, text));
  CO_TRY(const DeleteList list, parse_delete(text));
  aisfs::s3::XmlWriter xml("DeleteResult", aisfs::s3::kS3Namespace);
  for (std::size_t at = 0; at < list.objects.size(); at += kAtOnce) {
    const std::size_t end = std::min(at + kAtOnce, list.objects.size());
    std::vector<Task<Status>> batch;
    for (std::size_t i = at; i < end; ++i) batch.push_back(remove_one(r, list.objects[i]));
    const auto outcomes = co_await gather(std::move(batch));
    for (std::size_t i = at; i < end; ++i) {
      write_outcome(xml, list.objects[i], outcomes[i - at], list.quiet);
    }
  }
  co_return xml_reply(std::move(xml).finish());
}

}  // namespace aisfs::front::s3
