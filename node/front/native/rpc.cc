// SPDX-License-Identifier: MIT
#include "node/front/native/rpc.h"

#include "common/client/messages.h"
#include "common/wire/leases.h"
#include "common/wire/map_watch.h"
#include "node/front/native/reply.h"
#include "node/front/native/rpc_admin.h"
#include "node/front/native/rpc_jobs.h"

namespace aisfs::native {
namespace {

using wire::DataMethod;

// The longest request: 10,000 parts to complete.
constexpr std::size_t kRequestBytesMax = 4 << 20;

/// Decodes the request; a broken one is the client's fault.
template <class Request>
Result<Request> request_of(std::string_view bytes) {
  auto request = wire::decode<Request>(bytes);
  if (!request && request.error().code() == Errc::corrupt) {
    return Error(Errc::invalid_argument, request.error().what());
  }
  return request;
}

Result<std::string> encoded(Result<ObjectInfo> info) {
  wire::InfoReply reply;
  TRY(reply.info, std::move(info));
  return wire::encode(reply);
}
Result<std::string> encoded(Result<std::string> text) {
  wire::TextReply reply;
  TRY(reply.text, std::move(text));
  return wire::encode(reply);
}
Result<std::string> encoded(Status status) {
  CHECK_OK(std::move(status));
  return wire::encode(wire::Nothing{});
}
template <class T>
Result<std::string> encoded(Result<T> value) {
  TRY(const T reply, std::move(value));
  return wire::encode(reply);
}

Task<Result<std::string>> run_head(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::HeadRequest>(bytes));
  co_return encoded(co_await call.objects.head(call.context, r.name, r.conditions));
}

Task<Result<std::string>> run_set_attrs(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::SetAttrsRequest>(bytes));
  co_return encoded(co_await call.objects.set_attrs(call.context, r.name, r.change, r.conditions));
}

Task<Result<std::string>> run_remove(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::RemoveRequest>(bytes));
  co_return encoded(co_await call.objects.remove(call.context, r.name, r.options));
}

Task<Result<std::string>> run_rename(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::RenameRequest>(bytes));
  co_return encoded(co_await call.objects.rename(call.context, r.from, r.to, r.options));
}

Task<Result<std::string>> run_copy(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::CopyRequest>(bytes));
  co_return encoded(co_await call.objects.copy(call.context, r.from, r.to, r.options));
}

Task<Result<std::string>> run_list(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::ListRequest>(bytes));
  co_return encoded(co_await call.objects.list(call.context, r.bucket, r.options));
}

Task<Result<std::string>> run_lookup(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::PathRequest>(bytes));
  co_return encoded(co_await call.objects.lookup(call.context, r.bucket, r.path));
}

Task<Result<std::string>> run_make_dir(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::MakeDirRequest>(bytes));
  co_return encoded(co_await call.objects.make_dir(call.context, r.bucket, r.path, r.options));
}

Task<Result<std::string>> run_remove_dir(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::PathRequest>(bytes));
  co_return encoded(co_await call.objects.remove_dir(call.context, r.bucket, r.path));
}

Task<Result<std::string>> run_rename_dir(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::RenameDirRequest>(bytes));
  co_return encoded(
      co_await call.objects.rename_dir(call.context, r.bucket, r.from, r.to, r.no_replace));
}

Task<Result<std::string>> run_capacity(Call& call, std::string) {
  co_return encoded(co_await call.objects.capacity(call.context));
}

Task<Result<std::string>> run_sync(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::SyncRequest>(bytes));
  co_return encoded(co_await call.objects.sync(call.context, r.name));
}

Task<Result<std::string>> run_create_upload(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::CreateUploadRequest>(bytes));
  co_return encoded(co_await call.objects.create_upload(call.context, r.name, r.options));
}

Task<Result<std::string>> run_complete_upload(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::CompleteUploadRequest>(bytes));
  co_return encoded(
      co_await call.objects.complete_upload(call.context, r.name, r.upload, r.parts, r.conditions));
}

Task<Result<std::string>> run_abort_upload(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::AbortUploadRequest>(bytes));
  co_return encoded(co_await call.objects.abort_upload(call.context, r.name, r.upload));
}

Task<Result<std::string>> run_list_parts(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::ListPartsRequest>(bytes));
  co_return encoded(
      co_await call.objects.list_parts(call.context, r.name, r.upload, r.after, r.limit));
}

Task<Result<std::string>> run_list_uploads(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::ListUploadsRequest>(bytes));
  co_return encoded(co_await call.objects.list_uploads(call.context, r.bucket, r.prefix,
                                                       r.after_key, r.after_id, r.limit));
}

