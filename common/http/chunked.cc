// SPDX-License-Identifier: MIT
#include "common/http/chunked.h"

#include "common/base/assert.h"
#include "common/base/text.h"
#include "common/http/syntax.h"

namespace aisfs::http {
namespace {

Error broken(std::string_view what) {
  return Error(Errc::invalid_argument, "chunked body: " + std::string(what));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<std::size_t> ChunkedDecoder::step(std::string_view in) {
  std::size_t at = 0;
  while (at < in.size() && !in_data() && !done()) {
    const auto newline = in.find('\n', at);
    const std::size_t end = newline == in.npos ? in.size() : newline + 1;
    line_.append(in.substr(at, std::min(end - at, kLineMax + 1)));
    at = end;
    if (line_.size() > kLineMax) return broken("line too long");
    const auto bare = line_.find('\r');
    if (bare != line_.npos && bare + 2 < line_.size()) return broken("bare CR");
    if (state_ == State::kDataEnd && !std::string_view("\r\n").starts_with(line_)) {
      return broken("data longer than its size");
    }
    if (newline == in.npos) break;
    if (!line_.ends_with("\r\n")) return broken("bare LF");
    const std::string line = std::exchange(line_, {});
    const auto text = std::string_view(line).substr(0, line.size() - 2);
    if (state_ == State::kSize) CHECK_OK(on_size_line(text));
    else if (state_ == State::kTrailer) CHECK_OK(on_trailer_line(text));
    else state_ = State::kSize;
  }
  return at;
}

void ChunkedDecoder::took_data(std::uint64_t n) {
  AISFS_ASSERT(in_data() && n <= left_);
  left_ -= n;
  if (left_ == 0) state_ = State::kDataEnd;
}

Status ChunkedDecoder::on_size_line(std::string_view line) {
  std::size_t digits = 0;
  std::uint64_t size = 0;
  for (; digits < line.size() && hex_digit(line[digits]) >= 0; ++digits) {
    if (digits == 15) return broken("size too large");  // 60 bits, so that no sum overflows
    size = size << 4 | static_cast<std::uint64_t>(hex_digit(line[digits]));
  }
  const std::string_view extension = line.substr(digits);
  if (digits == 0) return broken("size is not a number");
  const std::string_view next = trim(extension);
  if (!extension.empty() && (!next.starts_with(';') || !is_field_value(extension))) {
    return broken("junk after the size");
  }
  left_ = size;
  state_ = size == 0 ? State::kTrailer : State::kData;
  return {};
}

Status ChunkedDecoder::on_trailer_line(std::string_view line) {
  if (line.empty()) {
    state_ = State::kDone;
    return {};
  }
  const auto colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon)) ||
      !is_field_value(line.substr(colon + 1))) {
    return broken("bad trailer");
  }
  if (trailers_.size() == kTrailersMax) return broken("too many trailers");
  trailers_.add(line.substr(0, colon), trim(line.substr(colon + 1)));
  return {};
}

}  // namespace aisfs::http
