// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>

#include "common/disk/fs_probe.h"
#include "common/disk/io_pool.h"
#include "node/store/committer.h"
#include "node/store/index.h"
#include "node/store/intent_log.h"
#include "node/store/log.h"
#include "node/store/log_records.h"
#include "node/store/lost_names.h"
#include "node/store/mountpath_table.h"
#include "node/store/spare_files.h"

namespace aisfs::store {

class Mountpath;

struct MountpathOptions {
  std::string path;
  std::string cluster_uuid, node_id;
  std::uint32_t stamped = 0;  // it carries this stamp or a later one, or is not what it was
  std::size_t threads = 4;
  std::uint64_t reserve_bytes = 256_MiB;
  std::uint64_t intent_bytes = 64_MiB;
  unsigned high_watermark = 90, out_of_space = 100;  // percent
  /// The clock of the newest version given; no barrier counts for versions above it.
  std::function<std::uint64_t()> last_version = [] { return std::uint64_t{0}; };
  /// The one that the folder must be by its %id; "": any of this node's, and an empty folder
  /// becomes one.
  std::string uuid = {};
  /// Its disk has failed since it was used: the index on it is not believed.
  bool doubted = false;
  /// An operation has met an error of the disk. Any thread, with locks held: it posts and returns.
  std::function<void(Mountpath&, const Error&)> on_error = nullptr;
};

/// Mountpath::load_ceiling of a folder that nobody has opened; nullopt for one that has never been
/// a mountpath. Blocks.
Result<std::optional<std::uint64_t>> ceiling_at(const std::string& path);
/// Whose %id this is; not_found when there is none.
Result<std::string> mountpath_uuid(int root);
/// The table of a target's mountpaths that lies in this folder, whosever it is; not_found.
Result<MountpathTable> mountpath_table_at(const std::string& path);
/// The table of the target's mountpaths that lies here; not_found, permission_denied when the
/// folder belongs to another node or cluster.
Result<MountpathTable> load_mountpath_table(const MountpathOptions& options);

/// One mountpath: its folder, which no other process has, with log, index, threads and committer.
/// Made by open(); usable for objects after recover() (recovery.h). Thread-safe.
class Mountpath {
 public:
  /// Checks that the folder is ours (or empty: then it becomes ours) and that the file system can
  /// do what is needed. busy: another process has it. invalid_argument: it belongs to another node
  /// or cluster, was set back, or holds foreign files. unsupported: names what is missing and the
  /// remedy.
  static Result<std::unique_ptr<Mountpath>> open(MountpathOptions options);
  /// It has been opened by this incarnation of the node, which only a disk that was set back
  /// denies. Durable.
  Status stamp(std::uint32_t incarnation);
  Mountpath(const Mountpath&) = delete;
  Mountpath& operator=(const Mountpath&) = delete;

  const std::string& path() const { return options_.path; }
  const std::string& uuid() const { return uuid_; }
  int root() const { return root_.get(); }
  const disk::FsFacts& facts() const { return facts_; }
  Log& log() { return *log_; }
  IntentLog& intents() { return *intents_; }
  Index& index() { return *index_; }
  const Index& index() const { return *index_; }
  disk::IoPool& pool() { return pool_; }
  Committer& committer() { return *committer_; }
  SpareFiles& spares() { return spares_; }
  LostNames& lost() { return lost_; }
  const LostNames& lost() const { return lost_; }

  /// A record of the log whose effect is on its way to files and index. While it lives the index's
  /// checkpoint stays before the record, so a restart after kill -9 looks at it again.
  class [[nodiscard]] Effect {
   public:
    Effect() = default;
    Effect(Mountpath* owner, Lsn begin, Lsn end) : owner_(owner), begin_(begin), end_(end) {}
    Effect(Effect&& o) noexcept
        : owner_(std::exchange(o.owner_, nullptr)), begin_(o.begin_), end_(o.end_) {}
    Effect& operator=(Effect&& o) noexcept {
      settle();
      owner_ = std::exchange(o.owner_, nullptr);
      begin_ = o.begin_;
      end_ = o.end_;
      return *this;
    }
    ~Effect() { settle(); }
    Lsn end() const { return end_; }
    /// The index knows; also after a failure, when files and index are as they were.
    void settle() {
      if (auto* owner = std::exchange(owner_, nullptr)) owner->forget(begin_);
    }

   private:
    Mountpath* owner_ = nullptr;
    Lsn begin_ = 0, end_ = 0;
  };
  /// Appends and hands to the kernel. Blocks.
  Result<Effect> announce(LogType type, std::string_view payload);
  template <class Record>
  Result<Effect> announce(LogType type, const Record& record) {
    const std::string payload = wire::encode(record);
    return announce(type, std::string_view(payload));
  }

