// SPDX-License-Identifier: MIT
#pragma once
#include <condition_variable>
#include <thread>

#include "node/store/block_buffers.h"
#include "node/store/confirmed_names.h"
#include "node/store/key_locks.h"
#include "node/store/mountpaths.h"
#include "node/store/object_file.h"
#include "node/store/open_files.h"
#include "node/store/store.h"
#include "node/store/version_clock.h"

namespace aisfs::store {

/// Held while one name, or two, change. What is there of them lies at its place meanwhile.
struct [[nodiscard]] NameGuard {
  OpGate::Pass pass;  // the mountpaths stay, unless one fails
  KeyLocks::Guard first, second;
};

/// What the operations of a store share. Its parts are thread-safe.
class Engine {
 public:
  Engine(StoreOptions options, Clock& clock);
  ~Engine();

  Status open();
  void close();

  MountpathOptions mountpath_options(const std::string& path);
  /// Of a rename between two mountpaths nobody knows whether it happened: it is found out as soon
  /// as both can be read.
  void doubt_rename(RenameIntentRecord intent);
  std::vector<RenameIntentRecord> take_doubted_renames();
  /// How often a copy was not made that there should be.
  std::atomic<std::uint64_t> copies_left = 0;
  /// Of which there are no copies on other disks as long as they refer to content.
  void note_reference(const Key& key);
  std::vector<Key> take_references();
  /// As any mountpath knows it.
  std::optional<BucketName> name_of(BucketId bucket) const;
  /// Of what lies there: names at their place. Null for all, in buckets without copies.
  std::function<bool(std::string_view key, std::string_view record)> without_copies(
      const MountpathSet& set, const Mountpath& mountpath, BucketId bucket) const;
  /// What a mountpath that has recovered holds: nobody knows which barriers it has passed, and who
  /// has read it.
  void take_in(Mountpath& mountpath);
  Leaving leaving() const;
  void note_return(std::uint64_t replicated);

  const StoreOptions options;
  Clock& clock;
  OpGate gate;
  ReadPins pins;
  OpenFiles files;
  Mountpaths mounts;
  VersionClock versions;
  KeyLocks locks;
  KeyLocks admin;                       // one change of the mountpaths at a time
  disk::IoPool chores{{.threads = 2}};  // of what is done to mountpaths as a whole
  VerifiedSet verified;
  BlockBuffers blocks;
  std::vector<RecoveryReport> reports;
  std::atomic<bool> ready = false;
  std::atomic<CopyKeeper*> copy_keeper = nullptr;
  std::optional<std::uint64_t> returned_from;  // of mountpaths that were back before there was one

  /// Where a name is placed. Who changes it finds it there and nowhere else.
  Mountpath& mountpath_of(const Key& key) const { return mounts.now().place_of(key.digest); }

  /// Where a name is placed, for one who has no guard: it stays open while it is held.
  std::shared_ptr<Mountpath> hold_place(const Key& key) const;

  /// Before a change of the name: with the lock, once what lies elsewhere has come to its place.
  /// The key outlives the task.
  Task<Result<NameGuard>> lock(const Key& key);
  Task<Result<NameGuard>> lock_both(const Key& a, const Key& b);
  /// The lock alone: what is there may lie anywhere.
  Task<NameGuard> lock_in_place(const Key& key);
  /// As lock(), or as lock_in_place().
  Task<Result<NameGuard>> lock_to_remove(const Key& key, bool in_place);
  /// All versions of a key have one lock.
  static std::uint64_t lock_hash(const Key& key);

  /// The newest that is known of the name, tombstones too, and on which mountpath. Inline.
  struct Found {
    std::optional<IndexRecord> record;
    Mountpath* mountpath = nullptr;  // where the name is placed, if there is nothing
  };
  Result<Found> find_anywhere(const Key& key) const;
  Result<std::optional<IndexRecord>> newest(const Key& key) const;
  Result<std::optional<IndexPeek>> peek(const Key& key) const;

  /// What is there, tombstones as nullopt. Inline. `info` may be incomplete. not_ready when there
  /// is nothing, and a mountpath that is out of reach may have it.
  Result<std::optional<IndexRecord>> find(const Key& key) const;
  /// As find, where something that is written whole takes the place of whatever that may be.
  Result<std::optional<IndexRecord>> find_to_replace(const Key& key) const;
  /// `known`: what newest() said. not_ready when one that is out of reach may have something newer.
  Status check_known(const Key& key, const std::optional<IndexRecord>& known) const;
  bool is_lost(const Key& key) const;
  bool has_lost_names() const;
  /// Whether an index knows anything of the name, be it that it is gone.
  bool is_recorded(const Name& name) const;
  /// Whether that is so of what is known, beside what find() says, because others have said so.
  ConfirmedNames confirmed;
  /// As find, with everything that the file's metadata says.
  Task<Result<std::optional<IndexRecord>>> find_whole(Key key);
  /// The file behind a record, open; from the cache or with one hop.
  Task<Result<std::shared_ptr<OpenFile>>> open_file(Key key, IndexRecord record);
  /// The same on a thread of the disk, past the cache. `pin`: of its content version, from before.
  Result<std::shared_ptr<OpenFile>> open_file_now(const Key& key,
                                                  const IndexRecord& record,
                                                  ReadPins::Pin pin);

  /// The file of what the index names now, if it is open and says all that the index does. Inline.
  std::shared_ptr<OpenFile> open_of(const Key& key);

  /// Everything published so far has been promised to survive power loss.
  void promise_all();
  /// Whether anybody was promised that this version survives power loss.
  bool is_promised(const IndexRecord& version) const;

  /// A version was replaced: its file may stay open for a moment, what it had beside it goes.
  /// Blocks.
  void drop_replaced(Mountpath& mountpath, const Key& key, const IndexRecord& old);
  /// Removes the content of a reference, wherever it lies. Nothing there is success. Blocks.
  Status drop_content(const Key& home, const Reference& content);

 private:
  static constexpr std::size_t kDoubtedMax = 10'000;
  static constexpr std::size_t kReferencesMax = 10'000;

  Status recover_all();
  Status start_clock();
  Status save_ceiling(std::uint64_t hlc);
  void tick();
  Status tick_mountpath(Mountpath& mountpath);
  void stop_ticking();
  Status check_newest(const MountpathSet& set, const Key& key, Version known) const;

  std::mutex doubted_mutex_;
  std::vector<RenameIntentRecord> doubted_;  // guarded by doubted_mutex_
  std::mutex references_mutex_;
  std::map<Name, Key> references_;  // guarded by references_mutex_
  std::atomic<std::uint64_t> verified_turn_ = 0;
  std::atomic<std::uint64_t> promised_ = 0;  // the clock when promise_all() was called last
  std::mutex tick_mutex_;
  std::condition_variable tick_wake_;
  bool stop_ = false;  // guarded by tick_mutex_
  std::thread ticker_;
};

/// not_ready: what is asked for may lie on that mountpath.
Error out_of_reach(const Lack& lack, const std::string& what);

/// A barrier without a change.
Task<Status> sync_mountpath(Mountpath& mountpath);

/// Where the content of a reference lies on its key's mountpath.
std::string content_path(const std::string& bucket_dir, const Reference& reference);

/// What a file system's publish over `base` must not fall below: a barrier may have passed since
/// `base` was published at a lower level (an fsync, a flush).
Durability level_to_keep(const Mountpath& mountpath, const IndexRecord& base);

/// The barriers of a publish at `level` over something of the level `replaced`, if anything.
void set_barriers(Mutation& mutation, Durability level, std::optional<Durability> replaced);

}  // namespace aisfs::store
