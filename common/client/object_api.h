// SPDX-License-Identifier: MIT
// What the cluster can do with objects: the one seam between protocols and storage.
//
// Implementations: ClusterClient (common/client: over the wire, for the mount, the tools and other
// nodes), LocalTarget (node/target: on this node's disks), Router (node/front: the one that picks
// between them by placement), FakeCluster (tests/kit: in memory).
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/async/byte_stream.h"
#include "common/client/admin_api.h"
#include "common/client/context.h"
#include "common/client/hot_object.h"
#include "common/model/cluster_map.h"
#include "common/model/object.h"
#include "common/model/range.h"

namespace aisfs {

/// What must hold of the object before an operation happens. All empty: no condition.
/// Evaluated by the owner under the key's lock. Failing: precondition_failed (for if_none_match
/// and if_modified_since on reads: not_modified; for must_not_exist: already_exists).
struct Conditions {
  std::optional<Version> if_content_version;
  std::optional<Version> if_meta_version;
  bool must_exist = false;            // If-Match: *
  bool must_not_exist = false;        // If-None-Match: *
  std::vector<std::string> if_match;  // etags without quotes
  std::vector<std::string> if_none_match;
  std::optional<std::int64_t> if_modified_since_ns;
  std::optional<std::int64_t> if_unmodified_since_ns;
  std::optional<std::uint64_t> if_ino;
  std::optional<std::uint64_t> if_size;  // append at the expected end
  /// The operation may have happened before, with a version newer than this (put, copy, set_attrs,
  /// remove, complete_upload). Where what is there, or a delete, is newer too, nothing is changed:
  /// the operation succeeds with what is there if it is what it would make, else it fails with
  /// timed_out, as nobody can tell whether it happened. Travels in Context.
  std::optional<Version> unless_newer = {};

  bool any() const {
    return if_content_version || if_meta_version || must_exist || must_not_exist ||
           !if_match.empty() || !if_none_match.empty() || if_modified_since_ns ||
           if_unmodified_since_ns || if_ino || if_size || unless_newer;
  }

  template <class A>
  void serialize(A& ar) {
    ar(if_content_version, if_meta_version, must_exist, must_not_exist, if_match, if_none_match,
       if_modified_since_ns, if_unmodified_since_ns, if_ino, if_size);
  }
};

struct GetOptions {
  ByteRange range;
  Conditions conditions;
  /// The snapshot to read from (a pin of the mount): served from the superseded version as long
  /// as it is kept; precondition_failed when it is gone, not_found when the object is gone as well.
  std::optional<Version> version;
};

/// An object on its way to the reader; info and body belong to the same version.
struct ObjectStream {
  ObjectInfo info;
  ByteRange range;  // what the body holds
  std::unique_ptr<BodySource> body;
};

/// Attributes to set. What is nullopt stays as it is.
struct AttrChange {
  std::optional<PosixAttrs> posix;              // whole: read, change, write with if_meta_version
  std::optional<std::uint32_t> mode, uid, gid;  // single fields, for changes without a race
  std::optional<std::int64_t> atime_ns, mtime_ns;
  std::map<std::string, std::optional<std::string>> xattrs;  // nullopt: remove
  std::optional<std::map<std::string, std::string>> user;    // replaces all
  std::map<std::string, std::optional<std::string>> user_patch;
  std::optional<std::string> content_type;
  std::optional<std::map<std::string, std::string>> headers;
  /// For xattrs with XATTR_CREATE / XATTR_REPLACE: already_exists / no_attribute.
  std::optional<std::string> xattr_must_not_exist, xattr_must_exist;

