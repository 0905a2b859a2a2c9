// SPDX-License-Identifier: MIT
// The operations of the mount, one file each. All run on the mount's shard; every one answers
// within its caller's deadline (timed_out) or when cancelled. nodeids of forgotten inodes fail
// with precondition_failed (ESTALE). What each promises is in aisfs-semantics(7).
#pragma once
#include <sys/statvfs.h>

#include <optional>
#include <string>
#include <vector>

#include "aisfs/ops/mount_state.h"

namespace aisfs::ops {

using NodeId = std::uint64_t;
using HandleId = std::uint64_t;

// --- names and attributes ------------------------------------------------------------------------
Task<Result<Entry>> lookup(Mount& mount, Call call, NodeId parent, std::string name);
void forget(Mount& mount, NodeId node, std::uint64_t lookups);
Task<Result<fs::Attr>> getattr(Mount& mount, Call call, NodeId node);
/// The answers that need no request, nullopt where one is needed: nine in ten of what the kernel
/// asks on its way along a path, and too many to start a coroutine for each.
std::optional<Entry> lookup_now(Mount& mount,
                                std::int32_t thread,
                                NodeId parent,
                                const std::string& name);
std::optional<fs::Attr> getattr_now(Mount& mount, std::int32_t thread, NodeId node);

struct AttrRequest {
  std::optional<std::uint32_t> mode, uid, gid;  // mode: permission bits
  std::optional<std::uint64_t> size;
  std::optional<std::int64_t> atime_ns, mtime_ns;
};
Task<Result<fs::Attr>> setattr(Mount& mount, Call call, NodeId node, AttrRequest request);
Task<Result<std::string>> readlink(Mount& mount, Call call, NodeId node);

// --- creating and removing -----------------------------------------------------------------------
struct Opened {
  HandleId handle = 0;
  bool keep_cache = false;  // the kernel's pages are of this version
  bool writes = true;       // its close has something to publish
};
struct Created {
  Entry entry;
  Opened opened;
};
/// Reserves the name in the cluster; already_exists with O_EXCL when somebody else was first.
Task<Result<Created>> create(
    Mount& mount, Call call, NodeId parent, std::string name, std::uint32_t mode, int flags);
Task<Result<Entry>> mknod(Mount& mount,
                          Call call,
                          NodeId parent,
                          std::string name,
                          std::uint32_t mode,
                          std::uint64_t rdev);
Task<Result<Entry>> symlink(
    Mount& mount, Call call, std::string target, NodeId parent, std::string name);
Task<Result<Entry>> mkdir(
    Mount& mount, Call call, NodeId parent, std::string name, std::uint32_t mode);
Task<Status> unlink(Mount& mount, Call call, NodeId parent, std::string name);
Task<Status> rmdir(Mount& mount, Call call, NodeId parent, std::string name);

struct RenameRequest {
  NodeId parent = 0;
  std::string name;
  NodeId new_parent = 0;
  std::string new_name;
  bool no_replace = false;
};
Task<Status> rename(Mount& mount, Call call, RenameRequest request);

// --- files ---------------------------------------------------------------------------------------
Task<Result<Opened>> open(Mount& mount, Call call, NodeId node, int flags);
Task<Result<std::string>> read(Mount& mount, Call call, HandleId handle, ByteRange range);
/// Returns how much was taken: all of it.
Task<Result<std::size_t>> write(
    Mount& mount, Call call, HandleId handle, std::uint64_t offset, std::string bytes);
/// close(2) of one descriptor: publishes at the bucket's close level.
Task<Status> flush(Mount& mount, Call call, HandleId handle);
/// The last descriptor is gone: publishes what a mapping dirtied late, ends the handle.
Task<Status> release(Mount& mount, Call call, HandleId handle);
/// Publishes at level full.
Task<Status> fsync(Mount& mount, Call call, HandleId handle);
enum class Allocate : std::uint8_t { kExtend, kKeepSize, kPunchHole, kZero, kZeroKeepSize };
Task<Status> fallocate(Mount& mount, Call call, HandleId handle, Allocate how, ByteRange range);
/// SEEK_DATA and SEEK_HOLE: everything up to the end is data. out of range: ENXIO.
Task<Result<std::uint64_t>> lseek(
    Mount& mount, Call call, HandleId handle, std::uint64_t offset, int whence);
Task<Result<std::size_t>> copy_file_range(Mount& mount,
                                          Call call,
                                          HandleId from,
                                          std::uint64_t from_offset,
                                          HandleId to,
                                          std::uint64_t to_offset,
                                          std::uint64_t length);

// --- directories ---------------------------------------------------------------------------------
/// Kept small: a listing may be of millions.
struct DirEntry {
  std::string name;
  std::uint64_t ino = 0;
  std::shared_ptr<const ObjectInfo> info = nullptr;  // of files, until it was adopted
  std::uint32_t next = 0;                            // where the following entry begins
  std::uint16_t type = 0;                            // S_IFMT bits
  bool leased = false;                               // the info
};
Task<Result<HandleId>> opendir(Mount& mount, Call call, NodeId node);
/// The entry at `position` of the listing that the first call begins (0 begins); nullopt at its
/// end.
Task<Result<std::optional<DirEntry>>> read_entry(Mount& mount,
                                                 Call call,
                                                 HandleId handle,
                                                 std::uint64_t position);
/// The inode of a listed file, for READDIRPLUS; counts a lookup. nodeid 0: ask by LOOKUP.
Entry adopt(Mount& mount, const Call& call, HandleId handle, const DirEntry& entry);
void releasedir(Mount& mount, HandleId handle);
Task<Status> fsyncdir(Mount& mount, Call call, NodeId node);

// --- the rest ------------------------------------------------------------------------------------
Task<Result<struct statvfs>> statfs(Mount& mount, Call call);
enum class XattrMode : std::uint8_t { kAny, kCreate, kReplace };
Task<Status> setxattr(
    Mount& mount, Call call, NodeId node, std::string name, std::string value, XattrMode mode);
/// unsupported outside of user.*; no_attribute.
Task<Result<std::string>> getxattr(Mount& mount, Call call, NodeId node, std::string name);
/// Names, each ended by NUL.
Task<Result<std::string>> listxattr(Mount& mount, Call call, NodeId node);
Task<Status> removexattr(Mount& mount, Call call, NodeId node, std::string name);

}  // namespace aisfs::ops
