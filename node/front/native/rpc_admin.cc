// SPDX-License-Identifier: MIT
#include "node/front/native/rpc_admin.h"

#include "common/auth/authorize.h"
#include "common/client/messages.h"

namespace aisfs::native {
namespace {

using auth::Action;
using wire::DataMethod;

template <class Request>
Result<Request> request_of(std::string_view bytes) {
  auto request = wire::decode<Request>(bytes);
  if (!request) return Error(Errc::invalid_argument, request.error().what());
  return request;
}

Status may(const Call& call, Action action) { return auth::authorize(call.context.who, action); }

Result<std::string> encoded(Result<Bucket> bucket) {
  wire::BucketReply reply;
  TRY(reply.bucket, std::move(bucket));
  return wire::encode(reply);
}
Result<std::string> encoded(Status status) {
  CHECK_OK(std::move(status));
  return wire::encode(wire::Nothing{});
}

Task<Result<std::string>> run_list_buckets(Call& call) {
  CO_CHECK_OK(may(call, Action::kListBuckets));
  wire::BucketsReply reply;
  CO_TRY(reply.buckets, co_await call.admin.list_buckets(call.context));
  co_return wire::encode(reply);
}

Task<Result<std::string>> run_find_bucket(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::BucketRequest>(bytes));
  wire::BucketReply reply;
  CO_TRY(reply.bucket, co_await call.admin.find_bucket(call.context, r.bucket));
  CO_CHECK_OK(auth::authorize(call.context.who, Action::kRead, reply.bucket));
  co_return wire::encode(reply);
}

Task<Result<std::string>> run_create_bucket(Call& call, std::string bytes) {
  CO_CHECK_OK(may(call, Action::kCreateBucket));
  CO_TRY(auto r, request_of<wire::BucketPropsRequest>(bytes));
  co_return encoded(co_await call.admin.create_bucket(call.context, r.bucket, r.props));
}

Task<Result<std::string>> run_destroy_bucket(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::DestroyBucketRequest>(bytes));
  CO_CHECK_OK(co_await may_administer(call, r.bucket));
  co_return encoded(co_await call.admin.destroy_bucket(call.context, r.bucket, r.force));
}

Task<Result<std::string>> run_set_bucket_props(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::BucketPropsRequest>(bytes));
  CO_CHECK_OK(co_await may_administer(call, r.bucket));
  co_return encoded(co_await call.admin.set_bucket_props(call.context, r.bucket, r.props));
}

Task<Result<std::string>> run_create_user(Call& call, std::string bytes) {
  CO_CHECK_OK(may(call, Action::kManageUsers));
  CO_TRY(auto r, request_of<wire::CreateUserRequest>(bytes));
  CO_TRY(const UserInfo user, co_await call.admin.create_user(call.context, r.user));
  co_return wire::encode(user);
}

Task<Result<std::string>> run_list_users(Call& call) {
  CO_CHECK_OK(may(call, Action::kManageUsers));
  wire::UsersReply reply;
  CO_TRY(reply.users, co_await call.admin.list_users(call.context));
  co_return wire::encode(reply);
}

Task<Result<std::string>> run_remove_user(Call& call, std::string bytes) {
  CO_CHECK_OK(may(call, Action::kManageUsers));
  CO_TRY(auto r, request_of<wire::RemoveUserRequest>(bytes));
  co_return encoded(co_await call.admin.remove_user(call.context, r.id));
}

Task<Result<std::string>> run_change_node(Call& call, std::string bytes) {
  CO_CHECK_OK(may(call, Action::kManageNodes));
  CO_TRY(auto r, request_of<wire::ChangeNodeRequest>(bytes));
  co_return encoded(co_await call.admin.change_node(call.context, r.node, r.action));
}

Task<Result<std::string>> run_shut_down_node(Call& call, std::string bytes) {
  CO_CHECK_OK(may(call, Action::kManageNodes));
  CO_TRY(auto r, request_of<wire::NodeRequest>(bytes));
  co_return encoded(co_await call.admin.shut_down_node(call.context, r.node));
}

