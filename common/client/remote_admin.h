// SPDX-License-Identifier: MIT
#pragma once
#include "common/client/object_api.h"
#include "common/client/transport.h"

namespace aisfs {

/// Buckets and users as one node answers about them; one attempt each. Thread-safe. `transport`
/// outlives every operation, the RemoteAdmin itself need not.
class RemoteAdmin final : public AdminApi {
 public:
  RemoteAdmin(Transport& transport, NodeInfo node)
      : transport_(transport), node_(std::move(node)) {}

  Task<Result<std::vector<Bucket>>> list_buckets(Context) override;
  Task<Result<Bucket>> find_bucket(Context, BucketName) override;
  Task<Result<Bucket>> create_bucket(Context, BucketName, BucketProps) override;
  Task<Status> destroy_bucket(Context, BucketName, bool) override;
  Task<Result<Bucket>> set_bucket_props(Context, BucketName, BucketProps) override;
  Task<Result<UserInfo>> create_user(Context, CreateUser) override;
  Task<Result<std::vector<UserInfo>>> list_users(Context) override;
  Task<Status> remove_user(Context, std::string) override;
  Task<Status> change_node(Context, std::string, NodeAction) override;
  Task<Status> shut_down_node(Context, std::string) override;
  Task<Result<RebalanceProgress>> rebalance(Context, std::string) override;
  Task<Result<ScrubProgress>> scrub(Context context, std::string node, ScrubAction action) override;
  Task<Status> change_mountpath(Context, std::string, MountpathChange) override;
  Task<Result<StorageInfo>> storage(Context, std::string) override;
  Task<Result<std::string>> create_token(Context, Duration) override;

 private:
  Transport& transport_;
  NodeInfo node_;
};

}  // namespace aisfs
