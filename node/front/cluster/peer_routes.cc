// SPDX-License-Identifier: MIT
#include "node/front/cluster/peer_routes.h"

#include "common/client/remote_call.h"
#include "node/front/cluster/copy_stream.h"
#include "node/front/cluster/peer_messages.h"
#include "node/front/cluster/slice_routes.h"
#include "node/front/native/bulk.h"
#include "node/front/native/reply.h"

namespace aisfs::cluster {
namespace {

using native::Call;
using target::LocalTarget;

constexpr std::size_t kRequestBytesMax = 1 << 20;
std::string_view method_of(const http::Target& target) {
  std::string_view path = target.path;
  if (!path.starts_with(wire::kRpcPath)) return {};
  return path.substr(wire::kRpcPath.size());
}

template <class Reply>
Task<void> answer(Call& call, Result<Reply> reply) {
  if (!reply) {
    co_await native::reply_error(call, std::move(reply).error());
    co_return;
  }
  http::ResponseHead head;
  head.fields.set("Content-Type", wire::kEnvelopeType);
  (void)co_await call.exchange.respond(std::move(head), wire::encode(*reply));
}

Task<Result<PrepareRenameReply>> prepare(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<target::RenamePrepare>(bytes));
  PrepareRenameReply reply;
  CO_TRY(reply.version, co_await self.prepare_rename(call.context, std::move(request)));
  co_return reply;
}

Task<Result<wire::InfoReply>> finish(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<FinishRenameRequest>(bytes));
  wire::InfoReply reply;
  CO_TRY(reply.info, co_await self.finish_rename(call.context, request.op_id, request.state));
  co_return reply;
}

Task<Result<RenameStateReply>> state(Call&, LocalTarget& self, std::string bytes) {
  CO_TRY(const auto request, wire::decode<RenameStateRequest>(bytes));
  co_return RenameStateReply{self.rename_state(request.op_id)};
}

Task<Result<wire::Nothing>> close_dir(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<DirRequest>(bytes));
  CO_CHECK_OK(co_await self.close_dir(call.context, request.bucket, request.marker));
  co_return wire::Nothing{};
}

Task<Result<wire::Nothing>> check_dir(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<DirRequest>(bytes));
  CO_CHECK_OK(co_await self.check_dir(call.context, request.bucket, request.marker));
  co_return wire::Nothing{};
}

Task<Result<wire::Nothing>> drop(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<ContentRequest>(bytes));
  CO_CHECK_OK(co_await self.drop_content(call.context, request.bucket, request.content));
  co_return wire::Nothing{};
}

Task<Result<NameStatesReply>> states(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<NameStatesRequest>(bytes));
  NameStatesReply reply;
  CO_TRY(reply.states, co_await self.name_states(call.context, request.bucket, request.key));
  co_return reply;
}

Task<Result<FindNameReply>> find(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<NameStatesRequest>(bytes));
  CO_TRY(auto there, co_await self.find_name(call.context, request.bucket, request.key));
  FindNameReply reply{std::move(there.states), {}, {}};
  if (!there.copy) co_return reply;
  std::string meta = encode_copy_meta(there.copy->meta);
  if (meta.size() > target::NameThere::kCopyMax) co_return reply;  // fetch_copy streams it
  reply.meta = std::move(meta);
  reply.bytes = std::move(there.copy->bytes);
  co_return reply;
}

Task<Result<wire::Nothing>> forget(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<ForgetRequest>(bytes));
  CO_CHECK_OK(co_await self.forget_copies(call.context, request.bucket, std::move(request.states),
                                          request.level));
  co_return wire::Nothing{};
}

Task<Result<AnswersReply>> offer(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<OfferRequest>(bytes));
  CO_TRY(const auto taken, co_await self.offer_names(call.context, request.bucket,
                                                     std::move(request.states), request.pace));
  co_return AnswersReply{{taken.begin(), taken.end()}};
}

Task<Result<AnswersReply>> compare(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<CompareRequest>(bytes));
  CO_TRY(const auto older, co_await self.compare_names(call.context, request.bucket, request.from,
                                                       std::move(request.states)));
  co_return AnswersReply{{older.begin(), older.end()}};
}

Task<Result<AnswersReply>> lacks(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<LacksCopiesRequest>(bytes));
  CO_TRY(const auto lacking, co_await self.lacks_copies(call.context, request.from, request.bucket,
                                                        std::move(request.states), request.whole));
  co_return AnswersReply{{lacking.begin(), lacking.end()}};
}

Task<Result<AnswersReply>> attributes(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<TakeAttributesRequest>(bytes));
  CO_TRY(const bool taken, co_await self.take_attributes(call.context, request.from, request.bucket,
                                                         request.key, std::move(request.info)));
  co_return AnswersReply{{static_cast<std::uint8_t>(taken)}};
}

Task<Result<AnswersReply>> tombstones(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<CompareRequest>(bytes));
  CO_TRY(const auto gone,
         co_await self.forget_tombstones(call.context, request.from, request.bucket,
                                         std::move(request.states)));
  co_return AnswersReply{{gone.begin(), gone.end()}};
}

Task<Result<AnswersReply>> has_copies(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY([[maybe_unused]] const auto request, wire::decode<wire::Nothing>(bytes));
  const bool has = self.restorer().has_copies_for(call.context.who.user());
  co_return AnswersReply{{static_cast<std::uint8_t>(has)}};
}

