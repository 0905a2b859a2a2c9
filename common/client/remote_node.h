// SPDX-License-Identifier: MIT
#pragma once
#include "common/client/object_api.h"
#include "common/client/transport.h"

namespace aisfs {

/// What one node can do, over the wire: a request an operation, one attempt each. Listings,
/// lookups and capacities are of that node alone.
///
/// Thread-safe. `transport` outlives every operation; the RemoteNode itself need not.
class RemoteNode final : public ObjectApi {
 public:
  RemoteNode(Transport& transport, NodeInfo node)
      : transport_(transport), node_(std::move(node)) {}

  /// As the node has told by its answers.
  Version last_version() const override { return transport_.versions().of(node_.id); }

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

 private:
  Transport& transport_;
  NodeInfo node_;
};

/// The object in a response that has Ais-Info and Ais-Range. When the info was cut, `name` is asked
/// for at the node.
Task<Result<ObjectStream>> stream_of(http::ClientResponse response,
                                     Transport& transport,
                                     NodeInfo node,
                                     Context context,
                                     ObjectName name);

/// "/v1/objects/<bucket>/<key>?provider=...": the target of bulk requests.
std::string object_target(const ObjectName& name);

}  // namespace aisfs
