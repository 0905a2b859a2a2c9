// SPDX-License-Identifier: MIT
#include "common/http/head_parser.h"

#include "common/base/text.h"
#include "common/http/syntax.h"

namespace aisfs::http {
namespace {

using std::string_view;

// What the longest method and the version add to a request line.
constexpr std::size_t kRequestLineExtra = 32 + sizeof(" HTTP/1.1\r\n");

HeadError bad(string_view why) { return {400, std::string(why)}; }

/// Every field line: a token, a colon at once, a value without control characters. Refuses folded
/// lines and spaces before the colon. `take` gets names and trimmed values.
template <class Take>
std::optional<HeadError> read_field_lines(string_view lines, Take take) {
  while (lines != "\r\n") {
    const auto end = lines.find('\r');
    if (end == lines.npos || lines.substr(end, 2) != "\r\n") return bad("bare CR");
    const string_view line = lines.substr(0, end);
    const auto colon = line.find(':');
    if (colon == line.npos || !is_token(line.substr(0, colon))) return bad("bad field name");
    if (!is_field_value(line.substr(colon + 1))) return bad("control character in a field");
    take(line.substr(0, colon), trim(line.substr(colon + 1)));
    lines.remove_prefix(end + 2);
  }
  return std::nullopt;
}

struct RequestLine {
  string_view method, target, version;
};

bool is_http_1_0(const RequestLine& line) { return line.version == "HTTP/1.0"; }

std::optional<HeadError> read_request_line(string_view line, RequestLine& out) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == line.npos || first == last) return bad("request line has not three parts");
  const string_view target = line.substr(first + 1, last - first - 1);
  const string_view version = line.substr(last + 1);
  out = {line.substr(0, first), target, version};
  if (!is_token(line.substr(0, first)) || first > 32) return bad("bad method");
  if (target.find_first_of(" \t") != target.npos || !is_field_value(target) || target.empty()) {
    return bad("bad request target");
  }
  if (version == "HTTP/1.1" || version == "HTTP/1.0") return std::nullopt;
  const bool is_version = version.size() == 8 && version.starts_with("HTTP/") &&
                          version[6] == '.' && version[5] >= '0' && version[5] <= '9' &&
                          version[7] >= '0' && version[7] <= '9';
  if (is_version) return HeadError{505, "only HTTP/1.1 and HTTP/1.0"};
  return bad("bad HTTP version");
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct StatusLine {
  int status = 0;
  bool is_http_1_0 = false;
};

/// "HTTP/1.1 200 OK"; the reason may be missing, with or without its space.
std::optional<StatusLine> read_status_line(string_view line) {
  constexpr std::size_t kCodeEnd = 12;
  const bool version = line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ");
  if (!version || line.size() < kCodeEnd) return std::nullopt;
  if (line.size() > kCodeEnd && line[kCodeEnd] != ' ') return std::nullopt;
  if (!is_field_value(line.substr(kCodeEnd))) return std::nullopt;
  StatusLine out{.status = 0, .is_http_1_0 = line[7] == '0'};
  for (char c : line.substr(9, 3)) {
    if (!is_digit(c)) return std::nullopt;
    out.status = out.status * 10 + (c - '0');
  }
  return out.status >= 100 ? std::optional(out) : std::nullopt;
}

std::optional<HeadError> check_host(const ParsedRequest& request) {
  std::size_t hosts = 0;
  for (const Fields::Field& field : request.head.fields) {
    if (!iequals(field.name, "Host")) continue;
    ++hosts;
    if (field.value.find_first_of(" \t,/\\?#@\"<>{}|^`") != std::string::npos) return bad("bad Host");
  }
  if (hosts > 1) return bad("more than one Host");
  if (hosts == 0 && !request.is_http_1_0) return bad("no Host");
  return std::nullopt;
}

/// A Content-Length: digits only, in 63 bits.
std::optional<std::uint64_t> parse_length(string_view text) {
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
  const auto value = digits ? parse_u64(text) : std::nullopt;
  return value && *value >> 63 == 0 ? value : std::nullopt;
}

struct FramingFields {
  std::size_t lengths = 0;
  std::size_t codings = 0;
  string_view length;
  string_view coding;
  bool close = false;
  bool keep_alive = false;
};

FramingFields framing_fields_of(const Fields& fields) {
  FramingFields found;
  for (const Fields::Field& field : fields) {
    switch (field.name.size()) {
      case 14:
        if (!iequals(field.name, "Content-Length")) break;
        ++found.lengths;
        found.length = field.value;
        break;
      case 17:
        if (!iequals(field.name, "Transfer-Encoding")) break;
        ++found.codings;
        found.coding = field.value;
        break;
      case 10:
        if (!iequals(field.name, "Connection")) break;
        for (string_view option : split(field.value, ',')) {
          found.close |= iequals(trim(option), "close");
          found.keep_alive |= iequals(trim(option), "keep-alive");
        }
        break;
      default:
        break;
    }
  }
  return found;
}

/// One way only to tell where the body ends, or the message is refused.
std::optional<HeadError> find_framing(const FramingFields& fields, Framing& out) {
  if (fields.lengths > 1) return bad("more than one Content-Length");
  if (fields.codings > 1) return bad("more than one Transfer-Encoding");
  if (fields.lengths + fields.codings > 1) return bad("Content-Length and Transfer-Encoding");
  if (fields.codings == 1) {
    if (!iequals(fields.coding, "chunked")) return bad("a transfer coding other than chunked");
    out.kind = Framing::Kind::kChunked;
  } else if (fields.lengths == 1) {
    const auto length = parse_length(fields.length);
    if (!length) return bad("bad Content-Length");
    out = {*length == 0 ? Framing::Kind::kNone : Framing::Kind::kLength, *length};
  }
  return std::nullopt;
}

std::optional<HeadError> frame_request(ParsedRequest& request, std::uint64_t body_bytes_max) {
  const FramingFields fields = framing_fields_of(request.head.fields);
  if (auto error = find_framing(fields, request.framing)) return error;
  const bool chunked = request.framing.kind == Framing::Kind::kChunked;
  if (request.is_http_1_0 && chunked) return bad("a transfer coding in HTTP/1.0");
  const bool has_body = request.head.method == Method::kPut || request.head.method == Method::kPost;
  if (request.is_http_1_0 && has_body && fields.lengths == 0) {
    return HeadError{411, "a body without Content-Length"};
  }
  if (request.framing.length > body_bytes_max) return HeadError{413, "body too large"};
  request.keep_alive = !fields.close && (!request.is_http_1_0 || fields.keep_alive);
  return std::nullopt;
}

std::optional<HeadError> read_expectation(ParsedRequest& request) {
  const std::string* expect = request.head.fields.find("Expect");
  if (expect == nullptr || request.is_http_1_0) return std::nullopt;
  // Anything else may be answered with 417 or, as servers have always done, be ignored.
  if (!iequals(*expect, "100-continue")) return std::nullopt;
  request.expects_continue = request.framing.kind != Framing::Kind::kNone;
  return std::nullopt;
}

}  // namespace

