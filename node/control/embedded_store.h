// SPDX-License-Identifier: MIT
#pragma once
#include <boost/asio/thread_pool.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "common/async/clock.h"
#include "common/async/notifier.h"
#include "node/control/lmdb_tables.h"
#include "node/control/meta_store.h"

namespace aisfs::control {

struct EmbeddedStoreOptions {
  std::string dir;
  /// Revisions that watch and get still know; a watcher that is further behind lists again.
  std::int64_t history_max = 10'000;
  std::size_t map_bytes = std::size_t{1} << 30;  // address space, not disk
};

/// The store inside one gateway. Every transaction is synced before it is answered.
///
/// Writes go through one thread of its own; reads answer inline from LMDB's snapshot. Leases are
/// persisted with their ttl, not with their time: after a start each has its whole ttl again, so
/// nobody who still counts on one is cut off early. Tables: kv (key -> KeyValue), history (revision
/// u64 big endian, index u32 big endian -> Event), leases (id -> ttl), meta (revision, lease).
class EmbeddedStore final : public MetaStore {
 public:
  /// Blocking. `clock` outlives the store.
  static Result<std::unique_ptr<EmbeddedStore>> open(const Clock& clock,
                                                     EmbeddedStoreOptions options);
  ~EmbeddedStore() override;  // waits for the write in flight

  /// Ends the waits of watch and lets no new one begin: the node stops.
  void close();

  /// Ends leases when their time is over; until cancelled.
  Task<void> run(Clock& clock);

  Task<Result<meta::GetReply>> get(meta::GetRequest request) override;
  Task<Result<meta::TxnReply>> txn(meta::TxnRequest request) override;
  Task<Result<meta::LeaseId>> grant(Duration ttl) override;
  Task<Result<Duration>> keep_alive(meta::LeaseId lease) override;
  Task<Status> revoke(meta::LeaseId lease) override;
  Task<Result<meta::WatchReply>> watch(meta::WatchRequest request) override;

 private:
  struct Lease {
    Duration ttl;
    TimePoint ends;
  };
  class Change;  // a write transaction on its way to one new revision

  EmbeddedStore(const Clock& clock, EmbeddedStoreOptions options, LmdbEnv env);

  // On the writer's thread.
  Status load();
  Result<meta::TxnReply> apply(const meta::TxnRequest& request);
  Result<meta::LeaseId> add_lease(Duration ttl);
  Status end_lease(meta::LeaseId lease);

  Result<meta::GetReply> read(const meta::GetRequest& request);
  Result<meta::WatchReply> read_events(const meta::WatchRequest& request);
  std::vector<meta::LeaseId> due_leases(TimePoint now);
  bool has_lease(meta::LeaseId lease);

  const Clock& clock_;
  const EmbeddedStoreOptions options_;
  LmdbEnv env_;
  Notifier changed_;
  std::atomic<bool> closed_ = false;
  std::mutex mutex_;
  std::map<meta::LeaseId, Lease> leases_;  // guarded by mutex_
  asio::thread_pool writer_{1};
};

}  // namespace aisfs::control
