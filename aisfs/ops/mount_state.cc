// SPDX-License-Identifier: MIT
#include "aisfs/ops/mount_state.h"

#include "aisfs/ops/open_file.h"
#include "aisfs/ops/promises.h"
#include "common/obs/log.h"

namespace aisfs::ops {

Mount::Mount(Cluster c, fs::Options o, asio::any_io_executor ex)
    : cluster(c),
      options(std::move(o)),
      shard(ex),
      inodes(options.defaults),
      read_budget(options.read_memory),
      background(std::move(ex)) {}

Mount::~Mount() { disk.join(); }

void Mount::touch(fs::Inode& directory) {
  directory.touched_ns = fs::now_ns();
  directory.attr.mtime_ns = directory.attr.ctime_ns = directory.touched_ns;
  changed(directory);
}

void Mount::keep_info(const fs::InodePtr& inode, ObjectInfo info) {
  constexpr std::size_t kKept = 4096;  // some 1 KiB each
  if (!inode->info) used_last.push_back(inode);
  inode->info = std::make_shared<const ObjectInfo>(std::move(info));
  while (used_last.size() > kKept) {
    if (const auto oldest = used_last.front().lock()) oldest->info.reset();
    used_last.pop_front();
  }
}

Task<Status> Mount::close() {
  Status first;
  std::vector<FileHandle> open;
  for (const auto& [id, handle] : files) open.push_back(handle);
  for (const FileHandle& handle : open) {
    Call call;
    *call.deadline = Deadline::after(options.op_timeout);
    co_await end_wait_for_name(handle.file);
    const auto permit = co_await handle.file->turn.acquire();
    if (handle.inode->open != handle.file) continue;  // published and released meanwhile
    Status done = co_await publish(*this, call, handle.inode, Durability::kFull);
    if (done.ok()) continue;
    LOG_ERROR("unmounting: data of an open file is lost", "name", handle.inode->name, "why",
              done.error().what());
    if (first.ok()) first = std::move(done);
  }
  const Deadline patience = Deadline::after(options.op_timeout);
  if (Status sent = co_await delegations.close(patience); !sent) {
    LOG_ERROR("unmounting: attributes are lost", "why", sent.error().what());
    if (first.ok()) first = std::move(sent);
  }
  background.cancel();
  co_await background.join();
  co_return first;
}

void Call::allow_for(std::uint64_t bytes, const fs::Options& options) const {
  const auto seconds = std::chrono::seconds(bytes / options.slowest_bytes_per_s);
  const Deadline later = Deadline::after(options.op_timeout + seconds);
  if (deadline->at() < later.at()) *deadline = later;
}

Result<fs::InodePtr> inode_of(Mount& mount, std::uint64_t nodeid) {
  if (auto inode = mount.inodes.find(nodeid)) return inode;
  return Error(Errc::precondition_failed, "the inode is not known any more");
}

Result<FileHandle> handle_of(Mount& mount, std::uint64_t handle) {
  const auto it = mount.files.find(handle);
  if (it == mount.files.end()) return Error(Errc::invalid_argument, "no such handle");
  return it->second;
}

Entry entry_of(Mount& mount, const fs::InodePtr& inode) {
  mount.inodes.remember(inode);
  return {inode->nodeid, shown(*inode)};
}

Valid valid_for(Mount& mount, std::uint64_t nodeid) {
  const fs::InodePtr inode = mount.inodes.find(nodeid);
  if (!inode) return {};
  const bool of_map = inode->kind == fs::Kind::kRoot || inode->kind == fs::Kind::kBucket;
  const Duration left = of_map ? mount.leases.left_of_map() : mount.leases.left(inode->lease);
  if (left > Duration::zero()) inode->kernel_until = RealClock().now() + left;
  // The kernel changes size and times of a file that is written by itself, and not as we do.
  const auto& open = inode->open;
  const bool changes = open && open->is_dirty() && !open->promised;
  return {.name = left, .attr = changes ? Duration{} : left};
}

Valid valid_for(Mount& mount, const Entry& entry) {
  if (entry.nodeid == 0) return {.name = mount.leases.left(entry.missing)};
  return valid_for(mount, entry.nodeid);
}

fs::Attr shown(const fs::Inode& inode) {
  fs::Attr attr = inode.attr;
  if (inode.open) attr.size = inode.open->size;
  if (!inode.has_name()) attr.nlink = 0;
  return attr;
}

}  // namespace aisfs::ops
