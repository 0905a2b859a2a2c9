// SPDX-License-Identifier: MIT
#include "aisfs/mount/dispatch_files.h"

#include <linux/falloc.h>

#include "aisfs/mount/run.h"

namespace aisfs::mount {
namespace {

constexpr Done kOk;
const auto kBytes = [](Reply reply, const std::string& bytes) { std::move(reply).bytes(bytes); };
const auto kWritten = [](Reply reply, std::size_t count) { std::move(reply).written(count); };

/// The kernel gave up on an OPEN that succeeded: the handle goes, its reservation stays.
Task<void> release_unwanted(ops::Mount& mount, ops::HandleId handle) {
  ops::Call call;
  *call.deadline = Deadline::after(mount.options.op_timeout);
  const Status done = co_await ops::release(mount, call, handle);
  if (!done) LOG_WARN("release of an interrupted open", "why", done.error().what());
}

void on_create(
    fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* info) {
  auto& mount = dispatch_of(req).mount;
  const ops::Call call = call_of(req);
  run(req, "create", call, ops::create(mount, call, parent, name, mode, info->flags),
      [&mount](Reply reply, const ops::Created& created) {
        const ops::Valid valid = ops::valid_for(mount, created.entry.nodeid);
        if (std::move(reply).created(created, valid)) return;
        ops::forget(mount, created.entry.nodeid, 1);
        mount.background.spawn(release_unwanted(mount, created.opened.handle));
      });
}

void on_open(fuse_req_t req, fuse_ino_t node, fuse_file_info* info) {
  auto& mount = dispatch_of(req).mount;
  const ops::Call call = call_of(req);
  run(req, "open", call, ops::open(mount, call, node, info->flags),
      [&mount](Reply reply, const ops::Opened& opened) {
        if (std::move(reply).opened(opened)) return;
        mount.background.spawn(release_unwanted(mount, opened.handle));
      });
}

void on_read(fuse_req_t req, fuse_ino_t, std::size_t size, off_t at, fuse_file_info* info) {
  const ops::Call call = call_of(req);
  const ByteRange range{static_cast<std::uint64_t>(at), size};
  run(req, "read", call, ops::read(dispatch_of(req).mount, call, info->fh, range), kBytes);
}

void on_write(fuse_req_t req,
              fuse_ino_t,
              const char* bytes,
              std::size_t size,
              off_t at,
              fuse_file_info* info) {
  const ops::Call call = call_of(req);
  run(req, "write", call,
      ops::write(dispatch_of(req).mount, call, info->fh, static_cast<std::uint64_t>(at),
                 std::string(bytes, size)),
      kWritten);
}

void on_flush(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  const auto begin = [&](const ops::Call& call) {
    return ops::flush(dispatch_of(req).mount, call, info->fh);
  };
  run_ahead(req, "flush", begin, kOk);
}

void on_release(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  const ops::Call call = call_of(req);
  run(req, "release", call, ops::release(dispatch_of(req).mount, call, info->fh), kOk);
}

void on_fsync(fuse_req_t req, fuse_ino_t, int, fuse_file_info* info) {
  const ops::Call call = call_of(req);
  run(req, "fsync", call, ops::fsync(dispatch_of(req).mount, call, info->fh), kOk);
}

bool allocate_mode(int mode, ops::Allocate& how) {
  switch (mode) {
    case 0:
      how = ops::Allocate::kExtend;
      return true;
    case FALLOC_FL_KEEP_SIZE:
      how = ops::Allocate::kKeepSize;
      return true;
    case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
      how = ops::Allocate::kPunchHole;
      return true;
    case FALLOC_FL_ZERO_RANGE:
      how = ops::Allocate::kZero;
      return true;
    case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
      how = ops::Allocate::kZeroKeepSize;
      return true;
    default:
      return false;
  }
}

void on_fallocate(
    fuse_req_t req, fuse_ino_t, int mode, off_t at, off_t length, fuse_file_info* info) {
  ops::Allocate how{};
  if (!allocate_mode(mode, how)) {
    fuse_reply_err(req, EOPNOTSUPP);
    return;
  }
  const ByteRange range{static_cast<std::uint64_t>(at), static_cast<std::uint64_t>(length)};
  const ops::Call call = call_of(req);
  run(req, "fallocate", call, ops::fallocate(dispatch_of(req).mount, call, info->fh, how, range),
      kOk);
}

/// lseek is the one call whose "past the end" is ENXIO.
void on_lseek(fuse_req_t req, fuse_ino_t, off_t at, int whence, fuse_file_info* info) {
  const ops::Call call = call_of(req);
  const auto seek = [](ops::Mount& mount, ops::Call c, ops::HandleId handle, std::uint64_t from,
                       int how) -> Task<Result<std::optional<std::uint64_t>>> {
    auto found = co_await ops::lseek(mount, std::move(c), handle, from, how);
    if (found) co_return std::optional(*found);
    if (found.error() == Errc::out_of_range) co_return std::optional<std::uint64_t>();
    co_return std::move(found).error();
  };
  run(req, "lseek", call,
      seek(dispatch_of(req).mount, call, info->fh, static_cast<std::uint64_t>(at), whence),
      [](Reply reply, std::optional<std::uint64_t> found) {
        if (found) {
          std::move(reply).position(*found);
        } else {
          std::move(reply).error(ENXIO);
        }
      });
}

void on_copy_file_range(fuse_req_t req,
                        fuse_ino_t,
                        off_t from,
                        fuse_file_info* source,
                        fuse_ino_t,
                        off_t to,
                        fuse_file_info* target,
                        std::size_t length,
                        int) {
  const ops::Call call = call_of(req);
  run(req, "copy_file_range", call,
      ops::copy_file_range(dispatch_of(req).mount, call, source->fh,
                           static_cast<std::uint64_t>(from), target->fh,
                           static_cast<std::uint64_t>(to), length),
      kWritten);
}

void on_opendir(fuse_req_t req, fuse_ino_t node, fuse_file_info*) {
  auto& mount = dispatch_of(req).mount;
  const ops::Call call = call_of(req);
  run(req, "opendir", call, ops::opendir(mount, call, node),
      [&mount](Reply reply, ops::HandleId handle) {
        if (!std::move(reply).opened_directory(handle)) ops::releasedir(mount, handle);
      });
}

void on_releasedir(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  ops::releasedir(dispatch_of(req).mount, info->fh);
  fuse_reply_err(req, 0);
}

void on_fsyncdir(fuse_req_t req, fuse_ino_t node, int, fuse_file_info*) {
  const ops::Call call = call_of(req);
  run(req, "fsyncdir", call, ops::fsyncdir(dispatch_of(req).mount, call, node), kOk);
}

fuse_entry_param listed_param(const ops::DirEntry& entry) {
  fuse_entry_param param = {};  // nodeid 0: name, type and ino only
  param.attr.st_ino = entry.ino;
  param.attr.st_mode = entry.type;
  return param;
}

struct Listing {
  fuse_req_t request = nullptr;  // for libfuse's helpers; answered by the caller
  ops::HandleId handle = 0;
  std::uint64_t position = 0;
  std::size_t room = 0;
};

/// Entries from `position` on, as many as fit, each with its inode where the listing knows it.
Task<Result<std::string>> list_plus(ops::Mount& mount, ops::Call call, Listing listing) {
  std::string out;
  while (true) {
    auto entry = co_await ops::read_entry(mount, call, listing.handle, listing.position);
    if (!entry && out.empty()) co_return std::move(entry).error();
    if (!entry || !entry->has_value()) break;  // an error comes again with the next call
    const ops::DirEntry& found = **entry;
    const std::size_t size =
        fuse_add_direntry_plus(listing.request, nullptr, 0, found.name.c_str(), nullptr, 0);
    if (out.size() + size > listing.room) break;
    const ops::Entry adopted = ops::adopt(mount, call, listing.handle, found);
    const fuse_entry_param param =
        adopted.nodeid == 0 ? listed_param(found)
                            : entry_param(adopted, ops::valid_for(mount, adopted.nodeid));
    const std::size_t at = out.size();
    out.resize(at + size);
    fuse_add_direntry_plus(listing.request, out.data() + at, size, found.name.c_str(), &param,
                           static_cast<off_t>(found.next));
    listing.position = found.next;
  }
  co_return out;
}

void on_readdirplus(fuse_req_t req, fuse_ino_t, std::size_t size, off_t at, fuse_file_info* info) {
  Listing listing{req, info->fh, static_cast<std::uint64_t>(at), size};
  const ops::Call call = call_of(req);
  run(req, "readdirplus", call, list_plus(dispatch_of(req).mount, call, listing), kBytes);
}

Task<Result<std::string>> list_plain(ops::Mount& mount, ops::Call call, Listing listing) {
  std::string out;
  while (true) {
    auto entry = co_await ops::read_entry(mount, call, listing.handle, listing.position);
    if (!entry && out.empty()) co_return std::move(entry).error();
    if (!entry || !entry->has_value()) break;
    const ops::DirEntry& found = **entry;
    const struct stat st = listed_param(found).attr;
    const std::size_t size =
        fuse_add_direntry(listing.request, nullptr, 0, found.name.c_str(), nullptr, 0);
    if (out.size() + size > listing.room) break;
    const std::size_t at = out.size();
    out.resize(at + size);
    fuse_add_direntry(listing.request, out.data() + at, size, found.name.c_str(), &st,
                      static_cast<off_t>(found.next));
    listing.position = found.next;
  }
  co_return out;
}

void on_readdir(fuse_req_t req, fuse_ino_t, std::size_t size, off_t at, fuse_file_info* info) {
  Listing listing{req, info->fh, static_cast<std::uint64_t>(at), size};
  const ops::Call call = call_of(req);
  run(req, "readdir", call, list_plain(dispatch_of(req).mount, call, listing), kBytes);
}

}  // namespace

void add_file_operations(fuse_lowlevel_ops& table) {
  table.create = on_create;
  table.open = on_open;
  table.read = on_read;
  table.write = on_write;
  table.flush = on_flush;
  table.release = on_release;
  table.fsync = on_fsync;
  table.fallocate = on_fallocate;
  table.lseek = on_lseek;
  table.copy_file_range = on_copy_file_range;
  table.opendir = on_opendir;
  table.readdir = on_readdir;
  table.readdirplus = on_readdirplus;
  table.releasedir = on_releasedir;
  table.fsyncdir = on_fsyncdir;
}

}  // namespace aisfs::mount
