// SPDX-License-Identifier: MIT
#include "common/http/head_writer.h"

#include <charconv>
#include <ctime>

#include "common/base/text.h"
#include "common/http/syntax.h"

namespace aisfs::http {
namespace {

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits{};
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

/// "Date: ...\r\n", formatted once a second and thread.
void append_date(std::string& out) {
  thread_local std::time_t second = 0;
  thread_local std::string line;
  const std::time_t now = std::time(nullptr);
  if (now != second) {
    second = now;
    line = "Date: " + http_date(static_cast<std::int64_t>(now) * 1'000'000'000) + "\r\n";
  }
  out += line;
}

void append_field(std::string& out, const Fields::Field& field) {
  if (!is_token(field.name)) return;
  out += field.name;
  out += ": ";
  const std::size_t at = out.size();
  out += field.value;
  if (!is_field_value(field.value)) {
    for (char& c : std::span(out).subspan(at)) {
      if (c == '\r' || c == '\n' || c == '\0') c = ' ';
    }
  }
  out += "\r\n";
}

enum class Own : unsigned char { kNo, kContentLength, kAlways };

/// Fields that decide where a message ends are not the caller's to write.
Own owner_of(std::string_view name) {
  switch (name.size()) {
    case 10:
      return iequals(name, "Connection") ? Own::kAlways : Own::kNo;
    case 14:
      return iequals(name, "Content-Length") ? Own::kContentLength : Own::kNo;
    case 17:
      return iequals(name, "Transfer-Encoding") ? Own::kAlways : Own::kNo;
    default:
      return Own::kNo;
  }
}

void append_framing(std::string& out, const Framing& framing) {
  if (framing.kind == Framing::Kind::kChunked) {
    out += "Transfer-Encoding: chunked\r\n";
  } else if (framing.kind != Framing::Kind::kUntilClose) {
    out += "Content-Length: ";
    append_number(out, framing.length);
    out += "\r\n";
  }
}

void begin_response(int status, std::string& out) {
  out = "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(status));
  out += ' ';
  out += reason_of(status);
  out += "\r\n";
}

}  // namespace

std::string text_of_fields(const Fields& fields) {
  std::string text;
  for (const Fields::Field& field : fields) {
    if (owner_of(field.name) == Own::kNo) append_field(text, field);
  }
  return text;
}

void write_ready_head(std::string_view fields, std::uint64_t length, std::string& out) {
  begin_response(200, out);
  out += fields;
  append_date(out);
  append_framing(out, {Framing::Kind::kLength, length});
  out += "\r\n";
}

void write_response_head(const ResponseHead& head, const ResponseFrame& frame, std::string& out) {
  begin_response(head.status, out);
  bool has_length = false;
  bool has_date = false;
  for (const Fields::Field& field : head.fields) {
    const Own own = owner_of(field.name);
    const bool given_length =
        own == Own::kContentLength && frame.length == ResponseFrame::Length::kAsGiven;
    if (own != Own::kNo && (!given_length || has_length)) continue;
    has_length |= given_length;
    has_date |= field.name.size() == 4 && iequals(field.name, "Date");
    append_field(out, field);
  }
  if (!has_date) append_date(out);
  if (frame.length != ResponseFrame::Length::kNone && !has_length) append_framing(out, frame.body);
  if (!frame.connection.empty()) {
    out += "Connection: ";
    out += frame.connection;
    out += "\r\n";
  }
  out += "\r\n";
}

void write_request_head(const RequestHead& head, const RequestFrame& frame, std::string& out) {
  out = to_string(head.method);
  out += ' ';
  // A target is encoded by the caller; what could end the line is encoded in any case.
  for (char c : head.target) {
    const auto u = static_cast<unsigned char>(c);
    if (u > 0x20 && u != 0x7f) {
      out += c;
    } else {
      out += percent_encode(std::string_view(&c, 1), Slash::kKeep);
    }
  }
  out += " HTTP/1.1\r\n";
  append_field(out, {"Host", std::string(frame.host)});
  for (const Fields::Field& field : head.fields) {
    if (owner_of(field.name) != Own::kNo || iequals(field.name, "Host")) continue;
    if (iequals(field.name, "Expect")) continue;
    append_field(out, field);
  }
  const bool bodyless = head.method == Method::kGet || head.method == Method::kHead ||
                        head.method == Method::kDelete || head.method == Method::kOptions;
  if (frame.body.kind != Framing::Kind::kNone || !bodyless) append_framing(out, frame.body);
  if (frame.expects_continue) out += "Expect: 100-continue\r\n";
  out += "\r\n";
}

}  // namespace aisfs::http
