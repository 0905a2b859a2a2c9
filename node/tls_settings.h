// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <optional>

#include "common/http/client.h"
#include "common/http/server.h"
#include "node/config.h"

namespace aisfs::node {

/// What a node's listeners speak, and its client to those of other nodes.
struct NodeTls {
  std::optional<http::TlsOptions> public_net, s3, internal;  // nullopt: plain HTTP
  std::shared_ptr<http::TlsContext> peers;                   // null: plain HTTP
};

/// For the client of etcd; null: plain HTTP. Errors as load_tls.
Result<std::shared_ptr<http::TlsContext>> load_etcd_tls(const EtcdConfig& etcd);

/// invalid_argument names the setting that lacks another, or the file that is of no use.
Result<NodeTls> load_tls(const NetConfig& net);

}  // namespace aisfs::node
