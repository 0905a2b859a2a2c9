// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "node/store/disk_health.h"
#include "node/store/mountpath.h"
#include "node/store/mountpath_set.h"
#include "node/store/mountpath_table.h"
#include "node/store/op_gate.h"
#include "node/store/open_files.h"

namespace aisfs::store {

/// The mountpaths of a store: which there are, which of them count, and what becomes of one whose
/// disk fails.
///
/// Everybody goes by the newest set. A mountpath that is in it no more is closed when the last
/// operation that may use it has ended: those with a pass of the gate, and those that hold it. Who
/// looks into an index with neither finds it closed (not_ready). Thread-safe after start().
class Mountpaths {
 public:
  struct Deps {
    std::function<MountpathOptions(const std::string& path)> options;
    OpGate& gate;
    OpenFiles& files;
    std::function<Leaving()> leaving;  // what is so now
    /// A mountpath is about to be back: Leaving::replicated when it went. With locks held.
    std::function<void(std::uint64_t)> returning;
  };
  explicit Mountpaths(Deps deps) : deps_(std::move(deps)) {}
  ~Mountpaths() { close(); }

  const MountpathSet& now() const { return *now_.load(std::memory_order_acquire); }
  MountpathTable table() const;

  // --- a start, by one thread
  // ---------------------------------------------------------------------

  /// Opens what the target has: by the tables on the disks, and `configured` beside them. What is
  /// not there is missing from then on, unless nothing is; what no table knows has to be there.
  Status open(const std::vector<std::string>& configured);
  /// What open() has opened.
  std::vector<std::shared_ptr<Mountpath>> opened() const;
  /// It cannot be used, as its recovery has shown. `why`'s error when it is the last one.
  Status drop(const Mountpath& mountpath, const Error& why);
  /// From here on there is a set. `in_order`: it is known that nothing was moved or made since the
  /// table was written.
  void start(bool in_order);

  // --- then
  // -----------------------------------------------------------------------------------------

  /// Keeps it open; null for one that does not count any more.
  std::shared_ptr<Mountpath> hold(const Mountpath& mountpath) const;

  using Edit = std::function<Status(MountpathTable& table)>;
  /// Changes the table, makes the set that it describes the newest, and the table durable.
  /// Mountpaths that are not open by the table any more are closed, cleanly if they hold nothing.
  /// Blocks.
  Status change(const Edit& edit);
  /// Those that are open take part in this start of the node. Blocks.
  Status stamp(std::uint32_t incarnation);
  /// As change(), with another mountpath, which has recovered.
  Status add(std::shared_ptr<Mountpath> mountpath, const Edit& edit);

  /// Takes one out because its disk has failed. The last one stays. Blocks on no disk.
  void fail(const Mountpath& mountpath, const Error& why);
  /// Whether that was to happen to the last one.
  bool last_fails() const { return last_fails_.load() && now().placing.size() == 1; }
  /// An operation on it has met an error.
  void suspect(const Mountpath& mountpath);

  /// Whether an earlier mountpath at this path is not closed yet.
  bool is_closing(const std::string& path) const;

  /// Does this on the threads of every open mountpath, and waits for all, but not for a disk that
  /// hangs. Returns whether it succeeded on one at least, else an error of one.
  Status on_all(std::function<Status(Mountpath&)> work);

  /// Closes all, cleanly if asked for.
  void close(bool cleanly = false);

 private:
  struct Open {
    std::shared_ptr<Mountpath> mountpath;
    std::unique_ptr<DiskHealth> health;
  };
  /// One that does not count any more.
  struct Retired {
    Open open;
    std::uint64_t turn = 0;  // passes of older ones may use it
    bool cleanly = false;
    std::thread closing;
    std::shared_ptr<std::atomic<bool>> closed = std::make_shared<std::atomic<bool>>(false);
  };

  Status open_known(MountpathEntry& entry);
  Status open_new(const std::string& path);
  void tell_of_returns(const MountpathTable& next) const;
  void lose_at_start(MountpathEntry& entry, MountpathEntry::State state, const Error& why);
  Result<MountpathTable> find_table(const std::vector<std::string>& configured) const;
  std::unique_ptr<DiskHealth> watch(const std::shared_ptr<Mountpath>& mountpath);
  void publish();
  void retire_unused();
  Status save();
  void keep();
  void fail_stuck();
  void close_retired();

  const Deps deps_;
  std::atomic<const MountpathSet*> now_ = nullptr;
  std::atomic<bool> last_fails_ = false;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  MountpathTable table_;
  std::map<std::string, Open> open_;  // by path
  std::vector<std::string> lost_at_start_;
  std::vector<std::unique_ptr<const MountpathSet>>
      sets_;  // all there were: somebody may look at one
  std::list<Retired> retired_;
  std::uint64_t saved_ = 0;  // the version of the table on the disks
  bool stop_ = false;
  std::condition_variable wake_;
  std::mutex saving_;  // before mutex_
  std::thread keeper_;
};

}  // namespace aisfs::store
