// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "common/http/head_parser.h"

namespace aisfs::http {

/// What the protocol adds to a handler's head.
struct ResponseFrame {
  enum class Length : unsigned char {
    kOfBody,   // from `body`
    kAsGiven,  // the handler's own Content-Length, if any: the answer to HEAD
    kNone,     // 1xx, 204, 304
  };
  Length length = Length::kOfBody;
  Framing body;
  std::string_view connection;  // "close", "keep-alive" or ""
};

/// Replaces `out` by the text of the head. Framing fields come from `frame` alone; a field that
/// cannot be written (a name that is no token) is left out, CR, LF and NUL in values become spaces.
void write_response_head(const ResponseHead& head, const ResponseFrame& frame, std::string& out);

/// The fields as write_response_head writes them: those that are the caller's, a line each.
std::string text_of_fields(const Fields& fields);
/// Replaces `out` by the head of a 200 on a connection that is kept; `fields` is such a text,
/// without Date, `length` that of the body.
void write_ready_head(std::string_view fields, std::uint64_t length, std::string& out);

/// As above for a request: Host, Content-Length, Transfer-Encoding and Expect are set here.
struct RequestFrame {
  std::string_view host;
  Framing body;
  bool expects_continue = false;
};
void write_request_head(const RequestHead& head, const RequestFrame& frame, std::string& out);

}  // namespace aisfs::http
