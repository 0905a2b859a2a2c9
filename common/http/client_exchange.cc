// SPDX-License-Identifier: MIT
#include "common/http/client_exchange.h"

#include <sys/socket.h>

#include "common/http/body_writer.h"
#include "common/http/head_writer.h"

namespace aisfs::http {
namespace {

// RFC 9110 10.1.1: a client need not wait for 100 Continue for ever.
constexpr auto kContinueWait = std::chrono::seconds(1);
constexpr int kInterimMax = 16;

TimePoint now() { return std::chrono::steady_clock::now(); }

Framing framing_of(const ClientRequest& request) {
  if (request.stream == nullptr) {
    const std::size_t size = request.body.size();
    return {size == 0 ? Framing::Kind::kNone : Framing::Kind::kLength, size};
  }
  const FileSlice* file = request.stream->file();
  const auto length = file != nullptr ? std::optional(file->length) : request.stream->remaining();
  if (!length) return {Framing::Kind::kChunked, 0};
  return {*length == 0 ? Framing::Kind::kNone : Framing::Kind::kLength, *length};
}

}  // namespace

Task<Result<ExchangeResult>> ClientExchange::run() {
  const Framing framing = framing_of(request_);
  const bool asks = request_.expect_continue && framing.kind != Framing::Kind::kNone;
  const std::string host = request_.to.to_string();
  std::string head;
  write_request_head(request_.head, {.host = host, .body = framing, .expects_continue = asks}, head);

  if (asks) {
    CO_CHECK_OK(co_await send(head, nullptr, {}));
    CO_TRY(auto refusal, co_await ask_to_continue());
    if (refusal) co_return std::move(*refusal);
    head.clear();
  }
  ExchangeResult result;
  const TimePoint begin = now();
  Status sent;
  if (request_.stream != nullptr && framing.kind != Framing::Kind::kNone) {
    sent = co_await send(head, request_.stream, framing);
    // The deadline is for the answer; a body takes the time it takes.
    if (deadline_ != TimePoint::max()) deadline_ += now() - begin;
  } else {
    Stream::Pieces pieces;
    pieces.add(as_bytes(head));
    if (request_.stream == nullptr) pieces.add(as_bytes(request_.body));
    Pace pace(std::min(kBodyStallMax, Duration(std::max(deadline_ - now(), Duration::zero()))), 0);
    sent = co_await connection_.stream.write(pieces, pace);
  }
  if (source_failed_) co_return std::move(sent).error();
  if (sent && request_.sent) request_.sent();
  // Whoever stops reading our body has often said why.
  result.reusable = sent.ok();
  auto response = co_await read_final_head();
  if (!response) co_return sent.ok() ? std::move(response).error() : std::move(sent).error();
  result.response = *std::move(response);
  co_return result;
}

/// The final answer if that is what comes instead of 100 Continue.
Task<Result<std::optional<ExchangeResult>>> ClientExchange::ask_to_continue() {
  auto answer = co_await read_head(std::min(deadline_, now() + kContinueWait));
  if (!answer && answer.error() == Errc::timed_out && now() < deadline_) {
    co_return std::optional<ExchangeResult>();
  }
  if (!answer) co_return std::move(answer).error();
  if (answer->head.status / 100 == 1) co_return std::optional<ExchangeResult>();
  ExchangeResult refusal{.response = *std::move(answer), .reusable = false};
  co_return std::optional(std::move(refusal));
}

Task<Status> ClientExchange::send(std::string_view head, BodySource* body, Framing framing) {
  BodyWriter writer(connection_.stream, Pace(kBodyStallMax, 0));
  Status sent;
  if (body == nullptr) {
    sent = co_await writer.send(head, std::string_view());
  } else {
    writer.stop_when([this] { return answered_early(); });
    sent = co_await writer.send(head, *body, framing);
  }
  source_failed_ = writer.source_failed();
  co_return sent;
}

/// A final answer (or the end) is there while we still send. An interim one means go on.
bool ClientExchange::answered_early() {
  if (!connection_.stream.readable()) return false;
  if (connection_.stream.is_tls()) return answered_early_by_tls();
  std::array<char, 10> text{};  // "HTTP/1.1 1"
  const ssize_t n = ::recv(connection_.stream.fd(), text.data(), text.size(), MSG_PEEK | MSG_DONTWAIT);
  return n != static_cast<ssize_t>(text.size()) || text.back() != '1';
}

/// What is encrypted has to be read to be known; read_final_head() goes on from there.
bool ClientExchange::answered_early_by_tls() {
  InBuffer& in = connection_.in;
  const MutableBytes space = in.space(2048);
  const auto n = connection_.stream.read_now(space);
  if (!n) return false;
  in.commit(*n);
  heard_ |= *n > 0;
  constexpr std::size_t kClassAt = 9;  // of "HTTP/1.1 1"
  const bool is_final = in.view().size() > kClassAt && in.view()[kClassAt] != '1';
  return *n == 0 || is_final || in.view().size() > header_bytes_max_;
}

Task<Result<ParsedResponse>> ClientExchange::read_final_head() {
  for (int i = 0; i < kInterimMax; ++i) {
    CO_TRY(auto response, co_await read_head(deadline_));
    if (response.head.status == 101) break;
    if (response.head.status / 100 != 1) co_return response;
  }
  co_return Error(Errc::corrupt, "interim answers without a final one");
}

Task<Result<ParsedResponse>> ClientExchange::read_head(TimePoint deadline) {
  const HeadLimits limits{.target_bytes_max = header_bytes_max_,
                          .header_bytes_max = header_bytes_max_,
                          .header_fields_max = 1000};
  HeadScanner scanner(HeadScanner::Kind::kResponse, limits);
  InBuffer& in = connection_.in;
  while (true) {
    const HeadScanner::Found found = scanner.scan(in.view());
    if (found.error) co_return Error(Errc::corrupt, "malformed response: " + found.error->why);
    if (found.size != 0) {
      auto parsed = parse_response_head(in.view().substr(0, found.size), request_.head.method);
      in.consume(found.size);
      co_return parsed;
    }
    const MutableBytes space = in.space(2048);
    CO_TRY(const std::size_t n, co_await connection_.stream.read_some(space, deadline));
    if (n == 0) co_return Error(Errc::unreachable, "closed by the server before it answered");
    in.commit(n);
    heard_ = true;
  }
}

}  // namespace aisfs::http
