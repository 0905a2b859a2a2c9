// SPDX-License-Identifier: MIT
#include "common/http/connection.h"

#include "common/base/defer.h"
#include "common/base/text.h"
#include "common/obs/log.h"

namespace aisfs::http {
namespace {

constexpr std::uint64_t kDrainMax = 256 * 1024;  // cheaper to read than a new connection
constexpr auto kLingerTime = std::chrono::seconds(5);

TimePoint now() { return std::chrono::steady_clock::now(); }

bool has_no_body(int status) { return status / 100 == 1 || status == 204 || status == 304; }

}  // namespace

Connection::Connection(ConnectionContext& context, Socket socket, std::string peer)
    : context_(context),
      stream_(std::move(socket)),
      peer_(std::move(peer)),
      scanner_(HeadScanner::Kind::kRequest,
               {context.options.target_bytes_max, context.options.header_bytes_max,
                context.options.header_fields_max}) {}

Task<void> Connection::run() {
  try {
    co_await serve();
  } catch (const std::exception& e) {
    // Cut off by stop(), or a bug: either way the socket goes with this object.
    LOG_DEBUG("connection ended", "listener", context_.options.name, "peer", peer_, "why", e.what());
  }
}

void Connection::stop_if_idle() {
  boost::system::error_code ignored;
  if (idle_) stream_.socket().cancel(ignored);
}

Task<void> Connection::serve() {
  if (context_.tls != nullptr) {
    const auto secured =
        co_await stream_.accept_tls(context_.tls->ssl, now() + context_.options.header_timeout);
    if (!secured) {
      LOG_DEBUG("no TLS", "listener", context_.options.name, "peer", peer_, "why",
                secured.error().what());
      co_return;
    }
  }
  while (keep_alive_ && co_await read_request() == Next::kRequest) {
    auto ready = ready_answer();
    if (ready && send_at_once(*ready)) continue;
    if (co_await answer_request(std::move(ready)) == Next::kClose) break;
  }
  co_await close();
}

Task<Connection::Next> Connection::read_request() {
  scanner_.reset();
  // The first request has to come soon; later ones may take their time, but not their head.
  const Duration idle_max =
      served_any_ ? context_.options.idle_timeout : context_.options.header_timeout;
  TimePoint deadline = now() + (in_.empty() ? idle_max : context_.options.header_timeout);
  while (true) {
    const HeadScanner::Found found = scanner_.scan(in_.view());
    if (found.error) co_return co_await refuse(*found.error);
    if (found.size != 0) {
      const auto error = parse_request(found.size);
      if (error) co_return co_await refuse(*error);
      co_return Next::kRequest;
    }
    idle_ = in_.empty();
    if (idle_ && context_.stopping) co_return Next::kClose;
    const MutableBytes space = in_.space(2048);
    const auto n = co_await stream_.read_some(space, deadline);
    const bool was_idle = std::exchange(idle_, false);
    if (!n && n.error() == Errc::timed_out && !was_idle) {
      HeadError late{408, "the request's head took too long"};
      co_return co_await refuse(std::move(late));
    }
    if (!n || *n == 0) co_return Next::kClose;
    in_.commit(*n);
    if (was_idle) deadline = now() + context_.options.header_timeout;
  }
}

std::optional<HeadError> Connection::parse_request(std::size_t head_size) {
  auto error = parse_request_head(in_.view().substr(0, head_size),
                                  context_.options.body_bytes_max, request_);
  if (error) return error;
  in_.consume(head_size);
  served_any_ = true;
  return std::nullopt;
}

Task<Connection::Next> Connection::refuse(HeadError error) {
  ResponseHead head{.status = error.status};
  head.fields.add("Content-Type", "text/plain");
  const std::string text = error.why + "\n";
  const ResponseFrame frame{.body = {Framing::Kind::kLength, text.size()}, .connection = "close"};
  write_response_head(head, frame, out_);
  BodyWriter writer(stream_, body_pace());
  const Status sent = co_await writer.send(out_, text);
  ending_ = sent ? Ending::kLinger : Ending::kReset;
  co_return Next::kClose;
}

/// Anything out of the ordinary is for the handler.
std::optional<ReadyAnswer> Connection::ready_answer() const {
  const bool ordinary = request_.head.method == Method::kGet && request_.keep_alive &&
                        !request_.is_http_1_0 && request_.framing.kind == Framing::Kind::kNone;
  if (!ordinary || !context_.ready || stream_.is_tls() || context_.stopping) return std::nullopt;
  return context_.ready(request_.head, request_.target);
}

/// False when there is more than the socket takes.
bool Connection::send_at_once(const ReadyAnswer& answer) {
  if (answer.source) return false;
  write_ready_head(answer.fields, answer.body.size(), out_);
  unsent_ = Stream::Pieces().add(as_bytes(out_)).add(as_bytes(answer.body));
  return stream_.write_now(unsent_);
}

/// What send_at_once() left of it.
Task<void> Connection::send_ready(ReadyAnswer answer) {
  if (!answer.source) {
    responded_ = true;
    Pace pace = body_pace();
    const Status sent = co_await stream_.write(unsent_, pace);
    complete_ = sent.ok();
    co_return;
  }
  const Framing framing = framing_of(*answer.source);
  write_ready_head(answer.fields, framing.length, out_);
  static_cast<void>(co_await send_body(framing, *answer.source));
}

Task<Connection::Next> Connection::answer_request(std::optional<ReadyAnswer> ready) {
  body_.emplace(stream_, in_,
                BodyReader::Options{.framing = request_.framing,
                                    .bytes_max = context_.options.body_bytes_max,
                                    .pace = body_pace(),
                                    .announce = request_.expects_continue});
  responded_ = complete_ = false;
  if (ready) {
    co_await send_ready(*std::move(ready));
  } else if (!co_await handle()) {
    keep_alive_ = false;
  }
  if (responded_ && !complete_) ending_ = Ending::kReset;
  if (!responded_) {
    ResponseHead failure{.status = 500};
    std::string text = "the request was not answered\n";
    const Status sent = co_await respond(std::move(failure), std::move(text));
    if (!sent) keep_alive_ = false;
  }
  if (ending_ == Ending::kReset) co_return Next::kClose;
  if (keep_alive_ && (body_->done() || co_await drain_body())) co_return Next::kRequest;
  if (!body_->done() || !in_.empty()) ending_ = Ending::kLinger;
  co_return Next::kClose;
}

/// False when the handler threw.
Task<bool> Connection::handle() {
  try {
    co_await context_.handler(*this);
    if (!responded_ && !body_->failed()) {
      LOG_ERROR("handler gave no answer", "listener", context_.options.name, "method",
                request_.method_text, "path", request_.target.raw_path);
    }
    co_return true;
  } catch (const boost::system::system_error& e) {
    // Cut off by stop(): how a cancelled coroutine unwinds.
    if (context_.stopping && e.code() == asio::error::operation_aborted) co_return false;
    LOG_ERROR("handler threw", "listener", context_.options.name, "method", request_.method_text,
              "path", request_.target.raw_path, "what", e.what());
  } catch (const std::exception& e) {
    LOG_ERROR("handler threw", "listener", context_.options.name, "method", request_.method_text,
              "path", request_.target.raw_path, "what", e.what());
  } catch (...) {
    LOG_ERROR("handler threw", "listener", context_.options.name, "method", request_.method_text,
              "path", request_.target.raw_path, "what", "not a std::exception");
  }
  co_return false;
}

std::optional<std::uint64_t> Connection::content_length() const {
  if (request_.framing.kind == Framing::Kind::kChunked) return std::nullopt;
  return request_.framing.length;
}

Task<Status> Connection::respond(ResponseHead head, std::string body) {
  if (responded_) return answered_twice();
  const Framing framing{body.empty() ? Framing::Kind::kNone : Framing::Kind::kLength, body.size()};
  const bool bodyless = write_head(head, framing);
  return send_text(bodyless ? std::string() : std::move(body));
}

Task<Status> Connection::respond(ResponseHead head, BodySource& body) {
  if (responded_) return answered_twice();
  const Framing framing = framing_of(body);
  const bool bodyless = write_head(head, framing);
  return bodyless ? send_text({}) : send_body(framing, body);
}

Framing Connection::framing_of(const BodySource& body) const {
  const auto length = body.file() != nullptr ? std::optional(body.file()->length) : body.remaining();
  if (length) return {*length == 0 ? Framing::Kind::kNone : Framing::Kind::kLength, *length};
  return {request_.is_http_1_0 ? Framing::Kind::kUntilClose : Framing::Kind::kChunked, 0};
}

Task<Status> Connection::answered_twice() {
  co_return Error(Errc::internal, "a request was answered twice");
}

/// Makes `out_` the head of the response. True when no body may follow it.
bool Connection::write_head(const ResponseHead& head, Framing framing) {
  keep_alive_ = keep_alive_ && may_keep_alive(head) && framing.kind != Framing::Kind::kUntilClose;
  write_response_head(head, frame_of(head, framing), out_);
  return request_.head.method == Method::kHead || has_no_body(head.status);
}

Task<Status> Connection::send_text(std::string text) {
  BodyWriter writer(stream_, body_pace());
  const Defer note([&] { responded_ = writer.begun(); });  // also when it is cut off
  Status sent = co_await writer.send(out_, text);
  complete_ = sent.ok();
  if (!sent && writer.begun()) keep_alive_ = false;
  co_return sent;
}

Task<Status> Connection::send_body(Framing framing, BodySource& body) {
  BodyWriter writer(stream_, body_pace());
  const Defer note([&] { responded_ = writer.begun(); });
  Status sent = co_await writer.send(out_, body, framing);
  complete_ = sent.ok();
  if (!sent && writer.begun()) keep_alive_ = false;
  co_return sent;
}

bool Connection::may_keep_alive(const ResponseHead& head) const {
  if (!request_.keep_alive || context_.stopping) return false;
  if (const std::string* own = head.fields.find("Connection"); own && iequals(*own, "close")) {
    return false;
  }
  if (body_->done()) return true;
  // A client that was not told to go on may send the body or not: the next bytes could be either.
  return !body_->failed() && !body_->unannounced() && body_->remaining().value_or(0) <= kDrainMax;
}

ResponseFrame Connection::frame_of(const ResponseHead& head, Framing framing) const {
  ResponseFrame frame{.body = framing};
  if (has_no_body(head.status)) {
    frame.length = ResponseFrame::Length::kNone;
  } else if (request_.head.method == Method::kHead) {
    frame.length = ResponseFrame::Length::kAsGiven;
  }
  if (!keep_alive_) {
    frame.connection = "close";
  } else if (request_.is_http_1_0) {
    frame.connection = "keep-alive";
  }
  return frame;
}

Pace Connection::body_pace() const {
  return Pace(context_.options.body_rate_grace, context_.options.body_bytes_per_second_min);
}

/// False when more is left than is worth reading.
Task<bool> Connection::drain_body() {
  std::array<std::byte, 4096> sink;
  for (std::uint64_t drained = 0; !body_->done(); ) {
    const auto n = co_await body_->read(sink);
    if (!n) co_return false;
    drained += *n;
    if (drained > kDrainMax) co_return false;
  }
  co_return true;
}

Task<void> Connection::close() {
  if (ending_ == Ending::kReset) {
    stream_.reset_on_close();
  } else if (ending_ == Ending::kLinger || stream_.is_tls()) {
    co_await stream_.linger(now() + kLingerTime);
  }
}

}  // namespace aisfs::http
