// SPDX-License-Identifier: MIT
#include "node/gateway_store.h"

#include "node/control/etcd_store.h"
#include "node/control/remote_store.h"
#include "node/tls_settings.h"

namespace aisfs::node {
namespace {

Result<std::unique_ptr<http::Client>> etcd_client(const EtcdConfig& config, Runtime& runtime) {
  TRY(auto tls, load_etcd_tls(config));
  const http::ClientOptions options{.tls = std::move(tls)};
  return std::make_unique<http::Client>(runtime, options);
}

Result<std::unique_ptr<control::MetaStore>> etcd_store(const EtcdConfig& config,
                                                       http::Client& http) {
  control::EtcdOptions options{.endpoints = {}, .prefix = config.prefix()};
  for (const std::string& text : config.endpoints()) {
    auto endpoint = Endpoint::parse(text);
    if (!endpoint) return std::move(endpoint).error().context("etcd.endpoints");
    options.endpoints.push_back(*std::move(endpoint));
  }
  std::unique_ptr<control::MetaStore> store =
      std::make_unique<control::EtcdStore>(http, std::move(options));
  return store;
}

Result<std::unique_ptr<control::EmbeddedStore>> disk_store(const NodeConfig& config, Clock& clock) {
  control::EmbeddedStoreOptions options;
  options.dir = config.data_dir() + "/meta";
  return control::EmbeddedStore::open(clock, std::move(options));
}

}  // namespace

Result<std::unique_ptr<GatewayStore>> GatewayStore::open(
    const NodeConfig& config,
    Clock& clock,
    Runtime& runtime,
    Transport& peers,
    std::function<std::vector<NodeInfo>()> gateways) {
  auto store = std::make_unique<GatewayStore>();
  if (!config.etcd.endpoints().empty()) {
    TRY(store->etcd_http_, etcd_client(config.etcd, runtime));
    TRY(store->elsewhere_, etcd_store(config.etcd, *store->etcd_http_));
    store->meta_ = store->elsewhere_.get();
  } else if (config.join().empty()) {
    TRY(store->embedded_, disk_store(config, clock));
    store->meta_ = store->embedded_.get();
  } else {
    store->elsewhere_ = std::make_unique<control::RemoteStore>(peers, std::move(gateways));
    store->meta_ = store->elsewhere_.get();
  }
  return store;
}

void GatewayStore::close() {
  if (embedded_) embedded_->close();
  if (etcd_http_) etcd_http_->close();
}

Result<control::MovedMap> move_map_to(MapPlace to,
                                      const NodeConfig& config,
                                      const std::string& node_id) {
  if (config.etcd.endpoints().empty()) {
    return Error(Errc::invalid_argument, "etcd.endpoints is not set");
  }
  RealClock clock;
  Runtime runtime(1);
  TRY(const auto http, etcd_client(config.etcd, runtime));
  TRY(const auto etcd, etcd_store(config.etcd, *http));
  TRY(const auto disk, disk_store(config, clock));
  runtime.start();
  const bool to_etcd = to == MapPlace::kEtcd;
  control::MapMove move{.holder = to_etcd ? "" : node_id,
                        .destination = to_etcd ? "etcd at " + config.etcd.endpoints().front()
                                               : "the disk of gateway " + node_id};
  auto moved = runtime.run_on(0, to_etcd ? control::move_map(*disk, *etcd, std::move(move), false)
                                         : control::move_map(*etcd, *disk, std::move(move), true));
  disk->close();
  http->close();
  runtime.stop();
  return moved;
}

}  // namespace aisfs::node