  template <class A>
  void serialize(A& ar) {
    ar(posix, mode, uid, gid, atime_ns, mtime_ns, xattrs, user, user_patch, content_type, headers,
       xattr_must_not_exist, xattr_must_exist);
  }
};

/// What a writer knows of the bytes before or after it sends them; checked by the owner.
struct ExpectedChecksums {
  std::optional<std::string> md5;  // raw 16 bytes
  std::map<std::string, std::string>
      named;  // crc32, crc32c, crc64nvme, sha1, sha256, xxhash: base64 or hex as sent
  // Of a part: stored with it; "" for a value is computed by the owner and stored.
};

struct PutOptions {
  Conditions conditions;
  Durability level = Durability::kFull;  // raised to the bucket's level unless `lower_level`
  bool lower_level = false;              // the mount's close: bucket property close_level
  std::optional<std::uint64_t> size;     // when known in advance; a body of another size fails
  bool want_md5 = false;                 // compute the etag as MD5 (S3)
  std::string etag;                      // given: taken as it is
  std::string content_type;
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string> user;
  std::map<std::string, std::string> xattrs;
  std::optional<PosixAttrs> posix;
  /// To be stored (S3's additional checksums, base64); "" for a value: computed by the owner from
  /// the bytes, because it comes only after them. For an upload: complete_upload stores
  /// base64(hash of the raw checksums of the parts)-<parts> under the name, if all parts have one.
  std::map<std::string, std::string> checksums;
  /// Keep ino, posix, user metadata and xattrs of the version that is replaced (the mount's
  /// publish of new content of an existing file). ctime and mtime come from `posix` if given.
  bool keep_attrs = false;
  std::optional<std::uint64_t> ino;  // of a reservation
  /// The mount's create: only the name is taken, without a byte and at no level, until the first
  /// publish. `size` is 0 and the name must not exist.
  bool reservation = false;
  /// The directory that the name lies in has been looked up and has a marker, or is the bucket: a
  /// file system makes nothing elsewhere. Else the bucket gets `implied_dirs` first.
  bool has_parent = false;
  /// Of an upload: who began it, if that is not who asks (an access control list let them in).
  /// Shown in listings, nothing else.
  std::string initiator;
  /// Of an upload that is put together elsewhere than at the key's owner.
  std::vector<std::uint64_t> part_sizes;
  /// Verified after the body has been read; called by the owner's side just before publishing.
  /// Fails the PUT with its error and nothing is published.
  std::function<Status()> before_publish;
};

struct RemoveOptions {
  Conditions conditions;
  bool missing_ok = false;   // S3: deleting nothing succeeds
  bool lower_level = false;  // the mount's unlink: as durable as its other names, not as a DELETE
};

struct RenameOptions {
  bool no_replace = false;  // already_exists when the destination is there
  Conditions source_conditions;
  Conditions destination_conditions;
  bool has_parent = false;  // of the destination, as in PutOptions
  std::optional<PosixAttrs> posix;  // what it has from then on; none: what it had
};

struct CopyOptions {
  Conditions source_conditions;
  Conditions destination_conditions;
  bool replace_metadata = false;  // S3's REPLACE directive: take `put`'s, else the source's
  PutOptions put;                 // body-less part: metadata, level
};

/// Changes bytes in place, atomically as one new version: extents over the base version.
struct PatchOptions {
  Conditions conditions;                     // usually if_content_version = the base
  std::optional<std::uint64_t> truncate_to;  // applied before the extents
  std::vector<ByteRange> extents;            // the body holds their bytes, one after the other
  bool append = false;                       // one extent; the owner picks the offset (the end)
  Durability level = Durability::kFull;
  bool lower_level = false;
  std::optional<std::int64_t> mtime_ns, ctime_ns;

  template <class A>
  void serialize(A& ar) {
    ar(conditions, truncate_to, extents, append, level, lower_level, mtime_ns, ctime_ns);
  }
};

struct ListOptions {
  std::string prefix;
  std::string after;           // names greater than this
  std::string delimiter;       // "" or any text: names with it after the prefix are rolled up
  std::uint32_t limit = 1000;  // entries and common prefixes together; at most 10,000
  bool attributes = false;     // with posix, user metadata and xattrs; else name, size, etag, times
  /// With the versions that are kept, behind the name that each belongs to, newest first
  /// (common/model/version_key.h); the delimiter is looked for in names alone.
  bool versions = false;
};

struct ListEntry {
  std::string key;
  bool is_prefix = false;  // a common prefix; `info` is empty
  ObjectInfo info;

  template <class A>
  void serialize(A& ar) {
    ar(key, is_prefix, info);
  }
};

struct ListPage {
  static constexpr std::uint16_t kVersion = 2, kCompat = 1;

