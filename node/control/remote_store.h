// SPDX-License-Identifier: MIT
#pragma once
#include <functional>

#include "common/client/transport.h"
#include "node/control/meta_store.h"

namespace aisfs::control {

/// The embedded store of another gateway, over its control listener. One attempt an operation.
class RemoteStore final : public MetaStore {
 public:
  /// `transport` outlives it; `holder` tells which gateway to ask now.
  RemoteStore(Transport& transport, std::function<NodeInfo()> holder)
      : transport_(transport), holder_(std::move(holder)) {}

  Task<Result<meta::GetReply>> get(meta::GetRequest request) override;
  Task<Result<meta::TxnReply>> txn(meta::TxnRequest request) override;
  Task<Result<meta::LeaseId>> grant(Duration ttl) override;
  Task<Result<Duration>> keep_alive(meta::LeaseId lease) override;
  Task<Status> revoke(meta::LeaseId lease) override;
  Task<Result<meta::WatchReply>> watch(meta::WatchRequest request) override;

 private:
  Transport& transport_;
  const std::function<NodeInfo()> holder_;
};

}  // namespace aisfs::control
