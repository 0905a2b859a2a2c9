// SPDX-License-Identifier: MIT
// POST of an object: actions that AIStore names in the body.
#include <boost/json/array.hpp>

#include "common/base/text.h"
#include "node/front/native/object_routes.h"
#include "node/front/native/reply.h"

namespace aisfs::native {
namespace json = boost::json;
namespace {

constexpr std::uint32_t kPartsMax = 10'000;

Result<std::vector<CompletedPart>> parts_of(const json::value& value) {
  std::vector<CompletedPart> parts;
  if (!value.is_array()) return Error(Errc::invalid_argument, "no chunks: the list of parts is missing");
  for (const json::value& item : value.get_array()) {
    const std::uint64_t number = number_member(item, "part-number");
    if (number < 1 || number > kPartsMax) {
      return Error(Errc::invalid_argument, "part-number must be 1 to 10000");
    }
    std::string etag = text_member(item, "etag");
    std::erase(etag, '"');
    parts.push_back({static_cast<std::uint32_t>(number), std::move(etag)});
  }
  return parts;
}

/// AIStore completes an upload only as a whole: parts 1..N, all that were sent.
Task<Status> check_whole(Call& call, ObjectName name, std::string upload, std::size_t requested) {
  CO_TRY(const PartList present,
         co_await call.objects.list_parts(call.context, std::move(name), std::move(upload), 0,
                                          kPartsMax));
  const std::size_t have = present.parts.size();
  if (have == 0) co_return Error(Errc::invalid_argument, "no chunks were uploaded");
  if (requested < have) {
    co_return Error(Errc::unsupported, "partial completion is not allowed: requested " +
                                           std::to_string(requested) + " parts, have " +
                                           std::to_string(have));
  }
  if (requested != have || present.parts.back().number != have) {
    co_return Error(Errc::invalid_argument,
                    "parts must be exactly 1.." + std::to_string(requested));
  }
  co_return Status{};
}

Task<void> start_upload(Call& call, ObjectName name) {
  PutOptions options{.level = Durability::kNone};  // the bucket's level holds
  auto upload = co_await call.objects.create_upload(call.context, name, std::move(options));
  if (!upload) co_return co_await reply_error(call, about_object(upload.error(), name));
  co_await reply_text(call, *std::move(upload));
}

Task<void> complete_upload(Call& call, ObjectName name, json::value value) {
  auto parts = parts_of(value);
  if (!parts) co_return co_await reply_error(call, std::move(parts).error());
  const std::string upload = call.query("uploadId");
  auto whole = co_await check_whole(call, name, upload, parts->size());
  if (!whole) co_return co_await reply_error(call, about_object(whole.error(), name));
  auto info = co_await call.objects.complete_upload(call.context, name, upload, *std::move(parts),
                                                    Conditions{});
  if (!info) co_return co_await reply_error(call, about_object(info.error(), name));
  co_await reply_ok(call);
}

Task<void> rename_object(Call& call, ObjectName name, std::string to) {
  ObjectName destination{name.bucket, std::move(to)};
  auto info = co_await call.objects.rename(call.context, name, std::move(destination),
                                           RenameOptions{});
  if (!info) co_return co_await reply_error(call, about_object(info.error(), name));
  co_await reply_ok(call);
}

}  // namespace

Task<void> post_object(Call& call, ObjectName name) {
  auto action = co_await read_action(call.body);
  if (!action) co_return co_await reply_error(call, std::move(action).error());
  const std::string& what = action->action;
  if (what == "mpt-upload") co_return co_await start_upload(call, std::move(name));
  if (what == "mpt-complete") {
    co_return co_await complete_upload(call, std::move(name), std::move(action->value));
  }
  if (what == "rename-obj") {
    co_return co_await rename_object(call, std::move(name), std::move(action->name));
  }
  // Readers never wait for writers here, so no object is ever locked.
  if (what == "check-lock") co_return co_await reply_ok(call);
  Error error(Errc::unsupported, "action \"" + what + "\" is not supported for objects");
  co_await reply_error(call, std::move(error));
}

}  // namespace aisfs::native
