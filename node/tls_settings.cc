// SPDX-License-Identifier: MIT
#include "node/tls_settings.h"

namespace aisfs::node {
namespace {

using Text = Param<std::string>;

Error lacks(const Text& given, const Text& lacking, const std::string& section = "net.") {
  return Error(Errc::invalid_argument, section + std::string(given.name()) + " is set and " +
                                           section + std::string(lacking.name()) + " is not");
}

Result<std::optional<http::TlsOptions>> listener(const Text& certificate, const Text& key) {
  if (certificate().empty() && key().empty()) return std::optional<http::TlsOptions>();
  if (key().empty()) return lacks(certificate, key);
  if (certificate().empty()) return lacks(key, certificate);
  return std::optional(http::TlsOptions{certificate(), key()});
}

}  // namespace

Result<NodeTls> load_tls(const NetConfig& net) {
  NodeTls tls;
  TRY(tls.public_net, listener(net.public_certificate, net.public_certificate_key));
  TRY(tls.s3, listener(net.s3_certificate, net.s3_certificate_key));
  TRY(tls.internal, listener(net.internal_certificate, net.internal_certificate_key));
  if (tls.internal && net.internal_ca().empty()) {
    return lacks(net.internal_certificate, net.internal_ca);
  }
  if (!tls.internal && !net.internal_ca().empty()) {
    return lacks(net.internal_ca, net.internal_certificate);
  }
  if (tls.internal) {
    auto peers = http::make_client_tls({.ca_file = net.internal_ca()});
    if (!peers) return std::move(peers).error().context("net.internal_ca");
    tls.peers = *std::move(peers);
  }
  return tls;
}

Result<std::shared_ptr<http::TlsContext>> load_etcd_tls(const EtcdConfig& etcd) {
  const std::string section = "etcd.";
  const bool shows = !etcd.certificate().empty();
  if (shows && etcd.ca().empty()) return lacks(etcd.certificate, etcd.ca, section);
  if (shows && etcd.certificate_key().empty()) {
    return lacks(etcd.certificate, etcd.certificate_key, section);
  }
  if (!shows && !etcd.certificate_key().empty()) {
    return lacks(etcd.certificate_key, etcd.certificate, section);
  }
  if (etcd.ca().empty()) return std::shared_ptr<http::TlsContext>();
  return http::make_client_tls({etcd.ca(), etcd.certificate(), etcd.certificate_key()});
}

}  // namespace aisfs::node
