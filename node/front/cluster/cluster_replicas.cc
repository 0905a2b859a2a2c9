// SPDX-License-Identifier: MIT
// ClusterPeers: copies at the other holders of a name.
#include "common/client/remote_call.h"
#include "node/front/cluster/cluster_peers.h"
#include "node/front/cluster/copy_stream.h"
#include "node/front/cluster/peer_messages.h"

namespace aisfs::cluster {

using store::NameState;

Task<Result<std::vector<bool>>> ClusterPeers::lacks_copies(Context context,
                                                           std::string node,
                                                           BucketName bucket,
                                                           std::vector<NameState> states,
                                                           bool whole) {
  CO_TRY(NodeInfo to, find(node));
  LacksCopiesRequest request{std::move(bucket), node_id_, std::move(states), whole};
  CO_TRY(const auto reply,
         co_await call<AnswersReply>(transport_, std::move(to), std::move(context),
                                     std::string(kLacksCopies), std::move(request)));
  co_return std::vector<bool>(reply.answers.begin(), reply.answers.end());
}

Task<Status> ClusterPeers::take_copy(Context context,
                                     std::string node,
                                     BucketName bucket,
                                     store::StoredMeta meta,
                                     BodySource& body) {
  CO_TRY(NodeInfo to, find(node));
  http::ClientRequest request;
  request.head.method = http::Method::kPost;
  request.head.target = std::string(wire::kRpcPath) + std::string(kTakeCopy);
  request.head.fields.set("Content-Type", "application/octet-stream");
  const TakeCopyRequest message{std::move(bucket), node_id_};
  CO_TRY(std::string header, header_of(message));
  request.head.fields.set(kTakeCopyHeader, std::move(header));
  PrefixedSource whole(describe_copy(meta, request.head.fields), body);
  const bool prefixed = request.head.fields.find(kCopyPrefixHeader) != nullptr;
  request.stream = prefixed ? static_cast<BodySource*>(&whole) : &body;
  request.deadline = context.deadline;
  CO_TRY(http::ClientResponse response,
         co_await send_checked(transport_, std::move(to), std::move(context), std::move(request)));
  CO_TRY([[maybe_unused]] const auto reply,
         co_await read_all(response.body(), kReplyBytesMax));  // the connection is free again
  co_return Status{};
}

Task<Status> ClusterPeers::stream_copy(Context context,
                                       std::string node,
                                       target::StreamedCopy copy,
                                       BodySource& body) {
  CO_TRY(NodeInfo to, find(node));
  http::ClientRequest request;
  request.head.method = http::Method::kPost;
  request.head.target = std::string(wire::kRpcPath) + std::string(kStreamCopy);
  request.head.fields.set("Content-Type", "application/octet-stream");
  const StreamCopyRequest message{node_id_, std::move(copy.bucket), std::move(copy.key), copy.bytes,
                                  copy.level};
  CO_TRY(std::string header, header_of(message));
  request.head.fields.set(kStreamCopyHeader, std::move(header));
  request.stream = &body;
  request.deadline = context.deadline;
  CO_TRY(http::ClientResponse response,
         co_await send_checked(transport_, std::move(to), std::move(context), std::move(request)));
  CO_TRY([[maybe_unused]] const auto reply,
         co_await read_all(response.body(), kReplyBytesMax));  // the connection is free again
  co_return Status{};
}

Task<Result<bool>> ClusterPeers::take_attributes(
    Context context, std::string node, BucketName bucket, std::string key, ObjectInfo info) {
  CO_TRY(NodeInfo to, find(node));
  TakeAttributesRequest request{std::move(bucket), node_id_, std::move(key), std::move(info)};
  CO_TRY(const auto reply,
         co_await call<AnswersReply>(transport_, std::move(to), std::move(context),
                                     std::string(kTakeAttributes), std::move(request)));
  co_return reply.answers.size() == 1 && reply.answers[0] == 1;
}

Task<Result<std::vector<bool>>> ClusterPeers::forget_tombstones(Context context,
                                                                std::string node,
                                                                BucketName bucket,
                                                                std::vector<NameState> states) {
  CO_TRY(NodeInfo to, find(node));
  CompareRequest request{std::move(bucket), node_id_, std::move(states)};
  CO_TRY(const auto reply,
         co_await call<AnswersReply>(transport_, std::move(to), std::move(context),
                                     std::string(kForgetTombstones), std::move(request)));
  co_return std::vector<bool>(reply.answers.begin(), reply.answers.end());
}

Task<Result<bool>> ClusterPeers::has_copies_for_me(Context context, std::string node) {
  CO_TRY(NodeInfo to, find(node));
  wire::Nothing request;
  CO_TRY(const auto reply,
         co_await call<AnswersReply>(transport_, std::move(to), std::move(context),
                                     std::string(kHasCopiesForMe), request));
  co_return reply.answers.size() != 1 || reply.answers[0] != 0;
}

Task<Status> ClusterPeers::sync_copy(Context context,
                                     std::string node,
                                     BucketName bucket,
                                     std::string key) {
  CO_TRY(NodeInfo to, find(node));
  NameStatesRequest request{std::move(bucket), std::move(key)};
  CO_TRY([[maybe_unused]] const auto reply,
         co_await call<wire::Nothing>(transport_, std::move(to), std::move(context),
                                      std::string(kSyncCopy), std::move(request)));
  co_return Status{};
}

}  // namespace aisfs::cluster
