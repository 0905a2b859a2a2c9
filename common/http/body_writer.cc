// SPDX-License-Identifier: MIT
#include "common/http/body_writer.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <charconv>
#include <cstring>

namespace aisfs::http {
namespace {

constexpr std::size_t kSmallMax = 64 * 1024;  // up to here one read and one send beat sendfile
constexpr std::size_t kPumpBytes = 256 * 1024;
constexpr std::uint64_t kWindowBytes = 1024 * 1024;  // of a file, checked for residence at once
constexpr std::uint64_t kProbeStep = 128 * 1024;     // the kernel reads ahead at least so far

/// Buffers of kPumpBytes that a thread keeps, because fresh ones cost 64 page faults.
class PumpBuffer {
 public:
  PumpBuffer() {
    auto& kept = cache();
    if (kept.empty()) {
      memory_ = std::make_unique_for_overwrite<std::byte[]>(kPumpBytes);
    } else {
      memory_ = std::move(kept.back());
      kept.pop_back();
    }
  }
  ~PumpBuffer() {
    if (cache().size() < kKeptMax) cache().push_back(std::move(memory_));
  }
  PumpBuffer(const PumpBuffer&) = delete;
  PumpBuffer& operator=(const PumpBuffer&) = delete;
  MutableBytes span() { return {memory_.get(), kPumpBytes}; }

