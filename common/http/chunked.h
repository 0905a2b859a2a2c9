// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/http/message.h"

namespace aisfs::http {

/// The chunked coding of RFC 9112 7.1, read strictly: sizes are 1 to 15 hexadecimal digits, lines
/// end in CRLF, extensions and trailers are bounded.
///
/// Feed it with step(); while in_data(), the next data_left() bytes are body and are taken off by
/// took_data(). Pure.
class ChunkedDecoder {
 public:
  /// Consumes framing from the front of `in` until data, the end, or more bytes are needed.
  /// Returns how much was consumed; invalid_argument when the framing is broken.
  Result<std::size_t> step(std::string_view in);

  bool in_data() const { return state_ == State::kData; }
  std::uint64_t data_left() const { return left_; }
  void took_data(std::uint64_t n);
  bool done() const { return state_ == State::kDone; }
  const Fields& trailers() const { return trailers_; }

 private:
  enum class State : unsigned char { kSize, kData, kDataEnd, kTrailer, kDone };
  static constexpr std::size_t kLineMax = 4096;  // of a size line with its extensions, of a trailer
  static constexpr std::size_t kTrailersMax = 32;

  Status on_size_line(std::string_view line);
  Status on_trailer_line(std::string_view line);

  State state_ = State::kSize;
  std::uint64_t left_ = 0;
  std::string line_;  // the part of a line that came so far
  Fields trailers_;
};

}  // namespace aisfs::http
