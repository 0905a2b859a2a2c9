// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "common/async/task.h"
#include "common/base/once_made.h"
#include "common/base/unique_fd.h"
#include "common/client/hot_object.h"
#include "node/store/object_meta.h"

namespace aisfs::store {

/// Objects up to here are kept in memory while their file is open: a page each, as the kernel does.
inline constexpr std::uint64_t kHotBytesMax = 4_KiB;

struct VersionHash {
  std::size_t operator()(const Version& v) const {
    return (v.hlc ^ v.incarnation ^ std::size_t{v.epoch} << 32) * 0x9E3779B97F4A7C15ull;
  }
};

/// The content versions whose file must not be written over once it has been replaced: somebody
/// has it open or is about to open it, or somebody has ever read it. (What sendfile has handed to
/// the kernel are the file's own pages; they may wait in a socket long after the reader is gone.)
/// A reader pins the version that the index names before it opens the path; who has replaced the
/// version looks afterwards. So either the writer sees the pin, or the reader finds another version
/// at the path and starts again. Thread-safe.
class ReadPins {
 public:
  class [[nodiscard]] Pin {
   public:
    Pin() = default;
    Pin(ReadPins* owner, Version version) : owner_(owner), version_(version) {}
    Pin(Pin&& o) noexcept : owner_(std::exchange(o.owner_, nullptr)), version_(o.version_) {}
    Pin& operator=(Pin&& o) noexcept {
      std::swap(owner_, o.owner_);
      std::swap(version_, o.version_);
      return *this;
    }
    ~Pin() {
      if (owner_ != nullptr) owner_->unpin(version_);
    }

   private:
    ReadPins* owner_ = nullptr;
    Version version_;
  };

  Pin pin(Version content_version);
  /// True for a version that is pinned or was; errs on the side of true.
  bool was_read(Version content_version);
  /// Of versions up to this clock nobody knows who has read them.
  void assume_read(std::uint64_t hlc);

 private:
  static constexpr std::size_t kRememberedMax = 4096;  // a shard; then all older ones count as read

  struct Shard {
    std::mutex mutex;
    std::unordered_map<Version, std::size_t, VersionHash> count;
    std::unordered_set<Version, VersionHash> read;
    std::uint64_t read_up_to = 0;  // versions up to this clock count as read
  };
  void unpin(Version version);
  Shard& shard_of(Version v) { return shards_[VersionHash{}(v) >> 60]; }

  std::array<Shard, 16> shards_;
};

class Mountpath;

/// The file of one content version, open for reading. It stays readable whatever happens to its
/// name: publishing renames over names, and a file that is pinned is never written into.
struct OpenFile {
  UniqueFd fd;
  ReadPins::Pin pin;
  StoredMeta meta;            // as it was when the file was opened
  std::shared_ptr<Mountpath> mountpath;  // whose pool reads it
  bool shared = false;  // in OpenFiles, so it hears of damage; else it has one reader
  std::atomic<bool> verified = false;
  std::vector<std::atomic<bool>> blocks;  // verified ones, while not all are

  explicit OpenFile(std::size_t block_count) : blocks(block_count) {}

  /// Whether the bytes may leave as they are.
  bool is_trusted(VerifyRead mode) const {
    return mode == VerifyRead::kNever ||
           (mode == VerifyRead::kFirst && verified.load(std::memory_order_acquire));
  }

  /// It was found damaged: whoever has it open compares what he reads from now on.
  void distrust();

  /// The object of a trusted file, in memory up to kHotBytesMax; null when the pages of such a one
  /// are not resident. Lives as long as the file is open.
  const HotObject* hot();

 private:
  OnceMade<HotObject> hot_;
};

/// The files that were read lately, by content version, least recently used out first. A version
/// that was replaced stays for a moment longer, so that a reader of ranges can finish. Thread-safe.
class OpenFiles {
 public:
  explicit OpenFiles(std::size_t capacity) : per_shard_(capacity / kShards + 1) {}

  std::shared_ptr<OpenFile> find(Version content_version);
  void insert(std::shared_ptr<OpenFile> file);
  /// The version has been replaced or removed: its file goes at `until`.
  void supersede(Version content_version, TimePoint until);
  /// The version has been found damaged, or another file has it by now: it is opened anew, and who
  /// has it open does not believe it any more.
  void forget(Version content_version);
  /// Closes the superseded files whose time has come: a removed file's blocks are freed by that,
  /// which may take long.
  void sweep(TimePoint now);
  /// Forgets the files on a mountpath.
  void drop(const Mountpath& mountpath);
  void clear();

 private:
  static constexpr std::size_t kShards = 16;  // as many as four bits tell apart
  // A shard's; more are closed by who pushes them out.
  static constexpr std::size_t kPushedOutMax = 64;
  struct Entry {
    Version version;
    std::shared_ptr<OpenFile> file;
    TimePoint until = TimePoint::max();
  };
  struct Shard {
    std::mutex mutex;
    std::list<Entry> recent;  // newest first
    std::unordered_map<Version, std::list<Entry>::iterator, VersionHash> by_version;
    std::size_t superseded = 0;
    std::vector<std::shared_ptr<OpenFile>> pushed_out;  // superseded ones, for sweep()
  };
  /// By the top bits: only there does every bit of the clock have a say. Its lowest ones, a counter
  /// within one tick, are nearly always zero.
  Shard& shard_of(Version v) { return shards_[VersionHash{}(v) >> 60]; }

  const std::size_t per_shard_;
  std::array<Shard, kShards> shards_;
};

/// Which contents were compared with their hashes since boot. It forgets now and then (a fixed
/// table, one slot a hash), which costs a second look and nothing else. Thread-safe.
class VerifiedSet {
 public:
  VerifiedSet() : slots_(kSlots) {}
  bool contains(Version v) const;
  void insert(Version v);
  void erase(Version v);
  void clear();

 private:
  static constexpr std::size_t kSlots = 1u << 19;  // 4 MiB
  static std::uint64_t mark_of(Version v);
  std::vector<std::atomic<std::uint64_t>> slots_;
};

}  // namespace aisfs::store
