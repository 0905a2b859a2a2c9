// SPDX-License-Identifier: MIT
#include "node/store/attr_change.h"

#include <sys/stat.h>

namespace aisfs::store {
namespace {

void patch(std::map<std::string, std::string>& map,
           const std::map<std::string, std::optional<std::string>>& changes) {
  for (const auto& [name, value] : changes) {
    if (value) {
      map[name] = *value;
    } else {
      map.erase(name);
    }
  }
}

void change_posix(ObjectInfo& info, const AttrChange& change, std::int64_t now_ns) {
  const bool single = change.mode || change.uid || change.gid || change.atime_ns || change.mtime_ns;
  if (change.posix) {
    info.posix = change.posix;
  } else if (single && !info.posix) {
    info.posix = PosixAttrs{.mode = S_IFREG | 0644,
                            .atime_ns = info.modified_ns,
                            .mtime_ns = info.modified_ns};
  }
  if (!info.posix) return;
  PosixAttrs& posix = *info.posix;
  if (change.mode) {
    // The type of an object does not change: only its permission bits.
    const std::uint32_t type = posix.mode & S_IFMT;
    posix.mode = type != 0 ? type | (*change.mode & ~std::uint32_t{S_IFMT}) : *change.mode;
  }
  if (change.uid) posix.uid = *change.uid;
  if (change.gid) posix.gid = *change.gid;
  if (change.atime_ns) posix.atime_ns = *change.atime_ns;
  if (change.mtime_ns) posix.mtime_ns = *change.mtime_ns;
  if (!change.posix) posix.ctime_ns = now_ns;
}

}  // namespace

Result<ObjectInfo> apply_change(ObjectInfo info, const AttrChange& change, std::int64_t now_ns) {
  if (change.xattr_must_not_exist && info.xattrs.contains(*change.xattr_must_not_exist)) {
    return Error(Errc::already_exists, "attribute " + *change.xattr_must_not_exist + " exists");
  }
  if (change.xattr_must_exist && !info.xattrs.contains(*change.xattr_must_exist)) {
    return Error(Errc::no_attribute, "attribute " + *change.xattr_must_exist + " does not exist");
  }
  change_posix(info, change, now_ns);
  patch(info.xattrs, change.xattrs);
  if (change.user) info.user = *change.user;
  patch(info.user, change.user_patch);
  if (change.content_type) info.content_type = *change.content_type;
  if (change.headers) info.headers = *change.headers;
  return info;
}

ObjectInfo info_of_put(const PutOptions& options, const ObjectInfo* base) {
  ObjectInfo info;
  info.content_type = options.content_type;
  info.headers = options.headers;
  info.user = options.user;
  info.xattrs = options.xattrs;
  info.posix = options.posix;
  info.checksums = options.checksums;
  if (options.keep_attrs && base != nullptr) {
    info.content_type = base->content_type;
    info.headers = base->headers;
    info.user = base->user;
    info.xattrs = base->xattrs;
    if (base->posix) {
      info.posix = base->posix;
      if (options.posix) {
        info.posix->mtime_ns = options.posix->mtime_ns;
        info.posix->ctime_ns = options.posix->ctime_ns;
      }
    }
  }
  return info;
}

}  // namespace aisfs::store
