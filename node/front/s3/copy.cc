// SPDX-License-Identifier: MIT
// Copies inside of the cluster: of an object, and into a part of an upload.
#include "common/base/text.h"
#include "common/client/copy_options.h"
#include "common/model/version_key.h"
#include "common/s3/date.h"
#include "common/s3/xml_writer.h"
#include "node/front/s3/acl.h"
#include "node/front/s3/headers.h"
#include "node/front/s3/mapping.h"
#include "node/front/s3/versioning.h"

namespace aisfs::front::s3 {
namespace {

struct Named {
  std::string bucket, key, version;
};

/// "[/]bucket/key[?versionId=id]", percent-encoded.
Result<Named> parse_source(std::string_view text) {
  if (text.starts_with('/')) text.remove_prefix(1);
  std::string_view version;
  constexpr std::string_view kVersion = "?versionId=";
  if (const auto at = text.find(kVersion); at != text.npos) {
    version = text.substr(at + kVersion.size());
    text = text.substr(0, at);
  }
  const auto path = percent_decode(text);
  const auto slash = path.ok() ? path->find('/') : std::string::npos;
  if (slash == std::string::npos || slash == 0 || slash + 1 == path->size()) {
    return fail("InvalidArgument", "x-amz-copy-source must be /bucket/key");
  }
  if (!version.empty()) CHECK_OK(check_version_id(version));
  Named source{.bucket = path->substr(0, slash),
               .key = path->substr(slash + 1),
               .version = std::string(version)};
  CHECK_OK(validate_key(source.key));
  return source;
}

/// What to copy from, and who reads it: the sender, or the owner in the sender's stead.
struct Source {
  ObjectName name;
  auth::Identity reader;

