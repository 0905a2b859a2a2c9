// SPDX-License-Identifier: MIT
// An object as everyone but the store sees it: its name and what HEAD knows about it.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/model/bucket.h"
#include "common/model/version.h"

namespace aisfs {

/// Longest key of the S3 and native APIs, in bytes.
inline constexpr std::size_t kKeyBytesMax = 1024;

struct ObjectName {
  BucketName bucket;
  std::string key;  // any bytes, 1..kKeyBytesMax; "dir/" is a directory marker

  auto operator<=>(const ObjectName&) const = default;

  /// "ais/@#/bucket/key": what placement hashes.
  std::string uname() const { return bucket.uname() + key; }
  /// "ais://bucket/key", for people and error texts.
  std::string display() const { return bucket.display() + "/" + key; }

  template <class A>
  void serialize(A& ar) {
    ar(bucket, key);
  }
};

/// invalid_argument for an empty key or one over kKeyBytesMax (name_too_long) or with a NUL.
Status validate_key(std::string_view key);

/// What a file system keeps of a file beside its bytes. Objects that only S3 clients wrote have
/// none; the mount then shows its own defaults.
struct PosixAttrs {
  std::uint32_t mode = 0;  // S_IFMT and permission bits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t atime_ns = 0;  // since 1970
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint64_t rdev = 0;
  std::string symlink;  // target of a symbolic link; the content too, as S3 tools expect

  bool operator==(const PosixAttrs&) const = default;

  template <class A>
  void serialize(A& ar) {
    ar(mode, uid, gid, atime_ns, mtime_ns, ctime_ns, rdev, symlink);
  }
};

/// Everything about an object but its bytes.
struct ObjectInfo {
  std::uint64_t ino = 0;    // kept by rename, overwrite and attribute changes
  Version content_version;  // changes with the bytes: pins, If-Match, patch bases
  Version meta_version;     // changes with anything
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;  // Last-Modified: when the bytes were published
  std::string etag;              // without quotes: md5, "<md5>-<parts>", or opaque
  std::string content_type;
  std::map<std::string, std::string> headers;  // cache-control, content-encoding, ...; lower case
  std::map<std::string, std::string> user;     // x-amz-meta-* without the prefix; AIStore's custom
  std::map<std::string, std::string> xattrs;   // user.* of the mount
  std::optional<PosixAttrs> posix;
  std::uint32_t nlink = 1;
  std::vector<std::uint64_t> part_sizes;  // of a multipart upload, for GET ?partNumber
  std::map<std::string, std::string> checksums;  // crc32, crc32c, crc64nvme, sha1, sha256: base64 as S3 sends them

  bool operator==(const ObjectInfo&) const = default;

  /// The part that a plain listing shows; it comes first, so it can be read alone.
  template <class A>
  void serialize_summary(A& ar) {
    ar(ino, content_version, meta_version, size, modified_ns, etag);
  }

  template <class A>
  void serialize(A& ar) {
    serialize_summary(ar);
    ar(content_type, headers, user, xattrs, posix, nlink, part_sizes, checksums);
  }
};

}  // namespace aisfs
