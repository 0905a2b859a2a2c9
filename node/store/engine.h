// SPDX-License-Identifier: MIT
#pragma once
#include <condition_variable>
#include <thread>

#include "node/store/block_buffers.h"
#include "node/store/key_locks.h"
#include "node/store/mountpath.h"
#include "node/store/object_file.h"
#include "node/store/open_files.h"
#include "node/store/store.h"
#include "node/store/version_clock.h"

namespace aisfs::store {

/// What the operations of a store share. Its parts are thread-safe.
class Engine {
 public:
  Engine(StoreOptions options, Clock& clock);
  ~Engine();

  Status open();
  void close();

  const StoreOptions options;
  Clock& clock;
  std::vector<std::unique_ptr<Mountpath>> mountpaths;
  VersionClock versions;
  KeyLocks locks;
  ReadPins pins;
  OpenFiles files;
  VerifiedSet verified;
  BlockBuffers blocks;
  std::vector<RecoveryReport> reports;
  std::atomic<bool> ready = false;

  std::size_t mountpath_index(std::uint64_t digest) const;
  Mountpath& mountpath_of(const Key& key) { return *mountpaths[mountpath_index(key.digest)]; }
  Task<KeyLocks::Guard> lock(const Key& key) { return locks.lock(lock_hash(key)); }
  /// All versions of a key have one lock.
  static std::uint64_t lock_hash(const Key& key);

  /// What is there, tombstones as nullopt. Inline. `info` may be incomplete.
  Result<std::optional<IndexRecord>> find(const Key& key);
  /// As find, with everything that the file's metadata says.
  Task<Result<std::optional<IndexRecord>>> find_whole(Key key);
  /// The file behind a record, open; from the cache or with one hop.
  Task<Result<std::shared_ptr<OpenFile>>> open_file(Key key, IndexRecord record);

  /// The file of what the index names now, if it is open and says all that the index does. Inline.
  std::shared_ptr<OpenFile> open_of(const Key& key);

  /// Everything published so far has been promised to survive power loss.
  void promise_all();
  /// Whether anybody was promised that this version survives power loss.
  bool is_promised(const IndexRecord& version) const;

  /// A version was replaced: its file may stay open for a moment, what it had beside it goes.
  /// Blocks.
  void drop_replaced(const Key& key, const IndexRecord& old);

 private:
  Status recover_all();
  Status finish_rename(Mountpath& source, const RenameIntentRecord& intent);
  Status start_clock();
  void tick();
  void stop_ticking();
  Result<std::shared_ptr<OpenFile>> open_file_now(const Key& key, const IndexRecord& record);

  std::vector<std::uint64_t> digests_;  // of the mountpaths
  std::atomic<std::uint64_t> promised_ = 0;  // the clock when promise_all() was called last
  std::mutex tick_mutex_;
  std::condition_variable tick_wake_;
  bool stop_ = false;  // guarded by tick_mutex_
  std::thread ticker_;
};

/// Where the content of a reference lies on its key's mountpath.
std::string content_path(const std::string& bucket_dir, const Reference& reference);

/// What a file system's publish over `base` must not fall below: a barrier may have passed since
/// `base` was published at a lower level (an fsync, a flush).
Durability level_to_keep(const Mountpath& mountpath, const IndexRecord& base);

/// The barriers of a publish at `level` over something of the level `replaced`, if anything.
void set_barriers(Mutation& mutation, Durability level, std::optional<Durability> replaced);

}  // namespace aisfs::store
