// SPDX-License-Identifier: MIT
// %intent: what has been promised and is not yet in the files. Byte by byte in man/aisfs-formats.7.
//
// Two files of the log's format, allocated once and written over in turn: to make a record durable
// the disk writes the record and nothing else, no size, no block map, no journal. A record may go
// once a barrier of the whole file system has passed since its effect was complete; a file whose
// records may all go is the next to be written over. The order of records says nothing: readers go
// by the versions inside.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/unique_fd.h"
#include "common/model/version.h"
#include "node/store/log.h"
#include "node/store/open_files.h"

namespace aisfs::store {

struct IntentLogOptions {
  int root = -1;  // of the mountpath; outlives the log
  std::string dir = "%intent";
  std::uint64_t segment_bytes = 64_MiB;  // that a file uses; less than 1 MiB: there is no log
};

/// Thread-safe. append, cancel, sync, forget, replay and clear block on the disk, the others do
/// not.
class IntentLog {
 public:
  /// An intent whose effect is on its way to the files. Its end says that the effect is complete,
  /// or will never be.
  class [[nodiscard]] Ticket {
   public:
    Ticket() = default;
    Ticket(IntentLog* owner, Lsn begin) : owner_(owner), begin_(begin) {}
    Ticket(Ticket&& o) noexcept : owner_(std::exchange(o.owner_, nullptr)), begin_(o.begin_) {}
    Ticket& operator=(Ticket&& o) noexcept {
      settle();
      owner_ = std::exchange(o.owner_, nullptr);
      begin_ = o.begin_;
      return *this;
    }
    ~Ticket() { settle(); }
    bool valid() const { return owner_ != nullptr; }
    void settle() {
      if (auto* owner = std::exchange(owner_, nullptr)) owner->settle(begin_);
    }

   private:
    IntentLog* owner_ = nullptr;
    Lsn begin_ = 0;
  };

  /// Reads nothing yet: see replay. Makes no file before the first append.
  static Result<std::unique_ptr<IntentLog>> open(IntentLogOptions options);

  /// Writes a record: `head` and behind it `content`. `version` is of the change; that of an object
  /// which comes back from another target has been here before. An invalid ticket: there is no
  /// room, the change has to be made durable in another way.
  Result<Ticket> append(LogType type, std::string_view head, ConstBytes content, Version version);
  /// Appends a record that nobody waits for and that may go at any time; does nothing without room.
  Status cancel(std::string_view head);
  /// Makes every record that was appended durable. One thread; never again after it failed.
  Status sync();

  /// True while the files of the version may be less durable than its record.
  bool holds(Version version) const;

  bool empty() const;
  /// A file of it is there, whatever it holds. At a start.
  bool exists() const { return segments_[0].fd.valid() || segments_[1].fd.valid(); }

  /// Called around a barrier of the whole file system: what was settled before it is durable after
  /// it. forget blocks.
  std::vector<Lsn> settled();
  void forget(const std::vector<Lsn>& durable);
  /// True, once, when a file waits only for such a barrier to be free.
  bool wants_barrier();

  /// All records that must stay, and some that may go.
  Status replay(const LogVisitor& visit) const;
  /// Their effects are durable in the files: nothing is left to replay.
  Status clear();

 private:
  struct Held {
    std::size_t segment = 0;
    Version version;
  };

  struct Segment {
    // Guarded by writing_.
    UniqueFd fd;              // none: not made yet
    std::uint64_t bytes = 0;  // of the file
    Lsn begin = 0;
    std::uint64_t used = 0;  // of the file; 0: without a header
    // Guarded by mutex_.
    std::size_t held = 0;     // records that must stay
    std::size_t pending = 0;  // of these, not settled
    int unsynced = -1;        // the descriptor, if it was written to since the last sync
  };

  explicit IntentLog(IntentLogOptions options) : options_(std::move(options)) {}
  std::string path_of(std::size_t index) const;
  Status open_segment(std::size_t index);
  Status make(std::size_t index);
  Status begin(Segment& segment);
  Result<std::optional<Lsn>> write(LogType type, std::string_view head, ConstBytes content);
  Status write_begin();
  Status walk(const LogVisitor& visit) const;
  Result<bool> make_room(std::uint64_t bytes);
  void settle(Lsn begin);

  const IntentLogOptions options_;
  std::mutex writing_;        // before mutex_; held over disk operations
  Lsn next_ = 1;              // above every position that is on the disk; guarded by writing_
  bool unavailable_ = false;  // guarded by writing_
  mutable std::mutex mutex_;
  std::array<Segment, 2> segments_;
  std::size_t current_ = 0;  // changed under both
  // Guarded by mutex_.
  std::map<Lsn, Held> held_;  // by where the record begins
  std::unordered_map<Version, std::size_t, VersionHash> held_of_version_;  // how many
  std::vector<Lsn> settled_;
  bool wants_barrier_ = false;
};

}  // namespace aisfs::store
