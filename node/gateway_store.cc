// SPDX-License-Identifier: MIT
#include "node/gateway_store.h"

#include "node/control/etcd_store.h"
#include "node/control/remote_store.h"
#include "node/tls_settings.h"

namespace aisfs::node {

Result<std::unique_ptr<GatewayStore>> GatewayStore::open(
    const NodeConfig& config,
    Clock& clock,
    Runtime& runtime,
    Transport& peers,
    std::function<std::vector<NodeInfo>()> gateways) {
  auto store = std::make_unique<GatewayStore>();
  if (!config.etcd.endpoints().empty()) {
    control::EtcdOptions options{.endpoints = {}, .prefix = config.etcd.prefix()};
    for (const std::string& text : config.etcd.endpoints()) {
      auto endpoint = Endpoint::parse(text);
      if (!endpoint) return std::move(endpoint).error().context("etcd.endpoints");
      options.endpoints.push_back(*std::move(endpoint));
    }
    TRY(auto tls, load_etcd_tls(config.etcd));
    const http::ClientOptions client{.tls = std::move(tls)};
    store->etcd_http_ = std::make_unique<http::Client>(runtime, client);
    store->elsewhere_ =
        std::make_unique<control::EtcdStore>(*store->etcd_http_, std::move(options));
    store->meta_ = store->elsewhere_.get();
  } else if (config.join().empty()) {
    control::EmbeddedStoreOptions options;
    options.dir = config.data_dir() + "/meta";
    TRY(store->embedded_, control::EmbeddedStore::open(clock, std::move(options)));
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

}  // namespace aisfs::node