  std::vector<ListEntry> entries;  // byte-wise ascending, prefixes among them
  bool more = false;
  std::string next;  // pass as `after` for the next page; set when `more`
  /// The session of the request (Context::session) may believe what it says of objects, as if it
  /// had looked each of them up.
  bool leased = false;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(entries, more, next);
    if (version >= 2) ar(leased);
  }
};

struct MakeDirOptions {
  PosixAttrs posix;
  /// The caller has just looked the name up everywhere and found nothing: only what the directory's
  /// home target knows is checked again.
  bool seen_free = false;
  std::optional<std::uint64_t> ino;  // its number; none: a new one
};

/// What a file system finds under a name: a file object "p/name", a directory (marker "p/name/",
/// or implied by objects below it), or nothing. Where S3 made both, the directory wins, as in every
/// peer: hiding it would make its children unreachable.
struct LookupReply {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;

  enum class Kind : std::uint8_t { kNone, kFile, kDirectory };
  Kind kind = Kind::kNone;
  bool explicit_dir = false;       // the marker object exists; `info` is its
  std::optional<ObjectInfo> info;  // absent for an implied directory

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(kind, explicit_dir, info);
  }
};

struct UploadPart {
  std::uint32_t number = 0;
  std::uint64_t size = 0;
  std::string etag;
  std::int64_t modified_ns = 0;
  std::map<std::string, std::string> checksums;

  template <class A>
  void serialize(A& ar) {
    ar(number, size, etag, modified_ns, checksums);
  }
};

struct UploadInfo {
  std::string key;
  std::string id;
  std::int64_t started_ns = 0;
  std::string initiator;  // user id

  template <class A>
  void serialize(A& ar) {
    ar(key, id, started_ns, initiator);
  }
};

struct UploadList {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::vector<UploadInfo> uploads;  // by key, then id
  bool more = false;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(uploads, more);
  }
};

struct PartList {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::vector<UploadPart> parts;  // by number
  bool more = false;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(parts, more);
  }
};

/// A part to put into the object, as the client names it.
struct CompletedPart {
  std::uint32_t number = 0;
  std::string etag;  // "" : any
  template <class A>
  void serialize(A& ar) {
    ar(number, etag);
  }
};

struct Capacity {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::uint64_t total_bytes = 0, available_bytes = 0, used_bytes = 0;
  std::uint64_t objects = 0;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(total_bytes, available_bytes, used_bytes, objects);
  }
};

/// In a bucket with versioning a key may be a version_key (common/model/version_key.h): head, get,
/// set_attrs, remove and copy's source then mean that version, whether it is the current one or
/// not; not_found when it is not kept. A put with kDeleteMarkerHeader keeps the current version and
/// leaves a delete marker, and remove does so too; a remove of a version removes it for good.
///
/// All operations run on the caller's executor and honour context.deadline. Errors beside those
/// named: permission_denied, not_found for the bucket ("bucket \"ais://b\" does not exist"),
/// unreachable or not_ready when the owner is away (never not_found then), timed_out, io, no_space.
class ObjectApi {
 public:
  virtual ~ObjectApi() = default;

  /// Of one node's objects: a version that is older than any which the node gives for what it is
  /// asked from now on. The zero version when none is known.
  virtual Version last_version() const { return {}; }

  /// not_found when there is no such object.
  virtual Task<Result<ObjectInfo>> head(Context context,
                                        ObjectName name,
                                        Conditions conditions) = 0;

  /// The stream's body must be read or dropped before the api goes.
  virtual Task<Result<ObjectStream>> get(Context context, ObjectName name, GetOptions options) = 0;

  /// What get() would succeed with, if it is in memory: nothing is waited for. nullopt says
  /// nothing: ask get(), which also knows why not. A hot GET is this one call instead of a chain of
  /// coroutines, each with copies of its arguments.
  virtual std::optional<ObjectStream> get_now(const Context& /*context*/,
                                              const ObjectName& /*name*/,
                                              const GetOptions& /*options*/) {
    return std::nullopt;
  }

  /// What get_now() would find of a whole object, without a copy of its info, and with the content
  /// of a small one. nullopt says nothing, as there.
  virtual std::optional<HotRead> hot(const Context& /*context*/, const ObjectName& /*name*/) {
    return std::nullopt;
  }

