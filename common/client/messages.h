// SPDX-License-Identifier: MIT
// The envelopes of the methods and headers in common/wire/data.h. They hold types of ObjectApi,
// hence they live beside it. New fields come last, behind `if (version >= n)`.
#pragma once
#include "common/client/object_api.h"
#include "common/wire/data.h"
#include "common/wire/envelope.h"

namespace aisfs::wire {

/// A request of the given fields; all of them are version 1.
#define AISFS_MESSAGE_FIELDS(...)                              \
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;    \
  template <class A>                                           \
  void fields([[maybe_unused]] A& ar, std::uint16_t) {         \
    __VA_OPT__(ar(__VA_ARGS__);)                               \
  }

/// PutOptions without its callback.
template <class A>
void put_fields(A& ar, PutOptions& o) {
  ar(o.conditions, o.level, o.lower_level, o.size, o.want_md5, o.etag, o.content_type, o.headers,
     o.user, o.xattrs, o.posix, o.checksums, o.keep_attrs, o.ino);
}

struct HeadRequest {
  ObjectName name;
  Conditions conditions;
  AISFS_MESSAGE_FIELDS(name, conditions)
};

struct SetAttrsRequest {
  ObjectName name;
  AttrChange change;
  Conditions conditions;
  AISFS_MESSAGE_FIELDS(name, change, conditions)
};

struct RemoveRequest {
  static constexpr std::uint16_t kVersion = 2, kCompat = 1;
  ObjectName name;
  RemoveOptions options;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(name, options.conditions, options.missing_ok);
    if (version >= 2) ar(options.lower_level);
  }
};

struct SyncRequest {
  ObjectName name;
  AISFS_MESSAGE_FIELDS(name)
};

struct RenameRequest {
  static constexpr std::uint16_t kVersion = 2, kCompat = 1;
  ObjectName from, to;
  RenameOptions options;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(from, to, options.no_replace, options.source_conditions, options.destination_conditions,
       options.has_parent);
    if (version >= 2) ar(options.posix);
  }
};

struct CopyRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  ObjectName from, to;
  CopyOptions options;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(from, to, options.source_conditions, options.destination_conditions,
       options.replace_metadata);
    put_fields(ar, options.put);
  }
};

struct ListRequest {
  static constexpr std::uint16_t kVersion = 2, kCompat = 1;
  BucketName bucket;
  ListOptions options;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(bucket, options.prefix, options.after, options.delimiter, options.limit, options.attributes);
    if (version >= 2) ar(options.versions);
  }
};

/// lookup, remove_dir
struct PathRequest {
  BucketName bucket;
  std::string path;
  AISFS_MESSAGE_FIELDS(bucket, path)
};

struct MakeDirRequest {
  static constexpr std::uint16_t kVersion = 3, kCompat = 1;
  BucketName bucket;
  std::string path;
  MakeDirOptions options;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(bucket, path, options.posix);
    if (version >= 2) ar(options.seen_free);
    if (version >= 3) ar(options.ino);
  }
};

struct RenameDirRequest {
  BucketName bucket;
  std::string from, to;
  bool no_replace = false;
  AISFS_MESSAGE_FIELDS(bucket, from, to, no_replace)
};

struct CreateUploadRequest {
  static constexpr std::uint16_t kVersion = 2, kCompat = 1;
  ObjectName name;
  PutOptions options;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(name);
    put_fields(ar, options);
    if (version >= 2) ar(options.initiator);
  }
};

struct CompleteUploadRequest {
  ObjectName name;
  std::string upload;
  std::vector<CompletedPart> parts;
  Conditions conditions;
  AISFS_MESSAGE_FIELDS(name, upload, parts, conditions)
};

struct AbortUploadRequest {
  ObjectName name;
  std::string upload;
  AISFS_MESSAGE_FIELDS(name, upload)
};

struct ListPartsRequest {
  ObjectName name;
  std::string upload;
  std::uint32_t after = 0, limit = 0;
  AISFS_MESSAGE_FIELDS(name, upload, after, limit)
};

struct ListUploadsRequest {
  BucketName bucket;
  std::string prefix, after_key, after_id;
  std::uint32_t limit = 0;
  AISFS_MESSAGE_FIELDS(bucket, prefix, after_key, after_id, limit)
};

