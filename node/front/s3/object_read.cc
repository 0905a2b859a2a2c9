// SPDX-License-Identifier: MIT
// GET and HEAD of an object: whole, a range, or a part of a multipart upload.
#include <algorithm>
#include <array>
#include <numeric>

#include "common/base/text.h"
#include "common/http/range.h"
#include "common/model/version_key.h"
#include "node/front/s3/headers.h"
#include "node/front/s3/versioning.h"

namespace aisfs::front::s3 {
namespace {

/// What of an object is asked for, once its size is known.
struct Selection {
  ByteRange range;  // clipped to the object
  bool partial = false;
  std::size_t parts = 0;  // of a multipart object, when ?partNumber was given
};

Result<Selection> select_part(const ObjectInfo& info, std::string_view text) {
  const auto number = parse_u64(text);
  if (!number || *number < 1 || *number > 10000) {
    return fail("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
  }
  const auto& sizes = info.part_sizes;
  const std::size_t count = std::max<std::size_t>(sizes.size(), 1);
  if (*number > count) return fail("InvalidPart");
  if (sizes.empty()) return Selection{.range = {0, info.size}, .partial = false, .parts = 0};
  const auto before = sizes.begin() + static_cast<std::ptrdiff_t>(*number - 1);
  const std::uint64_t offset = std::accumulate(sizes.begin(), before, std::uint64_t{0});
  return Selection{.range = {offset, *before}, .partial = true, .parts = sizes.size()};
}

/// A Range counts only for the version that If-Range names.
bool range_applies(const Request& r, const ObjectInfo& info) {
  const auto* if_range = r.fields().find("if-range");
  if (if_range == nullptr) return true;
  if (const auto date = http::parse_http_date(*if_range)) {
    return info.modified_ns / 1'000'000'000 * 1'000'000'000 <= *date;
  }
  return unquoted(trim(*if_range)) == info.etag;
}

Result<Selection> select(const Request& r, const ObjectInfo& info) {
  if (r.has_param("partNumber")) return select_part(info, r.param("partNumber"));
  const Selection whole{.range = {0, info.size}};
  const auto* header = r.fields().find("range");
  if (header == nullptr || !range_applies(r, info)) return whole;
  const auto asked = http::parse_range(*header, info.size);
  switch (asked.kind) {
    case http::RangeRequest::Kind::kWhole:
      return whole;
    case http::RangeRequest::Kind::kPart:
      return Selection{.range = asked.part, .partial = true};
    case http::RangeRequest::Kind::kUnsatisfiable:
      break;
  }
  return fail("InvalidRange");
}

/// response-content-type=... : what the sender wants the headers to be.
Status override_headers(const Request& r, http::Fields& fields) {
  if (r.target().query.empty()) return {};
  constexpr std::array<std::string_view, 6> kNames = {
      "content-type",  "content-language",    "expires",
      "cache-control", "content-disposition", "content-encoding"};
  for (std::string_view name : kNames) {
    const auto* value = r.target().find("response-" + std::string(name));
    if (value == nullptr) continue;
    const bool control = std::any_of(value->begin(), value->end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (control)
      return fail("InvalidArgument", "control characters in response-" + std::string(name));
    fields.set(name, *value);
  }
  return {};
}

Result<Reply> describe(const Request& r, const ObjectInfo& info, const Selection& selection) {
  Reply reply = empty_reply(selection.partial ? 206 : 200);
  auto& fields = reply.head.fields;
  add_object_headers(r, info, fields);
  CHECK_OK(override_headers(r, fields));
  if (selection.partial) {
    fields.set("Content-Range", http::content_range(selection.range, info.size));
    // They are of the whole, and clients compare what they got with them.
    remove_checksum_headers(info, fields);
  }
  if (selection.parts > 0) fields.set("x-amz-mp-parts-count", std::to_string(selection.parts));
  return reply;
}

/// 304 repeats what the client needs to keep its copy.
Task<Result<Reply>> not_modified(Request& r) {
  CO_TRY(const ObjectInfo info, co_await r.deps.objects.head(r.context(), r.asked(), Conditions{}));
  Reply reply = empty_reply(304);
  reply.head.fields.set("ETag", quoted(info.etag));
  reply.head.fields.set("Last-Modified", http::http_date(info.modified_ns));
  co_return reply;
}

bool wants_a_part(const Request& r) { return r.fields().has("range") || r.has_param("partNumber"); }

Task<Result<ObjectStream>> open(Request& r, GetOptions options) {
  if (auto hot = r.deps.objects.get_now(r.bulk_context(), r.asked(), options)) {
    co_return *std::move(hot);
  }
  co_return co_await r.deps.objects.get(r.bulk_context(), r.asked(), std::move(options));
}

/// The part of the version that `info` describes; replaced in between is asked for again.
Task<Result<ObjectStream>> open_part(Request& r, ObjectInfo info, ByteRange range) {
  GetOptions options;
  options.range = range;
  options.conditions.if_content_version = info.content_version;
  return open(r, std::move(options));
}

Answer get_part(Request& r) {
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    CO_TRY(const ObjectInfo info,
           co_await r.deps.objects.head(r.context(), r.asked(), conditions_of(r.fields(), "")));
    if (is_delete_marker(info)) co_return marker_reply(r, "MethodNotAllowed", info);
    CO_TRY(const Selection selection, select(r, info));
    auto stream = co_await open_part(r, info, selection.range);
    if (!stream.ok()) {
      const bool replaced = stream.error() == Errc::precondition_failed;
      if (replaced && attempt < kAttempts) continue;
      co_return std::move(stream.error());
    }
    CO_TRY(Reply reply, describe(r, stream->info, selection));
    reply.stream = std::move(stream->body);
    co_return reply;
  }
}

Answer get_whole(Request& r) {
  GetOptions options;
  options.conditions = conditions_of(r.fields(), "");
  CO_TRY(ObjectStream stream, co_await open(r, std::move(options)));
  if (is_delete_marker(stream.info)) co_return marker_reply(r, "MethodNotAllowed", stream.info);
  const Selection selection{.range = stream.range};
  CO_TRY(Reply reply, describe(r, stream.info, selection));
  reply.stream = std::move(stream.body);
  co_return reply;
}

/// What a marker that was met is answered, else what there is.
Task<Result<Reply>> answer_missing(Request& r, Result<Reply> reply) {
  const bool missing = !reply.ok() && reply.error() == Errc::not_found;
  if (!missing || !r.has_versions() || r.has_param("versionId")) co_return reply;
  const auto marker = co_await newest_marker(r);
  if (!marker || !*marker) co_return reply;
  co_return marker_reply(r, "NoSuchKey", **marker);
}

}  // namespace

Answer get_object(Request& r) {
  Result<Reply> reply = empty_reply(200);
  if (wants_a_part(r)) {
    reply = co_await get_part(r);
  } else {
    reply = co_await get_whole(r);
  }
  if (!reply.ok() && reply.error() == Errc::not_modified) co_return co_await not_modified(r);
  co_return co_await answer_missing(r, std::move(reply));
}

Answer head_object(Request& r) {
  auto info = co_await r.deps.objects.head(r.context(), r.asked(), conditions_of(r.fields(), ""));
  if (!info.ok()) {
    if (info.error() == Errc::not_modified) co_return co_await not_modified(r);
    co_return co_await answer_missing(r, std::move(info.error()));
  }
  if (is_delete_marker(*info)) co_return marker_reply(r, "MethodNotAllowed", *info);
  CO_TRY(const Selection selection, select(r, *info));
  CO_TRY(Reply reply, describe(r, *info, selection));
  reply.head.fields.set("Content-Length", std::to_string(selection.range.length));
  co_return reply;
}

}  // namespace aisfs::front::s3
