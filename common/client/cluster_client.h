// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "common/async/runtime.h"
#include "common/client/jobs_api.h"
#include "common/client/lease_api.h"
#include "common/client/object_api.h"

namespace aisfs {

/// A key pair (requests are signed with SigV4) or a bearer token.
struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string token;
};

struct ClusterClientOptions {
  std::vector<Endpoint> endpoints;  // of any nodes; the first that answers gives the map
  bool tls = false;                 // what the public listeners of the cluster speak
  std::string ca_file;              // PEM, to check their certificates; "": the system's
  Credentials credentials;
  /// Whole budget of one operation with its retries, when the caller sets no deadline.
  Duration operation_timeout = std::chrono::seconds(30);
  /// Sent with every request (Context::session); 0: no leases.
  std::uint64_t lease_session = 0;
};

/// The cluster over the network. Computes the owner of a name and goes straight to it; follows the
/// map (long poll), retries what errc.def allows inside the deadline.
///
/// Thread-safe. Every operation runs on the shard of its caller, which must be one of `runtime`.
class ClusterClient final : public ObjectApi, public AdminApi, public MapSource, public LeaseApi {
 public:
  /// Fetches the first map. unreachable names the endpoints that were tried; unauthenticated when
  /// the credentials are refused; invalid_argument a ca_file that is of no use. Call it on a shard
  /// of `runtime`, which outlives the client.
  static Task<Result<std::unique_ptr<ClusterClient>>> connect(Runtime& runtime,
                                                              ClusterClientOptions options);
  ~ClusterClient() override;

  /// Ends the long poll and the idle connections. Not from an io thread; before the destructor.
  void stop();

  /// Jobs, at any node that answers. Lives as long as the client.
  JobsApi& jobs();

  MapSnapshot current() const override;
  Task<Result<MapSnapshot>> at_least(Epoch epoch, Deadline deadline) override;

  Task<Result<wire::LeasePollReply>> poll_leases(NodeInfo target,
                                                 wire::LeasePollRequest request,
                                                 Deadline deadline) override;
  Task<Status> delegate(NodeInfo target, wire::DelegateRequest request, Deadline deadline) override;

  Task<Result<ObjectInfo>> head(Context, ObjectName, Conditions) override;
  Task<Result<ObjectStream>> get(Context, ObjectName, GetOptions) override;
  Task<Result<ObjectInfo>> put(
      Context, ObjectName, PutOptions, ExpectedChecksums, BodySource&) override;
  Task<Result<ObjectInfo>> set_attrs(Context, ObjectName, AttrChange, Conditions) override;
  Task<Status> remove(Context, ObjectName, RemoveOptions) override;
  Task<Result<ObjectInfo>> rename(Context, ObjectName, ObjectName, RenameOptions) override;
  Task<Result<ObjectInfo>> copy(Context, ObjectName, ObjectName, CopyOptions) override;
  Task<Result<ObjectInfo>> patch(Context, ObjectName, PatchOptions, BodySource&) override;
  Task<Result<ListPage>> list(Context, BucketName, ListOptions) override;
  Task<Result<LookupReply>> lookup(Context, BucketName, std::string) override;
  Task<Result<ObjectInfo>> make_dir(Context, BucketName, std::string, MakeDirOptions) override;
  Task<Status> remove_dir(Context, BucketName, std::string) override;
  Task<Status> rename_dir(Context, BucketName, std::string, std::string, bool) override;
  Task<Result<Capacity>> capacity(Context) override;
  Task<Status> sync(Context, ObjectName) override;
  Task<Result<std::string>> create_upload(Context, ObjectName, PutOptions) override;
  Task<Result<UploadPart>> put_part(
      Context, ObjectName, std::string, std::uint32_t, ExpectedChecksums, BodySource&) override;
  Task<Result<ObjectInfo>> complete_upload(
      Context, ObjectName, std::string, std::vector<CompletedPart>, Conditions) override;
  Task<Status> abort_upload(Context, ObjectName, std::string) override;
  Task<Result<PartList>> list_parts(
      Context, ObjectName, std::string, std::uint32_t, std::uint32_t) override;
  Task<Result<UploadList>> list_uploads(
      Context, BucketName, std::string, std::string, std::string, std::uint32_t) override;

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
  class Impl;
  explicit ClusterClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aisfs
