// SPDX-License-Identifier: MIT
// ClusterPeers: names that are placed elsewhere by now.
#include "common/client/remote_call.h"
#include "node/front/cluster/cluster_peers.h"
#include "node/front/cluster/copy_stream.h"
#include "node/front/cluster/peer_messages.h"

namespace aisfs::cluster {

using store::NameState;

Task<Result<std::vector<NameState>>> ClusterPeers::name_states(Context context,
                                                               std::string node,
                                                               BucketName bucket,
                                                               std::string key) {
  if (node == node_id_) {
    co_return co_await self_->name_states(std::move(context), std::move(bucket), std::move(key));
  }
  CO_TRY(NodeInfo to, find(node));
  NameStatesRequest request{std::move(bucket), std::move(key)};
  CO_TRY(auto reply, co_await call<NameStatesReply>(transport_, std::move(to), std::move(context),
                                                    std::string(kNameStates), std::move(request)));
  co_return std::move(reply.states);
}

Task<Result<target::NameThere>> ClusterPeers::find_name(Context context,
                                                        std::string node,
                                                        BucketName bucket,
                                                        std::string key) {
  if (node == node_id_) {
    co_return co_await self_->find_name(std::move(context), std::move(bucket), std::move(key));
  }
  CO_TRY(NodeInfo to, find(node));
  NameStatesRequest request{std::move(bucket), std::move(key)};
  CO_TRY(auto reply, co_await call<FindNameReply>(transport_, std::move(to), std::move(context),
                                                  std::string(kFindName), std::move(request)));
  target::NameThere there{.states = std::move(reply.states), .copy = {}};
  if (!reply.meta.empty()) {
    CO_TRY(store::StoredMeta meta, decode_copy_meta(reply.meta));
    there.copy = {std::move(meta), std::move(reply.bytes)};
  }
  co_return there;
}

Task<Result<store::ObjectCopy>> ClusterPeers::fetch_copy(Context context,
                                                         std::string node,
                                                         BucketName bucket,
                                                         NameState state) {
  if (node == node_id_) {
    co_return co_await self_->fetch_copy(std::move(context), std::move(bucket), std::move(state));
  }
  CO_TRY(NodeInfo to, find(node));
  FetchCopyRequest message{std::move(bucket), std::move(state)};
  http::ClientRequest request;
  request.head.method = http::Method::kPost;
  request.head.target = std::string(wire::kRpcPath) + std::string(kFetchCopy);
  request.head.fields.set("Content-Type", wire::kEnvelopeType);
  request.body = wire::encode(message);
  request.deadline = context.deadline;
  CO_TRY(http::ClientResponse response,
         co_await send_checked(transport_, std::move(to), std::move(context), std::move(request)));
  const http::Fields fields = response.head().fields;
  store::ObjectCopy copy;
  copy.body = std::move(response).take_body();
  CO_TRY(copy.meta, co_await read_copy_meta(fields, *copy.body));
  co_return copy;
}

Task<Status> ClusterPeers::forget_copies(Context context,
                                         std::string node,
                                         BucketName bucket,
                                         std::vector<NameState> states,
                                         Durability level) {
  if (node == node_id_) {
    co_return co_await self_->forget_copies(std::move(context), std::move(bucket),
                                            std::move(states), level);
  }
  // What it had has moved since and is forgotten there: it may have been ended, or have left.
  if (!maps_.current()->placement.has_past(node)) co_return Status{};
  CO_TRY(NodeInfo to, find(node));
  ForgetRequest request{std::move(bucket), std::move(states), level};
  CO_TRY([[maybe_unused]] const auto reply,
         co_await call<wire::Nothing>(transport_, std::move(to), std::move(context),
                                      std::string(kForgetCopies), std::move(request)));
  co_return Status{};
}

Task<Result<std::vector<bool>>> ClusterPeers::offer_names(Context context,
                                                          std::string node,
                                                          BucketName bucket,
                                                          std::vector<NameState> states,
                                                          target::Pace pace) {
  if (node == node_id_) {
    co_return co_await self_->offer_names(std::move(context), std::move(bucket), std::move(states),
                                          pace);
  }
  CO_TRY(NodeInfo to, find(node));
  OfferRequest request{std::move(bucket), std::move(states), pace};
  CO_TRY(const auto reply,
         co_await call<AnswersReply>(transport_, std::move(to), std::move(context),
                                     std::string(kOfferNames), std::move(request)));
  co_return std::vector<bool>(reply.answers.begin(), reply.answers.end());
}

Task<Result<std::vector<bool>>> ClusterPeers::compare_names(Context context,
                                                            std::string node,
                                                            BucketName bucket,
                                                            std::string from,
                                                            std::vector<NameState> states) {
  CO_TRY(NodeInfo to, find(node));
  CompareRequest request{std::move(bucket), std::move(from), std::move(states)};
  CO_TRY(const auto reply,
         co_await call<AnswersReply>(transport_, std::move(to), std::move(context),
                                     std::string(kCompareNames), std::move(request)));
  co_return std::vector<bool>(reply.answers.begin(), reply.answers.end());
}

}  // namespace aisfs::cluster
