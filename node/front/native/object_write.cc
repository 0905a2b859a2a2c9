// SPDX-License-Identifier: MIT
// What changes an object in AIStore's forms: PUT, append, copy, part, DELETE, PATCH.
#include "common/base/text.h"
#include "node/front/native/object_routes.h"
#include "node/front/native/reply.h"

namespace aisfs::native {
namespace json = boost::json;
namespace {

// AIStore calls XXH64 both "xxhash" and "xxhash2".
std::string checksum_name(std::string_view type) {
  const std::string name = to_lower(type);
  return name == "xxhash2" ? "xxhash" : name;
}

/// What Ais-Checksum-* promise of the body.
Result<ExpectedChecksums> expected_of(const Call& call) {
  ExpectedChecksums expected;
  const std::string value = to_lower(trim(call.field("Ais-Checksum-Value")));
  const std::string type = checksum_name(trim(call.field("Ais-Checksum-Type")));
  if (value.empty() || type.empty() || type == "none") return expected;
  if (type == "md5") {
    TRY(expected.md5, from_hex(value));
    return expected;
  }
  expected.named[type] = value;
  return expected;
}

/// This API has no word for durability: the bucket's level holds, and nothing above it is asked.
PutOptions bucket_decides() { return {.level = Durability::kNone}; }

Task<void> reply_written(const Call& call, const ObjectName& name, Result<ObjectInfo> info) {
  if (!info) co_return co_await reply_error(call, about_object(info.error(), name));
  http::ResponseHead head;
  head.fields.set("ETag", "\"" + info->etag + "\"");
  head.fields.set("Ais-Version", info->content_version.to_string());
  (void)co_await call.exchange.respond(std::move(head), std::string());
}

// --- append -------------------------------------------------------------------------------------
// An append is a multipart upload that its handle names: each piece is a part, the flush completes
// it. The handle is "<upload id>|<parts so far>".

struct AppendHandle {
  std::string upload;
  std::uint32_t parts = 0;

