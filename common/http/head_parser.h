// SPDX-License-Identifier: MIT
// Bytes to message heads. Pure: no socket, no clock. Line by line, because every line is checked
// here anyway.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/http/message.h"

namespace aisfs::http {

struct HeadLimits {
  std::size_t target_bytes_max = 8 * 1024;
  std::size_t header_bytes_max = 32 * 1024;  // all field lines together
  std::size_t header_fields_max = 100;
};

/// Why a head is refused: the status to answer with before the connection is closed.
struct HeadError {
  int status = 400;
  std::string why;
};

/// Finds the end of a head in bytes that arrive piece by piece, each looked at once.
class HeadScanner {
 public:
  enum class Kind : unsigned char { kRequest, kResponse };
  HeadScanner(Kind kind, HeadLimits limits) : kind_(kind), limits_(limits) {}

  struct Found {
    std::size_t size = 0;            // of the head with its empty line; 0: more bytes are needed
    std::optional<HeadError> error;  // a line that does not end in CRLF, or a limit
  };
  /// `bytes` begins with the head and holds everything that an earlier call was given.
  Found scan(std::string_view bytes);
  void reset() { *this = HeadScanner(kind_, limits_); }

 private:
  Found end_line(std::string_view bytes, std::size_t newline);
  std::size_t line_bytes_max() const;
  HeadError line_too_long() const;
  std::optional<HeadError> check_open_line(std::string_view bytes) const;

  Kind kind_;
  HeadLimits limits_;
  std::size_t scanned_ = 0;
  std::size_t line_at_ = 0;
  std::size_t fields_at_ = 0;  // where the first field line begins; 0 before it is known
  std::size_t fields_ = 0;
};

/// Where the body of a message ends.
struct Framing {
  enum class Kind : unsigned char { kNone, kLength, kChunked, kUntilClose };
  Kind kind = Kind::kNone;
  std::uint64_t length = 0;  // of kLength
};

struct ParsedRequest {
  RequestHead head;
  std::string method_text;
  Target target;
  Framing framing;
  bool is_http_1_0 = false;
  bool keep_alive = true;
  bool expects_continue = false;
  /// The field lines of a request without a body, as they came; "" when they are of no further use.
  std::string field_lines;
};

struct ParsedResponse {
  ResponseHead head;
  Framing framing;
  bool keep_alive = true;
};

/// Parses a whole head, as found by HeadScanner. Refuses what may be read in two ways: 400 for
/// bad syntax, two or no Host, Content-Length beside Transfer-Encoding, a coding other than
/// chunked; 411, 413, 417, 505 as their names say.
///
/// `out` may be an earlier request of the connection: a client repeats its fields word for word, and
/// then only the target is parsed. After an error it is of no use to anybody but the next call.
std::optional<HeadError> parse_request_head(std::string_view head,
                                            std::uint64_t body_bytes_max,
                                            ParsedRequest& out);
/// `request` decides whether a body follows at all (HEAD).
Result<ParsedResponse> parse_response_head(std::string_view head, Method request);

}  // namespace aisfs::http
