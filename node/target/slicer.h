// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>

#include "common/async/clock.h"
#include "common/async/limiter.h"
#include "common/async/notifier.h"
#include "common/model/scrub.h"
#include "node/store/key_locks.h"
#include "node/target/slice_writer.h"

namespace aisfs::target {

/// What becomes of names when their objects are split: the target's own (LocalTarget).
class SlicedNames {
 public:
  virtual ~SlicedNames() = default;

  /// Returns when this target has the newest state of the name.
  virtual Task<Status> settle_name(Context context, store::Key key) = 0;
  /// Returns when what was just read of the name survives what the bucket promises.
  virtual Task<Status> seen(Context context, store::Key key) = 0;
  /// The object in one piece, every block compared with its hash; what is damaged is healed first.
  virtual Task<Result<ObjectStream>> open_whole(store::Key key, GetOptions options) = 0;
  /// The name refers to the slices from now on, if it is still as it was `seen`, else
  /// precondition_failed, and placed as `since` says, else stale_map.
  virtual Task<Status> become_sliced(
      Context context, store::Key key, ObjectInfo seen, store::Reference content, Epoch since) = 0;
  /// The other way round: the object lies in one piece again.
  virtual Task<Status> become_whole(Context context, store::Key key) = 0;
};

/// Keeps the objects of buckets with erasure coding in slices.
///
/// A name whose object is split is a reference (store::sliced), of which there are as many copies
/// as of every name of its bucket, one more than slices may be lost; the slices lie at the first
/// data + parity targets in the order of the name's holders, one at each. The owner of a name sees
/// to it that all are there: what was written whole is split, what is missing is made of the
/// others, what nobody needs any more goes. It looks at everything it owns when targets have
/// changed, after a start and once in a while, and at single names when somebody has met a fault.
///
/// Every target asks the owners about the slices that it has, in the same turn, and drops those
/// that are of no use. Thread-safe. What it is given outlives it.
class Slicer {
 public:
  struct Deps {
    std::string node_id;
    store::Store& store;
    MapSource& maps;
    Peers& peers;
    Clock& clock;
    SlicedNames& names;
    /// Who reads slices that were replaced may go on for so long.
    Duration readers = std::chrono::seconds(60);
    /// Of slices that no name refers to yet: an owner may be about to publish one, or to hand it
    /// over.
    Duration young = std::chrono::minutes(10);
  };
  explicit Slicer(Deps deps);

  const SliceAccess& access() const { return access_; }

  /// Splits what `body` gives, for a name that then becomes a reference to the result: see split().
  /// Until the ticket goes nobody drops the slices. not_ready when there are too few targets.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Slicer& of, Version version) : of_(&of), version_(version) {}
    Ticket(Ticket&& other) noexcept
        : of_(std::exchange(other.of_, nullptr)), version_(other.version_) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (of_ != nullptr) of_->end(version_);
    }

