// SPDX-License-Identifier: MIT
// The seam under the control plane: a small versioned key-value store with etcd's semantics.
//
// Implementations: EmbeddedStore (LMDB inside one gateway), RemoteStore (another gateway's, over
// the control listener), EtcdStore. tests/unit/node/control/meta_store_suite.h holds them to this
// contract.
#pragma once
#include "common/async/task.h"
#include "common/wire/meta.h"

namespace aisfs::control {

/// Longest key, and largest value, of every implementation.
inline constexpr std::size_t kMetaKeyBytesMax = 480;
inline constexpr std::size_t kMetaValueBytesMax = 1 << 20;

/// Thread-safe; operations run on the caller's executor. Errors beside those named: unreachable
/// and timed_out when the store is elsewhere and away, io when its disk fails.
class MetaStore {
 public:
  virtual ~MetaStore() = default;

  /// The keys of the range as of one revision. out_of_range when that revision has been forgotten
  /// ("compacted") or has not been yet.
  virtual Task<Result<meta::GetReply>> get(meta::GetRequest request) = 0;

  /// Evaluates the compares and applies one branch, atomically and durably. All its changes share
  /// one revision. invalid_argument when a branch puts a key twice, not_found for an unknown lease,
  /// name_too_long and too_large for the bounds above. When the answer is lost (unreachable,
  /// timed_out) it may have happened: read again.
  virtual Task<Result<meta::TxnReply>> txn(meta::TxnRequest request) = 0;

  /// A lease that ends `ttl` after its last renewal; with it go the keys put under it.
  virtual Task<Result<meta::LeaseId>> grant(Duration ttl) = 0;
  /// Renews it and says for how long. not_found when it has ended.
  virtual Task<Result<Duration>> keep_alive(meta::LeaseId lease) = 0;
  /// Ends it now. not_found when it has ended.
  virtual Task<Status> revoke(meta::LeaseId lease) = 0;

  /// The events of the range from a revision on; waits for the first for at most request.wait_ns.
  /// out_of_range when `from` has been compacted: list again and watch from there.
  virtual Task<Result<meta::WatchReply>> watch(meta::WatchRequest request) = 0;
};

}  // namespace aisfs::control
