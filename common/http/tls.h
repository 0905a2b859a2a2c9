// SPDX-License-Identifier: MIT
// What a listener shows and what a client trusts: TLS 1.2 or newer on both ends.
#pragma once
#include <boost/asio/ssl/context.hpp>

#include "common/http/client.h"
#include "common/http/server.h"

namespace aisfs::http {

/// Made once, used by every connection of a listener or a client (make_client_tls in client.h).
class TlsContext {
 public:
  explicit TlsContext(asio::ssl::context made) : ssl(std::move(made)) {}
  asio::ssl::context ssl;
};

/// invalid_argument names the file that is of no use, and says why.
Result<std::unique_ptr<TlsContext>> make_server_tls(const TlsOptions& options);

}  // namespace aisfs::http
