// SPDX-License-Identifier: MIT
// What a mount is made of, and what every operation gets of its caller.
#pragma once
#include <boost/asio/thread_pool.hpp>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <unordered_map>

#include "aisfs/fs/inode_table.h"
#include "aisfs/fs/options.h"
#include "aisfs/fs/sights.h"
#include "aisfs/ops/delegations.h"
#include "aisfs/ops/leases.h"
#include "aisfs/read/reader.h"
#include "cachefs/names/name_cache.h"
#include "common/async/scope.h"
#include "common/client/object_api.h"

namespace aisfs::ops {

struct DirHandle;

/// One handle of an open file; all handles of an inode share its OpenFile.
struct FileHandle {
  fs::InodePtr inode;
  std::shared_ptr<OpenFile> file;
  int flags = 0;
};

/// Built in main, used on one shard only: everything below is that shard's.
struct Mount {
  struct Cluster {
    ObjectApi& objects;
    AdminApi& admin;
    MapSource& map;
    cachefs::NameCache* names = nullptr;  // what was seen in earlier mounts, if there is one
    LeaseApi* leases = nullptr;           // null: nothing is believed without asking
    std::uint64_t session = 0;            // of the leases, as `objects` sends it
  };
  Mount(Cluster cluster, fs::Options options, asio::any_io_executor shard);
  ~Mount();

  Cluster cluster;
  const fs::Options options;
  asio::any_io_executor shard;
  fs::InodeTable inodes;
  fs::Sights sights;
  read::Budget read_budget;
  asio::thread_pool disk{2};  // for the cache folder
  TaskScope background;       // read-ahead; cancelled and joined by close()
  Leases leases{*this};
  Delegations delegations{*this};
  struct Name {
    std::uint64_t directory = 0;  // its nodeid
    std::string name;
    auto operator<=>(const Name&) const = default;
  };
  std::map<Name, fs::InodePtr> leaving;  // names whose rename is on its way (promises.h)
  std::list<fs::InodePtr> sending;       // those with such a request (Sending)
  Notifier arrived;                      // one less
  std::size_t promised = 0;    // closes that were answered, but have not arrived (OpenFile)
  std::size_t overdue = 0;     // of those, that failed at first
  bool ending = false;         // what fails now is not tried again
  std::uint64_t sequence = 0;  // counts this mount's own changes
  std::unordered_map<std::uint64_t, FileHandle> files;
  std::unordered_map<std::uint64_t, std::shared_ptr<DirHandle>> directories;
  std::unordered_map<std::uint64_t, fs::Attr> bucket_attrs;  // set on a bucket's folder; by id
  std::uint64_t last_handle = 0;
  /// The newest lookup that found nothing.
  struct Missed {
    std::int32_t by = 0;  // Call::pid
    std::uint64_t parent = 0;
    std::string name;
    std::chrono::steady_clock::time_point at;
  } missed;

  /// Publishes what is dirty and ends background work. After it no operation may run.
  Task<Status> close();
  /// Remembers the object of a closed file, for its next open under a lease; of the files used
  /// last.
  void keep_info(const fs::InodePtr& inode, ObjectInfo info);
  std::deque<std::weak_ptr<fs::Inode>> used_last;
  /// Notes a change of this mount to an inode (see see_child).
  void changed(fs::Inode& inode) { inode.changed_at = ++sequence; }
  /// Entries of a directory changed: its times move, for as long as this mount knows it.
  void touch(fs::Inode& directory);
};

/// What LOOKUP and its like answer.
struct Entry {
  std::uint64_t nodeid = 0;  // 0: there is none, and the kernel may remember that
  fs::Attr attr;
  fs::Lease missing = {};  // of nodeid 0
};

/// Who asks, and how long he waits.
struct Call {
  std::uint32_t uid = 0, gid = 0;
  std::int32_t pid = 0;  // the thread, as FUSE says it
  std::shared_ptr<Deadline> deadline = std::make_shared<Deadline>();
  /// Of an operation that may be answered before it ends: answers with success (and the entry, if
  /// it makes one). Empty otherwise. Whoever has it takes it out of what it hands on.
  using Answer = std::function<void(const Entry&)>;
  Answer answer;
  Answer take_answer() { return std::exchange(answer, nullptr); }

  Context context() const { return {.deadline = *deadline}; }
  /// For requests that move many bytes: the deadline moves away.
  void allow_for(std::uint64_t bytes, const fs::Options& options) const;
};

/// stale for a nodeid that is not known any more.
Result<fs::InodePtr> inode_of(Mount& mount, std::uint64_t nodeid);
Result<FileHandle> handle_of(Mount& mount, std::uint64_t handle);

/// How long the kernel may believe what it is told now. Zero: not at all.
struct Valid {
  Duration name{}, attr{};
};
Valid valid_for(Mount& mount, std::uint64_t nodeid);
Valid valid_for(Mount& mount, const Entry& entry);

/// Hands the inode to the kernel: counts the lookup.
Entry entry_of(Mount& mount, const fs::InodePtr& inode);
/// The attributes to show: of a dirty file its own.
fs::Attr shown(const fs::Inode& inode);

}  // namespace aisfs::ops
