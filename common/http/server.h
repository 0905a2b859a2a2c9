// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/async/byte_stream.h"
#include "common/async/runtime.h"
#include "common/http/message.h"
#include "common/model/cluster_map.h"

namespace aisfs::http {

/// One request and the one response to it, on the connection's shard.
///
/// A handler reads the body or not, answers once, and returns. What it did not read of the body is
/// drained (up to a bound) or the connection is closed. A handler that returns without an answer
/// gets a 500 sent for it.
class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const RequestHead& request() const = 0;
  /// The request's target taken apart; a request whose target cannot be never reaches a handler.
  virtual const Target& target() const = 0;
  /// Address of the client, "127.0.0.1:40123".
  virtual const std::string& peer() const = 0;
  virtual bool is_tls() const = 0;
  /// How a URL of this listener begins.
  std::string_view scheme() const { return is_tls() ? "https://" : "http://"; }

  /// Length of the body if announced by Content-Length; nullopt when it is chunked; 0 for none.
  virtual std::optional<std::uint64_t> content_length() const = 0;
  /// The body. The first read answers "Expect: 100-continue". Ends with invalid_argument when the
  /// peer breaks the framing, timed_out when it is too slow, unreachable when it goes away.
  virtual BodySource& body() = 0;
  /// Trailer fields of a chunked body, once it has been read to its end.
  virtual const Fields& trailers() const = 0;

  /// Sends the whole response. Content-Length is set here; for HEAD the body is left out.
  /// A handler for HEAD that knows the length of the body sets Content-Length itself.
  virtual Task<Status> respond(ResponseHead head, std::string body = {}) = 0;
  /// Sends the response with `body` as it comes: with Content-Length when body.remaining() is
  /// known, chunked otherwise; by sendfile when body.file() is there. If the source fails midway,
  /// the connection is closed short, so that nobody takes the part for the whole.
  virtual Task<Status> respond(ResponseHead head, BodySource& body) = 0;
  /// True once a response was begun.
  virtual bool responded() const = 0;
};

using Handler = std::function<Task<void>(Exchange&)>;

/// A 200 that is known without waiting.
struct ReadyAnswer {
  std::string_view fields;  // lines as text_of_fields() (head_writer.h) makes them; no Date
  std::string_view body;    // in memory
  std::shared_ptr<const void> owner;  // of the two
  std::unique_ptr<BodySource> source = {};  // a larger body instead; knows its length
};

/// Asked before the handler about every GET that has no body, on the connection's thread: an answer
/// in memory costs no coroutine. nullopt says nothing, and the handler decides;
/// an answer is the one that the handler would give.
using ReadyHandler =
    std::function<std::optional<ReadyAnswer>(const RequestHead& head, const Target& target)>;

struct TlsOptions {
  std::string certificate_file;  // PEM chain
  std::string key_file;          // PEM
};

/// Bounds of a listener; every one of them ends in a 4xx or a closed connection.
struct ServerOptions {
  std::string name;  // for logs: "public", "s3", "control", "data"
  std::optional<TlsOptions> tls;
  std::size_t target_bytes_max = 8 * 1024;
  std::size_t header_bytes_max = 32 * 1024;
  std::size_t header_fields_max = 100;
  std::uint64_t body_bytes_max = std::uint64_t{6} << 40;  // 5 TiB is S3's largest object
  std::size_t connections_max = 20000;
  Duration header_timeout = std::chrono::seconds(10);
  Duration idle_timeout = std::chrono::seconds(60);
  /// A body in either direction that is slower than this is cut off after `body_rate_grace`.
  std::uint64_t body_bytes_per_second_min = 1024;
  Duration body_rate_grace = std::chrono::seconds(30);
  int send_buffer_bytes = 256 * 1024;  // larger falls out of the CPU's cache, measured
  /// Connections of clients that may wait (lower_effort.h) go to the runtime's background shards.
  bool sorts = false;
};

/// A listener on all serving shards of a Runtime (SO_REUSEPORT).
class Server {
 public:
  Server(Runtime& runtime, ServerOptions options, Handler handler, ReadyHandler ready = {});
  ~Server();  // stop(0) if it was not called
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds and begins to accept. Port 0 picks a free one; see endpoint(). Fails with busy when
  /// the port is taken. Before or after Runtime::start, not from an io thread.
  Status listen(const Endpoint& at);
  const Endpoint& endpoint() const;

  /// Closes the listener, lets requests in flight finish for at most `grace`, then cuts them off.
  /// Waits for handlers to unwind. Not from an io thread, and before Runtime::stop.
  void stop(Duration grace);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aisfs::http
