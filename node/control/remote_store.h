// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <mutex>
#include <string_view>
#include <vector>

#include "common/client/replay.h"
#include "common/client/transport.h"
#include "node/control/meta_store.h"

namespace aisfs::control {

/// The embedded store of another gateway, over its control listener; the others refuse what they
/// are asked (unsupported). Who answered last is asked first. A transaction, a grant and a
/// revocation are sent to the store at most once; when one that was asked does not answer, they
/// fail.
class RemoteStore final : public MetaStore {
 public:
  /// `transport` outlives it; `candidates` tells which gateways may have the store, likeliest
  /// first.
  RemoteStore(Transport& transport, std::function<std::vector<NodeInfo>()> candidates)
      : transport_(transport), candidates_(std::move(candidates)) {}

  Task<Result<meta::GetReply>> get(meta::GetRequest request) override;
  Task<Result<meta::TxnReply>> txn(meta::TxnRequest request) override;
  Task<Result<meta::LeaseId>> grant(Duration ttl) override;
  Task<Result<Duration>> keep_alive(meta::LeaseId lease) override;
  Task<Status> revoke(meta::LeaseId lease) override;
  Task<Result<meta::WatchReply>> watch(meta::WatchRequest request) override;

 private:
  template <class Reply, class Request>
  Task<Result<Reply>> ask(std::string_view method,
                          Request request,
                          Replay replay,
                          Duration wait = {});
  /// Each once, and first the one that answered last.
  std::vector<NodeInfo> candidates();

  Transport& transport_;
  const std::function<std::vector<NodeInfo>()> candidates_;
  std::mutex mutex_;
  Endpoint answered_;  // guarded by mutex_
};

}  // namespace aisfs::control
