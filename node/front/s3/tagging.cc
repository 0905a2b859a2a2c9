// SPDX-License-Identifier: MIT
// Tags of an object and of a bucket: read, replace, remove.
#include "common/model/version_key.h"
#include "common/s3/xml_writer.h"
#include "node/front/s3/headers.h"
#include "node/front/s3/tags.h"
#include "node/front/s3/versioning.h"

namespace aisfs::front::s3 {
namespace {

constexpr std::size_t kTaggingBytesMax = 64 * 1024;
constexpr const char* kBucketTagging = "tagging";  // in BucketProps::s3

std::string to_xml(const Tags& tags) {
  aisfs::s3::XmlWriter xml("Tagging", aisfs::s3::kS3Namespace);
  xml.open("TagSet");
  for (const auto& [key, value] : tags) {
    xml.open("Tag").leaf("Key", key).leaf("Value", value).close();
  }
  return std::move(xml).finish();
}

/// Tags of a delete marker are not a thing.
Task<Result<ObjectInfo>> tagged_object(Request& r) {
  CO_TRY(ObjectInfo info, co_await r.deps.objects.head(r.context(), r.asked(), Conditions{}));
  if (is_delete_marker(info)) co_return fail("MethodNotAllowed");
  co_return info;
}

/// Replaces the tags in one step; a change of the object in between is OperationAborted.
Task<Status> store(Request& r, Tags tags) {
  CO_TRY(ObjectInfo info, co_await tagged_object(r));
  info.headers.erase(std::string(kTaggingHeader));
  if (!tags.empty()) info.headers[std::string(kTaggingHeader)] = format_tags(tags);
  AttrChange change;
  change.headers = std::move(info.headers);
  Conditions unchanged;
  unchanged.if_meta_version = info.meta_version;
  const auto stored = co_await r.deps.objects.set_attrs(r.context(), r.asked(), std::move(change),
                                                        std::move(unchanged));
  if (stored.ok()) co_return Status{};
  if (stored.error() == Errc::precondition_failed) co_return fail("OperationAborted");
  co_return stored.error();
}

}  // namespace

Answer get_tagging(Request& r) {
  CO_TRY(const ObjectInfo info, co_await tagged_object(r));
  const auto stored = info.headers.find(std::string(kTaggingHeader));
  const Tags tags = stored == info.headers.end() ? Tags{} : parse_stored_tags(stored->second);
  Reply reply = xml_reply(to_xml(tags));
  add_version_headers(r, info, reply.head.fields);
  co_return reply;
}

Answer put_tagging(Request& r) {
  CO_TRY(const std::string text, co_await read_body(r, kTaggingBytesMax));
  CO_TRY(Tags tags, parse_tag_xml(text, kObjectTagsMax));
  CO_CHECK_OK(co_await store(r, std::move(tags)));
  co_return empty_reply(200);
}

Answer delete_tagging(Request& r) {
  CO_CHECK_OK(co_await store(r, Tags{}));
  co_return empty_reply(204);
}

Answer get_bucket_tagging(Request& r) {
  const auto& configured = r.found->props.s3;
  const auto stored = configured.find(kBucketTagging);
  if (stored == configured.end()) co_return fail("NoSuchTagSet");
  co_return xml_reply(to_xml(parse_stored_tags(stored->second)));
}

Answer put_bucket_tagging(Request& r) {
  CO_TRY(const std::string text, co_await read_body(r, kTaggingBytesMax));
  CO_TRY(const Tags tags, parse_tag_xml(text, kBucketTagsMax));
  BucketProps props = r.found->props;
  props.s3.erase(kBucketTagging);
  if (!tags.empty()) props.s3[kBucketTagging] = format_tags(tags);
  CO_CHECK_OK(co_await set_props(r, std::move(props)));
  co_return empty_reply(204);
}

Answer delete_bucket_tagging(Request& r) {
  BucketProps props = r.found->props;
  props.s3.erase(kBucketTagging);
  CO_CHECK_OK(co_await set_props(r, std::move(props)));
  co_return empty_reply(204);
}

}  // namespace aisfs::front::s3