  /// Reads `body` to its end and publishes it as a new version, atomically; on any error the old
  /// version stays. bad_checksum when the body is not what `expected` says. `body` outlives the
  /// task.
  virtual Task<Result<ObjectInfo>> put(Context context,
                                       ObjectName name,
                                       PutOptions options,
                                       ExpectedChecksums expected,
                                       BodySource& body) = 0;

  /// Metadata only: a new metadata version, the same content version.
  virtual Task<Result<ObjectInfo>> set_attrs(Context context,
                                             ObjectName name,
                                             AttrChange change,
                                             Conditions conditions) = 0;

  /// not_found unless missing_ok.
  virtual Task<Status> remove(Context context, ObjectName name, RemoveOptions options) = 0;

  /// Within one bucket; atomic for every reader; moves no bytes before it returns. Replaces the
  /// destination unless no_replace. The object keeps its ino.
  virtual Task<Result<ObjectInfo>> rename(Context context,
                                          ObjectName from,
                                          ObjectName to,
                                          RenameOptions options) = 0;

  virtual Task<Result<ObjectInfo>> copy(Context context,
                                        ObjectName from,
                                        ObjectName to,
                                        CopyOptions options) = 0;

  /// precondition_failed when the base is no longer the newest version.
  virtual Task<Result<ObjectInfo>> patch(Context context,
                                         ObjectName name,
                                         PatchOptions options,
                                         BodySource& body) = 0;

  virtual Task<Result<ListPage>> list(Context context, BucketName bucket, ListOptions options) = 0;

  // --- names as a file system sees them; `path` has no leading or trailing '/' -----------------

  /// What `path` is. "" is the bucket itself: a directory.
  virtual Task<Result<LookupReply>> lookup(Context context,
                                           BucketName bucket,
                                           std::string path) = 0;

  /// already_exists when the name is taken by anything.
  virtual Task<Result<ObjectInfo>> make_dir(Context context,
                                            BucketName bucket,
                                            std::string path,
                                            MakeDirOptions options) = 0;

  /// not_empty when anything but the marker lies below; not_found; not_directory.
  virtual Task<Status> remove_dir(Context context, BucketName bucket, std::string path) = 0;

  /// Renames a directory with all that is below it; moves no bytes. not_empty when the destination
  /// is a directory with entries; invalid_argument when it lies below the source.
  virtual Task<Status> rename_dir(
      Context context, BucketName bucket, std::string from, std::string to, bool no_replace) = 0;

  virtual Task<Result<Capacity>> capacity(Context context) = 0;

  /// Makes what was acknowledged at a lower level before the call survive power loss: of one name,
  /// or, with an empty key, of the whole bucket. The mount's fsync and fsyncdir. A name that does
  /// not exist is no error.
  virtual Task<Status> sync(Context context, ObjectName name) = 0;

  // --- multipart uploads; state lives with the key's owner --------------------------------------

  virtual Task<Result<std::string>> create_upload(Context context,
                                                  ObjectName name,
                                                  PutOptions options) = 0;
  /// not_found (no such upload). A part of the same number is replaced.
  virtual Task<Result<UploadPart>> put_part(Context context,
                                            ObjectName name,
                                            std::string upload,
                                            std::uint32_t number,
                                            ExpectedChecksums expected,
                                            BodySource& body) = 0;
  /// Idempotent: completing twice gives the same object. invalid_argument names the bad part.
  virtual Task<Result<ObjectInfo>> complete_upload(Context context,
                                                   ObjectName name,
                                                   std::string upload,
                                                   std::vector<CompletedPart> parts,
                                                   Conditions conditions) = 0;
  virtual Task<Status> abort_upload(Context context, ObjectName name, std::string upload) = 0;
  virtual Task<Result<PartList>> list_parts(Context context,
                                            ObjectName name,
                                            std::string upload,
                                            std::uint32_t after,
                                            std::uint32_t limit) = 0;
  virtual Task<Result<UploadList>> list_uploads(Context context,
                                                BucketName bucket,
                                                std::string prefix,
                                                std::string after_key,
                                                std::string after_id,
                                                std::uint32_t limit) = 0;
};

}  // namespace aisfs
