// SPDX-License-Identifier: MIT
// What stat(2) shows, kept small: a mount may hold a million of them.
#pragma once
#include <sys/stat.h>

#include <cstdint>

#include "aisfs/fs/options.h"
#include "common/model/object.h"

namespace aisfs::fs {

struct Attr {
  std::uint64_t ino = 0;
  std::uint64_t size = 0;
  std::int64_t atime_ns = 0, mtime_ns = 0, ctime_ns = 0;
  std::uint64_t rdev = 0;
  std::uint32_t mode = 0, uid = 0, gid = 0, nlink = 1;
  Version content_version;
  bool has_posix = false;  // false: the object has none and defaults are shown

  bool is_dir() const { return S_ISDIR(mode); }
  bool is_regular() const { return S_ISREG(mode); }
};

/// POSIX attributes first; else what s3fs and rclone leave in the user metadata (mode, uid, gid,
/// mtime, atime); else the defaults.
Attr file_attr(const ObjectInfo& info, const AttrDefaults& defaults);
/// Of a directory's marker; null for an implied one, whose ino is `implied_ino`.
Attr dir_attr(const ObjectInfo* marker, std::uint64_t implied_ino, const AttrDefaults& defaults);

/// What of `attr` the cluster keeps; `symlink` as given.
PosixAttrs posix_of(const Attr& attr, std::string symlink = {});

struct stat stat_of(const Attr& attr);

std::int64_t now_ns();

}  // namespace aisfs::fs
