// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "common/async/byte_stream.h"
#include "common/async/runtime.h"
#include "common/http/message.h"
#include "common/model/cluster_map.h"

namespace aisfs::http {

class TlsContext;

/// PEM files.
struct ClientTlsOptions {
  std::string ca_file;           // whose certificates are trusted; those of the system when empty
  std::string certificate_file;  // the chain that the client shows; empty: none
  std::string key_file;          // of it
};
/// invalid_argument names the file that is of no use.
Result<std::shared_ptr<TlsContext>> make_client_tls(const ClientTlsOptions& options);

struct ClientOptions {
  /// With it every connection speaks TLS, to a server whose certificate is trusted and names the
  /// host or the address of the endpoint. Null: none does.
  std::shared_ptr<TlsContext> tls = nullptr;
  std::size_t idle_per_endpoint_max = 64;  // kept alive, a shard
  std::size_t connections_per_endpoint_max = 256;  // a shard; further callers wait
  Duration connect_timeout = std::chrono::seconds(2);
  Duration idle_timeout = std::chrono::seconds(50);  // below the server's 60 s
  std::size_t header_bytes_max = 64 * 1024;
  /// Of each connection; no more than twice as much is on its way. 0: the kernel's choice, which
  /// grows to megabytes.
  int send_buffer_bytes = 0;
};

struct ClientRequest {
  Endpoint to;
  RequestHead head;        // Host and framing fields are set by the client
  std::string body;        // used when `stream` is null
  BodySource* stream = nullptr;  // Content-Length when remaining() is known, else chunked
  /// Send the head with "Expect: 100-continue" and the body only after the go-ahead: for bodies
  /// that a redirect would make travel twice.
  bool expect_continue = false;
  /// Of the exchange up to the response's head. The time a streamed body takes to send does not
  /// count: like a response's body it fails with timed_out when nothing moves for 30 s.
  Deadline deadline;
  /// For what must not be done twice. Once a byte of the request may have been read, it is sent on
  /// no other connection: when a kept-alive one, which was open a moment before, turns out to be
  /// closed without an answer, send() fails and the error says that it may have happened.
  bool once = false;
  std::function<void()> sent;  // called when the kernel has all of it; empty: not
};

/// A response whose body is still on the wire. Reading the body to its end gives the connection
/// back to the pool; destroying it earlier closes the connection. Stays on the shard it came from,
/// and may outlive the Client.
class ClientResponse {
 public:
  ClientResponse(ClientResponse&&) noexcept;
  ClientResponse& operator=(ClientResponse&&) noexcept;
  ~ClientResponse();

  const ResponseHead& head() const;
  int status() const { return head().status; }
  /// remaining() is known when the server sent Content-Length.
  BodySource& body();
  /// The body as an object of its own, which keeps the connection.
  std::unique_ptr<BodySource> take_body() &&;

 private:
  friend class Client;
  class Impl;
  explicit ClientResponse(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Keep-alive connections to many servers, a pool a shard. Call from the runtime's io threads.
class Client {
 public:
  Client(Runtime& runtime, ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Sends and waits for the response's head. Any status is success here.
  ///
  /// A kept-alive connection that the server closed before a byte of the response is replaced
  /// once, unless the request has a stream or is for `once`. Fails with unreachable, timed_out,
  /// corrupt (not HTTP), or the stream's own error; Error::never_sent() when no byte has left.
  Task<Result<ClientResponse>> send(ClientRequest request);

  /// send() plus the whole body, at most `body_max` bytes.
  struct Whole {
    ResponseHead head;
    std::string body;
  };
  Task<Result<Whole>> call(ClientRequest request, std::size_t body_max = 64 << 20);

  /// Closes all idle connections. Not from an io thread.
  void close();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aisfs::http
