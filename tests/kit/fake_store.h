// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/client/object_api.h"

namespace aisfs::tests {

/// The rules of ObjectApi on maps in memory, without waiting. Every function is atomic and
/// thread-safe; bodies come and go as whole strings.
class FakeStore {
 public:
  struct Content {
    ObjectInfo info;
    std::shared_ptr<const std::string> data;
  };

  FakeStore();

  // --- buckets ---------------------------------------------------------------------------------
  MapSnapshot map() const;
  Result<Bucket> create_bucket(const BucketName& name, const BucketProps& props, std::string owner);
  Status destroy_bucket(const BucketName& name, bool force);
  Result<Bucket> set_bucket_props(const BucketName& name, const BucketProps& props);

  // --- objects ---------------------------------------------------------------------------------
  Result<ObjectInfo> head(const ObjectName& name, const Conditions& conditions) const;
  Result<Content> get(const ObjectName& name, const GetOptions& options) const;
  Result<ObjectInfo> put(const ObjectName& name, const PutOptions& options, std::string body);
  Result<ObjectInfo> set_attrs(const ObjectName& name,
                               const AttrChange& change,
                               const Conditions& conditions);
  Status remove(const ObjectName& name, const RemoveOptions& options);
  Result<ObjectInfo> rename(const ObjectName& from,
                            const ObjectName& to,
                            const RenameOptions& options);
  Result<ObjectInfo> copy(const ObjectName& from, const ObjectName& to, const CopyOptions& options);
  Result<ObjectInfo> patch(const ObjectName& name, const PatchOptions& options, std::string body);
  Result<ListPage> list(const BucketName& bucket, const ListOptions& options) const;
  Capacity capacity() const;

  // --- directories -----------------------------------------------------------------------------
  Result<LookupReply> lookup(const BucketName& bucket, const std::string& path) const;
  Result<ObjectInfo> make_dir(const BucketName& bucket,
                              const std::string& path,
                              const MakeDirOptions& options);
  Status remove_dir(const BucketName& bucket, const std::string& path);
  Status rename_dir(const BucketName& bucket,
                    const std::string& from,
                    const std::string& to,
                    bool no_replace);

  // --- multipart -------------------------------------------------------------------------------
  Result<std::string> create_upload(const ObjectName& name, const PutOptions& options);
  Result<UploadPart> put_part(const ObjectName& name,
                              const std::string& upload,
                              std::uint32_t number,
                              std::string body);
  Result<ObjectInfo> complete_upload(const ObjectName& name,
                                     const std::string& upload,
                                     const std::vector<CompletedPart>& parts,
                                     const Conditions& conditions);
  Status abort_upload(const ObjectName& name, const std::string& upload);
  Result<PartList> list_parts(const ObjectName& name,
                              const std::string& upload,
                              std::uint32_t after,
                              std::uint32_t limit) const;
  Result<UploadList> list_uploads(const BucketName& bucket,
                                  const std::string& prefix,
                                  const std::string& after_key,
                                  const std::string& after_id,
                                  std::uint32_t limit) const;

  // --- for tests -------------------------------------------------------------------------------
  /// Forgets superseded versions: a pinned read of one then fails with precondition_failed.
  void drop_superseded();
  /// As the next epoch of the map, whatever the edit does.
  void edit_map(const std::function<void(ClusterMap&)>& edit);
  /// The same, unless the edit fails.
  Status try_edit_map(const std::function<Status(ClusterMap&)>& edit);
  /// The bytes of an object; empty string and false when there is none.
  bool contents(const ObjectName& name, std::string& out) const;

 private:
  using Objects = std::map<std::string, Content>;
  struct Upload {
    ObjectName name;
    PutOptions options;
    std::int64_t started_ns = 0;
    std::map<std::uint32_t, std::pair<UploadPart, std::string>> parts;
  };

  // All under mutex_.
  Result<Objects*> objects_of(const BucketName& bucket);
  Result<const Objects*> objects_of(const BucketName& bucket) const;
  Version next_version();
  ObjectInfo publish(Objects& objects, const std::string& key, ObjectInfo info, std::string body);
  void supersede(const Objects& objects, const std::string& key);
  // fake_versions.cc
  Versioning versioning_of(const BucketName& bucket) const;
  /// Where an object or a version lies.
  std::string place_of(const Objects& objects, const std::string& key) const;
  /// Before the current version is replaced or removed.
  void keep(Objects& objects, const std::string& key, Versioning mode);
  ObjectInfo mark(Objects& objects, const std::string& key, Versioning mode);
  void remove_version(Objects& objects, const std::string& place);
  void install(ClusterMap next);

  mutable std::mutex mutex_;
  MapSnapshot map_;
  std::map<BucketId, Objects> objects_;
  std::map<Version, Content> superseded_;  // by content version
  std::map<std::string, Upload> uploads_;
  std::map<std::string, ObjectInfo> completed_;  // by upload id
  std::uint64_t last_ino_ = 1000;
  std::uint64_t last_hlc_ = 0;
  std::uint64_t last_id_ = 0;
};

/// nothing, or why the conditions do not hold of `info` (null: there is no object).
Status check_conditions(const Conditions& conditions, const ObjectInfo* info, bool reading);

}  // namespace aisfs::tests
