// SPDX-License-Identifier: MIT
// What administrators and owners of buckets have done with the cluster.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/client/context.h"
#include "common/model/mountpath.h"
#include "common/model/rebalance.h"
#include "common/model/scrub.h"

namespace aisfs {

/// What a client may know of a user; the secret only in the answer to create_user and add_key.
struct UserInfo {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;

  std::string id;
  std::string display_name;
  bool admin = false;
  std::vector<std::string> access_keys;
  std::string new_access_key, new_secret_key;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(id, display_name, admin, access_keys, new_access_key, new_secret_key);
  }
};

struct CreateUser {
  std::string id, display_name;
  bool admin = false;
  std::string access_key, secret_key;  // empty: generated
};

/// What an administrator has done with a node.
enum class NodeAction : std::uint8_t {
  kStartMaintenance = 1,  // its objects move to others; it stays a member
  kStopMaintenance = 2,   // it takes part again
  kDecommission = 3,      // its objects move to others, then it leaves for good
  kDataLost = 4,          // of one that is away: what it alone held is lost, and it never comes back
};

/// Buckets and users: the control plane as a client sees it.
class AdminApi {
 public:
  virtual ~AdminApi() = default;

  /// Those that the caller may see.
  virtual Task<Result<std::vector<Bucket>>> list_buckets(Context context) = 0;
  /// not_found: "bucket \"ais://b\" does not exist".
  virtual Task<Result<Bucket>> find_bucket(Context context, BucketName name) = 0;
  /// already_exists: "bucket \"ais://b\" already exists". Returns when all active targets know it.
  virtual Task<Result<Bucket>> create_bucket(Context context,
                                             BucketName name,
                                             BucketProps props) = 0;
  /// not_empty unless `force`.
  virtual Task<Status> destroy_bucket(Context context, BucketName name, bool force) = 0;
  virtual Task<Result<Bucket>> set_bucket_props(Context context,
                                                BucketName name,
                                                BucketProps props) = 0;

  // For administrators only.
  virtual Task<Result<UserInfo>> create_user(Context context, CreateUser user) = 0;
  virtual Task<Result<std::vector<UserInfo>>> list_users(Context context) = 0;
  virtual Task<Status> remove_user(Context context, std::string id) = 0;
  /// not_found; precondition_failed when the cluster could not hold its objects without the node,
  /// or the node is away; busy for kDataLost of one that is not.
  virtual Task<Status> change_node(Context context, std::string node, NodeAction action) = 0;
  /// Ends the process of a node that nobody misses (common/model/may_end.h, whose errors these
  /// are); it finishes what it has begun. The node itself does it: unreachable, not_ready.
  virtual Task<Status> shut_down_node(Context context, std::string node) = 0;
  /// Returns when it has begun to count; names move in the background. The target itself does it
  /// (node/store/store.h, whose errors these are): not_found; unreachable; unsupported of a node
  /// that stores nothing.
  virtual Task<Status> change_mountpath(Context context,
                                        std::string node,
                                        MountpathChange change) = 0;

  /// How far a target is with names that belong to others, as it says itself; for everybody.
  /// not_found; unreachable; unsupported of a node that stores nothing.
  virtual Task<Result<RebalanceProgress>> rebalance(Context context, std::string node) = 0;
  /// Tells a target to scrub its disks, or to stop it, and how far it is; to be shown it, for
  /// everybody. Errors as of rebalance().
  virtual Task<Result<ScrubProgress>> scrub(Context context,
                                            std::string node,
                                            ScrubAction action) = 0;
  /// What a target says of its mountpaths; for everybody. Errors as rebalance().
  virtual Task<Result<StorageInfo>> storage(Context context, std::string node) = 0;
  /// A bearer token that stands for the caller until it expires.
  virtual Task<Result<std::string>> create_token(Context context, Duration lifetime) = 0;
};

}  // namespace aisfs
