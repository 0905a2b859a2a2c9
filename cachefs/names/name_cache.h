// SPDX-License-Identifier: MIT
#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "common/base/unique_fd.h"
#include "common/lmdb/env.h"
#include "common/lmdb/table.h"
#include "common/model/bucket.h"
#include "common/model/version.h"

namespace aisfs::cachefs {

/// What was under a name when it was last seen.
struct SeenName {
  enum class Kind : std::uint8_t { kFile = 1, kDirectory = 2 };

  Kind kind = Kind::kFile;
  std::uint64_t ino = 0;    // of the object, or of the directory's marker
  Version content_version;  // of a file

  bool operator==(const SeenName&) const = default;
};

struct NameCacheOptions {
  /// Made if missing, with its parents. It and the folder above must be this user's alone: whoever
  /// could write there would decide what the mount believes.
  std::string folder;
  std::string cluster_uuid;  // what another cluster left there is thrown away
  std::size_t names_max = 1'000'000;
};

/// Names of all buckets on the disk of a client. Thread-safe; what is learned is written by a
/// thread of its own, in batches. Errors of the disk make it forget, and are logged, once.
class NameCache {
 public:
  /// busy when another process has the folder; permission_denied when others may write there; the
  /// errno of what cannot be made.
  static Result<std::unique_ptr<NameCache>> open(NameCacheOptions options);
  /// Writes what is queued and notes that the cache is whole.
  ~NameCache();
  NameCache(const NameCache&) = delete;
  NameCache& operator=(const NameCache&) = delete;

  /// From memory or the page cache of the disk's file; microseconds.
  std::optional<SeenName> find(BucketId bucket, std::string_view path) const;
  void learn(BucketId bucket, std::string_view path, const SeenName& seen);
  void forget(BucketId bucket, std::string_view path);

  /// Returns when what was learned before is written.
  void flush();
  /// Written names. Beyond names_max every second one is dropped.
  std::size_t size() const;

 private:
  NameCache(NameCacheOptions options,
            UniqueFd lock,
            std::unique_ptr<lmdb::Env> env,
            lmdb::Table names);

  using Pending = std::unordered_map<std::string, std::optional<SeenName>>;  // nullopt: forgotten
  void queue(BucketId bucket, std::string_view path, std::optional<SeenName> seen);
  void run();
  Status write(const Pending& batch);
  Status thin();
  Status thin_some(lmdb::WriteTxn& txn, std::string& from) const;

  const NameCacheOptions options_;
  const UniqueFd lock_;
  const std::unique_ptr<lmdb::Env> env_;
  const lmdb::Table names_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Pending queued_, writing_;
  bool stops_ = false;
  bool wants_flush_ = false;
  std::condition_variable changed_;
  std::thread writer_;  // last: uses all of the above
};

}  // namespace aisfs::cachefs
