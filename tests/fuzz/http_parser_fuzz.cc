// SPDX-License-Identifier: MIT
// Everything that turns bytes of a peer into a message: the first byte of an input chooses the
// size of the pieces it arrives in, which must make no difference.
#include <cstdint>
#include <string_view>

#include "common/base/assert.h"
#include "common/http/chunked.h"
#include "common/http/head_parser.h"
#include "common/http/range.h"

namespace aisfs::http {
namespace {

struct Scan {
  std::size_t size = 0;
  int refused = 0;
  bool operator==(const Scan&) const = default;
};

Scan scan(HeadScanner::Kind kind, std::string_view bytes, std::size_t piece) {
  HeadScanner scanner(kind, HeadLimits{.target_bytes_max = 256, .header_bytes_max = 1024, .header_fields_max = 16});
  for (std::size_t n = std::min(piece, bytes.size());; n = std::min(n + piece, bytes.size())) {
    const auto found = scanner.scan(bytes.substr(0, n));
    if (found.error) return {0, found.error->status};
    if (found.size != 0) {
      AISFS_ASSERT(found.size <= n && bytes.substr(0, found.size).ends_with("\r\n\r\n"));
      return {found.size, 0};
    }
    if (n == bytes.size()) return {};
  }
}

void check_request(const ParsedRequest& request) {
  AISFS_ASSERT(request.head.target.starts_with('/'));
  AISFS_ASSERT(request.head.fields.count("Content-Length") + request.head.fields.count("Transfer-Encoding") <= 1);
  AISFS_ASSERT(request.is_http_1_0 || request.head.fields.count("Host") == 1);
  for (const auto& field : request.head.fields) {
    AISFS_ASSERT(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  }
  (void)parse_range(request.head.fields.get("Range"), 1000);
  (void)parse_http_date(request.head.fields.get("If-Modified-Since"));
}

/// Decodes a chunked body; how many bytes of `bytes` it took, or -1 when it is refused.
std::ptrdiff_t decode(std::string_view bytes, std::size_t piece, std::uint64_t& body) {
  ChunkedDecoder decoder;
  std::size_t at = 0;
  while (at < bytes.size() && !decoder.done()) {
    const auto part = bytes.substr(at, piece);
    std::size_t n = 0;
    if (decoder.in_data()) {
      n = static_cast<std::size_t>(std::min<std::uint64_t>(decoder.data_left(), part.size()));
      decoder.took_data(n);
      body += n;
    } else {
      const auto consumed = decoder.step(part);
      if (!consumed) return -1;
      n = *consumed;
    }
    AISFS_ASSERT(n > 0 && n <= part.size());
    at += n;
  }
  return decoder.done() ? static_cast<std::ptrdiff_t>(at) : 0;
}

void run(std::string_view bytes, std::size_t piece) {
  const Scan whole = scan(HeadScanner::Kind::kRequest, bytes, bytes.size() + 1);
  const Scan pieces = scan(HeadScanner::Kind::kRequest, bytes, piece);
  AISFS_ASSERT(whole.size == 0 || pieces.size == 0 || whole.size == pieces.size);
  // A limit may be seen earlier in pieces, but what is a head in one go is one in pieces.
  AISFS_ASSERT(whole.size == 0 || pieces == whole);
  ParsedRequest request;
  if (whole.size != 0 && !parse_request_head(bytes.substr(0, whole.size), 1 << 20, request)) {
    check_request(request);
    const ParsedRequest first = request;
    AISFS_ASSERT(!parse_request_head(bytes.substr(0, whole.size), 1 << 20, request));
    AISFS_ASSERT(request.head.target == first.head.target &&
                 request.target.path == first.target.path &&
                 request.head.fields.size() == first.head.fields.size() &&
                 request.framing.kind == first.framing.kind &&
                 request.keep_alive == first.keep_alive);
  }
  const Scan answer = scan(HeadScanner::Kind::kResponse, bytes, piece);
  if (answer.size != 0) {
    (void)parse_response_head(bytes.substr(0, answer.size), Method::kGet).ok();
  }
  std::uint64_t body_whole = 0, body_pieces = 0;
  const auto chunked = decode(bytes, bytes.size() + 1, body_whole);
  AISFS_ASSERT(decode(bytes, piece, body_pieces) == chunked);
  AISFS_ASSERT(chunked <= 0 || body_whole == body_pieces);
  (void)Target::parse(bytes).ok();
}

}  // namespace
}  // namespace aisfs::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  aisfs::http::run(bytes, data[0] % 64 + 1);
  return 0;
}
