// SPDX-License-Identifier: MIT
#include "common/disk/fs_probe.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <fstream>

#include "common/base/text.h"
#include "common/disk/posix.h"

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U  // Linux 6.8; Debian 12's headers do not know it
#endif
#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

namespace aisfs::disk {
namespace {

std::string type_of(long magic) {
  switch (magic) {
    case EXT4_SUPER_MAGIC: return "ext4";
    case XFS_SUPER_MAGIC: return "xfs";
    case BTRFS_SUPER_MAGIC: return "btrfs";
    case TMPFS_MAGIC: return "tmpfs";
    case OVERLAYFS_SUPER_MAGIC: return "overlayfs";
    default: return to_hex(static_cast<std::uint64_t>(magic));
  }
}

/// A scratch file without a name, or with one that is gone at once.
Result<UniqueFd> scratch(int root) {
  auto fd = open_nameless(root, "");
  if (fd || fd.error() != Errc::unsupported) return fd;
  const std::string name = "%probe." + std::to_string(::getpid());
  TRY(UniqueFd named, open_beneath(root, name, O_CREAT | O_EXCL | O_RDWR));
  CHECK_OK(unlink_beneath(root, name));
  return named;
}

std::size_t longest_xattr(int fd) {
  for (const std::size_t bytes : {3500u, 900u}) {
    if (set_xattr(fd, "user.ais.probe", std::string(bytes, 'x'))) return bytes;
  }
  return 0;
}

bool clones(int root, int fd) {
  auto to = scratch(root);
  if (!to) return false;
  const std::string block(4096, 'x');
  return pwrite_all(fd, as_bytes(block), 0).ok() && clone_file(fd, to->get()).ok();
}

}  // namespace

Result<FsFacts> probe_fs(int root) {
  struct statfs fs {};
  struct stat st {};
  if (::fstatfs(root, &fs) != 0) return errno_error("statfs");
  if (::fstat(root, &st) != 0) return errno_error("stat");
  TRY(const UniqueFd fd, scratch(root));
  FsFacts facts;
  facts.type = type_of(fs.f_type);
  facts.nameless_files = open_nameless(root, "").ok();
  facts.xattr_bytes = longest_xattr(fd.get());
  facts.reflink = clones(root, fd.get());
  facts.file_system = st.st_dev;
  return facts;
}

Result<MountIdentity> mount_identity(int root) {
  MountIdentity id;
  std::ifstream boot("/proc/sys/kernel/random/boot_id");
  if (!std::getline(boot, id.boot_id)) return Error(Errc::io, "cannot read the boot id");
  struct statx sx {};
  if (::statx(root, "", AT_EMPTY_PATH, STATX_MNT_ID_UNIQUE, &sx) == 0 &&
      (sx.stx_mask & STATX_MNT_ID_UNIQUE) != 0) {
    id.mount_id = sx.stx_mnt_id;
    return id;
  }
  if (::statx(root, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) != 0) return errno_error("statx");
  id.mount_id = sx.stx_mnt_id;
  return id;
}

}  // namespace aisfs::disk
