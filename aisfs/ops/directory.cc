// SPDX-License-Identifier: MIT
// opendir, readdir(plus), releasedir, fsyncdir.
#include "aisfs/fs/names.h"
#include "aisfs/ops/dir_handle.h"
#include "aisfs/ops/observe.h"
#include "aisfs/ops/open_file.h"

namespace aisfs::ops {
namespace {

constexpr std::uint32_t kPage = 1000;

void add(DirHandle& handle, DirEntry entry) {
  entry.next = static_cast<std::uint32_t>(handle.entries.size() + 1);
  handle.entries.push_back(std::move(entry));
}

Task<Status> load_buckets(Mount& mount, Call call, std::shared_ptr<DirHandle> handle) {
  CO_TRY(const auto buckets, co_await mount.cluster.admin.list_buckets(call.context()));
  for (const Bucket& bucket : buckets) {
    if (bucket.name.provider != "ais" || !bucket.name.ns.empty()) continue;
    DirEntry entry{
        .name = bucket.name.name, .ino = fs::implied_ino(bucket.id.value, ""), .type = S_IFDIR};
    add(*handle, std::move(entry));
  }
  handle->complete = true;
  co_return Status();
}

/// Where S3 made both "a" and "a/b", the directory wins: the file leaves the page it was in.
void add_directory(DirHandle& handle, std::string name) {
  const auto same = [&](const DirEntry& entry) { return entry.name == name; };
  const auto it = std::find_if(handle.entries.rbegin(), handle.entries.rend(), same);
  if (it != handle.entries.rend()) {
    it->type = S_IFDIR;
    it->info.reset();
    return;
  }
  const std::string path = fs::join(handle.place.path, name);
  const std::uint64_t ino = fs::implied_ino(handle.place.bucket_id, path);
  DirEntry entry{.name = std::move(name), .ino = ino, .type = S_IFDIR};
  add(handle, std::move(entry));
}

void add_file(
    const Mount& mount, DirHandle& handle, std::string name, ObjectInfo info, bool leased) {
  const fs::Attr attr = fs::file_attr(info, mount.options.defaults);
  DirEntry entry{.name = std::move(name),
                 .ino = attr.ino,
                 .info = std::make_shared<const ObjectInfo>(std::move(info)),
                 .type = static_cast<std::uint16_t>(attr.mode & S_IFMT),
                 .leased = leased};
  add(handle, std::move(entry));
}

Task<Status> load_page(Mount& mount, Call call, std::shared_ptr<DirHandle> handle) {
  if (handle->after.empty()) {
    CO_CHECK_OK(co_await settle_names(mount, call, handle->inode));
    handle->sequence = mount.sequence;
    handle->drops = mount.leases.drops();
  }
  const std::string& path = handle->place.path;
  ListOptions options{.prefix = path.empty() ? "" : path + "/",
                      .after = handle->after,
                      .delimiter = "/",
                      .limit = kPage,
                      .attributes = true};
  const std::size_t skip = options.prefix.size();
  CO_TRY(ListPage page, co_await mount.cluster.objects.list(call.context(), handle->place.bucket,
                                                            std::move(options)));
  for (ListEntry& entry : page.entries) {
    std::string name = entry.key.substr(skip);
    if (entry.is_prefix) name.pop_back();
    if (!fs::is_visible(name)) continue;  // the marker itself, "//", names over 255 bytes
    if (entry.is_prefix) {
      add_directory(*handle, std::move(name));
    } else {
      add_file(mount, *handle, std::move(name), std::move(entry.info), page.leased);
    }
  }
  handle->after = page.next;
  handle->complete = !page.more;
  co_return Status();
}

Result<std::shared_ptr<DirHandle>> find_handle(Mount& mount, HandleId id) {
  const auto it = mount.directories.find(id);
  if (it == mount.directories.end()) return Error(Errc::invalid_argument, "no such handle");
  return it->second;
}

}  // namespace

Task<Result<HandleId>> opendir(Mount& mount, Call, NodeId node) {
  CO_TRY(const fs::InodePtr inode, inode_of(mount, node));
  if (!inode->is_directory()) co_return Error(Errc::not_directory, inode->name);
  auto handle = std::make_shared<DirHandle>();
  handle->inode = inode;
  DirEntry self{.name = ".", .ino = inode->attr.ino, .type = S_IFDIR};
  DirEntry up{.name = "..",
              .ino = inode->parent ? inode->parent->attr.ino : inode->attr.ino,
              .type = S_IFDIR};
  add(*handle, std::move(self));
  add(*handle, std::move(up));
  if (!inode->has_name()) {
    handle->complete = true;  // removed, but still someone's working directory: empty
  } else if (inode->kind != fs::Kind::kRoot) {
    CO_TRY(handle->place, mount.inodes.place(*inode));
  }
  const HandleId id = ++mount.last_handle;
  mount.directories[id] = std::move(handle);
  co_return id;
}

Task<Result<std::optional<DirEntry>>> read_entry(Mount& mount,
                                                 Call call,
                                                 HandleId id,
                                                 std::uint64_t position) {
  CO_TRY(const auto handle, find_handle(mount, id));
  while (position >= handle->entries.size() && !handle->complete) {
    const bool root = handle->inode->kind == fs::Kind::kRoot;
    CO_CHECK_OK(root ? co_await load_buckets(mount, call, handle)
                     : co_await load_page(mount, call, handle));
  }
  if (position >= handle->entries.size()) co_return std::optional<DirEntry>();
  co_return std::optional<DirEntry>(handle->entries[position]);
}

Entry adopt(Mount& mount, const Call& call, HandleId id, const DirEntry& entry) {
  const auto handle = find_handle(mount, id);
  if (!handle || !entry.info || !(*handle)->inode->has_name()) return {};
  (*handle)->entries[entry.next - 1].info.reset();  // a listing may be of a million names
  fs::Place place = (*handle)->place;
  place.path = fs::join(place.path, entry.name);
  remember_listed(mount, place, *entry.info);
  const fs::InodePtr parent = (*handle)->inode;
  fs::InodePtr inode = mount.inodes.child(*parent, entry.name);
  if (inode && inode->is_directory()) return {};
  // An open file has its own idea of its attributes; another object under the name is LOOKUP's.
  if (inode &&
      (inode->open || inode->attrs_unsent || inode->sending || inode->attr.ino != entry.info->ino))
    return {};
  if (!inode) inode = mount.inodes.add(parent, entry.name, fs::Kind::kFile);
  if (inode->changed_at == 0 && !mount.leases.holds(inode->lease)) {
    take_file(mount, *inode, *entry.info);
    mark_seen(mount, call, *inode);
    const bool unchanged =
        parent->revoked_at <= (*handle)->sequence && mount.leases.drops() == (*handle)->drops;
    if (entry.leased && unchanged) inode->lease = mount.leases.begin(place);
  }
  return entry_of(mount, inode);
}

void releasedir(Mount& mount, HandleId id) { mount.directories.erase(id); }

/// The names of a directory are spread over all targets.
Task<Status> fsyncdir(Mount& mount, Call call, NodeId node) {
  CO_TRY(const fs::InodePtr directory, inode_of(mount, node));
  if (directory->kind == fs::Kind::kRoot || !directory->has_name()) co_return Status();
  CO_CHECK_OK(co_await settle_names(mount, call, directory));
  CO_CHECK_OK(co_await settle(mount, call, directory));
  CO_TRY(fs::Place place, mount.inodes.place(*directory));
  ObjectName all{std::move(place.bucket), ""};
  co_return co_await mount.cluster.objects.sync(call.context(), std::move(all));
}

}  // namespace aisfs::ops
