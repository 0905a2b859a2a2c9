// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <memory>

#include "common/client/object_api.h"
#include "common/client/retry.h"

namespace aisfs {

/// The api that stands for a node: over the wire, or on this node's own disks. Any thread.
using ApiOfNode = std::function<std::shared_ptr<ObjectApi>(const NodeInfo& node)>;

/// Which names an operation is given.
enum class Naming : std::uint8_t {
  kLogical,   // as users know them: those of renamed directories are looked for where they lie
  kPhysical,  // as they lie in the stores
};

/// All objects of the cluster: each operation goes to the target that owns the name, those about
/// many names to all targets at once. Follows the map and tries again inside the deadline what
/// errc.def and the operation allow.
///
/// Thread-safe. `maps` and what `api_of` needs outlive it.
class PlacedObjects final : public ObjectApi {
 public:
  /// `operation_timeout` bounds operations whose context has no deadline. `here` is the node whose
  /// api is asked what it can answer at once; the others are over the wire.
  PlacedObjects(MapSource& maps,
                ApiOfNode api_of,
                Duration operation_timeout,
                Naming naming = Naming::kLogical,
                std::string here = {})
      : maps_(maps),
        api_of_(std::move(api_of)),
        operation_timeout_(operation_timeout),
        naming_(naming),
        here_(std::move(here)) {}

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
  /// The api of this very node, if the name lies here and nowhere else.
  std::shared_ptr<ObjectApi> api_here(const ObjectName& name) const;

  /// Where an upload's parts are; null for an id that does not say: at the owner.
  std::shared_ptr<ObjectApi> api_of_upload(const std::string& upload) const;

  /// Where a name with several places is used.
  enum class Use : std::uint8_t {
    kRead,    // at the first place that has it
    kChange,  // at its home, after what lies elsewhere has been moved there
    kHome,    // at its home, whatever lies elsewhere
    kUpload,  // under its own name: parts stay where they began
  };

  /// Runs step(api of the owner, context, name there) until it succeeds or may not go on.
  template <class Step>
  auto at_owner(Context context, ObjectName name, Use use, Replay replay, Step step)
      -> std::invoke_result_t<Step&, ObjectApi&, const Context&, const ObjectName&>;
  /// As at_owner, for steps that read a body.
  template <class Step>
  auto with_body(
      Context context, ObjectName name, Use use, Replay replay, BodySource& body, Step step)
      -> std::invoke_result_t<Step&, ObjectApi&, const Context&, const ObjectName&, BodySource&>;
  /// One attempt with `map`, at the owners in it.
  template <class Step>
  auto attempt(MapSnapshot map, Context context, ObjectName name, Use use, Step step)
      -> std::invoke_result_t<Step&, ObjectApi&, const Context&, const ObjectName&>;
  template <class Step>
  auto attempt_at(MapSnapshot map, Context context, ObjectName place, Step step)
      -> std::invoke_result_t<Step&, ObjectApi&, const Context&, const ObjectName&>;
  /// The bucket if directories of it have been renamed and names are logical; else null.
  const Bucket* mapped_bucket(const ClusterMap& map, const BucketName& name) const;
  /// Moves what lies at a source of the name to its home.
  Task<Status> settle(MapSnapshot map, Context context, ObjectName source, ObjectName home);
  /// The name's home, after what lies elsewhere has been moved there. Of a mapped bucket.
  Task<Result<ObjectName>> settled(MapSnapshot map, Context context, ObjectName name);
  Task<Result<ObjectInfo>> rename_once(MapSnapshot map,
                                       Context context,
                                       ObjectName from,
                                       ObjectName to,
                                       RenameOptions options);
  /// step(api, context) at all targets at once; all must succeed.
  template <class T, class Step>
  Task<Result<std::vector<T>>> everywhere(Context context, Step step);
  /// One attempt with `map`. Of a bucket: without those that others have copies of all names of.
  template <class T, class Step>
  Task<Result<std::vector<T>>> everywhere_once(MapSnapshot map,
                                               Context context,
                                               const Bucket* bucket,
                                               Step step);
  /// attempt(map, context) until it succeeds or may not go on.
  template <class Attempt>
  auto with_maps(Context context, Replay replay, Attempt attempt)
      -> std::invoke_result_t<Attempt&, MapSnapshot, Context>;

  Task<Result<ListPage>> list_once(MapSnapshot map,
                                   Context context,
                                   BucketName bucket,
                                   ListOptions options);
  Task<Result<ListPage>> list_places(MapSnapshot map,
                                     Context context,
                                     BucketName bucket,
                                     ListOptions options);
  Task<Result<LookupReply>> lookup_once(MapSnapshot map,
                                        Context context,
                                        BucketName bucket,
                                        std::string path);
  Task<Result<LookupReply>> lookup_mapped(MapSnapshot map,
                                          Context context,
                                          BucketName bucket,
                                          std::string path);

  /// Waits for a newer map or a while, as the error says. False when the deadline is too near.
  Task<bool> prepare_retry(Errc error, Epoch epoch, Backoff& backoff, Deadline deadline);
  Deadline bounded(Deadline deadline) const;

  MapSource& maps_;
  ApiOfNode api_of_;
  Duration operation_timeout_;
  Naming naming_;
  std::string here_;
};

/// The name whose owner is the home of the directory `path`.
ObjectName directory_name(BucketName bucket, std::string_view path);

}  // namespace aisfs
