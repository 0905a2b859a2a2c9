// SPDX-License-Identifier: MIT
#include "node/front/cluster/cluster_slices.h"

#include "common/client/remote_call.h"
#include "node/front/cluster/copy_stream.h"
#include "node/front/cluster/peer_messages.h"
#include "node/front/cluster/slice_messages.h"
#include "node/target/local_target.h"

namespace aisfs::cluster {
namespace {

http::ClientRequest request_of(std::string_view method) {
  http::ClientRequest request;
  request.head.method = http::Method::kPost;
  request.head.target = std::string(wire::kRpcPath) + std::string(method);
  return request;
}

std::uint32_t bits_of(const ec::SliceSet& slices) {
  return static_cast<std::uint32_t>(slices.to_ulong());
}

Result<store::SliceTail> tail_in(std::string_view encoded) {
  if (encoded.size() < store::kSliceEndBytes) return Error(Errc::corrupt, "a slice is cut off");
  encoded.remove_suffix(store::kSliceEndBytes);
  return store::decode_tail(encoded);
}

}  // namespace

Result<NodeInfo> ClusterSlices::find(const std::string& node) const {
  const MapSnapshot map = maps_.current();
  const NodeInfo* found = map->find_node(node);
  if (found == nullptr) return Error(Errc::unreachable, "the cluster has no target " + node);
  return *found;
}

Task<Status> ClusterSlices::put_slice(Context context,
                                      std::string node,
                                      BucketName bucket,
                                      store::Reference content,
                                      unsigned index,
                                      Durability level,
                                      BodySource& body) {
  CO_TRY(NodeInfo to, find(node));
  http::ClientRequest request = request_of(kPutSlice);
  request.head.fields.set("Content-Type", "application/octet-stream");
  const PutSliceRequest message{std::move(bucket), std::move(content), index, level};
  CO_TRY(std::string header, header_of(message));
  request.head.fields.set(kPutSliceHeader, std::move(header));
  request.stream = &body;
  request.deadline = context.deadline;
  CO_TRY(http::ClientResponse response,
         co_await send_checked(transport_, std::move(to), std::move(context), std::move(request)));
  CO_TRY([[maybe_unused]] const auto reply,
         co_await read_all(response.body(), kReplyBytesMax));  // the connection is free again
  co_return Status{};
}

Task<Result<std::vector<ec::SliceSet>>> ClusterSlices::slices_at(
    Context context, std::string node, BucketName bucket, std::vector<store::Reference> contents) {
  if (node == node_id_) {
    co_return co_await self_->slices_here(std::move(context), std::move(bucket),
                                          std::move(contents));
  }
  CO_TRY(NodeInfo to, find(node));
  SlicesAtRequest request{std::move(bucket), std::move(contents)};
  CO_TRY(const auto reply,
         co_await call<SlicesAtReply>(transport_, std::move(to), std::move(context),
                                      std::string(kSlicesAt), std::move(request)));
  co_return std::vector<ec::SliceSet>(reply.slices.begin(), reply.slices.end());
}

Task<Result<store::OpenSlice>> ClusterSlices::open_slice(Context context,
                                                         std::string node,
                                                         BucketName bucket,
                                                         store::Reference content,
                                                         ec::SliceSet wanted,
                                                         ByteRange range) {
  if (node == node_id_) {
    co_return co_await self_->open_slice(std::move(context), std::move(bucket), std::move(content),
                                         wanted, range);
  }
  CO_TRY(NodeInfo to, find(node));
  const SlicesRequest message{std::move(bucket), std::move(content), bits_of(wanted), range};
  http::ClientRequest request = request_of(kOpenSlice);
  request.head.fields.set("Content-Type", wire::kEnvelopeType);
  request.body = wire::encode(message);
  request.deadline = context.deadline;
  CO_TRY(http::ClientResponse response,
         co_await send_checked(transport_, std::move(to), std::move(context), std::move(request)));
  const http::Fields fields = response.head().fields;
  store::OpenSlice slice;
  slice.body = std::move(response).take_body();
  TailMessage tail;
  if (const std::string* prefix = fields.find(kSliceTailPrefixHeader)) {
    CO_TRY(tail.tail, co_await read_prefix(*prefix, *slice.body, store::kSliceTailBytesMax));
  } else {
    CO_TRY(tail, value_of<TailMessage>(fields.find(kSliceTailHeader), kSliceTailHeader));
  }
  CO_TRY(slice.tail, tail_in(tail.tail));
  co_return slice;
}

Task<Status> ClusterSlices::drop_slices(Context context,
                                        std::string node,
                                        BucketName bucket,
                                        store::Reference content,
                                        ec::SliceSet slices) {
  if (node == node_id_) {
    co_return co_await self_->drop_slices(std::move(context), std::move(bucket), std::move(content),
                                          slices);
  }
  CO_TRY(NodeInfo to, find(node));
  const ByteRange all;
  SlicesRequest request{std::move(bucket), std::move(content), bits_of(slices), all};
  CO_TRY([[maybe_unused]] const auto reply,
         co_await call<wire::Nothing>(transport_, std::move(to), std::move(context),
                                      std::string(kDropSlices), std::move(request)));
  co_return Status{};
}

Task<Result<std::vector<target::SliceVerdict>>> ClusterSlices::judge_slices(
    Context context,
    std::string node,
    BucketName bucket,
    std::string from,
    std::vector<store::HeldSlice> slices) {
  if (node == node_id_) {
    co_return co_await self_->judge_slices(std::move(context), std::move(bucket), std::move(from),
                                           std::move(slices));
  }
  CO_TRY(NodeInfo to, find(node));
  JudgeSlicesRequest request{std::move(bucket), std::move(from), std::move(slices)};
  CO_TRY(const auto reply,
         co_await call<AnswersReply>(transport_, std::move(to), std::move(context),
                                     std::string(kJudgeSlices), std::move(request)));
  std::vector<target::SliceVerdict> verdicts;
  for (const std::uint8_t answer : reply.answers) {
    const bool needless = answer == static_cast<std::uint8_t>(target::SliceVerdict::kNeedless);
    const bool young = answer == static_cast<std::uint8_t>(target::SliceVerdict::kTooYoung);
    verdicts.push_back(needless ? target::SliceVerdict::kNeedless
                       : young  ? target::SliceVerdict::kTooYoung
                                : target::SliceVerdict::kNeeded);
  }
  co_return verdicts;
}

Task<Status> ClusterSlices::miss_slices(Context context,
                                        std::string node,
                                        BucketName bucket,
                                        std::vector<std::string> keys) {
  if (node == node_id_) {
    co_return co_await self_->miss_slices(std::move(context), std::move(bucket), std::move(keys));
  }
  CO_TRY(NodeInfo to, find(node));
  MissSlicesRequest request{std::move(bucket), std::move(keys)};
  CO_TRY([[maybe_unused]] const auto reply,
         co_await call<wire::Nothing>(transport_, std::move(to), std::move(context),
                                      std::string(kMissSlices), std::move(request)));
  co_return Status{};
}

}  // namespace aisfs::cluster
