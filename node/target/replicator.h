// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>

#include "common/async/clock.h"
#include "common/async/notifier.h"
#include "common/client/object_api.h"
#include "common/disk/io_pool.h"
#include "common/disk/posix.h"
#include "node/store/key_locks.h"
#include "node/store/store.h"
#include "node/target/peers.h"

namespace aisfs::target {

class CopyStreams;

/// The copies of names that this target owns, in buckets that keep more than one.
///
/// A change is made here first and then at the other holders, before it is acknowledged. Until all
/// of them have it nobody is told what it has changed: readers wait (seen(), seen_all()). So what
/// anybody was told survives the loss of all holders but one, and a change that came not that far
/// may still be lost, or happen later, as its sender was told. What does not succeed within the
/// request is tried until it does, or until the name has another owner, who is told of it: he may
/// have asked somebody else who held it before.
///
/// What was changed shortly before a crash of this process is not known to be at the others. The
/// state file says up to which clock all is; what is newer counts as changed after a restart until
/// it has been compared.
///
/// Thread-safe. What it is given outlives it, and it outlives its changes.
class Replicator final : public store::CopyKeeper {
 public:
  struct Deps {
    std::string node_id;
    std::string state_dir;  // absolute; exists
    store::Store& store;
    MapSource& maps;
    Peers& peers;
    Clock& clock;
    disk::IoPool& io;  // where it may block
  };
  /// Reads the state file. Blocks.
  static Result<std::unique_ptr<Replicator>> open(Deps deps);
  /// What the state file in this folder says; 0 for nothing. Blocks.
  static std::uint64_t noted_in(const std::string& state_dir);

  std::uint64_t replicated_until() const override;
  void look_back_from(std::uint64_t until) override;

  /// What a change has made of a name, so that no more is sent than needed.
  enum class Kind : std::uint8_t {
    kContent,     // a new object
    kAttributes,  // other attributes of the same content
    kOther,       // the holders are asked what they lack
  };

  /// One change of one name, from before it is published until all copies are there. One that goes
  /// before is brought to its end in the background. Movable.
  class Change {
   public:
    Change() = default;
    Change(Change&& other) noexcept : of_(std::exchange(other.of_, nullptr)), seq_(other.seq_) {}
    Change& operator=(Change&& other) noexcept {
      std::swap(of_, other.of_);
      std::swap(seq_, other.seq_);
      return *this;
    }
    ~Change() {
      if (of_ != nullptr) of_->leave(seq_);
    }
    bool empty() const { return of_ == nullptr; }
    /// Nothing has been changed, or all copies have it.
    void done() {
      if (Replicator* of = std::exchange(of_, nullptr)) of->end(seq_);
    }

   private:
    friend class Replicator;
    Change(Replicator& of, std::uint64_t seq) : of_(&of), seq_(seq) {}

    Replicator* of_ = nullptr;
    std::uint64_t seq_ = 0;
  };

  /// not_ready when the cluster has fewer active targets than the bucket keeps copies.
  static Status check_targets(const ClusterMap& map, const Bucket& bucket);

  /// Before the change is published. `version`: what it makes, if that was decided before; then
  /// note_clock() has to be called before anybody may forget that the change is to be made.
  Result<Change> begin(const store::Key& key, Version version = {});
  /// Returns when all holders have the name as it is here. stale_map when it has another owner by
  /// now, not_ready when there are too few targets or they do not answer before the deadline. Of a
  /// new object `streams` may have brought the bytes to holders already.
  Task<Status> replicate(Context context,
                         store::Key key,
                         Kind kind,
                         CopyStreams* streams = nullptr);

  /// Makes the copies elsewhere survive power loss; what is here is the caller's.
  Task<Status> sync(Context context, const Bucket& bucket, store::Key key);

  /// For one who has read the name, or something that depends on it: returns when all copies are
  /// there of every change that may have been read. not_ready at the deadline.
  Task<Status> seen(Context context, store::Key key);
  /// The same for a listing.
  Task<Status> seen_all(Context context, BucketId bucket);
  /// Whether what was just read of it has all copies. Inline.
  bool is_replicated(const store::Key& key) const;
  /// Whether nothing in any bucket has to be waited for. Inline.
  bool is_idle() const { return open_.load(std::memory_order_acquire) == 0; }
  /// Whether every owner of now knows of the changes of his names that were begun here and not
  /// brought to their end.
  bool has_told_owners() const;