   private:
    Slicer* of_ = nullptr;
    Version version_;
  };
  struct Plan {
    Splitting splitting;
    Epoch since = 0;  // the placement that the slices were put by
    Ticket ticket;
  };
  /// To split one of so many objects at a time: they need memory. nullopt while there is no room, as
  /// nobody waits for those who write slowly.
  std::optional<Limiter::Permit> room() { return room_.try_acquire(); }
  Result<Plan> plan(const Bucket& bucket,
                    const store::Key& key,
                    Durability level,
                    std::uint64_t bytes);

  /// Slices that split() could not put anywhere, or has put where they belong no more, come to who
  /// holds them by the map of now, which plan.since then is of. not_ready at the deadline.
  Task<Status> complete(Context context, Plan& plan);

  /// The name is to be looked at soon: it was written, slices of it are missing, or somebody has
  /// some whom the map does not tell of.
  void soon(const store::Key& key, std::string from = {});
  /// A name has come to this target with its reference to slices, of which `from` has some. True
  /// when they are where they belong, or a look that is not over yet sees to it. False: ask again.
  Task<Result<bool>> take_in(MapSnapshot map,
                             const Bucket& bucket,
                             store::Key key,
                             std::string from);
  /// Everything is to be looked at soon. What has_looked() is asked with.
  std::uint64_t look_again();
  /// Whether a whole look that began after that has left nothing to do.
  bool has_looked(std::uint64_t asked) const;
  /// The slices are needed no more, but by those who read them now.
  void drop_later(const store::Key& key, store::Reference content);
  /// Of slices that `from` has, of names of this target: which nobody needs.
  Task<Result<std::vector<SliceVerdict>>> judge(Context context,
                                                MapSnapshot map,
                                                const Bucket& bucket,
                                                std::string from,
                                                std::vector<store::HeldSlice> slices);

  /// While it is held, the name's object stays in one piece if it is.
  Task<store::KeyLocks::Guard> keep_whole(const store::Key& key);

  /// Background work until cancelled. On one shard.
  Task<void> run();
  /// One look at everything; false when something is left to do.
  Task<Result<bool>> settle();
  /// What was asked for by soon(), and what is due of drop_later(); how many are left.
  Task<std::size_t> settle_some();
  /// Whether all of it was in order for this placement. Inline.
  bool is_settled(Epoch since) const { return settled_.load() == since; }
  /// Whether all targets have heard that this mountpath is out of reach. Any thread.
  bool has_told_of(const std::string& mountpath) const;

  struct Progress {
    bool running = false;
    std::uint64_t names_seen = 0, split = 0, repaired = 0, dropped = 0;
    std::uint64_t left = 0, lost = 0;  // of the last look
  };
  Progress progress() const;
  /// Objects of this target's names that cannot be read now, or are lost; the first thousand.
  std::vector<DamagedName> damages() const;

 private:
  struct Due {
    store::Key key;
    store::Reference content;
    TimePoint at;
  };
  struct Asked {
    store::Key key;
    std::set<std::string> also;  // have slices, whatever the map says
    TimePoint at{};
  };

  void end(Version version);
  bool is_under_way(Version version) const;
  Context own_context() const;
  template <class Edit>
  void note(Edit edit) {
    const std::lock_guard lock(mutex_);
    edit(progress_);
  }

  void note_damage(const store::Key& key, const char* why, bool lost);
  void note_good(const store::Key& key);
  Task<void> tell_of_lost_mountpaths();
  /// Whether buckets are to be split otherwise than at the last call.
  bool has_other_codes();
  Task<Result<bool>> settle_names(MapSnapshot map, std::size_t mountpath, const Bucket& bucket);
  Task<Result<bool>> settle_slices(MapSnapshot map, std::size_t mountpath, const Bucket& bucket);
  /// True when the name is as it should be.
  Task<Result<bool>> settle_name(MapSnapshot map,
                                 const Bucket& bucket,
                                 store::Key key,
                                 std::set<std::string> also = {});
  Task<Result<bool>> encode(const Bucket& bucket, store::Key key);
  enum class Repaired : std::uint8_t { kWhole, kLacking, kNotYet, kLost };
  /// Brings the slices to where they belong; what is of no use goes.
  Task<Result<Repaired>> repair(MapSnapshot map,
                                store::Key key,
                                store::Reference content,
                                std::uint64_t bytes,
                                std::set<std::string> also);
  bool is_old(Version version) const;
  /// Whether targets are as they were by this map.
  bool is_same_placement(const ClusterMap& map) const;
  Task<bool> is_needless(Context context, store::Key key, store::Reference content);
  /// What is due of drop_later(), unless a name refers to it.
  Task<void> drop_due();
  Task<Status> drop_everywhere(Context context, store::Key key, store::Reference content);
  Task<Result<std::size_t>> ask_owner(MapSnapshot map,
                                      const Bucket& bucket,
                                      std::string owner,
                                      std::vector<store::HeldSlice> slices);

  const Deps deps_;
  disk::IoPool compute_{{.threads = 2, .background = 1}};
  const SliceAccess access_;
  Limiter room_;
  store::KeyLocks whole_;  // by name: held while its object changes its form
  store::KeyLocks turns_;  // by name: one look at a time
  std::atomic<Epoch> settled_ = 0;
  std::atomic<std::uint64_t> came_ = 0;       // names, while not settled
  std::atomic<std::uint64_t> forgotten_ = 0;  // that were asked for, as there were too many

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::set<Version> under_way_;  // slices that no name refers to yet
  std::unordered_map<std::uint64_t, Asked> soon_;
  std::deque<Due> due_;
  std::set<std::string> told_of_;  // mountpaths out of reach of which all targets have heard
  std::uint64_t looks_asked_ = 0;  // at everything
  std::uint64_t looks_done_ = 0;   // of these
  std::unordered_map<std::uint64_t, DamagedName> damages_;
  Progress progress_;
  Notifier asked_;

  // Of run() alone.
  std::set<std::string> mountpaths_;  // that can be read
  std::map<BucketId, ErasureProps> codes_;
  std::set<std::string> to_tell_;  // targets that have not heard yet that one has gone
  std::set<std::string> lacking_;  // mountpaths that are out of reach, of which they hear
};

}  // namespace aisfs::target
