// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "common/auth/authorize.h"
#include "common/client/object_api.h"

namespace aisfs::cluster {

/// The door before an ObjectApi: finds the bucket, decides by auth::authorize whether the caller
/// may, and, given a node, whether that node owns the name at all. Nothing passes unasked.
///
/// Errors of its own: not_found for the bucket, permission_denied, stale_map for a name of another
/// node. Thread-safe; `inner` and `maps` outlive it.
class GatedObjects final : public ObjectApi {
 public:
  /// `only_owned_by`: the id of the node whose names may pass; "" lets all names pass.
  GatedObjects(ObjectApi& inner, MapSource& maps, std::string only_owned_by)
      : inner_(inner), maps_(maps), only_owned_by_(std::move(only_owned_by)) {}

  Version last_version() const override { return inner_.last_version(); }

  Task<Result<ObjectInfo>> head(Context, ObjectName, Conditions) override;
  Task<Result<ObjectStream>> get(Context, ObjectName, GetOptions) override;
  std::optional<ObjectStream> get_now(const Context&,
                                      const ObjectName&,
                                      const GetOptions&) override;
  std::optional<HotRead> hot(const Context&, const ObjectName&) override;
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
  Status check(const Context& context, const BucketName& bucket, auth::Action action) const;
  /// check() of the bucket, and that the name is one of the node's.
  Status check(const Context& context, const ObjectName& name, auth::Action action) const;
  /// check() of a change of an upload, which lies where it began.
  Status check_upload(const Context& context,
                      const ObjectName& name,
                      const std::string& upload,
                      auth::Action action) const;
  /// check() of a change of the directory at its home.
  Status check_dir(const Context& context, const BucketName& bucket, const std::string& path) const;

  ObjectApi& inner_;
  MapSource& maps_;
  std::string only_owned_by_;
};

}  // namespace aisfs::cluster
