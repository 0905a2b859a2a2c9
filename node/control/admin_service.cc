// SPDX-License-Identifier: MIT
#include "node/control/admin_service.h"

#include "common/auth/authorize.h"
#include "common/auth/token.h"
#include "common/model/may_end.h"
#include "common/obs/log.h"
#include "node/control/ops/ops.h"
#include "node/control/ops/rights.h"

namespace aisfs::control {

template <class Step>
auto AdminService::at_gateway(Step step) const -> std::invoke_result_t<Step&, AdminApi&> {
  const std::vector<NodeInfo> gateways = deps_.maps.current()->gateways();
  for (std::size_t i = 0; i < gateways.size(); ++i) {
    RemoteAdmin admin(deps_.peers, gateways[i]);
    auto task = step(admin);
    auto reply = co_await std::move(task);
    const bool last = i + 1 == gateways.size();
    if (reply.ok() || last || !reply.error().never_sent()) co_return reply;
  }
  co_return Error(Errc::not_ready, "no gateway is known yet");
}

Task<Result<std::vector<Bucket>>> AdminService::list_buckets(Context context) {
  CO_CHECK_OK(ops::need_user(context.who));
  std::vector<Bucket> buckets;
  const MapSnapshot map = deps_.maps.current();
  for (const auto& [_, bucket] : map->buckets) {
    if (auth::authorize(context.who, auth::Action::kRead, bucket)) buckets.push_back(bucket);
  }
  co_return buckets;
}

Task<Result<Bucket>> AdminService::find_bucket(Context context, BucketName name) {
  CO_CHECK_OK(ops::need_user(context.who));
  const MapSnapshot map = deps_.maps.current();
  const Bucket* bucket = map->find_bucket(name);
  if (bucket == nullptr) {
    co_return Error(Errc::not_found, "bucket \"" + name.display() + "\" does not exist");
  }
  CO_CHECK_OK(auth::authorize(context.who, auth::Action::kRead, *bucket));
  co_return *bucket;
}

Task<Result<Bucket>> AdminService::create_bucket(Context context, BucketName name, BucketProps props) {
  if (deps_.plane != nullptr) {
    co_return co_await ops::create_bucket(*deps_.plane, context.who, std::move(name), props);
  }
  co_return co_await at_gateway([&](AdminApi& a) { return a.create_bucket(context, name, props); });
}

Task<Status> AdminService::destroy_bucket(Context context, BucketName name, bool force) {
  if (deps_.plane == nullptr) {
    co_return co_await at_gateway(
        [&](AdminApi& a) { return a.destroy_bucket(context, name, force); });
  }
  CO_TRY(const Bucket bucket, co_await find_bucket(context, name));
  CO_CHECK_OK(auth::authorize(context.who, auth::Action::kAdministerBucket, bucket));
  if (!force) CO_CHECK_OK(co_await need_empty(context, name));
  co_return co_await ops::destroy_bucket(*deps_.plane, context.who, std::move(name));
}

Task<Status> AdminService::need_empty(Context context, BucketName name) {
  CO_TRY(const bool empty, co_await deps_.bucket_is_empty(std::move(context), name));
  if (empty) co_return Status{};
  co_return Error(Errc::not_empty, "bucket \"" + name.display() + "\" is not empty");
}

Task<Result<Bucket>> AdminService::set_bucket_props(Context context,
                                                    BucketName name,
                                                    BucketProps props) {
  if (deps_.plane != nullptr) {
    co_return co_await ops::set_bucket_props(*deps_.plane, context.who, std::move(name), props);
  }
  co_return co_await at_gateway(
      [&](AdminApi& a) { return a.set_bucket_props(context, name, props); });
}

Task<Result<UserInfo>> AdminService::create_user(Context context, CreateUser user) {
  if (deps_.plane != nullptr) {
    co_return co_await ops::create_user(*deps_.plane, context.who, std::move(user));
  }
  co_return co_await at_gateway([&](AdminApi& a) { return a.create_user(context, user); });
}

Task<Result<std::vector<UserInfo>>> AdminService::list_users(Context context) {
  CO_CHECK_OK(ops::need_admin(context.who));
  std::vector<UserInfo> users;
  const MapSnapshot map = deps_.maps.current();
  for (const auto& [_, user] : map->users) {
    UserInfo info{.id = user.id, .display_name = user.display_name, .admin = user.admin};
    for (const auto& [access, sealed] : user.keys) info.access_keys.push_back(access);
    users.push_back(std::move(info));
  }
  co_return users;
}

Task<Status> AdminService::remove_user(Context context, std::string id) {
  if (deps_.plane != nullptr) {
    co_return co_await ops::remove_user(*deps_.plane, context.who, std::move(id));
  }
  co_return co_await at_gateway([&](AdminApi& a) { return a.remove_user(context, id); });
}

Task<Status> AdminService::change_node(Context context, std::string node, NodeAction action) {
  if (deps_.plane != nullptr) {
    co_return co_await ops::change_node(*deps_.plane, context.who, std::move(node), action);
  }
  co_return co_await at_gateway([&](AdminApi& a) { return a.change_node(context, node, action); });
}

Result<RemoteAdmin> AdminService::at_node(const std::string& id) const {
  const MapSnapshot map = deps_.maps.current();
  const NodeInfo* node = map->find_node(id);
  if (node != nullptr) return RemoteAdmin(deps_.peers, *node);
  return Error(Errc::not_found, "the cluster has no node " + id + "; see ais show cluster");
}

Task<Status> AdminService::shut_down_node(Context context, std::string node) {
  CO_CHECK_OK(ops::need_admin(context.who));
  if (node != deps_.node_id) {
    CO_TRY(RemoteAdmin admin, at_node(node));
    co_return co_await admin.shut_down_node(std::move(context), std::move(node));
  }
  CO_CHECK_OK(may_end(*deps_.maps.current(), node));
  LOG_INFO("told to stop", "by", context.who.user());
  deps_.stop();
  co_return Status{};
}

Task<Result<RebalanceProgress>> AdminService::rebalance(Context context, std::string node) {
  CO_CHECK_OK(ops::need_user(context.who));
  if (node == deps_.node_id) co_return deps_.rebalance();
  CO_TRY(RemoteAdmin admin, at_node(node));
  co_return co_await admin.rebalance(std::move(context), std::move(node));
}

Task<Result<ScrubProgress>> AdminService::scrub(Context context,
                                                std::string node,
                                                ScrubAction action) {
  CO_CHECK_OK(action == ScrubAction::kShow ? ops::need_user(context.who)
                                           : ops::need_admin(context.who));
  if (node == deps_.node_id) co_return deps_.scrub(action);
  CO_TRY(RemoteAdmin admin, at_node(node));
  co_return co_await admin.scrub(std::move(context), std::move(node), action);
}

Task<Status> AdminService::change_mountpath(Context context,
                                            std::string node,
                                            MountpathChange change) {
  CO_CHECK_OK(ops::need_admin(context.who));
  if (node != deps_.node_id) {
    CO_TRY(RemoteAdmin admin, at_node(node));
    co_return co_await admin.change_mountpath(std::move(context), std::move(node),
                                              std::move(change));
  }
  LOG_INFO("told to change a mountpath", "path", change.path, "by", context.who.user());
  co_return co_await deps_.change_mountpath(std::move(change));
}

Task<Result<StorageInfo>> AdminService::storage(Context context, std::string node) {
  CO_CHECK_OK(ops::need_user(context.who));
  if (node == deps_.node_id) co_return deps_.storage();
  CO_TRY(RemoteAdmin admin, at_node(node));
  co_return co_await admin.storage(std::move(context), std::move(node));
}

Task<Result<std::string>> AdminService::create_token(Context context, Duration lifetime) {
  CO_CHECK_OK(ops::need_user(context.who));
  const MapSnapshot map = deps_.maps.current();
  co_return auth::create_token(deps_.key, map->uuid, context.who.user(), lifetime,
                               deps_.clock.unix_ns());
}

}  // namespace aisfs::control
