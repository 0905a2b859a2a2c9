// SPDX-License-Identifier: MIT
// System calls on files with Result, and paths that cannot leave their root.
//
// All block: not for io threads. Errors carry the path and the call: "rename a -> b: No space left".
// `root` is a descriptor from open_root; `path` is relative to it, without symbolic links and
// without "..": a path that would leave the root fails with cross_device or loop.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace aisfs::disk {

/// A directory to work beneath. not_found, not_directory, permission_denied.
Result<UniqueFd> open_root(const std::string& path);

/// open(2) of `path` beneath `root`; O_CLOEXEC is added.
Result<UniqueFd> open_beneath(int root, const std::string& path, int flags, mode_t mode = 0644);

/// A nameless file in the directory `dir` (O_TMPFILE); unsupported where the file system has none.
Result<UniqueFd> open_nameless(int root, const std::string& dir, mode_t mode = 0644);
/// Gives a nameless file its name. already_exists when the name is taken.
Status link_nameless(int fd, int root, const std::string& path);

enum class Replace : std::uint8_t { kYes, kNo };
/// With Replace::kNo: already_exists when `to` is there.
Status rename_beneath(int root,
                      const std::string& from,
                      const std::string& to,
                      Replace replace = Replace::kYes);
/// Two files swap their names, at once. unsupported where the file system cannot.
Status exchange_beneath(int root, const std::string& a, const std::string& b);
/// A second name of one file. already_exists.
Status link_beneath(int root, const std::string& from, const std::string& to);
/// not_found when there is none.
Status unlink_beneath(int root, const std::string& path);
/// not_empty, not_found.
Status rmdir_beneath(int root, const std::string& path);

/// Makes `path` and what is missing above it. not_directory when a file is in the way.
Status make_dirs(int root, const std::string& path, mode_t mode = 0755);
/// make_dirs of the folder that `path` lies in; nothing for a path without '/'.
Status make_parent_dirs(int root, const std::string& path);
/// Removes the empty folders above `path`, up to but not including `stop` (a path, or "" for root).
void prune_empty_parents(int root, const std::string& path, const std::string& stop);

/// "a/b/c" -> "a/b"; "" for a path without '/'.
std::string parent_of(const std::string& path);

/// Fills all of `into`; corrupt when the file ends before.
Status pread_exactly(int fd, MutableBytes into, std::uint64_t offset);
/// Reads until `into` is full or the file ends; the count.
Result<std::size_t> pread_up_to(int fd, MutableBytes into, std::uint64_t offset);
Status pwrite_all(int fd, ConstBytes bytes, std::uint64_t offset);
/// The whole file; too_large over `limit`.
Result<std::string> read_file(int root, const std::string& path, std::size_t limit);

/// Never call one of these again after it failed: the kernel reports an error once and then
/// believes the lost pages clean. The file (or the mountpath) is to be given up.
Status sync_file(int fd);                          // fsync
Status sync_data(int fd);                          // fdatasync
Status sync_file_system(int fd);                   // syncfs: everything of the file system of fd
Status sync_dir(int root, const std::string& dir);  // names in `dir`; "" is the root

/// A value of at most `limit` bytes; no_attribute when there is none, too_large over the limit.
Result<std::string> get_xattr(int fd, const char* name, std::size_t limit = 4096);
/// too_large when the file system cannot hold it (ext4 says ENOSPC for that).
Status set_xattr(int fd, const char* name, std::string_view value);
Status remove_xattr(int fd, const char* name);

struct FileStat {
  std::uint64_t size = 0;
  std::uint64_t allocated = 0;  // bytes on disk
  std::uint64_t ino = 0;
  std::uint32_t mode = 0;  // S_IFMT and permission bits
  std::uint32_t nlink = 0;
  std::int64_t mtime_ns = 0;
};
Result<FileStat> stat_of(int fd);
Result<FileStat> stat_beneath(int root, const std::string& path);  // of a link: itself

struct Space {
  std::uint64_t total_bytes = 0;
  std::uint64_t available_bytes = 0;  // to us, not to root
  std::uint64_t files_total = 0, files_free = 0;
};
Result<Space> space_of(int fd);

/// Makes `to` share the extents of `from`; unsupported where the file system cannot.
Status clone_file(int from, int to);

}  // namespace aisfs::disk
