// SPDX-License-Identifier: MIT
#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/obs/log.h"
#include "common/wire/envelope.h"
#include "node/control/ops/ops.h"

namespace aisfs::control::ops {
namespace {

Status check_proof(const ControlPlane& plane, const wire::JoinRequest& request) {
  const std::string expected = to_hex(as_bytes(hmac_sha256(plane.key().join(), join_text(request))));
  if (equal_constant_time(expected, request.proof)) return {};
  return Error(Errc::unauthenticated, "join of " + request.node.id +
                                          " refused: its cluster key is not this cluster's; give "
                                          "it a copy of the gateway's cluster.key");
}

/// The node's record as it will be, or why the node is not who it says.
Result<wire::NodeRecord> next_record(const MapDraft& draft, const wire::JoinRequest& request) {
  const std::string& id = request.node.id;
  if (!request.cluster_uuid.empty() && request.cluster_uuid != draft.map.uuid) {
    return Error(Errc::permission_denied,
                 "join of " + id + " refused: its data belongs to cluster " + request.cluster_uuid +
                     ", this is " + draft.map.uuid + "; use other data folders or the right cluster");
  }
  // The epoch that this join makes: higher than any before, and no other node's, so that no two
  // nodes give the same version.
  const std::uint32_t incarnation = draft.map.epoch + 1;
  const auto it = draft.records.find(id);
  if (it == draft.records.end()) {
    return wire::NodeRecord{request.identity, request.attempt, request.place, incarnation};
  }
  const wire::NodeRecord& known = it->second;
  if (known.fenced) {
    return Error(Errc::permission_denied,
                 "join of " + id +
                     " refused: it was decommissioned and what it held given up; wipe "
                     "its folders to use the machine again");
  }
  if (known.identity != request.identity) {
    return Error(Errc::permission_denied, "join of " + id +
                                              " refused: another node has this id; remove node_id "
                                              "from the new node's configuration");
  }
  if (known.attempt != request.attempt && known.incarnation != request.node.incarnation) {
    return Error(Errc::permission_denied,
                 "join of " + id + " refused: its disks are a copy or were restored (start " +
                     std::to_string(request.node.incarnation) + ", the cluster knows " +
                     std::to_string(known.incarnation) + "); start the original, or wipe this one");
  }
  return wire::NodeRecord{known.identity, request.attempt, request.place, incarnation};
}

/// Of what lies on the disks, before the target serves it.
Status check_age(const wire::JoinRequest& request, std::uint64_t known) {
  if (!request.disks || request.disks->ceiling >= known) return {};
  const std::string oldest =
      request.disks->oldest.empty()
          ? "its mountpaths are empty"
          : "mountpath " + request.disks->oldest + " is an image of before, or was set back";
  return Error(Errc::permission_denied,
               "join of " + request.node.id + " refused: " + oldest + " (clock " +
                   std::to_string(request.disks->ceiling) + ", the cluster knows " +
                   std::to_string(known) +
                   "); bring the right disk back; if that is lost, "
                   "decommission the node with --data-lost and join a new one");
}

Status check_not_elsewhere(const MapDraft& draft,
                           const std::map<std::string, wire::AliveRecord>& alive,
                           const wire::JoinRequest& request) {
  const auto it = draft.records.find(request.node.id);
  const bool lives = alive.contains(request.node.id);
  if (!lives || it == draft.records.end() || it->second.place == request.place) return {};
  return Error(Errc::busy, "node " + request.node.id + " is running at " + it->second.place +
                               "; stop it, or wait for its lease to end");
}

/// A target's names come to it when it has compared what it holds (governor.h); without a bucket
/// there is nothing to compare.
NodeState state_of_joining(const ClusterMap& map, const NodeInfo& node, const NodeInfo* known) {
  if (!node.stores() || map.buckets.empty()) return NodeState::kActive;
  if (known == nullptr || known->state == NodeState::kAway) return NodeState::kJoining;
  return known->state;
}

Task<Result<meta::LeaseId>> grant_lease(ControlPlane& plane,
                                        std::string id,
                                        std::uint32_t incarnation,
                                        std::optional<wire::DisksAge> disks) {
  CO_TRY(const auto lease, co_await plane.meta().grant(plane.options().lease));
  meta::TxnRequest request;
  if (disks) request.then.push_back(ceiling_step(id, disks->ceiling));
  const wire::AliveRecord alive{.incarnation = incarnation};
  request.then.push_back(
      meta::put_step(std::string(kAlivePrefix) + id, wire::encode(alive), lease));
  CO_TRY(const auto reply, co_await plane.meta().txn(std::move(request)));
  static_cast<void>(reply);
  co_return lease;
}

}  // namespace

std::string join_text(const wire::JoinRequest& r) {
  return r.node.id + "\n" + r.identity + "\n" + r.cluster_uuid + "\n" +
         std::to_string(r.node.incarnation) + "\n" + r.attempt + "\n" + std::to_string(r.time_ns) +
         "\n" + r.nonce + "\n" + r.node.control_net.to_string();
}

Task<Result<wire::JoinReply>> join(ControlPlane& plane, wire::JoinRequest request) {
  CO_CHECK_OK(check_proof(plane, request));
  CO_CHECK_OK(plane.take_nonce(request.nonce, request.time_ns));
  if (request.node.id.empty() || request.node.id.find('/') != request.node.id.npos) {
    co_return Error(Errc::invalid_argument, "a node id is not empty and has no '/'");
  }
  CO_TRY(const std::uint64_t ceiling, co_await plane.maps().ceiling_of(request.node.id));
  CO_TRY(const auto alive, co_await plane.maps().alive());
  const MapStore::Edit edit = [=](MapDraft& draft) -> Status {
    TRY(auto record, next_record(draft, request));
    // What is told of an id that has no record is of another node, which had it before.
    if (draft.records.contains(request.node.id)) CHECK_OK(check_age(request, ceiling));
    CHECK_OK(check_not_elsewhere(draft, alive, request));
    NodeInfo node = request.node;
    node.incarnation = record.incarnation;
    const auto* known = draft.map.find_node(node.id);
    node.state = state_of_joining(draft.map, node, known);
    draft.map.nodes[node.id] = std::move(node);
    draft.records[request.node.id] = std::move(record);
    return {};
  };
  CO_TRY(const auto draft, co_await plane.change(edit));
  const auto& node = draft.map.nodes.at(request.node.id);
  CO_TRY(const auto lease, co_await grant_lease(plane, node.id, node.incarnation, request.disks));
  // Who has a lease is told of every later map; it must not serve before it has all earlier ones.
  CO_TRY(auto newest, co_await plane.maps().load());
  const Epoch epoch = newest.map.epoch;
  CO_TRY(const Epoch known, plane.known().install(std::move(newest.map)));
  LOG_INFO("node joined", "node", node.id, "incarnation", node.incarnation, "epoch", known);
  co_return wire::JoinReply{node.incarnation, lease, plane.options().lease.count(), draft.map.uuid,
                            epoch};
}

}  // namespace aisfs::control::ops
