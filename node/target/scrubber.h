// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/async/clock.h"
#include "common/client/object_api.h"
#include "common/disk/io_pool.h"
#include "common/disk/posix.h"
#include "common/model/scrub.h"
#include "node/store/store.h"
#include "node/target/healer.h"
#include "node/target/replicator.h"
#include "node/target/slicer.h"

namespace aisfs::target {

/// Where a pass is, and what it has found; the state file.
struct ScrubState {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;

  ScrubProgress progress;        // next_ns is not kept
  std::int64_t idle_ns = 0;      // since when no pass has been due
  std::uint64_t mountpaths = 0;  // for so many the place is valid
  // All names before this one have been looked at.
  std::uint64_t mountpath = 0;
  BucketId bucket;
  std::string after;

  bool operator==(const ScrubState&) const = default;
  template <class A>
  void fields(A& ar, std::uint16_t version) {
    progress.fields(ar, version);
    ar(idle_ns, mountpaths, mountpath, bucket, after);
  }
};

/// Reads all that this target holds, now and then and slowly, and has the Healer heal what is
/// damaged. Of the target's own names the other holders are sent what they lack, too; of the copies
/// that it keeps for others the owners are offered those that they know nothing of. A pass that a
/// restart cuts goes on where it was, or a little before. One run at a time, on one shard; start(),
/// stop() and progress() from any thread.
class Scrubber {
 public:
  struct Deps {
    std::string node_id;
    std::string state_dir;  // absolute; exists
    store::Store& store;
    MapSource& maps;
    Peers& peers;
    Clock& clock;
    disk::IoPool& io;  // where it may block
    Healer& healer;
    Replicator& replicator;
    Slicer& slicer;
    std::uint64_t bytes_per_second = 64_MiB;
    Duration interval{};  // from the end of a pass to the next; 0: none begins by itself
  };
  /// Reads the state file. Blocks.
  static Result<std::unique_ptr<Scrubber>> open(Deps deps);

  /// Until cancelled.
  Task<void> run();
  /// The pass that has been started, or was cut, to its end. cancelled: it was stopped, or the
  /// caller is.
  Task<Status> pass();

  /// A pass is due, from the beginning. Nothing when one runs.
  void start();
  /// The one that runs ends soon.
  void stop();
  ScrubProgress progress() const;

 private:
  using Shares = std::map<std::string, std::vector<store::NameState>>;  // by target

  Scrubber(Deps deps, UniqueFd root, ScrubState state)
      : deps_(std::move(deps)), root_(std::move(root)), state_(std::move(state)) {}

  bool is_due() const;
  /// Files and slices.
  std::vector<DamagedName> damages() const;
  bool is_stopped() const;
  Task<Status> walk();
  Task<Status> walk_names(std::size_t mountpath, const Bucket& bucket, std::string after);
  Task<Status> walk_slices(std::size_t mountpath, const Bucket& bucket);
  Task<void> tell_owner(const Bucket& bucket, const store::HeldSlice& slice);
  Task<Status> look_at(const MapSnapshot& map, const Bucket& bucket, store::NameState state);
  Task<void> send_shares(const MapSnapshot& map, const Bucket& bucket);
  Task<void> offer_lost(const MapSnapshot& map,
                        const Bucket& bucket,
                        std::string owner,
                        std::vector<store::NameState> states);
  Task<Status> pace(std::uint64_t bytes);
  /// Now and then; what was looked at has been sent then.
  Task<void> save_if_due();
  Task<void> save();
  void finish();
  template <class Edit>
  void note(Edit edit);

  const Deps deps_;
  const UniqueFd root_;     // of the state file
  Shares own_;              // names of this target's, by other holders
  Shares others_;           // copies of names of others, by owners
  TimePoint busy_until_{};  // by the rate
  TimePoint saved_at_{};
  ScrubState saved_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  ScrubState state_;
  bool stop_ = false;
};

}  // namespace aisfs::target