  std::string to_string() const { return upload + "|" + std::to_string(parts); }
};

Result<AppendHandle> parse_handle(std::string_view text) {
  const auto bar = text.rfind('|');
  const auto parts = bar == text.npos ? std::nullopt : parse_u64(text.substr(bar + 1));
  if (!parts || *parts > 10'000) {
    return Error(Errc::invalid_argument, "append_handle is none of this cluster");
  }
  return AppendHandle{std::string(text.substr(0, bar)), static_cast<std::uint32_t>(*parts)};
}

Task<Status> append_part(Call& call, ObjectName name, AppendHandle& handle, BodySource& body) {
  ++handle.parts;
  CO_TRY([[maybe_unused]] const UploadPart part,
         co_await call.objects.put_part(call.context, std::move(name), handle.upload, handle.parts,
                                        ExpectedChecksums{}, body));
  co_return Status{};
}

/// A new append continues the object that is there: its bytes become the first part.
Task<Result<AppendHandle>> begin_append(Call& call, ObjectName name) {
  AppendHandle handle;
  CO_TRY(handle.upload, co_await call.objects.create_upload(call.context, name, bucket_decides()));
  auto present = co_await call.objects.get(call.context, name, GetOptions{});
  if (!present && present.error() == Errc::not_found) co_return handle;
  if (!present) co_return std::move(present).error();
  if (present->info.size > 0) {
    CO_CHECK_OK(co_await append_part(call, std::move(name), handle, *present->body));
  }
  co_return handle;
}

Task<Result<AppendHandle>> append_piece(Call& call, ObjectName name) {
  const std::string given = call.query("append_handle");
  AppendHandle handle;
  if (given.empty()) {
    CO_TRY(handle, co_await begin_append(call, name));
  } else {
    CO_TRY(handle, parse_handle(given));
  }
  CO_CHECK_OK(co_await append_part(call, std::move(name), handle, call.body));
  co_return handle;
}

Task<Result<ObjectInfo>> flush_append(Call& call, ObjectName name) {
  CO_TRY(AppendHandle handle, parse_handle(call.query("append_handle")));
  std::vector<CompletedPart> parts;
  for (std::uint32_t n = 1; n <= handle.parts; ++n) parts.push_back({n, ""});
  co_return co_await call.objects.complete_upload(call.context, std::move(name),
                                                  std::move(handle.upload), std::move(parts),
                                                  Conditions{});
}

}  // namespace

Task<void> put_object(Call& call, ObjectName name) {
  auto expected = expected_of(call);
  if (!expected) co_return co_await reply_error(call, std::move(expected).error());
  PutOptions options = bucket_decides();
  options.size = call.body.remaining();
  options.want_md5 = expected->md5.has_value();
  options.checksums = expected->named;
  auto info = co_await call.objects.put(call.context, name, std::move(options),
                                        *std::move(expected), call.body);
  co_await reply_written(call, name, std::move(info));
}

Task<void> append_object(Call& call, ObjectName name) {
  if (call.query("append_type") == "flush") {
    auto info = co_await flush_append(call, name);
    if (!info) co_return co_await reply_error(call, about_object(info.error(), name));
    co_return co_await reply_ok(call);
  }
  auto handle = co_await append_piece(call, name);
  if (!handle) co_return co_await reply_error(call, about_object(handle.error(), name));
  http::ResponseHead head;
  head.fields.set("Ais-Append-Handle", handle->to_string());
  (void)co_await call.exchange.respond(std::move(head), std::string());
}

Task<void> copy_object(Call& call, ObjectName name) {
  auto to = parse_uname(call.query("object_to"));
  if (!to) co_return co_await reply_error(call, std::move(to).error());
  if (to->key.empty()) to->key = name.key;
  CopyOptions options{.put = bucket_decides()};
  auto info = co_await call.objects.copy(call.context, name, *std::move(to), std::move(options));
  co_await reply_written(call, name, std::move(info));
}

Task<void> put_object_part(Call& call, ObjectName name) {
  const auto number = parse_u64(call.query("partNumber"));
  Error bad(Errc::invalid_argument, "partNumber must be 1 to 10000");
  if (!number || *number < 1 || *number > 10'000) co_return co_await reply_error(call, bad);
  Error empty(Errc::invalid_argument, "invalid size (0)");
  if (call.body.remaining() == 0U) co_return co_await reply_error(call, empty);
  auto expected = expected_of(call);
  if (!expected) co_return co_await reply_error(call, std::move(expected).error());
  auto part = co_await call.objects.put_part(call.context, name, call.query("uploadId"),
                                             static_cast<std::uint32_t>(*number),
                                             *std::move(expected), call.body);
  if (!part) co_return co_await reply_error(call, about_object(part.error(), name));
  http::ResponseHead head;
  head.fields.set("ETag", "\"" + part->etag + "\"");
  (void)co_await call.exchange.respond(std::move(head), std::string());
}

Task<void> delete_object(Call& call, ObjectName name) {
  auto action = co_await read_action(call.body);
  if (!action) co_return co_await reply_error(call, std::move(action).error());
  Status done;
  if (action->action == "mpt-abort") {
    done = co_await call.objects.abort_upload(call.context, name, call.query("uploadId"));
  } else {
    done = co_await call.objects.remove(call.context, name, RemoveOptions{});
  }
  if (!done) co_return co_await reply_error(call, about_object(done.error(), name));
  co_await reply_ok(call);
}

Task<void> patch_object(Call& call, ObjectName name) {
  auto action = co_await read_action(call.body);
  if (!action) co_return co_await reply_error(call, std::move(action).error());
  if (!action->value.is_object()) {
    Error error(Errc::invalid_argument, "custom metadata must be a map of texts");
    co_return co_await reply_error(call, std::move(error));
  }
  AttrChange change;
  if (call.flag("set-new-custom")) change.user.emplace();
  for (const auto& pair : action->value.get_object()) {
    const std::string key(pair.key().data(), pair.key().size());
    const std::string value = text_member(action->value, key);
    if (change.user) (*change.user)[key] = value;
    else change.user_patch[key] = value;
  }
  auto info = co_await call.objects.set_attrs(call.context, name, std::move(change), Conditions{});
  co_await reply_written(call, name, std::move(info));
}

}  // namespace aisfs::native
