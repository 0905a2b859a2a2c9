// SPDX-License-Identifier: MIT
#include "node/front/cluster/cluster_peers.h"

#include "common/client/remote_call.h"
#include "common/client/remote_node.h"
#include "common/wire/control.h"
#include "node/front/cluster/peer_messages.h"

namespace aisfs::cluster {

using target::RenameState;

Result<NodeInfo> ClusterPeers::find(const std::string& node) const {
  const MapSnapshot map = maps_.current();
  if (const NodeInfo* found = map->find_node(node)) return *found;
  return Error(Errc::unreachable, "node " + node + " is not in the cluster map");
}

template <class Request>
Task<Status> ClusterPeers::change_map(Context context, std::string method, Request request) {
  const Deadline deadline = context.deadline;
  context.who = auth::node_identity(node_id_);
  Result<wire::EpochReply> reply(Error(Errc::not_ready, "no gateway is known yet"));
  const std::vector<NodeInfo> gateways = maps_.current()->gateways();
  for (const NodeInfo& gateway : gateways) {
    reply = co_await call<wire::EpochReply>(control_, gateway, context, method, request,
                                            Replay::kAmbiguous);
    if (reply || !reply.error().never_sent()) break;
  }
  if (!reply) co_return std::move(reply).error();
  auto known = co_await maps_.at_least(reply->epoch, deadline);
  co_return known ? Status{} : Status(std::move(known).error());
}

Task<Status> ClusterPeers::rename_prefix(Context context,
                                         BucketId bucket,
                                         std::string from,
                                         std::string to) {
  wire::RenamePrefixRequest request{bucket, std::move(from), std::move(to), context.epoch};
  return change_map(std::move(context), std::string(wire::kRenamePrefixMethod), std::move(request));
}

Task<Status> ClusterPeers::allow_implied_dirs(Context context, BucketId bucket) {
  wire::AllowImpliedDirsRequest request{bucket};
  return change_map(std::move(context), std::string(wire::kAllowImpliedDirsMethod), request);
}

Task<Status> ClusterPeers::end_mapping(Context context, PrefixMapping mapping) {
  wire::EndMappingRequest request{std::move(mapping)};
  return change_map(std::move(context), std::string(wire::kEndMappingMethod), std::move(request));
}

Task<Result<Version>> ClusterPeers::prepare_rename(Context context,
                                                   std::string node,
                                                   target::RenamePrepare rename) {
  if (node == node_id_) {
    co_return co_await self_->prepare_rename(std::move(context), std::move(rename));
  }
  CO_TRY(NodeInfo to, find(node));
  CO_TRY(const auto reply,
         co_await call<PrepareRenameReply>(transport_, std::move(to), std::move(context),
                                           std::string(kPrepareRename), std::move(rename)));
  co_return reply.version;
}

Task<Result<ObjectInfo>> ClusterPeers::finish_rename(Context context,
                                                     std::string node,
                                                     std::string op_id,
                                                     RenameState state) {
  if (node == node_id_) {
    co_return co_await self_->finish_rename(std::move(context), std::move(op_id), state);
  }
  context.epoch = 0;  // it is decided, whatever the map is now
  CO_TRY(NodeInfo to, find(node));
  FinishRenameRequest request{std::move(op_id), state};
  CO_TRY(auto reply,
         co_await call<wire::InfoReply>(transport_, std::move(to), std::move(context),
                                        std::string(kFinishRename), std::move(request)));
  co_return std::move(reply.info);
}

Task<Result<RenameState>> ClusterPeers::rename_state(Context context,
                                                     std::string node,
                                                     std::string op_id) {
  if (node == node_id_) co_return self_->rename_state(op_id);
  context.epoch = 0;  // it is decided, whatever the map is now
  CO_TRY(NodeInfo to, find(node));
  RenameStateRequest request{std::move(op_id)};
  CO_TRY(const auto reply,
         co_await call<RenameStateReply>(transport_, std::move(to), std::move(context),
                                         std::string(kRenameState), std::move(request)));
  co_return reply.state;
}

Task<Status> ClusterPeers::close_dir(Context context,
                                     std::string node,
                                     BucketName bucket,
                                     std::string marker) {
  if (node == node_id_) {
    co_return co_await self_->close_dir(std::move(context), std::move(bucket), std::move(marker));
  }
  CO_TRY(NodeInfo to, find(node));
  DirRequest request{std::move(bucket), std::move(marker)};
  CO_TRY([[maybe_unused]] const auto reply,
         co_await call<wire::Nothing>(transport_, std::move(to), std::move(context),
                                      std::string(kCloseDir), std::move(request)));
  co_return Status{};
}

Task<Status> ClusterPeers::check_dir(Context context,
                                     std::string node,
                                     BucketName bucket,
                                     std::string marker) {
  if (node == node_id_) {
    co_return co_await self_->check_dir(std::move(context), std::move(bucket), std::move(marker));
  }
  CO_TRY(NodeInfo to, find(node));
  DirRequest request{std::move(bucket), std::move(marker)};
  CO_TRY([[maybe_unused]] const auto reply,
         co_await call<wire::Nothing>(transport_, std::move(to), std::move(context),
                                      std::string(kCheckDir), std::move(request)));
  co_return Status{};
}

Task<Result<ObjectStream>> ClusterPeers::open_content(Context context,
                                                      std::string node,
                                                      BucketName bucket,
                                                      store::Reference content,
                                                      ByteRange range) {
  if (node == node_id_) {
    co_return co_await self_->open_content(std::move(context), std::move(bucket),
                                           std::move(content), range);
  }
  context.epoch = 0;  // it is decided, whatever the map is now
  CO_TRY(NodeInfo to, find(node));
  ContentRequest message{std::move(bucket), std::move(content), range};
  http::ClientRequest request;
  request.head.method = http::Method::kPost;
  request.head.target = std::string(wire::kRpcPath) + std::string(kOpenContent);
  request.head.fields.set("Content-Type", wire::kEnvelopeType);
  request.body = wire::encode(message);
  request.deadline = context.deadline;
  CO_TRY(http::ClientResponse response,
         co_await send_checked(transport_, to, context, std::move(request)));
  // The info of content by reference is short: its names and attributes live with the reference.
  co_return co_await stream_of(std::move(response), transport_, std::move(to), std::move(context),
                               ObjectName{});
}

Task<Status> ClusterPeers::drop_content(Context context,
                                        std::string node,
                                        BucketName bucket,
                                        store::Reference content) {
  if (node == node_id_) {
    co_return co_await self_->drop_content(std::move(context), std::move(bucket),
                                           std::move(content));
  }
  context.epoch = 0;  // it is decided, whatever the map is now
  CO_TRY(NodeInfo to, find(node));
  ContentRequest request{std::move(bucket), std::move(content), {}};
  CO_TRY([[maybe_unused]] const auto reply,
         co_await call<wire::Nothing>(transport_, std::move(to), std::move(context),
                                      std::string(kDropContent), std::move(request)));
  co_return Status{};
}

}  // namespace aisfs::cluster
