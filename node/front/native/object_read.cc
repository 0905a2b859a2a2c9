// SPDX-License-Identifier: MIT
// GET and HEAD of an object in AIStore's forms.
#include <algorithm>

#include "common/base/text.h"
#include "common/http/range.h"
#include "node/front/native/object_routes.h"
#include "node/front/native/reply.h"

namespace aisfs::native {
namespace {

// Larger than any object: tells a range that depends on the size from one that does not.
constexpr std::uint64_t kAnySize = std::uint64_t{1} << 62;

std::string unquoted(std::string_view etag) {
  etag = trim(etag);
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return std::string(etag);
}

Conditions conditions_of(const Call& call) {
  Conditions c;
  for (const auto tag : split(call.field("If-Match"), ',')) {
    if (trim(tag) == "*") c.must_exist = true;
    else if (!trim(tag).empty()) c.if_match.push_back(unquoted(tag));
  }
  for (const auto tag : split(call.field("If-None-Match"), ',')) {
    if (!trim(tag).empty()) c.if_none_match.push_back(unquoted(tag));
  }
  c.if_modified_since_ns = http::parse_http_date(call.field("If-Modified-Since"));
  c.if_unmodified_since_ns = http::parse_http_date(call.field("If-Unmodified-Since"));
  return c;
}

/// The range of the request in an object of `size`, its conditions with it.
Result<GetOptions> get_options(const Call& call, std::uint64_t size = kAnySize) {
  GetOptions options;
  options.conditions = conditions_of(call);
  const std::string_view range = call.field("Range");
  if (range.empty()) return options;
  const http::RangeRequest asked = http::parse_range(range, size);
  if (asked.kind == http::RangeRequest::Kind::kUnsatisfiable) {
    return Error(Errc::out_of_range, "range " + std::string(range) + " lies outside of the object");
  }
  if (asked.kind == http::RangeRequest::Kind::kPart) options.range = asked.part;
  return options;
}

bool counts_from_end(const Call& call) { return trim(call.field("Range")).starts_with("bytes=-"); }

/// A range that counts from the end is worked out from the size, and then holds for that version
/// only.
Task<Result<GetOptions>> options_from_end(Call& call, ObjectName name) {
  CO_TRY(const ObjectInfo info,
         co_await call.objects.head(call.context, std::move(name), conditions_of(call)));
  auto options = get_options(call, info.size);
  if (options) options->conditions.if_content_version = info.content_version;
  co_return options;
}

http::ResponseHead head_of_stream(const ObjectStream& stream, bool whole) {
  http::ResponseHead head;
  add_object(head.fields, stream.info);
  if (!whole) {
    head.status = 206;
    head.fields.set("Content-Range", http::content_range(stream.range, stream.info.size));
  }
  return head;
}

Error outside_of(const ObjectInfo& info) {
  return Error(Errc::out_of_range, "the range lies outside of the object, which has " +
                                       std::to_string(info.size) + " bytes");
}

// --- HEAD ---------------------------------------------------------------------------------------

void add_name(http::Fields& fields, const ObjectName& name) {
  fields.set("Ais-Name", percent_encode(name.key, Slash::kKeep));
  fields.set("Ais-Bucket-Name", name.bucket.name);
  fields.set("Ais-Bucket-Provider", name.bucket.provider);
}

void add_chunks(http::Fields& fields, const ObjectInfo& info) {
  if (info.part_sizes.empty()) return;
  fields.set("Ais-Chunks-Count", std::to_string(info.part_sizes.size()));
  fields.set("Ais-Chunks-Max-Chunk-Size",
             std::to_string(*std::max_element(info.part_sizes.begin(), info.part_sizes.end())));
}

http::Fields all_properties(const Call& call, const ObjectName& name, const ObjectInfo& info) {
  http::Fields fields;
  add_info(fields, info);
  add_name(fields, name);
  add_chunks(fields, info);
  fields.set("Ais-Location", "t[" + call.node_id + "]");
  fields.set("Ais-Mirror-Copies", "1");
  fields.set("Ais-Present", "true");
  return fields;
}

/// Which headers each property of `?props=` stands for.
constexpr std::pair<std::string_view, std::string_view> kPropertyHeaders[] = {
    {"name", "Ais-Name"},
    {"name", "Ais-Bucket-Name"},
    {"name", "Ais-Bucket-Provider"},
    {"version", "Ais-Version"},
    {"checksum", "Ais-Checksum-Type"},
    {"checksum", "Ais-Checksum-Value"},
    {"atime", "Ais-Atime"},
    {"cached", "Ais-Present"},
    {"copies", "Ais-Mirror-Copies"},
    {"custom", "Ais-Custom-Md"},
    {"location", "Ais-Location"},
    {"chunked", "Ais-Chunks-Count"},
    {"chunked", "Ais-Chunks-Max-Chunk-Size"},
    {"last-modified", "Last-Modified"},
    {"etag", "ETag"}};

http::Fields selected(const http::Fields& all, std::string_view props) {
  const auto wanted = split(props.empty() ? "name,version,checksum,atime,cached" : props, ',');
  http::Fields fields;
  for (const auto& field : all) {
    for (const auto& [property, header] : kPropertyHeaders) {
      const bool asked = std::find(wanted.begin(), wanted.end(), property) != wanted.end();
      if (asked && iequals(header, field.name)) fields.add(field.name, field.value);
    }
  }
  return fields;
}

}  // namespace

Task<void> get_object(Call& call, ObjectName name) {
  Result<GetOptions> options = get_options(call);
  if (counts_from_end(call)) options = co_await options_from_end(call, name);
  if (!options) co_return co_await reply_error(call, about_object(options.error(), name));
  const bool whole = options->range == ByteRange{};
  auto stream = call.objects.get_now(call.context, name, *options);
  if (!stream) {
    auto found = co_await call.objects.get(call.context, name, *std::move(options));
    if (!found) co_return co_await reply_error(call, about_object(found.error(), name));
    stream = *std::move(found);
  }
  if (!whole && stream->range.length == 0) {
    Error error = outside_of(stream->info);
    co_return co_await reply_error(call, std::move(error));
  }
  http::ResponseHead head = head_of_stream(*stream, whole);
  co_await reply_body(call, std::move(head), *stream->body);
}

Task<void> head_object(Call& call, ObjectName name) {
  auto info = co_await call.objects.head(call.context, name, conditions_of(call));
  if (!info) co_return co_await reply_error(call, about_object(info.error(), name));
  http::ResponseHead head;
  head.fields = all_properties(call, name, *info);
  if (call.target().has("props")) head.fields = selected(head.fields, call.query("props"));
  head.fields.set("Content-Length", std::to_string(info->size));
  (void)co_await call.exchange.respond(std::move(head), std::string());
}

}  // namespace aisfs::native