HeadScanner::Found HeadScanner::scan(string_view bytes) {
  while (scanned_ < bytes.size()) {
    const auto newline = bytes.find('\n', scanned_);
    if (newline == bytes.npos) break;
    const Found found = end_line(bytes, newline);
    if (found.error || found.size != 0) return found;
  }
  scanned_ = bytes.size();
  return {0, check_open_line(bytes)};
}

HeadScanner::Found HeadScanner::end_line(string_view bytes, std::size_t newline) {
  if (newline == line_at_ || bytes[newline - 1] != '\r') return {0, bad("line ends in a bare LF")};
  const string_view line = bytes.substr(line_at_, newline - 1 - line_at_);
  scanned_ = line_at_ = newline + 1;
  if (fields_at_ == 0) {
    fields_at_ = line_at_;
    const std::size_t target = line.find(' ') == line.npos ? 0 : line.rfind(' ') - line.find(' ');
    if (kind_ == Kind::kRequest && target > limits_.target_bytes_max + 1) {
      return {0, HeadError{414, "request target too long"}};
    }
    if (line.size() > line_bytes_max()) return {0, line_too_long()};
    if (line.empty()) return {0, bad("empty first line")};
    return {};
  }
  if (line.empty()) {
    const bool too_large = line_at_ - 2 - fields_at_ > limits_.header_bytes_max;
    if (too_large) return {0, HeadError{431, "header fields too large"}};
    return {line_at_, std::nullopt};
  }
  if (++fields_ > limits_.header_fields_max) return {0, HeadError{431, "too many header fields"}};
  return {0, check_open_line(bytes)};
}