  /// Names of this target that `holder` lacks copies of, or has older ones of, go there. False:
  /// something is left.
  Task<Result<bool>> send_missing(MapSnapshot map,
                                  const Bucket& bucket,
                                  std::string holder,
                                  std::vector<store::NameState> states);

  /// Background work until cancelled. On one shard.
  Task<void> run();
  /// Its first part: what is newer than the state file knows of is compared. Until it has succeeded
  /// once readers compare it one by one.
  Task<Status> look_back();
  /// One round of the rest; how many changes are left without all their copies.
  Task<std::size_t> settle();
  /// After it, and before a change that makes an older version is left for good: the state file
  /// says what is true now. Written when it does not yet.
  Task<Status> note_clock();

 private:
  using Seqs = std::set<std::uint64_t>;
  Replicator(Deps deps, UniqueFd root, std::uint64_t known)
      : deps_(std::move(deps)), root_(std::move(root)), known_(known) {}

  struct Open {
    store::Key key;           // the plain one
    std::uint64_t clock = 0;  // at most that of the version that the change makes
    bool left = false;        // whoever began it has gone
  };

  std::uint64_t oldest_open(std::uint64_t clock) const;
  void end(std::uint64_t seq);
  void leave(std::uint64_t seq);
  Context context_of(const ClusterMap& map, Deadline deadline) const;
  Task<Status> send_to_all(const MapSnapshot& map,
                           const Bucket& bucket,
                           const store::Key& plain,
                           Kind kind,
                           CopyStreams* streams,
                           Deadline deadline);
  Task<Status> copy_to_disks(const store::Key& plain);
  Task<Status> send_to(const MapSnapshot& map,
                       const Bucket& bucket,
                       std::string holder,
                       const store::Key& plain,
                       Kind kind,
                       CopyStreams* streams,
                       Deadline deadline);
  Task<Status> send_content(Context context,
                            std::string holder,
                            const Bucket& bucket,
                            store::NameState state,
                            CopyStreams* streams = nullptr);
  Task<Result<bool>> send_attributes(Context context,
                                     std::string holder,
                                     const Bucket& bucket,
                                     const store::Key& plain);
  Task<Status> send_lacking(Context context,
                            std::string holder,
                            const Bucket& bucket,
                            std::vector<store::NameState> states,
                            bool whole);
  /// Waits until no change with a lower number than `until` is open.
  template <class Oldest>
  Task<Status> wait_for(std::uint64_t until, Deadline deadline, Oldest oldest);
  struct LookedBack {
    bool copied = true;  // what this target owns is at the other holders
    bool told = true;    // and the others know of theirs
  };
  /// Of a state that is here: whether it is to be compared.
  bool is_doubted(const store::NameState& state) const;
  Task<Result<LookedBack>> look_back_everywhere(const MapSnapshot& map);
  Task<Result<LookedBack>> look_back_at(const MapSnapshot& map,
                                        std::size_t mountpath,
                                        const Bucket& bucket,
                                        bool tombstones);
  Task<Result<LookedBack>> look_back_on(const MapSnapshot& map,
                                        const Bucket& bucket,
                                        store::Key plain,
                                        std::uint64_t bytes);
  Task<Status> tell_owner(store::Key plain);
  Task<Status> settle_one(store::Key plain);

  const Deps deps_;
  const UniqueFd root_;        // of the state file
  /// Without looking back: changes up to this clock have their copies. Changed with mutex_.
  std::atomic<std::uint64_t> known_;
  /// And newer ones than this have begun since: they are open, or have theirs.
  std::atomic<std::uint64_t> doubted_until_ = std::numeric_limits<std::uint64_t>::max();
  std::atomic<bool> looked_back_ = false;
  std::atomic<Epoch> told_for_ = 0;  // the placement for which look_back() has told all others
  store::KeyLocks sending_;  // one message of a name after the other

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::uint64_t next_seq_ = 1;
  std::map<std::uint64_t, Open> changes_;
  std::unordered_map<std::uint64_t, Seqs> by_name_;
  std::map<BucketId, Seqs> by_bucket_;
  std::uint64_t noted_seq_ = 0;  // nothing has begun since the state file was written
  std::uint64_t asked_ = 0;      // how often there was something to look back at again

  store::KeyLocks noting_;             // one writer of the state file
  std::uint64_t noted_ = 0;            // what it says; by who has noting_
  std::atomic<std::size_t> open_ = 1;  // changes, and one until all was looked back at
  Notifier ended_;
};

}  // namespace aisfs::target