  Context reading(Context context) const {
    context.who = reader;
    return context;
  }
};

/// The object, or the version of it, to copy from, which the sender may read; which version that
/// is goes into `fields`.
Task<Result<Source>> source_of(const Request& r, http::Fields& fields) {
  CO_TRY(const Named named, parse_source(r.field("x-amz-copy-source")));
  Source source{.name = {native_bucket(named.bucket), named.key}, .reader = {}};
  if (!named.version.empty()) source.name.key = version_key(named.key, named.version);
  const Needed needed{aisfs::s3::Permission::kRead, true};
  CO_TRY(Entry entry, co_await enter(r, source.name, needed));
  source.reader = std::move(entry.who);
  if (entry.bucket.props.versioning == Versioning::kOff) co_return source;
  const auto there =
      co_await r.deps.objects.head(source.reading(r.context()), source.name, Conditions{});
  if (!there.ok()) {
    if (there.error() != Errc::not_found) co_return there.error();
    co_return fail(named.version.empty() ? "NoSuchKey" : "NoSuchVersion");
  }
  if (is_delete_marker(*there)) {
    co_return fail("InvalidRequest",
                   "The source of a copy request may not be a delete marker named by its version.");
  }
  fields.set("x-amz-copy-source-version-id", version_id(*there));
  co_return source;
}

enum class Directive : unsigned char { kCopy, kReplace };

Result<Directive> directive_of(const Request& r, std::string_view header) {
  const std::string_view text = r.field(header);
  if (text.empty() || text == "COPY") return Directive::kCopy;
  if (text == "REPLACE") return Directive::kReplace;
  return fail("InvalidArgument", std::string(header) + " is COPY or REPLACE");
}

/// Metadata and tags have a directive each; the cluster copies all or replaces all.
Task<Result<CopyOptions>> options_of(const Request& r, const Source& from) {
  CO_TRY(const Directive metadata, directive_of(r, "x-amz-metadata-directive"));
  CO_TRY(const Directive tagging, directive_of(r, "x-amz-tagging-directive"));
  CopyOptions options{.put = {.level = Durability::kNone}};  // the bucket's level holds
  options.source_conditions = conditions_of(r.fields(), "x-amz-copy-source-");
  options.destination_conditions = conditions_of(r.fields(), "");
  const bool to_itself = from.name == r.object();
  if (metadata == Directive::kCopy && tagging == Directive::kCopy) {
    const bool changes_nothing = to_itself && !r.fields().has("x-amz-storage-class") &&
                                 !r.fields().has("x-amz-website-redirect-location");
    if (changes_nothing) {
      co_return fail(
          "InvalidRequest",
          "This copy request is illegal because it is trying to copy an object to itself "
          "without changing the object's metadata.");
    }
    co_return options;
  }
  options.replace_metadata = true;
  CO_TRY(options.put, put_options_of(r));
  const bool link = is_link(options.put.posix);
  if (!link && metadata == Directive::kReplace && tagging == Directive::kReplace) co_return options;
  CO_TRY(const ObjectInfo source, co_await r.deps.objects.head(from.reading(r.context()),
                                                               from.name, Conditions{}));
  if (link) make_link(*options.put.posix, source.posix ? source.posix->symlink : "");
  if (metadata == Directive::kReplace && tagging == Directive::kReplace) co_return options;
  const std::string tag_key(kTaggingHeader);
  if (metadata == Directive::kReplace) {
    options.put.headers.erase(tag_key);
    const auto tags = source.headers.find(tag_key);
    if (tags != source.headers.end()) options.put.headers[tag_key] = tags->second;
    co_return options;
  }
  const auto tags = options.put.headers.find(tag_key);
  const std::string new_tags = tags == options.put.headers.end() ? "" : tags->second;
  options.put.content_type = source.content_type;
  options.put.headers = source.headers;
  options.put.headers.erase(tag_key);
  if (!new_tags.empty()) options.put.headers[tag_key] = new_tags;
  options.put.user = source.user;
  options.put.posix = source.posix;
  co_return options;
}

Error as_precondition(Error error) {
  const bool condition = error == Errc::not_modified || error == Errc::already_exists;
  return condition ? fail("PreconditionFailed") : error;
}

std::string result_xml(std::string_view root,
                       std::string_view etag,
                       std::int64_t modified_ns,
                       const std::map<std::string, std::string>& checksums) {
  aisfs::s3::XmlWriter xml(root, aisfs::s3::kS3Namespace);
  xml.leaf("LastModified", aisfs::s3::iso_date(modified_ns)).leaf("ETag", quoted(etag));
  for (const auto& [name, value] : checksums) {
    std::string element = "Checksum";
    for (char c : name) element += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    if (!value.empty()) xml.leaf(element, value);
  }
  return std::move(xml).finish();
}

/// Exactly "bytes=first-last" inside of the source.
Result<ByteRange> parse_copy_range(std::string_view text, std::uint64_t size) {
  const Error bad = fail("InvalidArgument", "x-amz-copy-source-range must be bytes=first-last");
  if (!text.starts_with("bytes=")) return bad;
  text.remove_prefix(6);
  const auto dash = text.find('-');
  if (dash == text.npos) return bad;
  const auto first = parse_u64(text.substr(0, dash)), last = parse_u64(text.substr(dash + 1));
  if (!first || !last || *first > *last) return bad;
  if (*last >= size) return fail("InvalidRange");
  return ByteRange{*first, *last - *first + 1};
}

/// not_found of the source must not be taken for a missing upload.
Error of_source(Error error) {
  return error == Errc::not_found ? fail("NoSuchKey") : as_precondition(std::move(error));
}

/// Between buckets of two owners when the sender is none of them or one: no request to the cluster
/// can be of both, so one reads and the other writes.
Task<Result<ObjectInfo>> copy_between(const Request& r, const Source& from, CopyOptions options) {
  GetOptions get{.conditions = std::move(options.source_conditions)};
  CO_TRY(const ObjectStream stream,
         co_await r.deps.objects.get(from.reading(r.bulk_context()), from.name, std::move(get)));
  PutOptions put = put_options_of_copy(options, stream.info);
  put.size = stream.info.size;
  ExpectedChecksums unknown;
  co_return co_await r.deps.objects.put(r.bulk_context(), r.object(), std::move(put),
                                        std::move(unknown), *stream.body);
}

Task<Result<ObjectInfo>> copy(const Request& r, const Source& from, CopyOptions options) {
  const bool one = r.who().is_admin() || from.reader.user() == r.who().user();
  if (!one) return copy_between(r, from, std::move(options));
  return r.deps.objects.copy(r.bulk_context(), from.name, r.object(), std::move(options));
}

}  // namespace

Answer copy_object(Request& r) {
  http::Fields fields;
  CO_TRY(const Source from, co_await source_of(r, fields));
  CO_TRY(CopyOptions options, co_await options_of(r, from));
  auto info = co_await copy(r, from, std::move(options));
  if (!info.ok()) co_return as_precondition(std::move(info.error()));
  CO_CHECK_OK(co_await set_object_acl(r, *info));
  Reply reply =
      xml_reply(result_xml("CopyObjectResult", info->etag, info->modified_ns, info->checksums));
  for (const auto& field : fields) reply.head.fields.set(field.name, field.value);
  add_new_version(*info, reply.head.fields);
  co_return reply;
}

Answer upload_part_copy(Request& r) {
  const auto number = parse_u64(r.param("partNumber"));
  if (!number || *number < 1 || *number > 10000) {
    co_return fail("InvalidArgument",
                   "Part number must be an integer between 1 and 10000, inclusive");
  }
  http::Fields fields;
  CO_TRY(const Source from, co_await source_of(r, fields));
  Conditions conditions = conditions_of(r.fields(), "x-amz-copy-source-");
  const auto info = co_await r.deps.objects.head(from.reading(r.context()), from.name,
                                                  std::move(conditions));
  if (!info.ok()) co_return of_source(info.error());
  GetOptions options;
  options.conditions.if_content_version = info->content_version;
  options.range = {0, info->size};
  if (const auto* range = r.fields().find("x-amz-copy-source-range")) {
    CO_TRY(options.range, parse_copy_range(*range, info->size));
  }
  auto stream = co_await r.deps.objects.get(from.reading(r.bulk_context()), from.name,
                                                std::move(options));
  if (!stream.ok()) co_return of_source(std::move(stream.error()));
  ExpectedChecksums expected;
  CO_TRY(const UploadPart part,
         co_await r.deps.objects.put_part(
             r.bulk_context(), r.object(), std::string(r.param("uploadId")),
             static_cast<std::uint32_t>(*number), std::move(expected), *stream->body));
  Reply reply =
      xml_reply(result_xml("CopyPartResult", part.etag, part.modified_ns, part.checksums));
  for (const auto& field : fields) reply.head.fields.set(field.name, field.value);
  co_return reply;
}

}  // namespace aisfs::front::s3
