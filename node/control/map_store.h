// SPDX-License-Identifier: MIT
// The cluster map as keys of a MetaStore, changed one epoch at a time:
//
//   aisfs/map/epoch            decimal; every change compares and raises it
//   aisfs/map/uuid             of the cluster
//   aisfs/map/key_proof        hex(HMAC-SHA256(join key, "cluster " uuid)): who has the cluster's
//   key
//                              finds the same; not there in clusters of earlier releases
//   aisfs/map/store            id of the gateway that holds the embedded store; "" in etcd
//   aisfs/map/placement        Placement, if it is not empty
//   aisfs/map/nodes/<id>       NodeInfo           aisfs/map/buckets/<uname>   Bucket
//   aisfs/map/users/<id>       User               aisfs/map/mappings/<n>      PrefixMapping
//   aisfs/map/records/<id>     NodeRecord, known to gateways only
//   aisfs/alive/<id>           there while the node's lease lasts
//   aisfs/ceilings/<id>        decimal: wire::AliveRecord::ceiling as a target told it last
//   aisfs/moved                where the map has gone (move_map.h)
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "common/auth/cluster_key.h"
#include "common/model/cluster_map.h"
#include "common/wire/control.h"
#include "node/control/meta_store.h"

namespace aisfs::control {

inline constexpr std::string_view kMapPrefix = "aisfs/map/";
inline constexpr std::string_view kEpochKey = "aisfs/map/epoch";
inline constexpr std::string_view kKeyProofKey = "aisfs/map/key_proof";
inline constexpr std::string_view kAlivePrefix = "aisfs/alive/";
inline constexpr std::string_view kCeilingPrefix = "aisfs/ceilings/";
inline constexpr std::string_view kMovedKey = "aisfs/moved";

/// The map and what gateways keep beside it.
struct MapDraft {
  ClusterMap map;
  SharedMap<wire::NodeRecord> records;  // by node id

  bool operator==(const MapDraft&) const = default;
};

/// Notes it for MapStore::ceiling_of. It is on all disks of the target already.
meta::Step ceiling_step(const std::string& node, std::uint64_t ceiling);

/// Keeps what it has read: the next time it reads what has changed since. Thread-safe.
class MapStore {
 public:
  /// `meta` outlives it.
  explicit MapStore(MetaStore& meta) : meta_(meta) {}

  /// not_found when the store has no cluster yet, or no more.
  Task<Result<MapDraft>> load();
  /// The newest epoch; 0 when the store has no cluster yet.
  Task<Result<Epoch>> epoch();

  /// Applies `edit` to the newest map and publishes the outcome as the next epoch; when somebody
  /// else was faster, anew. An edit that changes nothing makes no epoch; its error is passed on.
  /// `edit` may run several times. overloaded after too many lost races. When the store's answer
  /// was lost, its history tells whether the change has happened, whatever others have changed
  /// since; where it does not, the change fails as the answer did (unreachable, timed_out) and may
  /// have happened.
  using Edit = std::function<Status(MapDraft&)>;
  Task<Result<MapDraft>> change(Edit edit);

  /// Makes the first map, of epoch 1, if there is none and has been none; only gateways with this
  /// key may open it then.
  Task<Status> bootstrap(std::string uuid, auth::ClusterKey key);

  /// permission_denied unless the cluster was made with this key. One that does not say yet which
  /// is its key takes this one. not_found as load().
  Task<Status> check_key(auth::ClusterKey key);

  /// Of the nodes whose lease lasts, by id.
  Task<Result<std::map<std::string, wire::AliveRecord>>> alive();

  /// What all disks of the target knew when it told last; 0 when it never has.
  Task<Result<std::uint64_t>> ceiling_of(std::string node);

 private:
  /// The map with where it lies in the store.
  struct Loaded {
    meta::Revision epoch_at = 0;            // where the epoch was written; 0: there is none
    std::vector<std::string> mapping_keys;  // of map.mappings, in their order
    std::optional<std::string> key_proof;
    MapDraft draft;
  };
  /// Transactions of one change whose answer was lost, and which may have happened. At most one
  /// has: each replaces the same epoch. Of those of an earlier one it is known that none has.
  struct Lost {
    meta::Revision base = 0;  // where that epoch was written
    std::vector<MapDraft> made;
    std::optional<Error> why;  // the first of their errors
    int count = 0;             // with those of earlier epochs
  };
  /// As it is now.
  Task<Result<Loaded>> load_newest();
  /// All of it, as of that revision, or of now.
  Task<Result<Loaded>> load_all(meta::Revision at = 0);
  /// Brings what was read before up to the epoch that was written at `epoch_at`. Fails when the
  /// store does not tell all that has changed between the two.
  Task<Result<Loaded>> catch_up(Loaded known, meta::Revision epoch_at);
  static Status apply(const meta::Event& event, Loaded& loaded);
  static Status put(std::string_view name, const std::string& value, Loaded& loaded);
  static void remove(std::string_view name, Loaded& loaded);
  /// What became of them, when there is a later epoch.
  Task<Result<std::optional<MapDraft>>> find_happened(const Lost& lost);
  Task<Error> no_cluster();

  MetaStore& meta_;
  std::mutex mutex_;
  std::shared_ptr<const Loaded> known_;  // read last; guarded by mutex_
};

}  // namespace aisfs::control
