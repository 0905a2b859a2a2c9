// SPDX-License-Identifier: MIT
#pragma once
#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/sim/os/scheduler.h"

namespace aisfs::tests::sim {

/// What one file system has on its disk for good, beside what its programs see.
///
/// They see real files. Here is kept what of them would be left after a loss of power: contents as
/// of the last sync of each file, and names as a journal has them, in the order of the calls, up to
/// some moment not before the last sync. What was not synced may be there, wholly or in part.
class Volume {
 public:
  Volume(std::string root, std::uint64_t seed);
  ~Volume();

  const std::string& root() const { return root_; }

  // Changes, after the call was made; paths are relative to the root.
  void made_file(const std::string& path, ino_t ino);  // no path: a file without a name
  void made_dir(const std::string& path);
  void linked(const std::string& path, ino_t ino);
  void unlinked(const std::string& path);
  void renamed(const std::string& from, const std::string& to, bool exchange);
  void set_xattr(ino_t ino, std::string name, std::optional<std::string> value);
  /// A descriptor that writes to the file was opened, or is closed.
  void opened_to_write(ino_t ino, int fd);
  void closed_writer(ino_t ino);
  /// Bytes were written; without a size nobody knows which.
  void wrote(ino_t ino, std::uint64_t offset, std::optional<std::uint64_t> size);

  /// What a sync that begins now makes durable when it ends.
  struct Barrier {
    struct Piece {
      ino_t ino;
      std::uint64_t offset;
      std::string bytes;
      bool whole = false;  // the file has no others
    };
    std::uint64_t operations = 0;  // the number of the journal's last
    std::uint64_t writes = 0;      // and of the last write
    std::vector<Piece> pieces;
    std::vector<ino_t> quiet;  // files that nobody has open to write
  };
  Barrier begin_sync_all();
  Barrier begin_sync(int fd, bool is_dir, const std::string& path);
  void end_sync(const Barrier& barrier);
  /// Bytes of a descriptor that was opened with O_DSYNC.
  void wrote_through(ino_t ino, std::string_view bytes, std::uint64_t offset);

  /// The files become those that are left. What the dead programs have open is out of their sight.
  void lose_power(Scheduler& scheduler);
  /// All that there is now is on the disk.
  void adopt();
  std::size_t unsynced() const { return journal_.size(); }

 private:
  enum class What : std::uint8_t { kMake, kMakeDir, kLink, kUnlink, kRename, kExchange, kXattr };
  struct Operation {
    What what;
    ino_t ino = 0;
    std::string path, other;
    std::optional<std::string> value;
    std::uint64_t number = 0;
  };
  struct Inode {
    std::optional<std::string> content;  // none: nothing was ever synced
    std::map<std::string, std::string> xattrs;
    std::uint64_t synced_up_to = 0;  // number of a write
    struct Through {
      std::uint64_t number, offset;
      std::string bytes;
    };
    std::vector<Through> through;  // written with O_DSYNC, since the start
  };
  struct Writers {
    struct Range {
      std::uint64_t number, offset, size;
    };
    int fd = -1;                    // ours, to read it
    int count = 0;                  // theirs
    std::vector<Range> ranges;      // that were written since the last sync
    std::uint64_t all_unknown = 0;  // number of a write after which the ranges do not say all
  };

  void log(Operation operation);
  void apply(const Operation& operation);
  void apply(const Barrier::Piece& piece, std::uint64_t up_to);
  void put_bytes(ino_t ino, std::string_view bytes, std::uint64_t offset);
  void commit(std::uint64_t up_to);
  void add_pieces(ino_t ino, const Writers& writers, Barrier& barrier);
  void adopt_below(const std::string& path);
  std::string left_of(Scheduler& scheduler, ino_t ino, const Inode& inode);
  void bury();

  const std::string root_;
  const bool whole_journal_;  // a sync of one file commits all that was before it, as ext4's
  std::vector<Operation> journal_;
  std::uint64_t next_number_ = 1, next_write_ = 1;
  std::map<std::string, ino_t> tree_;  // durable; 0: a folder
  std::unordered_map<ino_t, Inode> inodes_;
  std::map<ino_t, Writers> writers_;
  int graves_ = 0;
};

/// The file systems of all machines, and what the calls of their programs go through.
class Disk {
 public:
  explicit Disk(Scheduler& scheduler) : scheduler_(scheduler) { current_ = this; }
  static Disk* current() { return current_; }

  /// Files below `path`, which exists, are on a disk of their own.
  Volume& add_volume(const std::string& path, std::uint64_t seed);
  Volume* volume_at(const std::string& path);
  /// All of a machine's, whose folder has that path.
  std::vector<Volume*> volumes_below(const std::string& path);

  /// Before a call that changes a disk: another may come first, the process may end here, the disk
  /// may refuse. 0 or an errno.
  int step(const std::string& path);
  /// How long a sync takes.
  void wait_for_sync();
  void opened_to_write(int fd, Volume& volume, ino_t ino);
  void closed(int fd);
  void process_died(const Process& process);

  void set_sync_time(Nanos low, Nanos high) { sync_low_ = low, sync_high_ = high; }
  /// Syncs that say that they are done and do nothing.
  enum class Lying : std::uint8_t { kNone, kFileSystems, kAll };
  void set_lying(Lying lying) { lying_ = lying; }
  Lying lying() const { return lying_; }
  /// One in so many calls that change files below `path` fails with `error`; 0: none.
  void set_errors(std::string path, int error, std::uint64_t one_in);
  bool has_errors() const { return !errors_.empty(); }
  std::uint64_t steps() const { return steps_; }

  /// As programs see it: the same in each run.
  ino_t number_of(ino_t ino);

 private:
  inline static Disk* current_ = nullptr;
  struct Open {
    Volume* volume;
    ino_t ino;
    const Process* process;
  };
  struct Errors {
    int error = 0;
    std::uint64_t one_in = 0;
  };

  Scheduler& scheduler_;
  std::map<std::string, std::unique_ptr<Volume>> volumes_;
  std::map<int, Open> writing_;
  std::map<std::string, Errors> errors_;
  std::unordered_map<ino_t, ino_t> numbers_;
  Nanos sync_low_ = 100 * kMicro, sync_high_ = 3 * kMilli;
  Lying lying_ = Lying::kNone;
  std::uint64_t steps_ = 0;
};

}  // namespace aisfs::tests::sim

/// What its programs read as the id of the machine's boot.
namespace aisfs::tests::sim {
std::string boot_id_file(const std::string& machine);
}

/// openat2 of the product, as syscall() gets it; -errno on failure.
long sim_openat2(int dir, const char* path, long how, long size);