  /// The intent's effect is complete: it may go with the next barrier.
  void settle(IntentLog::Ticket ticket);

  /// Recovery has carried out the intents: when that is durable they go. Blocks.
  Status forget_intents();

  /// Tells the index how far the log's effects are in it; compacts a log that has grown. Blocks.
  void checkpoint();

  /// Before anything of the bucket is written here: what the log says of it must find its folder
  /// again. Blocks the first time, then costs a look into a map.
  Status know_bucket(BucketId id, const BucketName& name);
  Status forget_bucket(BucketId id);
  std::map<BucketId, BucketName> buckets() const;
  /// Their ids, without a wait for the disk; nullopt when that is not possible now.
  std::optional<std::set<std::uint64_t>> bucket_ids_now() const;

  /// "%wk/<n>", never given before by this process.
  std::string new_work_path();
  /// no_space when less than the reserve would be left after `more` bytes, also without the spare
  /// files. Blocks.
  Status check_space(std::uint64_t more);
  /// The percentage in use once it has reached the high watermark; nullopt below. Logs when that
  /// changes. Blocks.
  std::optional<unsigned> above_high_watermark();
  /// Removes the files. Blocks.
  void remove_spares(const std::vector<SpareFile>& files);

  /// The highest ceiling of the version clock that this mountpath has seen; 0 for none.
  Result<std::uint64_t> load_ceiling() const;
  Status save_ceiling(std::uint64_t hlc);
  /// The last that was saved; 0 before the first.
  std::uint64_t saved_ceiling() const { return saved_ceiling_.load(); }

  /// True for a version that a barrier has passed since, whatever it was published at: power loss
  /// does not take it, and replacing it must not tear it. Errs on the side of true.
  bool survives_power_loss(Version version) const {
    return version.hlc <= synced_version_.load(std::memory_order_acquire);
  }
  /// As survives_power_loss, or it is an intent that does. What comes after such a change can be
  /// made durable alone: nothing that is forgotten with it brings back an older name or content.
  bool is_durable(const ObjectInfo& info) const {
    return survives_power_loss(info.meta_version) || intents_->holds(info.meta_version);
  }
  /// At start: of what is there nobody knows which barriers it has passed.
  void assume_synced(std::uint64_t hlc) { synced_version_.store(hlc, std::memory_order_release); }

  Status save_table(const MountpathTable& table) const;

  /// Passes an error of an operation here on to who watches the disk.
  void note(const Error& error);
  template <class R>
  R noted(R result) {
    if (!result.ok()) note(result.error());
    return result;
  }

  /// Commits everything and marks the index clean. Nothing uses the mountpath any more.
  Status close_clean();
  /// Lets go of the folder as after a crash, or cleanly if asked for. Nothing uses the mountpath
  /// any more, but somebody may still look into the index. Waits for calls that the disk has not
  /// answered.
  void shut(bool cleanly);

 private:
  explicit Mountpath(MountpathOptions options);
  Status take_folder();
  Status check_identity();
  Status make_identity();
  Status write_identity(std::string mountpath_uuid, std::uint32_t incarnation);
  Status check_file_system();
  Status open_parts();
  Result<std::uint64_t> intent_bytes() const;
  Status sync(Barrier barrier);
  bool reference_counts(std::string_view payload) const;
  Status load_buckets();
  Status save_buckets() const;
  void forget(Lsn begin);
  Result<bool> has_space(std::uint64_t more) const;

  const MountpathOptions options_;
  std::string uuid_;  // set by open()
  std::atomic<std::uint64_t> saved_ceiling_ = 0;
  UniqueFd root_;
  UniqueFd sync_fd_;  // syncfs reports an error once for each descriptor: this one is the judge
  disk::FsFacts facts_;
  disk::IoPool pool_;
  SpareFiles spares_;
  LostNames lost_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<IntentLog> intents_;
  std::unique_ptr<Index> index_;
  std::unique_ptr<Committer> committer_;
  std::atomic<std::uint64_t> next_work_ = 1;
  std::atomic<bool> is_high_ = false;
  std::atomic<std::uint64_t> synced_version_ = 0;  // clock of a version
  mutable std::shared_mutex buckets_mutex_;
  std::map<BucketId, BucketName> buckets_;  // guarded by buckets_mutex_
  std::mutex effects_mutex_;
  std::multiset<Lsn> effects_;  // guarded by effects_mutex_: begins of records not yet settled
};

}  // namespace aisfs::store
