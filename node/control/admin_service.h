// SPDX-License-Identifier: MIT
#pragma once
#include <functional>

#include "common/auth/cluster_key.h"
#include "common/client/object_api.h"
#include "common/client/remote_admin.h"
#include "common/client/transport.h"
#include "node/control/control_plane.h"

namespace aisfs::control {

struct AdminServiceDeps {
  NodeMapSource& maps;
  const Clock& clock;
  auth::ClusterKey key;
  Transport& peers;
  ControlPlane* plane = nullptr;  // on gateways; null: forward to one
  /// True when a bucket has no objects on any target. Asked before an unforced destroy.
  std::function<Task<Result<bool>>(Context, BucketName)> bucket_is_empty;
  std::string node_id = {};
  /// Of this node: unsupported when it stores nothing.
  std::function<Result<RebalanceProgress>()> rebalance = {};
  std::function<Result<ScrubProgress>(ScrubAction)> scrub = {};  // the same
  /// Of this node, as rebalance.
  std::function<Result<StorageInfo>()> storage = {};
  std::function<Task<Status>(MountpathChange)> change_mountpath = {};
  /// Makes this node stop, as a signal would; returns at once.
  std::function<void()> stop = {};
};

/// AdminApi as every node's fronts use it. Reads are answered from the map that this node knows;
/// changes are made here on a gateway and forwarded to one elsewhere. Thread-safe.
class AdminService final : public AdminApi {
 public:
  explicit AdminService(AdminServiceDeps deps) : deps_(std::move(deps)) {}

  Task<Result<std::vector<Bucket>>> list_buckets(Context context) override;
  Task<Result<Bucket>> find_bucket(Context context, BucketName name) override;
  Task<Result<Bucket>> create_bucket(Context context, BucketName name, BucketProps props) override;
  Task<Status> destroy_bucket(Context context, BucketName name, bool force) override;
  Task<Result<Bucket>> set_bucket_props(Context context, BucketName name, BucketProps props) override;
  Task<Result<UserInfo>> create_user(Context context, CreateUser user) override;
  Task<Result<std::vector<UserInfo>>> list_users(Context context) override;
  Task<Status> remove_user(Context context, std::string id) override;
  Task<Status> change_node(Context context, std::string node, NodeAction action) override;
  Task<Status> shut_down_node(Context context, std::string node) override;
  Task<Result<RebalanceProgress>> rebalance(Context context, std::string node) override;
  Task<Result<ScrubProgress>> scrub(Context context, std::string node, ScrubAction action) override;
  Task<Status> change_mountpath(Context context, std::string node, MountpathChange change) override;
  Task<Result<StorageInfo>> storage(Context context, std::string node) override;
  Task<Result<std::string>> create_token(Context context, Duration lifetime) override;

 private:
  /// step(admin) at one gateway after the other, until one has got the request.
  template <class Step>
  auto at_gateway(Step step) const -> std::invoke_result_t<Step&, AdminApi&>;
  /// Another node, to be asked about itself.
  Result<RemoteAdmin> at_node(const std::string& id) const;
  Task<Status> need_empty(Context context, BucketName name);

  const AdminServiceDeps deps_;
};

}  // namespace aisfs::control
