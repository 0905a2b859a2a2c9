// SPDX-License-Identifier: MIT
// The index of a mountpath: (bucket id, key) -> what HEAD and LIST answer, in LMDB. Derived: made
// again from the files and the log when it cannot be believed.
//
// It is written without sync, so it survives kill -9 but not power loss: it is valid only when it
// was closed cleanly or was written on the same mount of the same boot (disk::mount_identity).
// Updates are queued, visible to readers at once, and committed in groups by one thread; what the
// queue held at a kill -9 comes back from the log's tail since the checkpoint.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/disk/fs_probe.h"
#include "common/model/object.h"
#include "node/store/log.h"
#include "node/store/object_meta.h"

namespace aisfs::store {

/// What the index knows of a name.
struct IndexRecord {
  enum class Kind : std::uint8_t { kObject = 0, kReference = 1, kTombstone = 2 };

  Kind kind = Kind::kObject;
  bool escaped = false;   // the file is at layout::escaped_path
  /// False when `info` lacks what would make the record large (part_sizes, long xattrs and user
  /// metadata): the file's own metadata has all. LIST answers from what is here.
  bool complete = true;
  Durability level = Durability::kNone;
  std::uint64_t root_hash = 0;
  ObjectInfo info;  // of a tombstone: only meta_version
  std::optional<Reference> reference;

  bool operator==(const IndexRecord&) const = default;
  bool visible() const { return kind != Kind::kTombstone; }

};

/// The front of a record: which version of what a name has now.
struct IndexPeek {
  IndexRecord::Kind kind = IndexRecord::Kind::kObject;
  Version content_version, meta_version;
};

std::string encode_index_record(const IndexRecord& record);
Result<IndexRecord> decode_index_record(std::string_view bytes);
/// Its front alone, without the parts that take memory of their own: a third of the time.
Result<IndexRecord> decode_index_summary(std::string_view bytes);
Result<IndexPeek> peek_index_record(std::string_view bytes);

/// The record for an object at a path; drops from `info` what is too long for the index.
IndexRecord index_record_of(const StoredMeta& meta, bool escaped);
IndexRecord tombstone_of(Version version);

struct ScanOptions {
  std::string prefix;
  std::string after;           // keys greater than this; "" from the start
  std::string delimiter;       // keys with it after the prefix are rolled up to one entry
  std::size_t limit = 1000;    // entries, at least 1
  bool tombstones = false;     // these and nothing else: for repair
  bool summary = false;        // of `info` only what ObjectInfo::serialize_summary has
  bool versions = false;       // with the keys of versions; else they cost nothing
  /// Null: all keys. Others are left out, as if they were not there. `record` is encoded.
  std::function<bool(std::string_view key, std::string_view record)> only = nullptr;
};

struct ScanEntry {
  std::string key;
  bool is_prefix = false;  // a common prefix: `record` is empty
  IndexRecord record;
};

struct ScanPage {
  std::vector<ScanEntry> entries;  // byte-wise ascending
  bool more = false;
  std::string next;  // pass as `after`
};

struct BucketCounters {
  std::uint64_t objects = 0;  // references and markers included
  std::uint64_t bytes = 0;

  bool operator==(const BucketCounters&) const = default;
  template <class A>
  void serialize(A& ar) {
    ar(objects, bytes);
  }
};

struct IndexOptions {
  std::string path;                 // folder of its own
  disk::MountIdentity mount;        // of the mountpath now
  std::size_t pending_max = 65536;  // updates queued; more wait
  bool believe = true;              // what is there, if it looks right
};

/// Thread-safe. get and scan read memory-mapped pages: a miss of the page cache blocks. Updates
/// wait only when the queue is full.
class Index {
 public:
  /// An index that cannot be believed (other mount and not closed, other format, damaged) is
  /// thrown away; then fresh() and the caller fills it.
  static Result<std::unique_ptr<Index>> open(IndexOptions options);
  ~Index();  // commits what is queued; no clean mark

  /// True when it began empty: to be filled from files and log, then set_built.
  bool fresh() const;
  /// True when what was found had been closed by close_clean().
  bool was_clean() const;
  /// Everything that is on disk is now in the index. Until then a restart begins afresh.
  Status set_built();

  /// The position up to which the log's effects are in the index; what the open found.
  Lsn checkpoint() const;
  /// Says that the effects of every record before `lsn` have been put. Committed with them.
  void advance_checkpoint(Lsn lsn);

  Result<std::optional<IndexRecord>> get(BucketId bucket, std::string_view key) const;
  /// Only the front of the record that get() would return.
  Result<std::optional<IndexPeek>> peek(BucketId bucket, std::string_view key) const;
  /// Replaces what was there, newer or not: the caller holds the key's lock and knows. Waits while
  /// the queue is full.
  void put(BucketId bucket, std::string_view key, IndexRecord record);
  /// As put, unless what is there has a newer meta version. For recovery and rebuild.
  void put_if_newer(BucketId bucket, std::string_view key, IndexRecord record);
  /// Forgets the key, tombstone and all.
  void erase(BucketId bucket, std::string_view key);
  /// Forgets a bucket.
  void erase_bucket(BucketId bucket);

  /// Tombstones are not among them unless asked for, and cost nothing; references appear as
  /// objects. A common prefix equal to `after` is not given again.
  Result<ScanPage> scan(BucketId bucket, const ScanOptions& options) const;
  /// True when any visible key has the prefix; stops at the first.
  Result<bool> any_below(BucketId bucket, std::string_view prefix) const;

  /// Of what is committed; lags by the queue.
  BucketCounters counters(BucketId bucket) const;
  BucketCounters counters() const;  // of all

  /// Returns when all that was put before is committed, or with the error of a commit that failed.
  Status flush();
  /// The error of the last commit. It is tried again every second; meanwhile the queue fills up,
  /// so whoever begins a mutation asks first.
  Status health() const;
  /// Commits, syncs and marks the index clean: it survives a reboot. Nothing may be put after.
  Status close_clean();
  /// Lets go of the files, as they are: reads that come later fail (not_ready). Nothing is put any
  /// more, while others may still read.
  void close();

 private:
  class Impl;
  explicit Index(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aisfs::store