/// The map without what only nodes may know: users and their sealed secrets.
Task<Result<std::string>> run_map_watch(Call& call, std::string bytes) {
  CO_TRY(auto request, request_of<wire::MapWatchRequest>(bytes));
  const auto wait = std::chrono::milliseconds(std::min(request.wait_ms, wire::kMapWatchMsMax));
  MapSnapshot map = call.maps.current();
  if (map->epoch <= request.known && wait.count() > 0) {
    auto newer = co_await call.maps.at_least(request.known + 1, Deadline::after(wait));
    map = newer ? *newer : call.maps.current();
  }
  ClusterMap shown = *map;
  shown.users.clear();
  co_return wire::encode(shown);
}

Error no_names(const Call& call) {
  return Error(Errc::unsupported, "node " + call.node_id + " has no names to lease");
}

Task<Result<std::string>> run_lease_poll(Call& call, std::string bytes) {
  CO_TRY(auto request, request_of<wire::LeasePollRequest>(bytes));
  if (call.stored == nullptr) co_return no_names(call);
  target::Leases& leases = call.stored->leases();
  co_return encoded(co_await leases.poll(call.context.who.user(), std::move(request)));
}

Task<Result<std::string>> run_delegate(Call& call, std::string bytes) {
  CO_TRY(auto request, request_of<wire::DelegateRequest>(bytes));
  if (call.stored == nullptr) co_return no_names(call);
  co_return encoded(call.stored->delegate(call.context, std::move(request)));
}

Task<Result<std::string>> run_method(Call& call, DataMethod method, std::string bytes) {
  switch (method) {
    case DataMethod::head:
      return run_head(call, std::move(bytes));
    case DataMethod::set_attrs:
      return run_set_attrs(call, std::move(bytes));
    case DataMethod::remove:
      return run_remove(call, std::move(bytes));
    case DataMethod::rename:
      return run_rename(call, std::move(bytes));
    case DataMethod::copy:
      return run_copy(call, std::move(bytes));
    case DataMethod::list:
      return run_list(call, std::move(bytes));
    case DataMethod::capacity:
      return run_capacity(call, std::move(bytes));
    case DataMethod::lookup:
      return run_lookup(call, std::move(bytes));
    case DataMethod::make_dir:
      return run_make_dir(call, std::move(bytes));
    case DataMethod::remove_dir:
      return run_remove_dir(call, std::move(bytes));
    case DataMethod::rename_dir:
      return run_rename_dir(call, std::move(bytes));
    case DataMethod::sync:
      return run_sync(call, std::move(bytes));
    case DataMethod::create_upload:
      return run_create_upload(call, std::move(bytes));
    case DataMethod::complete_upload:
      return run_complete_upload(call, std::move(bytes));
    case DataMethod::abort_upload:
      return run_abort_upload(call, std::move(bytes));
    case DataMethod::list_parts:
      return run_list_parts(call, std::move(bytes));
    case DataMethod::list_uploads:
      return run_list_uploads(call, std::move(bytes));
    default:
      return run_admin_method(call, method, std::move(bytes));
  }
}

Task<Result<std::string>> run_named(Call& call, std::string name, std::string bytes) {
  if (name == wire::kMapWatchMethod) co_return co_await run_map_watch(call, std::move(bytes));
  if (name == wire::kLeasePollMethod) co_return co_await run_lease_poll(call, std::move(bytes));
  if (name == wire::kDelegateMethod) co_return co_await run_delegate(call, std::move(bytes));
  if (is_job_method(name)) {
    co_return co_await run_job_method(call, std::move(name), std::move(bytes));
  }
  const auto method = wire::parse_data_method(name);
  if (!method) co_return Error(Errc::unsupported, "there is no method " + name);
  co_return co_await run_method(call, *method, std::move(bytes));
}

// Methods about buckets and users begin here (common/wire/data.h).
constexpr auto kFirstAdminMethod = DataMethod::list_buckets;

}  // namespace

bool is_object_method(const http::Target& target) {
  std::string_view path = target.path;
  if (!path.starts_with(wire::kRpcPath)) return false;
  path.remove_prefix(wire::kRpcPath.size());
  const auto method = wire::parse_data_method(path);
  return method && *method < kFirstAdminMethod;
}

Task<void> serve_rpc(Call& call) {
  if (call.method() != http::Method::kPost) {
    Error error(Errc::invalid_argument, "methods of /v1/x are called by POST");
    co_return co_await reply_error(call, std::move(error));
  }
  auto bytes = co_await read_all(call.body, kRequestBytesMax);
  if (!bytes) co_return co_await reply_error(call, std::move(bytes).error());
  const PathTail tail = tail_of(call.target(), "x");
  auto reply = co_await run_named(call, tail.first, *std::move(bytes));
  if (!reply) co_return co_await reply_error(call, std::move(reply).error());
  http::ResponseHead head;
  add_clock(call, head.fields);
  head.fields.set("Content-Type", wire::kEnvelopeType);
  (void)co_await call.exchange.respond(std::move(head), *std::move(reply));
}

}  // namespace aisfs::native
