// SPDX-License-Identifier: MIT
// Operations of the control plane, a file each. All check what `who` may do, run on the caller's
// executor, and return when every live node knows the new map (bounded). Errors beside those
// named: unauthenticated (anonymous), permission_denied, those of MetaStore.
#pragma once
#include "node/control/control_plane.h"

namespace aisfs::control::ops {

/// already_exists: "bucket \"ais://b\" already exists"; invalid_argument for a bad name.
Task<Result<Bucket>> create_bucket(ControlPlane& plane,
                                   auth::Identity who,
                                   BucketName name,
                                   BucketProps props);
/// not_found. Whether it is empty is the caller's to know.
Task<Status> destroy_bucket(ControlPlane& plane, auth::Identity who, BucketName name);
Task<Result<Bucket>> set_bucket_props(ControlPlane& plane,
                                      auth::Identity who,
                                      BucketName name,
                                      BucketProps props);

/// As targets ask for it (common/wire/control.h); the caller has checked that it is one. Return the
/// epoch of the map with the change. overloaded: too many directories are being rewritten.
Task<Result<Epoch>> rename_prefix(ControlPlane& plane, wire::RenamePrefixRequest request);
/// not_found for the bucket.
Task<Result<Epoch>> allow_implied_dirs(ControlPlane& plane, BucketId bucket);
/// Nothing changes while other mappings need this one.
Task<Result<Epoch>> end_mapping(ControlPlane& plane, PrefixMapping mapping);

/// For administrators. already_exists for the id or the access key. The reply has the secret.
Task<Result<UserInfo>> create_user(ControlPlane& plane, auth::Identity who, CreateUser user);
/// not_found; busy while the user owns buckets or is the last administrator.
Task<Status> remove_user(ControlPlane& plane, auth::Identity who, std::string id);

/// unauthenticated: the node has another cluster key; permission_denied: another cluster's data,
/// another node of this id, a copy of its disks; busy: it is running elsewhere.
Task<Result<wire::JoinReply>> join(ControlPlane& plane, wire::JoinRequest request);
/// not_found: the lease has ended or belongs to a later start; join again.
Task<Result<wire::KeepAliveReply>> keep_alive(ControlPlane& plane, wire::KeepAliveRequest request);
/// A gateway of its own accord, or an administrator. A target's leaving is refused (unsupported)
/// while it may hold objects: it is decommissioned (change_node).
Task<Status> leave(ControlPlane& plane, auth::Identity who, wire::LeaveRequest request);

/// Gives targets these states: their names are handed over in steps (ClusterMap::placement).
/// precondition_failed when no target would be left; overloaded while others change.
Task<Status> place(ControlPlane& plane, std::map<std::string, NodeState> states);
/// What place() would say of them, but for overloaded.
Status check_targets_left(const ClusterMap& map, const std::map<std::string, NodeState>& states);
/// precondition_failed when there are not as many targets as the bucket would keep copies.
Status check_copies(const ClusterMap& map, const BucketProps& props);
/// What has to follow when the bucket kept so many copies before: they are made, or go. overloaded
/// while targets change.
Status change_copies(ClusterMap& map, const Bucket& bucket, std::uint32_t before);
/// Ends what a gateway has begun that is gone.
Task<Status> finish_placing(ControlPlane& plane);
/// All names are where the placement of this epoch says; decommissioned targets leave the map.
Task<Status> settle_placement(ControlPlane& plane, Epoch since);
/// For administrators. not_found, precondition_failed, busy; invalid_argument for what makes no
/// sense for the node.
Task<Status> change_node(ControlPlane& plane,
                         auth::Identity who,
                         std::string node,
                         NodeAction action);

/// The text that a join proves.
std::string join_text(const wire::JoinRequest& request);

}  // namespace aisfs::control::ops
