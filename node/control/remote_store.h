// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <vector>

#include "common/client/transport.h"
#include "node/control/meta_store.h"

namespace aisfs::control {

/// The embedded store of another gateway, over its control listener. An operation is sent to the
/// store at most once, whichever gateway has it: the others refuse it (unsupported).
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
  Task<Result<Reply>> ask(std::string method, Request request, Duration wait);

  Transport& transport_;
  const std::function<std::vector<NodeInfo>()> candidates_;
};

}  // namespace aisfs::control