Task<Result<std::string>> run_rebalance(Call& call, std::string bytes) {
  CO_CHECK_OK(may(call, Action::kShowCluster));
  CO_TRY(auto r, request_of<wire::NodeRequest>(bytes));
  CO_TRY(const RebalanceProgress progress, co_await call.admin.rebalance(call.context, r.node));
  co_return wire::encode(progress);
}

Task<Result<std::string>> run_scrub(Call& call, std::string bytes) {
  CO_TRY(auto r, request_of<wire::ScrubRequest>(bytes));
  const bool shows = r.action == ScrubAction::kShow;
  CO_CHECK_OK(may(call, shows ? Action::kShowCluster : Action::kManageNodes));
  CO_TRY(const ScrubProgress progress, co_await call.admin.scrub(call.context, r.node, r.action));
  co_return wire::encode(progress);
}

Task<Result<std::string>> run_change_mountpath(Call& call, std::string bytes) {
  CO_CHECK_OK(may(call, Action::kManageNodes));
  CO_TRY(auto r, request_of<wire::ChangeMountpathRequest>(bytes));
  MountpathChange change = r.change();
  co_return encoded(co_await call.admin.change_mountpath(call.context, r.node, std::move(change)));
}

Task<Result<std::string>> run_storage(Call& call, std::string bytes) {
  CO_CHECK_OK(may(call, Action::kShowCluster));
  CO_TRY(auto r, request_of<wire::NodeRequest>(bytes));
  CO_TRY(const StorageInfo info, co_await call.admin.storage(call.context, r.node));
  co_return wire::encode(info);
}

Task<Result<std::string>> run_create_token(Call& call, std::string bytes) {
  CO_CHECK_OK(may(call, Action::kCreateToken));
  CO_TRY(auto r, request_of<wire::CreateTokenRequest>(bytes));
  wire::TextReply reply;
  CO_TRY(reply.text, co_await call.admin.create_token(call.context, Duration(r.lifetime_ns)));
  co_return wire::encode(reply);
}

}  // namespace

Task<Status> may_administer(Call& call, BucketName name) {
  CO_TRY(const Bucket bucket, co_await call.admin.find_bucket(call.context, name));
  co_return auth::authorize(call.context.who, Action::kAdministerBucket, bucket);
}

Task<Result<std::string>> run_admin_method(Call& call, DataMethod method, std::string bytes) {
  switch (method) {
    case DataMethod::list_buckets: return run_list_buckets(call);
    case DataMethod::find_bucket: return run_find_bucket(call, std::move(bytes));
    case DataMethod::create_bucket: return run_create_bucket(call, std::move(bytes));
    case DataMethod::destroy_bucket: return run_destroy_bucket(call, std::move(bytes));
    case DataMethod::set_bucket_props: return run_set_bucket_props(call, std::move(bytes));
    case DataMethod::create_user: return run_create_user(call, std::move(bytes));
    case DataMethod::list_users: return run_list_users(call);
    case DataMethod::remove_user: return run_remove_user(call, std::move(bytes));
    case DataMethod::change_node:
      return run_change_node(call, std::move(bytes));
    case DataMethod::shut_down_node:
      return run_shut_down_node(call, std::move(bytes));
    case DataMethod::rebalance:
      return run_rebalance(call, std::move(bytes));
    case DataMethod::scrub:
      return run_scrub(call, std::move(bytes));
    case DataMethod::change_mountpath:
      return run_change_mountpath(call, std::move(bytes));
    case DataMethod::storage:
      return run_storage(call, std::move(bytes));
    case DataMethod::create_token: return run_create_token(call, std::move(bytes));
    default: break;
  }
  return [](DataMethod m) -> Task<Result<std::string>> {
    co_return Error(Errc::unsupported, "no handler for " + std::string(wire::name_of(m)));
  }(method);
}

}  // namespace aisfs::native
