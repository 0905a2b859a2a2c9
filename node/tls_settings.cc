// SPDX-License-Identifier: MIT
#include "node/tls_settings.h"

namespace aisfs::node {
namespace {

using Text = Param<std::string>;

Error lacks(const Text& given, const Text& lacking) {
  return Error(Errc::invalid_argument, "net." + std::string(given.name()) + " is set and net." +
                                           std::string(lacking.name()) + " is not");
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
    auto peers = http::make_client_tls(net.internal_ca());
    if (!peers) return std::move(peers).error().context("net.internal_ca");
    tls.peers = *std::move(peers);
  }
  return tls;
}

}  // namespace aisfs::node
