// SPDX-License-Identifier: MIT
#include "common/http/stream.h"

#include <sys/socket.h>

#include <boost/asio/write.hpp>
#include <cstring>

namespace aisfs::http {
namespace {

constexpr std::size_t kRecordBytes = 16 * 1024;  // RFC 8446 5.1: the most that a TLS record holds

TimePoint now() { return std::chrono::steady_clock::now(); }

}  // namespace

void Pace::moved(std::size_t bytes) {
  if (rate_ == 0) return;
  // More than grace_ worth of bytes cannot count, so the product below stays in range.
  const auto grace_s = std::chrono::duration_cast<std::chrono::seconds>(grace_).count() + 1;
  if (bytes / rate_ >= static_cast<std::uint64_t>(grace_s)) {
    credit_ = grace_;
    return;
  }
  credit_ = std::min(grace_, credit_ + Duration(bytes * 1'000'000'000 / rate_));
}

struct Watchdog::State {
  explicit State(Socket& s) : socket(&s), timer(s.get_executor()) {}
  Socket* socket;  // null once the stream is gone
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>, Executor>
      timer;
  TimePoint deadline = TimePoint::max();
  TimePoint armed = TimePoint::max();
  bool expired = false;
};

Watchdog::Watchdog(Socket& socket) : state_(std::make_shared<State>(socket)) {}

Watchdog::~Watchdog() {
  state_->socket = nullptr;
  state_->timer.cancel();
}

void Watchdog::begin(TimePoint deadline) {
  state_->expired = false;
  state_->deadline = deadline;
  if (deadline < state_->armed) arm(state_, deadline);
}

bool Watchdog::end() {
  state_->deadline = TimePoint::max();
  return state_->expired;
}

void Watchdog::arm(const std::shared_ptr<State>& state, TimePoint at) {
  state->armed = at;
  state->timer.expires_at(at);
  state->timer.async_wait([state](boost::system::error_code ec) {
    if (ec || state->socket == nullptr) return;
    state->armed = TimePoint::max();
    if (state->deadline == TimePoint::max()) return;
    if (now() < state->deadline) return arm(state, state->deadline);
    state->deadline = TimePoint::max();
    state->expired = true;
    boost::system::error_code ignored;
    state->socket->cancel(ignored);
  });
}

Stream::Stream(Socket socket) : socket_(std::move(socket)), watchdog_(socket_) {}

Error Stream::error_of(boost::system::error_code ec, bool expired) const {
  if (ec == asio::error::operation_aborted) {
    return expired ? Error(Errc::timed_out, "the peer is too slow") : Error(Errc::cancelled);
  }
  return Error(Errc::unreachable, ec.message());
}

Task<Status> Stream::connect(asio::ip::tcp::endpoint to, TimePoint deadline) {
  watchdog_.begin(deadline);
  auto [ec] = co_await socket_.async_connect(to, use_ec);
  const bool expired = watchdog_.end();
  if (ec) co_return error_of(ec, expired);
  socket_.native_non_blocking(true, ec);
  socket_.set_option(asio::ip::tcp::no_delay(true), ec);
  co_return Status{};
}

Task<Status> Stream::accept_tls(asio::ssl::context& context, TimePoint deadline) {
  tls_ = std::make_unique<Tls>(socket_, context);
  return handshake(Tls::server, deadline);
}

Task<Status> Stream::connect_tls(asio::ssl::context& context,
                                 std::string host,
                                 TimePoint deadline) {
  tls_ = std::make_unique<Tls>(socket_, context);
  SSL* const ssl = tls_->native_handle();
  X509_VERIFY_PARAM* const check = SSL_get0_param(ssl);
  boost::system::error_code ec;
  asio::ip::make_address(host, ec);
  bool known = true;
  if (!ec) {
    known = X509_VERIFY_PARAM_set1_ip_asc(check, host.c_str()) == 1;
  } else {
    X509_VERIFY_PARAM_set_hostflags(check, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    known = X509_VERIFY_PARAM_set1_host(check, host.data(), host.size()) == 1 &&
            SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
  }
  if (!known) co_return Error(Errc::unreachable, "no name that a certificate could have: " + host);
  socket_.non_blocking(true, ec);  // for read_now()
  co_return co_await handshake(Tls::client, deadline);
}

Task<Status> Stream::handshake(Tls::handshake_type end, TimePoint deadline) {
  watchdog_.begin(deadline);
  auto [ec] = co_await tls_->async_handshake(end, use_ec);
  const bool expired = watchdog_.end();
  if (!ec) co_return Status{};
  if (ec == asio::error::operation_aborted) co_return error_of(ec, expired);
  const long verdict = SSL_get_verify_result(tls_->native_handle());
  if (verdict == X509_V_OK) co_return Error(Errc::unreachable, "TLS handshake: " + ec.message());
  co_return Error(Errc::unreachable, std::string("certificate verify failed: ") +
                                         X509_verify_cert_error_string(verdict));
}

/// Clients often close without TLS's own goodbye; a server that does may have been cut off.
bool Stream::is_end(boost::system::error_code ec) const {
  if (ec == asio::ssl::error::stream_truncated) return SSL_is_server(tls_->native_handle()) == 1;
  return ec == asio::error::eof;
}

Task<Result<std::size_t>> Stream::read_some(MutableBytes into, TimePoint deadline) {
  const auto buffer = asio::buffer(into.data(), into.size());
  boost::system::error_code ec;
  std::size_t n = 0;
  watchdog_.begin(deadline);
  if (tls_) {
    std::tie(ec, n) = co_await tls_->async_read_some(buffer, use_ec);
  } else {
    std::tie(ec, n) = co_await socket_.async_read_some(buffer, use_ec);
  }
  const bool expired = watchdog_.end();
  if (n > 0) co_return n;
  if (is_end(ec)) co_return std::size_t{0};
  co_return error_of(ec, expired);
}

Task<Result<std::size_t>> Stream::read_some(MutableBytes into, Pace& pace) {
  const TimePoint begin = now();
  auto n = co_await read_some(into, pace.deadline(begin));
  pace.waited(now() - begin);
  if (n) pace.moved(*n);
  co_return n;
}

Stream::Pieces& Stream::Pieces::add(ConstBytes bytes) {
  if (bytes.empty()) return *this;
  items[count++] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
  return *this;
}

std::size_t Stream::Pieces::size() const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += items[i].iov_len;
  return sum;
}

void Stream::Pieces::drop(std::size_t bytes) {
  std::size_t whole = 0;
  while (whole < count && bytes >= items[whole].iov_len) bytes -= items[whole++].iov_len;
  std::copy(items.begin() + static_cast<std::ptrdiff_t>(whole),
            items.begin() + static_cast<std::ptrdiff_t>(count), items.begin());
  count -= whole;
  if (count == 0) return;
  items[0].iov_base = static_cast<std::byte*>(items[0].iov_base) + bytes;
  items[0].iov_len -= bytes;
}

asio::const_buffer Stream::Pieces::join(std::size_t bytes_max, std::string& into) const {
  into.clear();
  for (std::size_t i = 0; i < count && into.size() < bytes_max; ++i) {
    const std::size_t n = std::min(items[i].iov_len, bytes_max - into.size());
    into.append(static_cast<const char*>(items[i].iov_base), n);
  }
  return asio::buffer(into);
}

ssize_t Stream::Pieces::send(int fd, int flags) {
  msghdr message{};
  message.msg_iov = items.data();
  message.msg_iovlen = count;
  return ::sendmsg(fd, &message, flags | MSG_NOSIGNAL);
}

bool Stream::write_now(Pieces& pieces) {
  const ssize_t n = pieces.send(fd(), 0);
  if (n > 0) pieces.drop(static_cast<std::size_t>(n));
  return pieces.count == 0;
}

Task<Status> Stream::write(Pieces pieces, Pace& pace, int flags) {
  if (tls_) co_return co_await write_tls(pieces, pace);
  while (pieces.count > 0) {
    const ssize_t n = pieces.send(fd(), flags);
    if (n >= 0) {
      pace.moved(static_cast<std::size_t>(n));
      pieces.drop(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      CO_CHECK_OK(co_await wait_writable(pace));
    } else if (errno != EINTR) {
      co_return Error(Errc::unreachable, std::strerror(errno));
    }
  }
  co_return Status{};
}

Task<Status> Stream::write(std::string_view text, Pace& pace) {
  Pieces pieces;
  pieces.add(as_bytes(text));
  co_return co_await write(pieces, pace);
}

Task<Status> Stream::write_tls(Pieces pieces, Pace& pace) {
  std::string joined;  // small pieces leave in one record, not in one each
  while (pieces.count > 0) {
    asio::const_buffer next(pieces.items[0].iov_base, pieces.items[0].iov_len);
    if (pieces.count > 1 && next.size() < kRecordBytes) next = pieces.join(kRecordBytes, joined);
    const TimePoint begin = now();
    watchdog_.begin(pace.deadline(begin));
    auto [ec, n] = co_await tls_->async_write_some(next, use_ec);
    const bool expired = watchdog_.end();
    if (ec) co_return error_of(ec, expired);
    pace.waited(now() - begin);
    pace.moved(n);
    pieces.drop(n);
  }
  co_return Status{};
}

Task<Status> Stream::wait_writable(Pace& pace) { return wait(Socket::wait_write, pace); }
Task<Status> Stream::wait_readable(Pace& pace) { return wait(Socket::wait_read, pace); }

Task<Status> Stream::wait(Socket::wait_type what, Pace& pace) {
  const TimePoint begin = now();
  watchdog_.begin(pace.deadline(begin));
  auto [ec] = co_await socket_.async_wait(what, use_ec);
  const bool expired = watchdog_.end();
  pace.waited(now() - begin);
  if (ec) co_return error_of(ec, expired);
  co_return Status{};
}

bool Stream::readable() {
  if (tls_) {
    SSL* const ssl = tls_->native_handle();
    if (SSL_has_pending(ssl) == 1 || BIO_pending(SSL_get_rbio(ssl)) > 0) return true;
  }
  char byte;
  const ssize_t n = ::recv(fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n >= 0 || (errno != EAGAIN && errno != EINTR);
}

std::optional<std::size_t> Stream::read_now(MutableBytes into) {
  boost::system::error_code ec;
  const std::size_t n = tls_->read_some(asio::buffer(into.data(), into.size()), ec);
  if (n == 0 && ec == asio::error::would_block) return std::nullopt;
  return n;
}

void Stream::reset_on_close() {
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
}

Task<void> Stream::linger(TimePoint deadline) {
  boost::system::error_code ignored;
  if (tls_) {
    watchdog_.begin(deadline);
    co_await tls_->async_shutdown(use_ec);
    watchdog_.end();
  }
  socket_.shutdown(Socket::shutdown_send, ignored);
  std::array<char, 4096> sink;
  while (now() < deadline) {
    watchdog_.begin(deadline);
    auto [ec, n] = co_await socket_.async_read_some(asio::buffer(sink), use_ec);
    watchdog_.end();
    if (ec) break;
  }
}

void InBuffer::consume(std::size_t n) {
  begin_ += n;
  if (begin_ == end_) begin_ = end_ = 0;
}

MutableBytes InBuffer::space(std::size_t at_least) {
  if (data_.size() - end_ < at_least && begin_ > 0) {
    std::memmove(data_.data(), data_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (data_.size() - end_ < at_least) {
    // 8 KiB hold an ordinary head, and 20,000 idle connections stay at 160 MB.
    data_.resize(std::max<std::size_t>(8192, std::max(data_.size() * 2, end_ + at_least)));
  }
  return {reinterpret_cast<std::byte*>(data_.data()) + end_, data_.size() - end_};
}

std::size_t InBuffer::take(MutableBytes into) {
  const std::size_t n = std::min(into.size(), end_ - begin_);
  std::memcpy(into.data(), data_.data() + begin_, n);
  consume(n);
  return n;
}

}  // namespace aisfs::http
