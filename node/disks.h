// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <memory>
#include <mutex>

#include "common/async/clock.h"
#include "common/wire/control.h"
#include "node/config.h"
#include "node/front/cluster/cluster_peers.h"
#include "node/front/cluster/router.h"
#include "node/jobs/kind.h"
#include "node/store/store.h"
#include "node/target/local_target.h"
#include "node/target/rebalancer.h"
#include "node/target/scrubber.h"
#include "node/target/tombstones.h"

namespace aisfs::node {

/// Of the configured mountpaths, as a join tells it; new folders do not count. Blocks.
Result<wire::DisksAge> age_of_disks(const NodeConfig& config);

/// The storing half of a node: store, target and its peers, opened and closed as one.
class Disks {
 public:
  /// Recovers the mountpaths of the configuration. Blocks, seconds after a crash: not on an io
  /// thread. `may_serve` as LocalTargetOptions has it. `self` is the node as it joined; `data` and `control` (to the listeners of other nodes), `maps` and `clock` outlive
  /// the result.
  static Result<std::unique_ptr<Disks>> open(const NodeConfig& config,
                                             const NodeInfo& self,
                                             Transport& data,
                                             Transport& control,
                                             MapSource& maps,
                                             Clock& clock,
                                             std::function<Status()> may_serve);
  ~Disks();
  Disks(const Disks&) = delete;
  Disks& operator=(const Disks&) = delete;

  target::LocalTarget& target() { return *target_; }
  /// The whole cluster by names and by places, for what the target cannot do alone. Once, before the
  /// first request.
  void attach(ObjectApi& cluster, ObjectApi& places) { peers_.attach(cluster, places, *target_); }
  target::Rebalancer& rebalancer() { return *rebalancer_; }
  /// What jobs work with here; `cluster` as attach() has it.
  jobs::JobDeps for_jobs(ObjectApi& cluster);
  /// How far it is, once it has been told.
  ScrubProgress scrub(ScrubAction action);
  /// What is told with each renewal of the lease (wire::AliveRecord::ceiling).
  std::uint64_t ceiling() const { return store_.saved_ceiling(); }
  /// wire::AliveRecord::failing.
  bool failing() const { return store_.is_failing(); }
  StorageInfo storage() const { return store_.storage(); }
  /// Giving one up is refused (precondition_failed) where buckets keep copies.
  Task<Status> change_mountpath(MountpathChange change);
  /// Versions carry this epoch from now on.
  void see_epoch(Epoch epoch) { store_.set_epoch(epoch); }
  /// Versions follow the epoch of the map; renames and references are brought to their end, copies
  /// to those who keep them; disks are watched. Until cancelled.
  Task<void> run();
  /// What nobody waits for, until cancelled: names of others are brought to their owners, lost
  /// copies and slices made again, disks scrubbed, tombstones forgotten. For a background shard.
  Task<void> run_background();
  /// Everything acknowledged is on disk and the index is clean. When no request runs any more.
  void close() { store_.close(); }

 private:
  Disks(store::StoreOptions options,
        const NodeInfo& self,
        Transport& data,
        Transport& control,
        MapSource& maps,
        Clock& clock);

  Task<Status> check_give_up(const std::string& mountpath);
  /// Has all other targets look for what they have copies of, unless those that run now did so.
  Task<Status> ask_for_copies(const MapSnapshot& map, const std::string& mountpath);

  const std::string node_id_;
  MapSource& maps_;
  Clock& clock_;
  store::Store store_;
  cluster::ClusterPeers peers_;
  // By mountpath that is to be given up: which start of each other target was asked for copies.
  std::map<std::string, std::map<std::string, std::uint32_t>> asked_;
  std::mutex mutex_;  // of asked_
  std::unique_ptr<target::LocalTarget> target_;
  std::unique_ptr<target::Rebalancer> rebalancer_;
  disk::IoPool io_{{.threads = 1}};  // of the scrub's state
  std::unique_ptr<target::Scrubber> scrubber_;
  std::unique_ptr<target::TombstoneCollector> tombstones_;
};

}  // namespace aisfs::node
