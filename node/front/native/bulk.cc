// SPDX-License-Identifier: MIT
#include "node/front/native/bulk.h"

#include "common/client/remote_call.h"
#include "node/front/native/reply.h"

namespace aisfs::native {
namespace {

// What an info may take of the response's header; longer ones are cut and asked for by `head`.
constexpr std::size_t kInfoBytesMax = 6 * 1024;

void set_info(http::Fields& fields, const ObjectInfo& info) {
  wire::InfoReply reply{info};
  std::string bytes = wire::encode(reply);
  if (bytes.size() > kInfoBytesMax) {
    reply.info.part_sizes.clear();
    reply.info.xattrs.clear();
    reply.info.user.clear();
    reply.info.headers.clear();
    bytes = wire::encode(reply);
    fields.set(wire::kInfoCutHeader, "1");
  }
  fields.set(wire::kInfoHeader, to_base64(as_bytes(bytes)));
}

Task<void> reply_info(const Call& call, Result<ObjectInfo> info) {
  if (!info) co_return co_await reply_error(call, std::move(info).error());
  http::ResponseHead head;
  add_clock(call, head.fields);
  set_info(head.fields, *info);
  (void)co_await call.exchange.respond(std::move(head), std::string());
}

template <class T>
Result<T> header_value(const Call& call, std::string_view name) {
  return value_of<T>(call.exchange.request().fields.find(name), name);
}

Task<void> bulk_get(Call& call, ObjectName name) {
  auto header = header_value<wire::GetHeader>(call, wire::kGetHeader);
  if (!header) co_return co_await reply_error(call, std::move(header).error());
  Result<ObjectStream> stream = Errc::not_found;
  if (auto hot = call.objects.get_now(call.context, name, header->options)) {
    stream = *std::move(hot);
  } else {
    stream = co_await call.objects.get(call.context, std::move(name), header->options);
  }
  co_await reply_object(call, std::move(stream));
}

Task<void> bulk_put(Call& call, ObjectName name) {
  auto header = header_value<wire::PutHeader>(call, wire::kPutHeader);
  if (!header) co_return co_await reply_error(call, std::move(header).error());
  auto info = co_await call.objects.put(call.context, std::move(name), header->options,
                                        header->expected, call.body);
  co_await reply_info(call, std::move(info));
}

Task<void> bulk_patch(Call& call, ObjectName name) {
  auto header = header_value<wire::PatchHeader>(call, wire::kPatchHeader);
  if (!header) co_return co_await reply_error(call, std::move(header).error());
  auto info =
      co_await call.objects.patch(call.context, std::move(name), header->options, call.body);
  co_await reply_info(call, std::move(info));
}

Task<void> bulk_part(Call& call, ObjectName name) {
  auto header = header_value<wire::PartHeader>(call, wire::kPartHeader);
  if (!header) co_return co_await reply_error(call, std::move(header).error());
  auto part = co_await call.objects.put_part(call.context, std::move(name), header->upload,
                                             header->number, header->expected, call.body);
  if (!part) co_return co_await reply_error(call, std::move(part).error());
  http::ResponseHead head;
  wire::PartReply reply{*std::move(part)};
  head.fields.set(wire::kPartReplyHeader, to_base64(as_bytes(wire::encode(reply))));
  (void)co_await call.exchange.respond(std::move(head), std::string());
}

}  // namespace

bool is_bulk(const Call& call) {
  const http::Fields& fields = call.exchange.request().fields;
  return fields.has(wire::kGetHeader) || fields.has(wire::kPutHeader) ||
         fields.has(wire::kPartHeader) || fields.has(wire::kPatchHeader);
}

Task<void> reply_object(const Call& call, Result<ObjectStream> stream) {
  if (!stream) co_return co_await reply_error(call, std::move(stream).error());
  http::ResponseHead head;
  add_clock(call, head.fields);
  set_info(head.fields, stream->info);
  head.fields.set("Content-Type", "application/octet-stream");
  head.fields.set(wire::kRangeHeader, std::to_string(stream->range.offset) + " " +
                                          std::to_string(stream->range.length));
  co_await reply_body(call, std::move(head), *stream->body);
}

Task<void> serve_bulk(Call& call, ObjectName name) {
  const http::Fields& fields = call.exchange.request().fields;
  const http::Method method = call.method();
  if (method == http::Method::kGet && fields.has(wire::kGetHeader)) {
    return bulk_get(call, std::move(name));
  }
  if (method == http::Method::kPut && fields.has(wire::kPutHeader)) {
    return bulk_put(call, std::move(name));
  }
  if (method == http::Method::kPut && fields.has(wire::kPatchHeader)) {
    return bulk_patch(call, std::move(name));
  }
  if (method == http::Method::kPut && fields.has(wire::kPartHeader)) {
    return bulk_part(call, std::move(name));
  }
  return reply_error(call, Error(Errc::invalid_argument, "header and method do not go together"));
}

}  // namespace aisfs::native
