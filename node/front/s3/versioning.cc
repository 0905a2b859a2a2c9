// SPDX-License-Identifier: MIT
// A bucket's versioning, and what requests for objects have to do with it.
#include "node/front/s3/versioning.h"

#include <algorithm>

#include "common/model/version_key.h"
#include "common/s3/xml_reader.h"
#include "common/s3/xml_writer.h"

namespace aisfs::front::s3 {
namespace {

constexpr std::size_t kConfigurationBytesMax = 64 * 1024;
constexpr std::size_t kIdBytes = 32;

Result<Versioning> parse_configuration(std::string_view text) {
  const auto root = aisfs::s3::parse_xml(text);
  if (!root.ok() || root->name != "VersioningConfiguration") return fail("MalformedXML");
  if (root->get("MfaDelete") == "Enabled") return fail("NotImplemented", "MFA delete");
  if (root->get("Status") == "Enabled") return Versioning::kEnabled;
  if (root->get("Status") == "Suspended") return Versioning::kSuspended;
  return fail("IllegalVersioningConfigurationException");
}

}  // namespace

Status check_version_id(std::string_view id) {
  const bool hex = std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  if (id == kNullVersion || (hex && id.size() == kIdBytes)) return {};
  return fail("InvalidArgument", "Invalid version id specified");
}

void add_version_headers(const Request& r, const ObjectInfo& info, http::Fields& fields) {
  if (r.has_versions()) fields.set(kVersionIdHeader, version_id(info));
}

void add_new_version(const ObjectInfo& info, http::Fields& fields) {
  const auto id = info.headers.find(std::string(kVersionIdHeader));
  if (id != info.headers.end()) fields.set(kVersionIdHeader, id->second);
}

Reply marker_reply(const Request& r, std::string_view code, const ObjectInfo& marker) {
  const S3Error error = s3_error_of(fail(code), Noun::kKey);
  Reply reply = empty_reply(error.status);
  reply.head.fields.set(kDeleteMarkerHeader, "true");
  add_version_headers(r, marker, reply.head.fields);
  reply.head.fields.set("Content-Type", "application/xml");
  if (r.method() != http::Method::kHead) {
    reply.body = aisfs::s3::error_body(error, r.target().path, r.id);
  }
  return reply;
}

Task<Result<std::optional<ObjectInfo>>> newest_marker(Request& r) {
  ListOptions options{.prefix = version_key(r.key, ""), .limit = 1};
  options.attributes = options.versions = true;
  CO_TRY(ListPage page,
         co_await r.deps.objects.list(r.context(), r.bucket_name(), std::move(options)));
  if (page.entries.empty() || !is_delete_marker(page.entries.front().info)) {
    co_return std::optional<ObjectInfo>();
  }
  co_return std::optional(std::move(page.entries.front().info));
}

Task<Result<ObjectInfo>> put_delete_marker(Request& r, ObjectName name, Conditions conditions) {
  PutOptions options{.level = Durability::kNone, .size = 0};  // the bucket's level holds
  options.conditions = std::move(conditions);
  options.headers[std::string(kDeleteMarkerHeader)] = "true";
  ExpectedChecksums none;
  StringSource empty("");
  co_return co_await r.deps.objects.put(r.context(), std::move(name), std::move(options),
                                        std::move(none), empty);
}

Answer get_versioning(Request& r) {
  aisfs::s3::XmlWriter xml("VersioningConfiguration", aisfs::s3::kS3Namespace);
  const Versioning mode = r.found->props.versioning;
  if (mode == Versioning::kEnabled) xml.leaf("Status", "Enabled");
  if (mode == Versioning::kSuspended) xml.leaf("Status", "Suspended");
  co_return xml_reply(std::move(xml).finish());
}

Answer put_versioning(Request& r) {
  CO_TRY(const std::string text, co_await read_body(r, kConfigurationBytesMax));
  BucketProps props = r.found->props;
  CO_TRY(props.versioning, parse_configuration(text));
  CO_TRY(const Bucket done,
         co_await r.deps.admin.set_bucket_props(r.context(), r.bucket_name(), std::move(props)));
  static_cast<void>(done);
  co_return empty_reply(200);
}

}  // namespace aisfs::front::s3