Task<Result<wire::Nothing>> sync(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<NameStatesRequest>(bytes));
  CO_CHECK_OK(co_await self.sync_copy(call.context, request.bucket, request.key));
  co_return wire::Nothing{};
}

/// The bytes are in the request's body, and its envelopes in the head.
Task<Result<wire::Nothing>> take(Call& call, LocalTarget& self) {
  const http::Fields& fields = call.exchange.request().fields;
  CO_TRY(auto request, value_of<TakeCopyRequest>(fields.find(kTakeCopyHeader), kTakeCopyHeader));
  CO_TRY(store::StoredMeta meta, co_await read_copy_meta(fields, call.body));
  CO_CHECK_OK(co_await self.take_copy(call.context, request.from, request.bucket, std::move(meta),
                                      call.body));
  co_return wire::Nothing{};
}

/// The same, but for the metadata, which come behind the bytes.
Task<Result<wire::Nothing>> take_streamed(Call& call, LocalTarget& self) {
  const http::Fields& fields = call.exchange.request().fields;
  CO_TRY(auto request,
         value_of<StreamCopyRequest>(fields.find(kStreamCopyHeader), kStreamCopyHeader));
  target::StreamedCopy copy{.bucket = std::move(request.bucket),
                            .key = std::move(request.key),
                            .bytes = request.bytes,
                            .level = request.level};
  CO_CHECK_OK(co_await self.take_streamed(call.context, std::move(request.from), std::move(copy),
                                          call.body));
  co_return wire::Nothing{};
}

Task<void> fetch(Call& call, LocalTarget& self, std::string bytes) {
  auto request = wire::decode<FetchCopyRequest>(bytes);
  if (!request) co_return co_await native::reply_error(call, std::move(request).error());
  auto copy = co_await self.fetch_copy(call.context, request->bucket, request->state);
  if (!copy) co_return co_await native::reply_error(call, std::move(copy).error());
  http::ResponseHead head;
  head.fields.set("Content-Type", "application/octet-stream");
  std::string prefix = describe_copy(copy->meta, head.fields);
  if (prefix.empty()) {
    co_return co_await native::reply_body(call, std::move(head), *copy->body);
  }
  PrefixedSource whole(std::move(prefix), *copy->body);
  co_await native::reply_body(call, std::move(head), whole);
}

Task<void> open(Call& call, LocalTarget& self, std::string bytes) {
  auto request = wire::decode<ContentRequest>(bytes);
  if (!request) co_return co_await native::reply_error(call, std::move(request).error());
  auto stream =
      co_await self.open_content(call.context, request->bucket, request->content, request->range);
  co_await native::reply_object(call, std::move(stream));
}

template <auto operation>
Task<void> answer(Call& call, LocalTarget& self, std::string bytes) {
  auto reply = co_await operation(call, self, std::move(bytes));
  if (!reply) {
    co_await native::reply_error(call, std::move(reply).error());
    co_return;
  }
  http::ResponseHead head;
  head.fields.set("Content-Type", wire::kEnvelopeType);
  (void)co_await call.exchange.respond(std::move(head), wire::encode(*reply));
}

struct Route {
  std::string_view method;
  Task<void> (*serve)(Call&, LocalTarget&, std::string);
};
constexpr Route kRoutes[] = {
    {kPrepareRename, answer<prepare>},
    {kFinishRename, answer<finish>},
    {kRenameState, answer<state>},
    {kCloseDir, answer<close_dir>},
    {kCheckDir, answer<check_dir>},
    {kOpenContent, open},
    {kDropContent, answer<drop>},
    {kNameStates, answer<states>},
    {kFetchCopy, fetch},
    {kForgetCopies, answer<forget>},
    {kOfferNames, answer<offer>},
    {kCompareNames, answer<compare>},
    {kLacksCopies, answer<lacks>},
    {kTakeAttributes, answer<attributes>},
    {kForgetTombstones, answer<tombstones>},
    {kHasCopiesForMe, answer<has_copies>},
    {kSyncCopy, answer<sync>},
    {kFindName, answer<find>},
};

const Route* route_of(const http::Target& target) {
  const std::string_view method = method_of(target);
  const auto found = std::find_if(std::begin(kRoutes), std::end(kRoutes),
                                  [&](const Route& route) { return route.method == method; });
  return found == std::end(kRoutes) ? nullptr : found;
}

}  // namespace

bool is_peer_method(const http::Target& target) {
  const std::string_view method = method_of(target);
  return method == kTakeCopy || method == kStreamCopy || is_slice_method(method) ||
         route_of(target) != nullptr;
}

Task<void> serve_peer(Call& call, LocalTarget& self) {
  const std::string_view method = method_of(call.target());
  if (is_slice_method(method)) co_return co_await serve_slices(call, method, self);
  if (method == kTakeCopy) {
    auto taken = co_await take(call, self);
    co_return co_await answer(call, std::move(taken));
  }
  if (method == kStreamCopy) {
    auto taken = co_await take_streamed(call, self);
    co_return co_await answer(call, std::move(taken));
  }
  auto bytes = co_await read_all(call.body, kRequestBytesMax);
  if (!bytes) co_return co_await native::reply_error(call, std::move(bytes).error());
  co_await route_of(call.target())->serve(call, self, *std::move(bytes));
}

}  // namespace aisfs::cluster
