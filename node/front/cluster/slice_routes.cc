// SPDX-License-Identifier: MIT
#include "node/front/cluster/slice_routes.h"

#include "common/client/remote_call.h"
#include "node/front/cluster/copy_stream.h"
#include "node/front/cluster/peer_messages.h"
#include "node/front/cluster/slice_messages.h"
#include "node/front/native/reply.h"

namespace aisfs::cluster {
namespace {

using native::Call;
using target::LocalTarget;

constexpr std::size_t kRequestBytesMax = 1 << 20;

template <class Reply>
Task<void> answer(Call& call, Result<Reply> reply) {
  if (!reply) co_return co_await native::reply_error(call, std::move(reply).error());
  http::ResponseHead head;
  head.fields.set("Content-Type", wire::kEnvelopeType);
  (void)co_await call.exchange.respond(std::move(head), wire::encode(*reply));
}

/// The bytes are in the request's body, and its envelope in the head.
Task<Result<wire::Nothing>> put(Call& call, LocalTarget& self) {
  const http::Fields& fields = call.exchange.request().fields;
  CO_TRY(auto request, value_of<PutSliceRequest>(fields.find(kPutSliceHeader), kPutSliceHeader));
  CO_CHECK_OK(co_await self.take_slice(call.context, std::move(request.bucket),
                                       std::move(request.content), request.index, request.level,
                                       call.body));
  co_return wire::Nothing{};
}

Task<Result<SlicesAtReply>> slices_at(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<SlicesAtRequest>(bytes));
  CO_TRY(const auto all, co_await self.slices_here(call.context, std::move(request.bucket),
                                                   std::move(request.contents)));
  SlicesAtReply reply;
  for (const ec::SliceSet& one : all) {
    reply.slices.push_back(static_cast<std::uint32_t>(one.to_ulong()));
  }
  co_return reply;
}

Task<Result<wire::Nothing>> drop(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<SlicesRequest>(bytes));
  const ec::SliceSet slices(request.slices);
  CO_CHECK_OK(co_await self.drop_slices(call.context, std::move(request.bucket),
                                        std::move(request.content), slices));
  co_return wire::Nothing{};
}

Task<Result<AnswersReply>> judge(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<JudgeSlicesRequest>(bytes));
  CO_TRY(const auto verdicts,
         co_await self.judge_slices(call.context, std::move(request.bucket),
                                    std::move(request.from), std::move(request.slices)));
  AnswersReply reply;
  for (const auto verdict : verdicts) reply.answers.push_back(static_cast<std::uint8_t>(verdict));
  co_return reply;
}

Task<Result<wire::Nothing>> miss(Call& call, LocalTarget& self, std::string bytes) {
  CO_TRY(auto request, wire::decode<MissSlicesRequest>(bytes));
  CO_CHECK_OK(
      co_await self.miss_slices(call.context, std::move(request.bucket), std::move(request.keys)));
  co_return wire::Nothing{};
}

Task<void> open(Call& call, LocalTarget& self, std::string bytes) {
  auto request = wire::decode<SlicesRequest>(bytes);
  if (!request) co_return co_await native::reply_error(call, std::move(request).error());
  const ec::SliceSet wanted(request->slices);
  auto slice = co_await self.open_slice(call.context, std::move(request->bucket),
                                        std::move(request->content), wanted, request->range);
  if (!slice) co_return co_await native::reply_error(call, std::move(slice).error());
  http::ResponseHead head;
  head.fields.set("Content-Type", "application/octet-stream");
  TailMessage tail{store::encode_tail(slice->tail)};
  if (const auto header = header_of(tail)) {
    head.fields.set(kSliceTailHeader, *header);
    co_return co_await native::reply_body(call, std::move(head), *slice->body);
  }
  head.fields.set(kSliceTailPrefixHeader, std::to_string(tail.tail.size()));
  PrefixedSource whole(std::move(tail.tail), *slice->body);
  co_await native::reply_body(call, std::move(head), whole);
}

}  // namespace

bool is_slice_method(std::string_view method) {
  return method == kPutSlice || method == kSlicesAt || method == kOpenSlice ||
         method == kDropSlices || method == kJudgeSlices || method == kMissSlices;
}

Task<void> serve_slices(Call& call, std::string_view method, LocalTarget& self) {
  if (method == kPutSlice) {
    auto taken = co_await put(call, self);
    co_return co_await answer(call, std::move(taken));
  }
  auto bytes = co_await read_all(call.body, kRequestBytesMax);
  if (!bytes) co_return co_await native::reply_error(call, std::move(bytes).error());
  if (method == kOpenSlice) co_return co_await open(call, self, *std::move(bytes));
  if (method == kSlicesAt) {
    auto reply = co_await slices_at(call, self, *std::move(bytes));
    co_return co_await answer(call, std::move(reply));
  }
  if (method == kDropSlices) {
    auto reply = co_await drop(call, self, *std::move(bytes));
    co_return co_await answer(call, std::move(reply));
  }
  if (method == kMissSlices) {
    auto reply = co_await miss(call, self, *std::move(bytes));
    co_return co_await answer(call, std::move(reply));
  }
  auto reply = co_await judge(call, self, *std::move(bytes));
  co_await answer(call, std::move(reply));
}

}  // namespace aisfs::cluster
