// SPDX-License-Identifier: MIT
// Private to index*.cc.
#pragma once
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "common/base/unique_fd.h"
#include "common/lmdb/env.h"
#include "common/lmdb/table.h"
#include "node/store/index.h"
#include "node/store/index_overlay.h"
#include "node/store/name_tree.h"

namespace aisfs::store {

/// Beside the LMDB files, synced: whether they can be believed. Not inside, because reading a
/// damaged LMDB file is not safe.
struct IndexState {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  /// Of the tables and records; another number means an index of another release.
  static constexpr std::uint32_t kFormat = 1;

  std::uint32_t format = kFormat;
  disk::MountIdentity mount;
  bool built = false;
  bool clean = false;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(format, mount, built, clean);
  }
};

class Index::Impl {
 public:
  explicit Impl(IndexOptions options) : options_(std::move(options)) {}
  ~Impl();

  Status open();
  Status write_state(bool built, bool clean);

  struct Update {
    enum class Kind : std::uint8_t { kSet, kEraseBucket, kCheckpoint };
    Kind kind = Kind::kSet;
    BucketId bucket;
    std::string key;
    std::shared_ptr<const std::string> record;  // null: forget the key
    Lsn lsn = 0;
    std::uint64_t sequence = 0;
  };
  void enqueue(Update update);
  Status flush();
  Status health() const;
  /// Ends the writer after what is queued. Nothing is put any more.
  void stop();

  /// Shows `see` the encoded record of a name; it is not called when there is none.
  template <class See>
  Status look(BucketId bucket, std::string_view key, See see) const;
  Result<ScanPage> scan(BucketId bucket, const ScanOptions& options) const;

  // --- the writer's thread
  void run();
  bool wait_for_work();
  std::vector<Update> take_queue();
  bool commit_until_done(const std::vector<Update>& batch);
  void publish(const std::vector<Update>& batch);
  Status commit(const std::vector<Update>& batch);
  Status apply(lmdb::WriteTxn& txn, const Update& update);
  Status apply_set(lmdb::WriteTxn& txn, const Update& update);
  Status apply_erase_bucket(lmdb::WriteTxn& txn, BucketId bucket);
  void count(BucketId bucket, const BucketCounters& gone, const BucketCounters& come);
  Status save_meta(lmdb::WriteTxn& txn);
  Status load_meta();

  const IndexOptions options_;
  UniqueFd root_;
  std::unique_ptr<lmdb::Env> env_;
  NameTree names_, tombstones_;
  lmdb::Table counters_table_, meta_table_;
  bool fresh_ = false, was_clean_ = false;

  // What readers see before the tables; also the queue, so that both change together.
  mutable std::shared_mutex overlay_mutex_;
  IndexOverlay overlay_;
  std::vector<Update> queue_;
  std::uint64_t enqueued_ = 0;
  std::condition_variable_any space_cv_;  // with overlay_mutex_

  mutable std::mutex mutex_;
  std::condition_variable work_cv_, done_cv_;
  // Guarded by mutex_.
  std::uint64_t committed_ = 0;
  std::uint64_t wanted_ = 0;  // a flush waits for this one
  bool woken_ = false, stopping_ = false;
  bool crowded_ = false;  // the queue is long: the writer gathers no more
  std::optional<Error> failure_;
  std::unordered_map<std::uint64_t, BucketCounters> counters_;
  Lsn checkpoint_ = 0;
  NodeIds node_ids_;

  // Of the batch being committed; the writer's.
  std::unordered_map<std::uint64_t, BucketCounters> batch_counters_;
  NodeIds batch_ids_;
  Lsn batch_checkpoint_ = 0;

  std::thread writer_;
};

/// What a record adds to its bucket's counters; nothing for a tombstone.
BucketCounters index_counts_of(std::string_view encoded_record);
/// True for the encoding of a tombstone.
bool is_tombstone(std::string_view encoded_record);

}  // namespace aisfs::store
