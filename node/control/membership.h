// SPDX-License-Identifier: MIT
#pragma once
#include <boost/asio/thread_pool.hpp>
#include <vector>

#include "common/async/clock.h"
#include "common/auth/cluster_key.h"
#include "common/client/replay.h"
#include "common/client/transport.h"
#include "common/wire/control.h"
#include "node/control/control_plane.h"
#include "node/control/fencing.h"
#include "node/control/node_maps.h"
#include "node/control/node_state.h"

namespace aisfs::control {

struct MembershipOptions {
  std::string data_dir;
  std::vector<Endpoint> gateways;  // control addresses to try beside those of the map
  Duration renew_every = std::chrono::seconds(1);
  /// What the node says of itself with each renewal; its incarnation is filled in. Null: nothing.
  std::function<wire::AliveRecord()> state = nullptr;
  /// Of a target: how old its disks are, read anew for each join; blocks. Null elsewhere.
  std::function<Result<wire::DisksAge>()> disks = nullptr;
};

/// A node's side of being a member: joins, renews its lease, follows the map and keeps it on disk.
/// Everything it is given outlives it. One executor.
class Membership {
 public:
  /// `plane` on a gateway: it is asked without the network. Null elsewhere.
  Membership(NodeIdentity identity,
             NodeInfo node,
             MembershipOptions options,
             auth::ClusterKey key,
             Clock& clock,
             Transport& peers,
             NodeMapSource& maps,
             Fencing& fencing,
             ControlPlane* plane);

  /// Joins; tries again while no gateway answers, until the deadline. A refusal ends it
  /// (unauthenticated, permission_denied). Returns the node as it is in the map now.
  Task<Result<NodeInfo>> join(Deadline deadline);

  /// Renews the lease; joins again when it was lost. Until cancelled, or refused for good.
  Task<void> keep_alive();
  /// Fetches newer maps. Until cancelled.
  Task<void> follow_map();
  /// Writes every new map to <data_dir>/cluster.map. Until cancelled.
  Task<void> save_maps();

 private:
  Task<Result<wire::JoinReply>> try_join();
  wire::JoinRequest join_request(std::optional<wire::DisksAge> disks) const;
  /// Calls a method at one gateway after the other until one answers.
  template <class Reply, class Request>
  Task<Result<Reply>> ask_gateways(std::string method,
                                   Request request,
                                   Duration each,
                                   Replay replay = Replay::kSafe);
  std::vector<NodeInfo> gateways() const;
  Task<void> renew();
  /// Installs what a gateway knows that is newer, when there is something or after this time.
  Task<Result<Epoch>> update_map(std::uint32_t wait_ms);
  Task<Result<Epoch>> update_from_gateways(std::uint32_t wait_ms);
  /// The same from gateways of earlier releases, which know no deltas.
  Task<Result<Epoch>> watch_map(std::uint32_t wait_ms);
  /// Returns once a map of at least this epoch is installed; not_ready at the deadline.
  Task<Status> fetch_map(Epoch epoch, Deadline deadline);

  NodeIdentity identity_;
  NodeInfo node_;
  const MembershipOptions options_;
  const auth::ClusterKey key_;
  Clock& clock_;
  Transport& peers_;
  NodeMapSource& maps_;
  Fencing& fencing_;
  ControlPlane* const plane_;
  meta::LeaseId lease_ = 0;
  Endpoint answered_;          // of the gateway that did last
  asio::thread_pool disk_{1};  // for the files of the data folder
};

}  // namespace aisfs::control
