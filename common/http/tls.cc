// SPDX-License-Identifier: MIT
#include "common/http/tls.h"

namespace aisfs::http {
namespace {

using Tls = asio::ssl::context;
using boost::system::error_code;

Error useless(std::string_view what, const std::string& file, const error_code& ec) {
  return Error(Errc::invalid_argument,
               "TLS " + std::string(what) + " " + file + ": " + ec.message());
}

Tls context_for(Tls::method end) {
  Tls context(end);
  error_code ignored;  // of options, which cannot fail
  context.set_options(Tls::default_workarounds | Tls::no_sslv2 | Tls::no_sslv3 | Tls::no_tlsv1 |
                          Tls::no_tlsv1_1 | SSL_OP_NO_RENEGOTIATION,
                      ignored);
  return context;
}

Status show(Tls& context, const std::string& certificate_file, const std::string& key_file) {
  error_code ec;
  context.use_certificate_chain_file(certificate_file, ec);
  if (ec) return useless("certificate", certificate_file, ec);
  context.use_private_key_file(key_file, Tls::pem, ec);
  if (ec) return useless("key", key_file, ec);
  return {};
}

}  // namespace

Result<std::unique_ptr<TlsContext>> make_server_tls(const TlsOptions& options) {
  Tls context = context_for(Tls::tls_server);
  // Connections live long, so tickets save little; and without them an idle connection that can be
  // read is one that was closed, which is all that clients look at.
  SSL_CTX_set_num_tickets(context.native_handle(), 0);
  CHECK_OK(show(context, options.certificate_file, options.key_file));
  return std::make_unique<TlsContext>(std::move(context));
}

Result<std::shared_ptr<TlsContext>> make_client_tls(const ClientTlsOptions& options) {
  Tls context = context_for(Tls::tls_client);
  error_code ec;
  if (options.ca_file.empty()) {
    context.set_default_verify_paths(ec);
  } else {
    context.load_verify_file(options.ca_file, ec);
  }
  const std::string shown = options.ca_file.empty() ? "of the system" : options.ca_file;
  if (ec) return useless("authorities", shown, ec);
  context.set_verify_mode(asio::ssl::verify_peer, ec);
  if (!options.certificate_file.empty()) {
    CHECK_OK(show(context, options.certificate_file, options.key_file));
  }
  return std::make_shared<TlsContext>(std::move(context));
}

}  // namespace aisfs::http
