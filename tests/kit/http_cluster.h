// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "common/async/clock.h"
#include "common/auth/verifier.h"
#include "common/client/cluster_client.h"
#include "common/http/server.h"
#include "node/front/cluster/data_transport.h"
#include "node/front/cluster/router.h"
#include "tests/kit/fake_cluster.h"
#include "tests/kit/fake_jobs.h"

namespace aisfs::tests {

/// The map of a cluster whose buckets are those of a FakeCluster; nodes come and go by the test.
class FakeMaps final : public MapSource {
 public:
  explicit FakeMaps(FakeCluster& buckets) : buckets_(buckets) {}

  void set_node(NodeInfo node);
  void set_user(User user);
  /// A new epoch in which nothing else has changed.
  void bump();

  MapSnapshot current() const override;
  Task<Result<MapSnapshot>> at_least(Epoch epoch, Deadline deadline) override;

 private:
  FakeCluster& buckets_;
  mutable std::mutex mutex_;
  ClusterMap own_;  // guarded by mutex_
};

/// Nodes with real listeners, the native front and a Router each, over a FakeCluster each in
/// place of disks. Everything runs on one Runtime of two shards.
class HttpCluster {
 public:
  explicit HttpCluster(std::size_t targets);
  ~HttpCluster();

  Runtime& runtime() { return runtime_; }
  FakeMaps& maps() { return *maps_; }
  FakeJobs& jobs() { return jobs_; }
  FakeCluster& disks(std::size_t node) { return *nodes_[node]->disks; }
  Endpoint endpoint(std::size_t node) const { return nodes_[node]->public_server->endpoint(); }
  cluster::Router& router(std::size_t node) { return *nodes_[node]->router; }

  /// On all nodes, owned by `owner`.
  void add_bucket(const std::string& name, const std::string& owner = "root");
  /// Closes the listeners as a killed process would; start_node opens them at the same ports.
  void stop_node(std::size_t node);
  void start_node(std::size_t node);

  /// Keys of the users "root" (administrator) and "ann".
  static Credentials keys_of(const std::string& user);
  std::string token_of(const std::string& user) const;
  std::unique_ptr<ClusterClient> connect(const std::string& user = "root",
                                         Duration timeout = std::chrono::seconds(10));

  template <class T>
  T run(Task<T> task) {
    return runtime_.run_on(0, std::move(task));
  }

 private:
  struct Node {
    std::string id;
    std::unique_ptr<FakeCluster> disks;
    std::unique_ptr<cluster::DataTransport> transport;
    std::unique_ptr<cluster::Router> router;
    std::unique_ptr<http::Server> public_server, data_server;
  };
  void make_node(std::size_t index);
  void listen(Node& node, const Endpoint& at_public, const Endpoint& at_data);

  Runtime runtime_{2};
  RealClock clock_;
  FakeJobs jobs_;
  auth::ClusterKey key_ = auth::ClusterKey::generate();
  std::vector<std::unique_ptr<Node>> nodes_;
  std::unique_ptr<FakeMaps> maps_;
  std::unique_ptr<auth::Verifier> verifier_;
  std::unique_ptr<http::Client> peers_;
};

}  // namespace aisfs::tests
