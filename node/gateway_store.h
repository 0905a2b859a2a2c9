// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <memory>

#include "common/client/transport.h"
#include "common/http/client.h"
#include "node/config.h"
#include "node/control/embedded_store.h"
#include "node/control/meta_store.h"
#include "node/control/move_map.h"

namespace aisfs::node {

/// The store that a gateway's control plane works on: etcd's when it is configured, its own when it
/// joins nobody, else that of the gateway that has one.
class GatewayStore {
 public:
  /// Everything it is given outlives the result. `gateways` tells which may have the store,
  /// likeliest first. Blocks on the disk. Errors name the setting or the file.
  static Result<std::unique_ptr<GatewayStore>> open(
      const NodeConfig& config,
      Clock& clock,
      Runtime& runtime,
      Transport& peers,
      std::function<std::vector<NodeInfo>()> gateways);

  control::MetaStore& meta() { return *meta_; }
  /// The store of this node's own; null when it is elsewhere.
  control::EmbeddedStore* embedded() { return embedded_.get(); }
  /// No other gateway decides when the cluster exists: this one prepares it.
  bool may_prepare() const { return embedded_ || etcd_http_; }
  /// Ends the waits in it and closes its connections. Not from an io thread.
  void close();

 private:
  std::unique_ptr<control::EmbeddedStore> embedded_;
  std::unique_ptr<http::Client> etcd_http_;
  std::unique_ptr<control::MetaStore> elsewhere_;
  control::MetaStore* meta_ = nullptr;
};

enum class MapPlace : std::uint8_t { kDisk, kEtcd };

/// control::move_map between the configuration's etcd and its data folder, which belongs to the
/// gateway `node_id`. Blocks. invalid_argument without etcd.endpoints.
Result<control::MovedMap> move_map_to(MapPlace to,
                                      const NodeConfig& config,
                                      const std::string& node_id);

}  // namespace aisfs::node
