// SPDX-License-Identifier: MIT
#pragma once
#include "common/http/body_reader.h"
#include "common/http/body_writer.h"
#include "common/http/head_writer.h"
#include "common/http/server.h"
#include "common/http/tls.h"

namespace aisfs::http {

/// What the connections of a listener share; outlives them.
struct ConnectionContext {
  const ServerOptions& options;
  const Handler& handler;
  const ReadyHandler& ready;
  TlsContext* tls = nullptr;
  bool stopping = false;  // finish the request in flight, begin no other
};

/// One accepted socket from its first byte to its end, a request after the other. It is the
/// Exchange of each of them, so that a small request allocates next to nothing.
class Connection final : public Exchange {
 public:
  Connection(ConnectionContext& context, Socket socket, std::string peer);

  /// Serves until the peer goes, a bound is hit, or the context stops. Throws nothing.
  Task<void> run();
  /// Wakes it if it waits for the next request.
  void stop_if_idle();

  const RequestHead& request() const override { return request_.head; }
  const Target& target() const override { return request_.target; }
  const std::string& peer() const override { return peer_; }
  bool is_tls() const override { return stream_.is_tls(); }
  std::optional<std::uint64_t> content_length() const override;
  BodySource& body() override { return *body_; }
  const Fields& trailers() const override { return body_->trailers(); }
  Task<Status> respond(ResponseHead head, std::string body) override;
  Task<Status> respond(ResponseHead head, BodySource& body) override;
  bool responded() const override { return responded_; }

 private:
  enum class Next : unsigned char { kRequest, kClose };
  enum class Ending : unsigned char { kClose, kLinger, kReset };

  Task<void> serve();
  Task<Next> read_request();
  std::optional<ReadyAnswer> ready_answer() const;
  bool send_at_once(const ReadyAnswer& answer);
  Task<void> send_ready(ReadyAnswer answer);
  Task<Next> answer_request(std::optional<ReadyAnswer> ready);
  std::optional<HeadError> parse_request(std::size_t head_size);
  Task<Next> refuse(HeadError error);
  Task<bool> handle();
  static Task<Status> answered_twice();
  bool write_head(const ResponseHead& head, Framing framing);
  Task<Status> send_text(std::string text);
  Task<Status> send_body(Framing framing, BodySource& body);
  Task<bool> drain_body();
  Task<void> close();

  bool may_keep_alive(const ResponseHead& head) const;
  Framing framing_of(const BodySource& body) const;
  ResponseFrame frame_of(const ResponseHead& head, Framing framing) const;
  Pace body_pace() const;

  ConnectionContext& context_;
  Stream stream_;
  const std::string peer_;
  InBuffer in_;
  HeadScanner scanner_;
  std::string out_;
  Stream::Pieces unsent_;  // of a ready answer

  // Of the request in flight.
  ParsedRequest request_;
  std::optional<BodyReader> body_;
  bool responded_ = false;  // begun, and
  bool complete_ = false;   // sent to its end

  bool keep_alive_ = true;
  bool idle_ = false;  // waits for the first byte of a request
  bool served_any_ = false;
  Ending ending_ = Ending::kClose;
};

}  // namespace aisfs::http
