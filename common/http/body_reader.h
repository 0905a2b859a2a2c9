// SPDX-License-Identifier: MIT
#pragma once
#include "common/async/byte_stream.h"
#include "common/http/chunked.h"
#include "common/http/head_parser.h"
#include "common/http/stream.h"

namespace aisfs::http {

/// The body of the message whose head was just consumed from `in`. Large reads go from the socket
/// straight into the caller's memory. Never takes a byte of what follows the body.
class BodyReader final : public BodySource, private BodySocket {
 public:
  struct Options {
    Framing framing;
    std::uint64_t bytes_max = ~std::uint64_t{0};  // too_large beyond it, when chunked
    Pace pace;
    bool announce = false;  // answer 100 Continue before the first byte is waited for
  };
  BodyReader(Stream& stream, InBuffer& in, Options options);

  Task<Result<std::size_t>> read(MutableBytes into) override;
  std::optional<std::uint64_t> remaining() const override;
  BodySocket* socket() override;

  bool done() const { return done_; }
  bool failed() const { return error_.has_value(); }
  /// The peer still waits for 100 Continue.
  bool unannounced() const { return options_.announce; }
  const Fields& trailers() const { return decoder_.trailers(); }

 private:
  Result<std::size_t> splice_to(int pipe, std::size_t max) override;
  Task<Status> wait() override;
  Task<Result<std::size_t>> read_plain(MutableBytes into);
  Task<Result<std::size_t>> read_chunked(MutableBytes into);
  Task<Status> fill();

  Stream& stream_;
  InBuffer& in_;
  Options options_;
  std::uint64_t left_;  // of a length
  std::uint64_t total_ = 0;
  ChunkedDecoder decoder_;
  bool done_;
  std::optional<Error> error_;
};

}  // namespace aisfs::http
