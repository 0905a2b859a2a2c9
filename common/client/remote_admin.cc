// SPDX-License-Identifier: MIT
#include "common/client/remote_admin.h"

#include "common/client/remote_call.h"

namespace aisfs {
namespace {

using wire::DataMethod;

// What changes the map is ambiguous: a second attempt meets what the first has left.

/// Calls and takes the one member out of the reply.
template <class Reply, class Request, class T>
Task<Result<T>> call_member(Transport& transport,
                            NodeInfo node,
                            Context context,
                            DataMethod method,
                            Request request,
                            T Reply::* member,
                            Replay replay = Replay::kSafe) {
  CO_TRY(auto reply, co_await call<Reply>(transport, std::move(node), std::move(context), method,
                                          std::move(request), replay));
  co_return std::move(reply.*member);
}

/// A change without a reply.
template <class Request>
Task<Status> change(
    Transport& transport, NodeInfo node, Context context, DataMethod method, Request request) {
  CO_TRY([[maybe_unused]] auto reply,
         co_await call<wire::Nothing>(transport, std::move(node), std::move(context), method,
                                      std::move(request), Replay::kAmbiguous));
  co_return Status{};
}

}  // namespace

Task<Result<std::vector<Bucket>>> RemoteAdmin::list_buckets(Context context) {
  return call_member(transport_, node_, std::move(context), DataMethod::list_buckets,
                     wire::Nothing{}, &wire::BucketsReply::buckets);
}

Task<Result<Bucket>> RemoteAdmin::find_bucket(Context context, BucketName name) {
  wire::BucketRequest request{std::move(name)};
  return call_member(transport_, node_, std::move(context), DataMethod::find_bucket,
                     std::move(request), &wire::BucketReply::bucket);
}

Task<Result<Bucket>> RemoteAdmin::create_bucket(Context context,
                                                BucketName name,
                                                BucketProps props) {
  wire::BucketPropsRequest request{std::move(name), props};
  return call_member(transport_, node_, std::move(context), DataMethod::create_bucket,
                     std::move(request), &wire::BucketReply::bucket, Replay::kAmbiguous);
}

Task<Status> RemoteAdmin::destroy_bucket(Context context, BucketName name, bool force) {
  wire::DestroyBucketRequest request{std::move(name), force};
  return change(transport_, node_, std::move(context), DataMethod::destroy_bucket,
                std::move(request));
}

Task<Result<Bucket>> RemoteAdmin::set_bucket_props(Context context,
                                                   BucketName name,
                                                   BucketProps props) {
  wire::BucketPropsRequest request{std::move(name), props};
  return call_member(transport_, node_, std::move(context), DataMethod::set_bucket_props,
                     std::move(request), &wire::BucketReply::bucket, Replay::kAmbiguous);
}

Task<Result<UserInfo>> RemoteAdmin::create_user(Context context, CreateUser user) {
  wire::CreateUserRequest request{std::move(user)};
  return call<UserInfo>(transport_, node_, std::move(context), DataMethod::create_user,
                        std::move(request), Replay::kAmbiguous);
}

Task<Result<std::vector<UserInfo>>> RemoteAdmin::list_users(Context context) {
  return call_member(transport_, node_, std::move(context), DataMethod::list_users,
                     wire::Nothing{}, &wire::UsersReply::users);
}

Task<Status> RemoteAdmin::remove_user(Context context, std::string id) {
  wire::RemoveUserRequest request{std::move(id)};
  return change(transport_, node_, std::move(context), DataMethod::remove_user, std::move(request));
}

Task<Status> RemoteAdmin::change_node(Context context, std::string node, NodeAction action) {
  wire::ChangeNodeRequest request{std::move(node), action};
  return change(transport_, node_, std::move(context), DataMethod::change_node, std::move(request));
}

Task<Status> RemoteAdmin::shut_down_node(Context context, std::string node) {
  wire::NodeRequest request{std::move(node)};
  return change(transport_, node_, std::move(context), DataMethod::shut_down_node,
                std::move(request));
}

Task<Result<RebalanceProgress>> RemoteAdmin::rebalance(Context context, std::string node) {
  wire::NodeRequest request{std::move(node)};
  return call<RebalanceProgress>(transport_, node_, std::move(context), DataMethod::rebalance,
                                 std::move(request));
}

Task<Result<ScrubProgress>> RemoteAdmin::scrub(Context context,
                                               std::string node,
                                               ScrubAction action) {
  wire::ScrubRequest request{std::move(node), action};
  return call<ScrubProgress>(transport_, node_, std::move(context), DataMethod::scrub,
                             std::move(request));
}

Task<Status> RemoteAdmin::change_mountpath(Context context,
                                           std::string node,
                                           MountpathChange mountpath) {
  wire::ChangeMountpathRequest request{std::move(node), mountpath.action, std::move(mountpath.path),
                                       mountpath.skip_resilver};
  return change(transport_, node_, std::move(context), DataMethod::change_mountpath,
                std::move(request));
}

Task<Result<StorageInfo>> RemoteAdmin::storage(Context context, std::string node) {
  wire::NodeRequest request{std::move(node)};
  return call<StorageInfo>(transport_, node_, std::move(context), DataMethod::storage,
                           std::move(request));
}

Task<Result<std::string>> RemoteAdmin::create_token(Context context, Duration lifetime) {
  wire::CreateTokenRequest request{lifetime.count()};
  return call_member(transport_, node_, std::move(context), DataMethod::create_token,
                     std::move(request), &wire::TextReply::text);
}

}  // namespace aisfs