/// find_bucket
struct BucketRequest {
  BucketName bucket;
  AISFS_MESSAGE_FIELDS(bucket)
};

/// create_bucket, set_bucket_props
struct BucketPropsRequest {
  static constexpr std::uint16_t kVersion = 4, kCompat = 1;
  BucketName bucket;
  BucketProps props;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(bucket, props);
    if (version >= 2) ar(props.s3);
    if (version >= 3) ar(props.erasure);
    if (version >= 4) ar(props.disk_copies);
  }
};

struct DestroyBucketRequest {
  BucketName bucket;
  bool force = false;
  AISFS_MESSAGE_FIELDS(bucket, force)
};

struct CreateUserRequest {
  CreateUser user;
  AISFS_MESSAGE_FIELDS(user.id, user.display_name, user.admin, user.access_key, user.secret_key)
};

struct ChangeNodeRequest {
  std::string node;
  NodeAction action = NodeAction::kStartMaintenance;
  AISFS_MESSAGE_FIELDS(node, action)
};

struct ChangeMountpathRequest {
  std::string node;
  MountpathAction action{};
  std::string path;
  bool skip_resilver = false;
  AISFS_MESSAGE_FIELDS(node, action, path, skip_resilver)

  MountpathChange change() const { return {action, path, skip_resilver}; }
};

/// rebalance, storage, shut_down_node
struct NodeRequest {
  std::string node;
  AISFS_MESSAGE_FIELDS(node)
};

struct ScrubRequest {
  std::string node;
  ScrubAction action = ScrubAction::kShow;
  AISFS_MESSAGE_FIELDS(node, action)
};

struct RemoveUserRequest {
  std::string id;
  AISFS_MESSAGE_FIELDS(id)
};

struct CreateTokenRequest {
  std::int64_t lifetime_ns = 0;
  AISFS_MESSAGE_FIELDS(lifetime_ns)
};

/// The request or reply of a method that has nothing to say.
struct Nothing {
  AISFS_MESSAGE_FIELDS()
};

struct InfoReply {
  ObjectInfo info;
  AISFS_MESSAGE_FIELDS(info)
};

struct TextReply {
  std::string text;
  AISFS_MESSAGE_FIELDS(text)
};

struct BucketReply {
  static constexpr std::uint16_t kVersion = 4, kCompat = 1;
  Bucket bucket;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(bucket);
    if (version >= 2) bucket.later(ar);
    if (version >= 3) bucket.latest(ar);
    if (version >= 4) bucket.newest(ar);
  }
};

struct BucketsReply {
  static constexpr std::uint16_t kVersion = 4, kCompat = 1;
  std::vector<Bucket> buckets;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(buckets);
    if (version < 2) return;
    for (Bucket& bucket : buckets) bucket.later(ar);
    if (version < 3) return;
    for (Bucket& bucket : buckets) bucket.latest(ar);
    if (version < 4) return;
    for (Bucket& bucket : buckets) bucket.newest(ar);
  }
};

struct UsersReply {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::vector<UserInfo> users;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    auto count = static_cast<std::uint32_t>(users.size());
    ar(count);
    if constexpr (A::is_loading::value) {
      for (; count > 0; --count) users.emplace_back().fields(ar, UserInfo::kVersion);
    } else {
      for (UserInfo& user : users) user.fields(ar, UserInfo::kVersion);
    }
  }
};

struct PartReply {
  UploadPart part;
  AISFS_MESSAGE_FIELDS(part)
};

// --- headers of bulk requests -------------------------------------------------------------------

struct PutHeader {
  static constexpr std::uint16_t kVersion = 4, kCompat = 1;
  PutOptions options;
  ExpectedChecksums expected;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    put_fields(ar, options);
    ar(expected.md5, expected.named);
    if (version >= 2) ar(options.reservation);
    if (version >= 3) ar(options.has_parent);
    if (version >= 4) ar(options.part_sizes);
  }
};

struct PartHeader {
  std::string upload;
  std::uint32_t number = 0;
  ExpectedChecksums expected;
  AISFS_MESSAGE_FIELDS(upload, number, expected.md5, expected.named)
};

struct PatchHeader {
  PatchOptions options;
  AISFS_MESSAGE_FIELDS(options)
};

struct GetHeader {
  GetOptions options;
  AISFS_MESSAGE_FIELDS(options.range, options.conditions, options.version)
};

}  // namespace aisfs::wire
