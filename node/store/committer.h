// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/disk/io_pool.h"
#include "node/store/resume.h"

namespace aisfs::store {

/// What is made durable.
enum class Barrier : std::uint8_t {
  kIntents,  // the intent log: what lies in it whole
  kFiles,    // the whole file system: contents, names, xattrs, both logs
};

/// One change of one name on its way to a mountpath.
class Mutation {
 public:
  virtual ~Mutation() = default;

  /// Everything that is not visible yet: the work file, its metadata, a tombstone in the log.
  virtual Status stage() { return {}; }
  /// Makes it visible: rename, index. Runs after the first barrier.
  virtual Status publish() = 0;
  /// After the second barrier, if there is one and it succeeded: what it replaced is needed no more.
  virtual void settle() {}

  // Set before stage() has ended.
  bool barrier_before = false;  // what was staged is durable before publish()
  bool barrier_after = false;   // what was published is durable before the acknowledgement
  bool flush_soon = false;      // acknowledged without a barrier: one is due some time later
  Barrier barrier = Barrier::kFiles;  // the one before; the one after is of the files

 private:
  friend class Committer;
  Resume<Status> done_;
};

/// Takes mutations of one mountpath through stage, barrier, publish, and for some another barrier.
///
/// Group commit: a barrier is one sync for everything that waits. Those that need the intent log alone
/// and those that need the files wait in lanes of their own, each with its thread. In the files' lane
/// the second barrier of one batch is the first of the next. Who comes
/// while a sync is in flight joins the next batch, which waits a small part of a sync for those who
/// have just been acknowledged; who comes alone waits for nobody. Renaming before the contents, or an
/// intent that has them, are durable tears objects and does not exist here.
///
/// A sync that failed is never repeated: the kernel has dropped the dirty pages and a second
/// call would report success. Everything that waited fails, and so does every later mutation:
/// the mountpath is suspect until a restart has read back what it really holds.
class Committer {
 public:
  using Sync = std::function<Status(Barrier)>;

  /// Hears of every mutation that failed, on the thread that it failed on.
  using OnError = std::function<void(const Error&)>;

  Committer(disk::IoPool& pool, Sync sync, OnError on_error = nullptr);
  ~Committer();  // finishes what was accepted

  /// Resumes when `mutation` is acknowledged or has failed. Cannot be cancelled: the caller's
  /// frame holds the mutation.
  Task<Status> run(Mutation& mutation);

  /// True when a mutation with `flush_soon` was acknowledged that long ago and no barrier has been
  /// passed since. Any thread.
  bool is_flush_due(Duration age) const;
  /// Has a barrier passed soon; waits for nothing. Any thread.
  void flush();
  /// Something was changed past run(), without a barrier: one is due some time later. Any thread.
  void note_unflushed();

  bool suspect() const { return suspect_.load(std::memory_order_relaxed); }
  void mark_suspect(const Error& why);
  /// Barriers done so far; for tests and metrics.
  std::uint64_t syncs() const { return syncs_.load(); }

 private:
  // A batch of more would make the first one in it wait for the renames of all.
  static constexpr std::size_t kBatchMax = 256;

  struct Lane {
    Barrier barrier;
    std::condition_variable wake;
    std::vector<Mutation*> waiting;  // guarded by mutex_
    std::size_t wanted = 1;          // guarded by mutex_: so many wake the thread
    bool flush = false;              // guarded by mutex_: a barrier is wanted for nobody
    std::thread thread;
  };

  Lane& lane_of(Barrier b) { return b == Barrier::kIntents ? intents_ : files_; }
  void start(Mutation* mutation);
  void enqueue(Mutation* mutation);
  void loop(Lane& lane);
  std::vector<Mutation*> take(Lane& lane, bool may_wait);
  bool take_flush(Lane& lane);
  void await_company(Lane& lane, std::size_t count, Duration barrier_took);
  Status pass(Barrier barrier);
  void finish(Mutation* mutation, Status status);
  Error why_suspect();

  disk::IoPool& pool_;
  const Sync sync_;
  const OnError on_error_;
  std::atomic<bool> suspect_ = false;
  std::atomic<std::uint64_t> syncs_ = 0;
  std::mutex mutex_;
  std::string why_;    // guarded by mutex_
  bool stop_ = false;  // guarded by mutex_
  // When the oldest mutation without a barrier was acknowledged; steady ns, 0: there is none.
  std::atomic<std::int64_t> unflushed_since_ = 0;
  Lane intents_{.barrier = Barrier::kIntents};
  Lane files_{.barrier = Barrier::kFiles};
};

}  // namespace aisfs::store
