// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <vector>

#include "common/http/client.h"
#include "node/control/etcd_json.h"
#include "node/control/meta_store.h"

namespace aisfs::control {

struct EtcdOptions {
  std::vector<Endpoint> endpoints;  // of the members' client listeners; at least one
  std::string prefix;               // before every key, so that clusters can share an etcd
};

/// The store in an etcd cluster (3.4 or newer), over its HTTP gateway: the control plane lives as
/// long as a majority of the members does.
///
/// A member that does not answer is passed over for the next one, and stays so until that one
/// fails. What changes nothing, and what can be done twice, is asked again elsewhere; a
/// transaction, a grant and a revocation only when the member has seen nothing of it. Leases last
/// whole seconds, two at least.
class EtcdStore final : public MetaStore {
 public:
  /// `http` outlives it, speaks TLS when etcd does, and decides the threads: call from its
  /// runtime's io threads.
  EtcdStore(http::Client& http, EtcdOptions options);

  Task<Result<meta::GetReply>> get(meta::GetRequest request) override;
  Task<Result<meta::TxnReply>> txn(meta::TxnRequest request) override;
  Task<Result<meta::LeaseId>> grant(Duration ttl) override;
  Task<Result<Duration>> keep_alive(meta::LeaseId lease) override;
  Task<Status> revoke(meta::LeaseId lease) override;
  Task<Result<meta::WatchReply>> watch(meta::WatchRequest request) override;

 private:
  enum class Twice : std::uint8_t { kHarmless, kNever };

  http::ClientRequest post(const Endpoint& to,
                           std::string path,
                           std::string body,
                           Duration max) const;
  Task<Result<etcd::json::object>> ask(std::string path, etcd::json::object body, Twice twice);
  /// `watches` becomes true once the member does.
  Task<Result<meta::WatchReply>> watch_at(Endpoint member,
                                          meta::WatchRequest request,
                                          bool& watches);
  std::size_t member() const { return member_.load() % options_.endpoints.size(); }
  void pass_over(std::size_t member);

  http::Client& http_;
  const EtcdOptions options_;
  const etcd::Keys keys_;
  std::atomic<std::size_t> member_ = 0;  // the one that is asked, modulo their number
};

}  // namespace aisfs::control
