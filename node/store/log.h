// SPDX-License-Identifier: MIT
// %log: the append log of a mountpath. It holds what no file can: that a name is gone, that it is
// a reference, that something was about to be published. Byte by byte in man/aisfs-formats.7.
//
// A position (Lsn) counts the bytes of all records ever; a segment file begins at the Lsn in its
// name and header. A record is valid when its checksum, which covers its position too, is right:
// the log ends at the first one that is not. That may happen only in the newest segment (an older
// one was synced before its successor was made).
#pragma once
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace aisfs::store {

/// A place in the log: the number of bytes before it.
using Lsn = std::uint64_t;

/// Travels on disk: append only.
enum class LogType : std::uint8_t {
  kTombstone = 1,
  kReference = 2,
  kPublishIntent = 3,
  kRenameIntent = 4,  // also its later states: the newest record of an op id counts
  kBucketDestroyed = 5,
  kDirRename = 6,
  kRenamePrepared = 7,  // at the destination (node/target/rename_log.h)
  kStagedPut = 8,       // in %intent
  kStagedCancelled = 9,
  kIntentsBegin = 10,
};

/// A record as it lies in the log; `payload` (an envelope, see log_records.h) points into a buffer
/// of the one who hands it out.
struct LogRecord {
  Lsn begin = 0;
  Lsn end = 0;  // where the next one begins
  LogType type{};
  std::string_view payload;
};

using LogVisitor = std::function<Status(const LogRecord&)>;

struct LogOptions {
  int root = -1;                            // of the mountpath; outlives the log
  std::string dir = "%log";
  std::uint64_t segment_bytes = 64ull << 20;
  Lsn known_end = 0;  // somebody has read the log up to there
};

/// Thread-safe. All calls may block on the disk: not from io threads.
class Log {
 public:
  /// Finds the end of the log and cuts off a torn tail. corrupt, and nothing is changed, when an
  /// older segment is damaged, one is missing in the middle, or the end is before `known_end`.
  static Result<std::unique_ptr<Log>> open(LogOptions options);
  ~Log();  // flushes; nothing else uses the log any more

  Lsn begin() const;  // of the oldest record kept
  Lsn end() const;    // of the newest record appended

  /// Adds a record to the buffer and returns its end: what flush and sync are called with.
  Lsn append(LogType type, std::string_view payload);

  /// Hands everything up to `to` to the kernel: it survives kill -9. Joins a flush under way.
  /// After an error the log takes nothing more: every later call fails.
  Status flush(Lsn to);
  /// Brings everything up to `to` to the disk. Whoever syncs the whole file system anyway calls
  /// flush before that instead, and mark_synced after it.
  Status sync(Lsn to);
  void mark_synced(Lsn to);
  /// The error after which it takes nothing more.
  Status health() const;

  /// Calls `visit` for every record from `from` (begin() if that is later) to the end, in order;
  /// stops at its first error. Records appended meanwhile may be missed.
  Status replay(Lsn from, const LogVisitor& visit) const;

  /// Drops the segments that end at or before `below`, after copying those of their records that
  /// `keep` wants to the end of the log and syncing them. A copy comes after younger records: readers
  /// go by the versions inside, and `keep` drops what a younger record has superseded.
  Status compact(Lsn below, const std::function<bool(const LogRecord&)>& keep);

  std::uint64_t bytes() const { return end() - begin(); }

 private:
  struct Segment {
    Lsn begin = 0;
    std::uint64_t bytes = 0;  // of records
  };

  explicit Log(LogOptions options) : options_(std::move(options)) {}
  Status open_segments();
  Status check_end() const;
  Status start_segment(Lsn begin);
  Status write_out(const std::string& batch, Lsn begin);
  std::string path_of(Lsn begin) const;
  Result<std::string> read_segment(const Segment& segment) const;

  const LogOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable flushed_cv_;
  // Guarded by mutex_.
  std::vector<Segment> segments_;  // oldest first; never empty after open
  std::string buffer_;             // appended, not yet with the kernel
  Lsn appended_ = 0, flushed_ = 0, synced_ = 0;
  bool flushing_ = false;
  std::optional<Error> failed_;
  // Of the newest segment. Changed under mutex_ by the one that set flushing_, who alone may read
  // them without it.
  std::shared_ptr<const UniqueFd> file_;
  Lsn newest_begin_ = 0;
  std::mutex sync_mutex_;  // one sync at a time; taken before mutex_
};

// --- the pure part, for replay and for the fuzzer ------------------------------------------------

inline constexpr std::size_t kLogSegmentHeaderBytes = 32;
inline constexpr std::size_t kLogRecordHeaderBytes = 12;
inline constexpr std::size_t kLogRecordBytesMax = 1u << 20;

std::string encode_segment_header(Lsn begin);
/// The Lsn that the segment begins at; corrupt, unsupported.
Result<Lsn> decode_segment_header(std::string_view bytes);
void encode_record_to(std::string& out, Lsn begin, LogType type, std::string_view payload);
/// Walks the records in `bytes`, the first of which is at `begin`; returns the end of the last
/// valid one. Only the visitor's errors are errors.
Result<Lsn> walk_records(std::string_view bytes, Lsn begin, const LogVisitor& visit);

}  // namespace aisfs::store
