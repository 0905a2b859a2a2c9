// SPDX-License-Identifier: MIT
#include "node/front/cluster/peer_routes.h"

#include "node/front/cluster/peer_messages.h"
#include "node/front/native/bulk.h"
#include "node/front/native/reply.h"

namespace aisfs::cluster {
namespace {

using native::Call;
using target::LocalTarget;

constexpr std::size_t kRequestBytesMax = 1 << 20;
constexpr std::string_view kMethods[] = {kPrepareRename, kFinishRename, kRenameState, kOpenContent,
                                         kDropContent};

std::string_view method_of(const http::Target& target) {
  std::string_view path = target.path;
  if (!path.starts_with(wire::kRpcPath)) return {};
  return path.substr(wire::kRpcPath.size());
}

template <class Reply>
Task<void> answer(Call& call, Result<Reply> reply) {
  if (!reply) co_return co_await native::reply_error(call, std::move(reply).error());
  http::ResponseHead head;
  head.fields.set("Content-Type", wire::kEnvelopeType);
  (void)co_await call.exchange.respond(std::move(head), wire::encode(*reply));
}

Task<Result<wire::Nothing>> prepare(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<target::RenamePrepare>(bytes));
  CO_CHECK_OK(co_await self.prepare_rename(call.context, std::move(request)));
  co_return wire::Nothing{};
}

Task<Result<wire::InfoReply>> finish(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<FinishRenameRequest>(bytes));
  wire::InfoReply reply;
  CO_TRY(reply.info, co_await self.finish_rename(call.context, request.op_id, request.state));
  co_return reply;
}

Result<RenameStateReply> state(LocalTarget& self, const std::string& bytes) {
  TRY(const auto request, wire::decode<RenameStateRequest>(bytes));
  return RenameStateReply{self.rename_state(request.op_id)};
}

Task<Result<wire::Nothing>> drop(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<ContentRequest>(bytes));
  CO_CHECK_OK(co_await self.drop_content(call.context, request.bucket, request.content));
  co_return wire::Nothing{};
}

Task<Result<ObjectStream>> open(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<ContentRequest>(bytes));
  co_return co_await self.open_content(call.context, request.bucket, request.content,
                                       request.range);
}

Task<void> dispatch(Call& call, LocalTarget& self, std::string bytes) {
  const std::string_view method = method_of(call.target());
  if (method == kPrepareRename) {
    auto reply = co_await prepare(call, self, std::move(bytes));
    co_await answer(call, std::move(reply));
  } else if (method == kFinishRename) {
    auto reply = co_await finish(call, self, std::move(bytes));
    co_await answer(call, std::move(reply));
  } else if (method == kRenameState) {
    co_await answer(call, state(self, bytes));
  } else if (method == kDropContent) {
    auto reply = co_await drop(call, self, std::move(bytes));
    co_await answer(call, std::move(reply));
  } else {
    auto stream = co_await open(call, self, std::move(bytes));
    co_await native::reply_object(call, std::move(stream));
  }
}

}  // namespace

bool is_peer_method(const http::Target& target) {
  return std::find(std::begin(kMethods), std::end(kMethods), method_of(target)) !=
         std::end(kMethods);
}

Task<void> serve_peer(Call& call, LocalTarget& self) {
  auto bytes = co_await read_all(call.body, kRequestBytesMax);
  if (!bytes) co_return co_await native::reply_error(call, std::move(bytes).error());
  co_await dispatch(call, self, *std::move(bytes));
}

}  // namespace aisfs::cluster
