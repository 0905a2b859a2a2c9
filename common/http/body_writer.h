// SPDX-License-Identifier: MIT
#pragma once
#include <functional>

#include "common/async/lent_source.h"
#include "common/http/head_parser.h"
#include "common/http/splice_pipe.h"
#include "common/http/stream.h"

namespace aisfs::http {

/// Sends a head that is already text, and the body after it: small bodies in one call with the
/// head, files by sendfile, large ones from a socket by splice, lent memory as it lies, everything
/// else through a buffer.
/// One object a message.
class BodyWriter {
 public:
  BodyWriter(Stream& stream, Pace pace) : stream_(stream), pace_(pace) {}

  Task<Status> send(std::string_view head, std::string_view body);
  /// `framing` says how the head announced the body; remaining() must agree with it.
  Task<Status> send(std::string_view head, BodySource& body, Framing framing);

  /// Looked at between pieces; true ends the sending with cancelled.
  void stop_when(std::function<bool()> condition) { stop_ = std::move(condition); }

  /// Something left already: no other message can follow on an error.
  bool begun() const { return begun_; }
  /// The error came from the source, not from the connection.
  bool source_failed() const { return source_failed_; }

 private:
  Task<Status> send_small_file(std::string_view head, BodySource& body, FileSlice file);
  Task<Status> send_file(std::string_view head, BodySource& body, FileSlice file);
  Task<Status> send_window(FileSlice window);
  Task<Status> send_length(std::string_view head, BodySource& body, std::uint64_t length);
  /// The rest of a body that comes from a socket, by way of the pipe.
  Task<Status> pass_on(BodySocket& from, std::uint64_t length, SplicePipe pipe);
  Task<Status> send_chunk(std::string_view head, ConstBytes bytes);
  Task<Status> send_chunked(std::string_view head, BodySource& body);
  /// The same without a copy.
  Task<Status> send_lent(std::string_view head, LentSource& body);
  Task<Status> send_until_close(std::string_view head, BodySource& body);
  Task<Status> write(Stream::Pieces pieces, int flags = 0);
  Task<Status> bring_in(BodySource& body, FileSlice part);
  Task<Status> refuse_source(Error error);
  Error blame_source(Error error);

  Stream& stream_;
  Pace pace_;
  std::function<bool()> stop_;
  bool begun_ = false;
  bool source_failed_ = false;
};

}  // namespace aisfs::http