 private:
  static constexpr std::size_t kKeptMax = 16;
  static std::vector<std::unique_ptr<std::byte[]>>& cache() {
    thread_local std::vector<std::unique_ptr<std::byte[]>> kept;
    return kept;
  }
  std::unique_ptr<std::byte[]> memory_;
};

enum class Probe : unsigned char { kResidentOnly, kMayBlock };

/// Reads exactly `into`. EAGAIN when it would have to wait for the disk, ENODATA at the end.
int pread_fully(int fd, MutableBytes into, std::uint64_t offset, Probe probe) {
  while (!into.empty()) {
    const iovec piece{into.data(), into.size()};
    const int flags = probe == Probe::kResidentOnly ? RWF_NOWAIT : 0;
    const ssize_t n = ::preadv2(fd, &piece, 1, static_cast<off_t>(offset), flags);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EOPNOTSUPP ? EAGAIN : errno;
    if (n == 0) return ENODATA;
    into = into.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return 0;
}

bool is_resident(FileSlice part) {
  std::byte byte;
  for (std::uint64_t at = 0; at < part.length; at += kProbeStep) {
    if (pread_fully(part.fd, {&byte, 1}, part.offset + at, Probe::kResidentOnly) != 0) return false;
  }
  const std::uint64_t last = part.offset + part.length - 1;
  return pread_fully(part.fd, {&byte, 1}, last, Probe::kResidentOnly) == 0;
}

struct SmallSend {
  int error = 0;     // errno of the read or of the send
  std::string rest;  // what the socket did not take
};

/// Head and part of a file by one read and one send. Does not suspend, so all connections of a
/// thread share the memory.
SmallSend send_small(int socket, std::string_view head, FileSlice part, Probe probe) {
  thread_local const auto scratch = std::make_unique_for_overwrite<std::byte[]>(kSmallMax);
  const MutableBytes body(scratch.get(), static_cast<std::size_t>(part.length));
  SmallSend result;
  result.error = pread_fully(part.fd, body, part.offset, probe);
  if (result.error != 0) return result;
  Stream::Pieces pieces;
  pieces.add(as_bytes(head)).add(body);
  const ssize_t n = pieces.send(socket, 0);
  // An error that lasts shows again when the rest is written.
  pieces.drop(n < 0 ? 0 : static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < pieces.count; ++i) {
    result.rest.append(static_cast<const char*>(pieces.items[i].iov_base), pieces.items[i].iov_len);
  }
  return result;
}

Error ended_early() { return Error(Errc::corrupt, "body is shorter than announced"); }

}  // namespace

Error BodyWriter::blame_source(Error error) {
  source_failed_ = true;
  return error;
}

Task<Status> BodyWriter::write(Stream::Pieces pieces, int flags) {
  if (stop_ && stop_()) co_return Error(Errc::cancelled, "the peer answered before the end");
  begun_ = true;
  co_return co_await stream_.write(pieces, pace_, flags);
}

Task<Status> BodyWriter::send(std::string_view head, std::string_view body) {
  Stream::Pieces pieces;
  pieces.add(as_bytes(head)).add(as_bytes(body));
  begun_ = true;
  co_return co_await stream_.write(pieces, pace_);
}

Task<Status> BodyWriter::send(std::string_view head, BodySource& body, Framing framing) {
  const FileSlice* file = stream_.is_tls() ? nullptr : body.file();
  switch (framing.kind) {
    case Framing::Kind::kNone:
      return send(head, std::string_view());
    case Framing::Kind::kChunked:
      return send_chunked(head, body);
    case Framing::Kind::kUntilClose:
      return send_until_close(head, body);
    case Framing::Kind::kLength:
      break;
  }
  if (file == nullptr) return send_length(head, body, framing.length);
  const FileSlice part{file->fd, file->offset, framing.length};
  if (file->length < framing.length) return refuse_source(ended_early());
  return part.length <= kSmallMax ? send_small_file(head, body, part) : send_file(head, body, part);
}

Task<Status> BodyWriter::refuse_source(Error error) { co_return blame_source(std::move(error)); }

Task<Status> BodyWriter::bring_in(BodySource& body, FileSlice part) {
  auto done = co_await body.bring_in(part.offset, part.length);
  if (!done) co_return blame_source(std::move(done).error());
  co_return Status{};
}

Task<Status> BodyWriter::send_small_file(std::string_view head, BodySource& body, FileSlice file) {
  SmallSend sent = send_small(stream_.fd(), head, file, Probe::kResidentOnly);
  if (sent.error == EAGAIN) {
    CO_CHECK_OK(co_await bring_in(body, file));
    sent = send_small(stream_.fd(), head, file, Probe::kMayBlock);
  }
  if (sent.error == ENODATA) co_return blame_source(ended_early());
  if (sent.error != 0) co_return blame_source(errno_error("read a stored file", sent.error));
  begun_ = true;
  if (sent.rest.empty()) co_return Status{};
  co_return co_await stream_.write(sent.rest, pace_);
}

Task<Status> BodyWriter::send_file(std::string_view head, BodySource& body, FileSlice file) {
  for (std::uint64_t at = 0; at < file.length; at += kWindowBytes) {
    const FileSlice window{file.fd, file.offset + at, std::min(kWindowBytes, file.length - at)};
    if (!is_resident(window)) {
      CO_CHECK_OK(co_await bring_in(body, window));
    }
    if (at == 0) {
      Stream::Pieces pieces;
      pieces.add(as_bytes(head));
      CO_CHECK_OK(co_await write(pieces, MSG_MORE));
    }
    CO_CHECK_OK(co_await send_window(window));
  }
  co_return Status{};
}

Task<Status> BodyWriter::send_window(FileSlice window) {
  auto offset = static_cast<off_t>(window.offset);
  while (window.length > 0) {
    if (stop_ && stop_()) co_return Error(Errc::cancelled, "the peer answered before the end");
    const ssize_t n = ::sendfile(stream_.fd(), window.fd, &offset, window.length);
    if (n > 0) {
      pace_.moved(static_cast<std::size_t>(n));
      window.length -= static_cast<std::uint64_t>(n);
    } else if (n == 0) {
      co_return blame_source(ended_early());
    } else if (errno == EAGAIN) {
      CO_CHECK_OK(co_await stream_.wait_writable(pace_));
    } else if (errno == EIO) {
      co_return blame_source(Error(Errc::io, "read a stored file: input/output error"));
    } else if (errno != EINTR) {
      co_return Error(Errc::unreachable, std::strerror(errno));
    }
  }
  co_return Status{};
}

Task<Status> BodyWriter::send_length(std::string_view head, BodySource& body, std::uint64_t length) {
  PumpBuffer buffer;
  // A small body is collected first and leaves with the head; of a large one, each piece at once.
  const bool collect = length <= kSmallMax;
  std::size_t held = 0;
  while (length > 0) {
    // One that has less than was announced is read to its end, which is an error.
    const bool passable = !collect && !stream_.is_tls() && body.remaining().value_or(0) >= length;
    if (BodySocket* from = passable ? body.socket() : nullptr) {
      if (SplicePipe pipe = SplicePipe::take(); pipe.ok()) {
        Stream::Pieces pieces;
        pieces.add(as_bytes(head));
        CO_CHECK_OK(co_await write(pieces, MSG_MORE));
        co_return co_await pass_on(*from, length, std::move(pipe));
      }
    }
    const MutableBytes space = buffer.span().subspan(held);
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(space.size(), length));
    auto n = co_await body.read(space.first(want));
    if (!n) co_return blame_source(std::move(n).error());
    if (*n == 0) co_return blame_source(ended_early());
    held += *n;
    length -= *n;
    if (collect && length > 0) continue;
    Stream::Pieces pieces;
    pieces.add(as_bytes(head)).add(buffer.span().first(held));
    CO_CHECK_OK(co_await write(pieces));
    head = {};
    held = 0;
  }
  co_return Status{};
}

Task<Status> BodyWriter::pass_on(BodySocket& from, std::uint64_t length, SplicePipe pipe) {
  std::size_t held = 0;  // in the pipe
  while (length > 0 || held > 0) {
    if (stop_ && stop_()) co_return Error(Errc::cancelled, "the peer answered before the end");
    if (held == 0) {
      const auto want = std::min<std::uint64_t>(length, SplicePipe::kBytes);
      auto n = from.splice_to(pipe.in(), static_cast<std::size_t>(want));
      if (!n) co_return blame_source(std::move(n).error());
      held = *n;
      length -= *n;
      if (held > 0) continue;
      Status there = co_await from.wait();
      if (!there) co_return blame_source(std::move(there).error());
      continue;
    }
    const unsigned more = length > 0 ? SPLICE_F_MORE : 0;
    const ssize_t n = ::splice(pipe.out(), nullptr, stream_.fd(), nullptr, held,
                               SPLICE_F_MOVE | SPLICE_F_NONBLOCK | more);
    if (n > 0) {
      pace_.moved(static_cast<std::size_t>(n));
      held -= static_cast<std::size_t>(n);
    } else if (n == 0 || errno == EAGAIN) {
      CO_CHECK_OK(co_await stream_.wait_writable(pace_));
    } else if (errno != EINTR) {
      co_return Error(Errc::unreachable, std::strerror(errno));
    }
  }
  pipe.give_back();
  co_return Status{};
}

Task<Status> BodyWriter::send_chunk(std::string_view head, ConstBytes bytes) {
  std::array<char, 24> size{};
  char* end = std::to_chars(size.data(), size.data() + 16, bytes.size(), 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  const std::string_view line(size.data(), static_cast<std::size_t>(end - size.data()));
  Stream::Pieces pieces;
  pieces.add(as_bytes(head)).add(as_bytes(line)).add(bytes).add(as_bytes("\r\n"));
  co_return co_await write(pieces);
}

Task<Status> BodyWriter::send_chunked(std::string_view head, BodySource& body) {
  if (auto* lent = dynamic_cast<LentSource*>(&body)) co_return co_await send_lent(head, *lent);
  PumpBuffer buffer;
  while (true) {
    auto n = co_await body.read(buffer.span());
    if (!n) co_return blame_source(std::move(n).error());
    CO_CHECK_OK(co_await send_chunk(head, buffer.span().first(*n)));
    if (*n == 0) co_return Status{};
    head = {};
  }
}

Task<Status> BodyWriter::send_lent(std::string_view head, LentSource& body) {
  while (true) {
    auto bytes = co_await body.lend();
    if (!bytes) co_return blame_source(std::move(bytes).error());
    CO_CHECK_OK(co_await send_chunk(head, *bytes));
    if (bytes->empty()) co_return Status{};
    body.give_back(bytes->size());
    head = {};
  }
}

Task<Status> BodyWriter::send_until_close(std::string_view head, BodySource& body) {
  PumpBuffer buffer;
  while (true) {
    auto n = co_await body.read(buffer.span());
    if (!n) co_return blame_source(std::move(n).error());
    Stream::Pieces pieces;
    pieces.add(as_bytes(head)).add(buffer.span().first(*n));
    CO_CHECK_OK(co_await write(pieces));
    if (*n == 0) co_return Status{};
    head = {};
  }
}

}  // namespace aisfs::http