/// The same for a line that came whole and for one in pieces.
std::size_t HeadScanner::line_bytes_max() const {
  return limits_.target_bytes_max + kRequestLineExtra;
}

HeadError HeadScanner::line_too_long() const {
  return {kind_ == Kind::kRequest ? 414 : 400, "first line too long"};
}

std::optional<HeadError> HeadScanner::check_open_line(string_view bytes) const {
  if (fields_at_ == 0) {
    // The line and perhaps its CR.
    if (bytes.size() <= line_bytes_max() + 1) return std::nullopt;
    return line_too_long();
  }
  // Two bytes of the empty line may be among those that came.
  const std::size_t fields_bytes = scanned_ - fields_at_;
  if (fields_bytes <= limits_.header_bytes_max + 2) return std::nullopt;
  return HeadError{431, "header fields too large"};
}

namespace {

/// Whether all but the target is as in the request that `known` is of.
bool repeats(const ParsedRequest& known, const RequestLine& line, string_view field_lines) {
  return !known.field_lines.empty() && known.field_lines == field_lines &&
         known.method_text == line.method && known.is_http_1_0 == is_http_1_0(line);
}

std::optional<HeadError> parse_target(string_view text, ParsedRequest& out) {
  out.head.target = text;
  auto target = Target::parse(text);
  if (!target) return bad(target.error().what());
  out.target = *std::move(target);
  return std::nullopt;
}

}  // namespace

std::optional<HeadError> parse_request_head(string_view head,
                                            std::uint64_t body_bytes_max,
                                            ParsedRequest& out) {
  const auto line_end = head.find("\r\n");
  if (line_end == head.npos || !head.ends_with("\r\n\r\n")) return bad("head is cut");
  RequestLine line;
  if (auto error = read_request_line(head.substr(0, line_end), line)) return error;
  const string_view field_lines = head.substr(line_end + 2);
  if (repeats(out, line, field_lines)) return parse_target(line.target, out);
  out = ParsedRequest{};
  const auto add = [&out](string_view name, string_view value) { out.head.fields.add(name, value); };
  if (auto error = read_field_lines(field_lines, add)) return error;
  out.method_text = line.method;
  out.head.method = parse_method(line.method);
  out.is_http_1_0 = is_http_1_0(line);
  if (auto error = check_host(out)) return error;
  if (auto error = frame_request(out, body_bytes_max)) return error;
  if (auto error = parse_target(line.target, out)) return error;
  if (auto error = read_expectation(out)) return error;
  if (out.framing.kind == Framing::Kind::kNone) out.field_lines = field_lines;
  return std::nullopt;
}

Result<ParsedResponse> parse_response_head(string_view head, Method request) {
  const auto refuse = [](string_view why) {
    return Error(Errc::corrupt, "malformed response: " + std::string(why));
  };
  const auto line_end = head.find("\r\n");
  if (line_end == head.npos || !head.ends_with("\r\n\r\n")) return refuse("head is cut");
  const auto line = read_status_line(head.substr(0, line_end));
  if (!line) return refuse("not HTTP/1");
  ParsedResponse out;
  const auto add = [&out](string_view name, string_view value) {
    out.head.fields.add(name, value);
  };
  if (auto error = read_field_lines(head.substr(line_end + 2), add)) return refuse(error->why);
  out.head.status = line->status;
  const FramingFields fields = framing_fields_of(out.head.fields);
  out.keep_alive = !fields.close && (!line->is_http_1_0 || fields.keep_alive);
  const int status = out.head.status;
  if (request == Method::kHead || status / 100 == 1 || status == 204 || status == 304) return out;
  out.framing.kind = Framing::Kind::kUntilClose;
  if (auto error = find_framing(fields, out.framing)) return refuse(error->why);
  if (out.framing.kind == Framing::Kind::kUntilClose) out.keep_alive = false;
  return out;
}

}  // namespace aisfs::http
