// SPDX-License-Identifier: MIT
// Tags of an object: read, replace, remove.
#include "common/s3/xml_writer.h"
#include "node/front/s3/headers.h"
#include "node/front/s3/tags.h"

namespace aisfs::front::s3 {
namespace {

constexpr std::size_t kTaggingBytesMax = 64 * 1024;

/// Replaces the tags in one step; a change of the object in between is OperationAborted.
Task<Status> store(Request& r, Tags tags) {
  CO_TRY(ObjectInfo info, co_await r.deps.objects.head(r.context(), r.object(), Conditions{}));
  info.headers.erase(std::string(kTaggingHeader));
  if (!tags.empty()) info.headers[std::string(kTaggingHeader)] = format_tags(tags);
  AttrChange change;
  change.headers = std::move(info.headers);
  Conditions unchanged;
  unchanged.if_meta_version = info.meta_version;
  const auto stored = co_await r.deps.objects.set_attrs(r.context(), r.object(), std::move(change),
                                                        std::move(unchanged));
  if (stored.ok()) co_return Status{};
  if (stored.error() == Errc::precondition_failed) co_return fail("OperationAborted");
  co_return stored.error();
}

}  // namespace

Answer get_tagging(Request& r) {
  CO_TRY(const ObjectInfo info,
         co_await r.deps.objects.head(r.context(), r.object(), Conditions{}));
  const auto stored = info.headers.find(std::string(kTaggingHeader));
  aisfs::s3::XmlWriter xml("Tagging", aisfs::s3::kS3Namespace);
  xml.open("TagSet");
  if (stored != info.headers.end()) {
    for (const auto& [key, value] : parse_stored_tags(stored->second)) {
      xml.open("Tag").leaf("Key", key).leaf("Value", value).close();
    }
  }
  co_return xml_reply(std::move(xml).finish());
}

Answer put_tagging(Request& r) {
  CO_TRY(const std::string text, co_await read_body(r, kTaggingBytesMax));
  CO_TRY(Tags tags, parse_tag_xml(text));
  CO_CHECK_OK(co_await store(r, std::move(tags)));
  co_return empty_reply(200);
}

Answer delete_tagging(Request& r) {
  CO_CHECK_OK(co_await store(r, Tags{}));
  co_return empty_reply(204);
}

}  // namespace aisfs::front::s3
