// SPDX-License-Identifier: MIT
#include "tests/kit/http_cluster.h"

#include <boost/asio/steady_timer.hpp>

#include "common/auth/seal.h"
#include "common/auth/token.h"
#include "node/front/cluster/data_front.h"
#include "node/front/native/ready.h"

namespace aisfs::tests {

void FakeMaps::set_node(NodeInfo node) {
  const std::lock_guard lock(mutex_);
  own_.nodes[node.id] = std::move(node);
  ++own_.epoch;
}

void FakeMaps::set_user(User user) {
  const std::lock_guard lock(mutex_);
  own_.users[user.id] = std::move(user);
  ++own_.epoch;
}

void FakeMaps::bump() {
  const std::lock_guard lock(mutex_);
  ++own_.epoch;
}

MapSnapshot FakeMaps::current() const {
  const MapSnapshot buckets = buckets_.current();
  const std::lock_guard lock(mutex_);
  auto map = std::make_shared<ClusterMap>(own_);
  map->uuid = buckets->uuid;
  map->epoch += buckets->epoch;
  map->buckets = buckets->buckets;
  map->placement = buckets->placement;
  for (const auto& [id, node] : buckets->nodes) {
    const auto known = map->nodes.find(id);
    if (known != map->nodes.end()) known->second.state = node.state;
  }
  for (auto& [_, bucket] : map->buckets) {
    if (bucket.owner.empty()) bucket.owner = "root";
  }
  return map;
}

Task<Result<MapSnapshot>> FakeMaps::at_least(Epoch epoch, Deadline deadline) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (;;) {
    MapSnapshot map = current();
    if (map->epoch >= epoch) co_return map;
    if (deadline.expired()) co_return Error(Errc::unreachable, "no newer map");
    timer.expires_after(std::chrono::milliseconds(5));
    auto [ec] = co_await timer.async_wait(use_ec);
    if (ec) co_return Error(Errc::cancelled);
  }
}

HttpCluster::HttpCluster(std::size_t targets) {
  for (std::size_t i = 0; i < targets; ++i) {
    nodes_.push_back(std::make_unique<Node>());
    nodes_[i]->id = "t" + std::to_string(i);
    nodes_[i]->disks = std::make_unique<FakeCluster>();
  }
  maps_ = std::make_unique<FakeMaps>(*nodes_[0]->disks);
  for (const char* id : {"root", "ann"}) {
    const Credentials keys = keys_of(id);
    User user{.id = id, .display_name = id, .admin = std::string_view(id) == "root", .keys = {}};
    user.keys[keys.access_key] = auth::seal(key_.seal(), keys.secret_key, keys.access_key);
    maps_->set_user(std::move(user));
  }
  verifier_ = std::make_unique<auth::Verifier>(key_, [this] { return maps_->current(); }, clock_,
                                               auth::VerifierOptions{});
  peers_ = std::make_unique<http::Client>(runtime_, http::ClientOptions{});
  runtime_.start();
  for (std::size_t i = 0; i < targets; ++i) make_node(i);
}

HttpCluster::~HttpCluster() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) stop_node(i);
  peers_->close();
  runtime_.stop();
}

void HttpCluster::make_node(std::size_t index) {
  Node& node = *nodes_[index];
  node.transport =
      std::make_unique<cluster::DataTransport>(*peers_, *maps_, key_, node.id);
  node.router = std::make_unique<cluster::Router>(cluster::RouterDeps{
      .node_id = node.id, .maps = *maps_, .local = node.disks.get(), .peers = *node.transport});
  listen(node, Endpoint{"127.0.0.1", 0}, Endpoint{"127.0.0.1", 0});
  NodeInfo info;
  info.id = node.id;
  info.role = index == 0 ? NodeRole::kAll : NodeRole::kTarget;
  info.public_net = node.public_server->endpoint();
  info.data_net = node.data_server->endpoint();
  maps_->set_node(std::move(info));
}

void HttpCluster::listen(Node& node, const Endpoint& at_public, const Endpoint& at_data) {
  const native::NativeFrontDeps deps{.objects = node.router->anywhere(),
                                     .here = node.router->here(),
                                     .admin = *nodes_[0]->disks,
                                     .maps = *maps_,
                                     .verifier = *verifier_,
                                     .node_id = node.id,
                                     .started_ns = 0,
                                     .jobs = &jobs_};
  http::ServerOptions options;
  options.name = "public";
  node.public_server =
      std::make_unique<http::Server>(runtime_, options, native::make_native_handler(deps),
                                     native::make_native_ready_handler(deps));
  options.name = "data";
  node.data_server =
      std::make_unique<http::Server>(runtime_, options, cluster::make_data_handler(deps, nullptr));
  AISFS_ASSERT(node.public_server->listen(at_public).ok());
  AISFS_ASSERT(node.data_server->listen(at_data).ok());
}

void HttpCluster::add_bucket(const std::string& name, const std::string& owner) {
  for (const auto& node : nodes_) {
    AISFS_ASSERT(
        node->disks->state().create_bucket(native_bucket(name), BucketProps{}, owner).ok());
  }
}

void HttpCluster::stop_node(std::size_t node) {
  nodes_[node]->public_server->stop(Duration::zero());
  nodes_[node]->data_server->stop(Duration::zero());
}

void HttpCluster::start_node(std::size_t node) {
  const Endpoint at_public = nodes_[node]->public_server->endpoint();
  const Endpoint at_data = nodes_[node]->data_server->endpoint();
  listen(*nodes_[node], at_public, at_data);
}

Credentials HttpCluster::keys_of(const std::string& user) {
  return {.access_key = "KEYOF" + user, .secret_key = "secret-of-" + user + "-0123456789", .token = {}};
}

std::string HttpCluster::token_of(const std::string& user) const {
  auto token = auth::create_token(key_, maps_->current()->uuid, user, std::chrono::hours(1),
                                  clock_.unix_ns());
  AISFS_ASSERT(token.ok());
  return *token;
}

std::unique_ptr<ClusterClient> HttpCluster::connect(const std::string& user, Duration timeout) {
  ClusterClientOptions options;
  for (std::size_t i = 0; i < nodes_.size(); ++i) options.endpoints.push_back(endpoint(i));
  options.credentials = keys_of(user);
  options.operation_timeout = timeout;
  auto client = run(ClusterClient::connect(runtime_, std::move(options)));
  AISFS_ASSERT(client.ok());
  return *std::move(client);
}

}  // namespace aisfs::tests
