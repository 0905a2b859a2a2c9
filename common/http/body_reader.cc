// SPDX-License-Identifier: MIT
#include "common/http/body_reader.h"

#include <fcntl.h>

#include <cstring>

namespace aisfs::http {
namespace {

// Below this a read goes through the buffer, so that small chunks cost no system call each.
constexpr std::size_t kDirectReadMin = 16 * 1024;

Error cut_short() { return Error(Errc::unreachable, "closed by the peer in the middle of a body"); }

}  // namespace

BodyReader::BodyReader(Stream& stream, InBuffer& in, Options options)
    : stream_(stream),
      in_(in),
      options_(std::move(options)),
      left_(options_.framing.kind == Framing::Kind::kUntilClose ? ~std::uint64_t{0}
                                                                : options_.framing.length),
      done_(options_.framing.kind == Framing::Kind::kNone) {}

std::optional<std::uint64_t> BodyReader::remaining() const {
  const bool known = done_ || options_.framing.kind == Framing::Kind::kLength;
  return known ? std::optional(done_ ? 0 : left_) : std::nullopt;
}

Task<Result<std::size_t>> BodyReader::read(MutableBytes into) {
  if (error_) co_return *error_;
  if (done_) co_return std::size_t{0};
  if (std::exchange(options_.announce, false)) {
    auto sent = co_await stream_.write("HTTP/1.1 100 Continue\r\n\r\n", options_.pace);
    if (!sent) error_ = sent.error();
    if (error_) co_return *error_;
  }
  Result<std::size_t> n = std::size_t{0};
  if (options_.framing.kind == Framing::Kind::kChunked) {
    n = co_await read_chunked(into);
  } else {
    n = co_await read_plain(into);
  }
  if (!n) error_ = n.error();
  co_return n;
}

Task<Result<std::size_t>> BodyReader::read_plain(MutableBytes into) {
  into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_)));
  std::size_t n = in_.take(into);
  if (n == 0) {
    CO_TRY(n, co_await stream_.read_some(into, options_.pace));
  }
  const bool until_close = options_.framing.kind == Framing::Kind::kUntilClose;
  if (n == 0 && !until_close) co_return cut_short();
  left_ -= n;
  done_ = left_ == 0 || n == 0;
  co_return n;
}

BodySocket* BodyReader::socket() {
  const bool next = options_.framing.kind == Framing::Kind::kLength && !done_ && !error_ &&
                    !options_.announce && in_.empty() && !stream_.is_tls();
  return next ? this : nullptr;
}

Result<std::size_t> BodyReader::splice_to(int pipe, std::size_t max) {
  max = static_cast<std::size_t>(std::min<std::uint64_t>(max, left_));
  if (max == 0) return std::size_t{0};
  ssize_t n = 0;
  do {
    n = ::splice(stream_.fd(), nullptr, pipe, nullptr, max, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && errno == EAGAIN) return std::size_t{0};
  if (n <= 0) {
    error_ = n == 0 ? cut_short() : Error(Errc::unreachable, std::strerror(errno));
    return *error_;
  }
  options_.pace.moved(static_cast<std::size_t>(n));
  left_ -= static_cast<std::uint64_t>(n);
  done_ = left_ == 0;
  return static_cast<std::size_t>(n);
}

Task<Status> BodyReader::wait() {
  Status there = co_await stream_.wait_readable(options_.pace);
  if (!there) error_ = there.error();
  co_return there;
}

Task<Result<std::size_t>> BodyReader::read_chunked(MutableBytes into) {
  while (true) {
    CO_TRY(const std::size_t framing, decoder_.step(in_.view()));
    in_.consume(framing);
    if (decoder_.done()) {
      done_ = true;
      co_return std::size_t{0};
    }
    if (!decoder_.in_data()) {
      CO_CHECK_OK(co_await fill());
      continue;
    }
    if (decoder_.data_left() > options_.bytes_max - total_) {
      co_return Error(Errc::too_large, "body over " + std::to_string(options_.bytes_max) + " bytes");
    }
    const auto want = static_cast<std::size_t>(
        std::min<std::uint64_t>(into.size(), decoder_.data_left()));
    if (in_.empty() && want < kDirectReadMin) {
      CO_CHECK_OK(co_await fill());
    }
    std::size_t n = in_.take(into.first(want));
    if (n == 0) {
      CO_TRY(n, co_await stream_.read_some(into.first(want), options_.pace));
      if (n == 0) co_return cut_short();
    }
    decoder_.took_data(n);
    total_ += n;
    co_return n;
  }
}

Task<Status> BodyReader::fill() {
  const MutableBytes space = in_.space(4096);
  CO_TRY(const std::size_t n, co_await stream_.read_some(space, options_.pace));
  if (n == 0) co_return cut_short();
  in_.commit(n);
  co_return Status{};
}

}  // namespace aisfs::http
