// SPDX-License-Identifier: MIT
#include "common/http/head_parser.h"

#include <gtest/gtest.h>

#include "common/http/chunked.h"

namespace aisfs::http {
namespace {

/// 200 for an accepted head, else the status it is refused with; 0 when more bytes are wanted.
int verdict(std::string_view bytes) {
  HeadScanner scanner(HeadScanner::Kind::kRequest, HeadLimits{});
  const auto found = scanner.scan(bytes);
  if (found.error) return found.error->status;
  if (found.size == 0) return 0;
  ParsedRequest request;
  const auto error = parse_request_head(bytes.substr(0, found.size), 1 << 20, request);
  return error ? error->status : 200;
}

std::string get_with(std::string_view lines) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n";
}

TEST(RequestHead, AnEarlierRequestMakesNoDifference) {
  const std::string heads[] = {
      "GET /a?b=c HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n",
      "GET /d HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n",
      "HEAD /d HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n",
      "GET /d HTTP/1.0\r\nHost: h\r\nX: 1\r\n\r\n",
      "GET /%2 HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n",  // refused
      "PUT /d HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n",
      "GET /d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
  };
  for (const std::string& earlier : heads) {
    for (const std::string& head : heads) {
      ParsedRequest fresh, used;
      (void)parse_request_head(earlier, 1 << 20, used);
      const auto expected = parse_request_head(head, 1 << 20, fresh);
      const auto error = parse_request_head(head, 1 << 20, used);
      ASSERT_EQ(error.has_value(), expected.has_value()) << earlier << head;
      if (error) continue;
      EXPECT_EQ(used.method_text, fresh.method_text);
      EXPECT_EQ(used.head.method, fresh.head.method);
      EXPECT_EQ(used.head.target, fresh.head.target);
      EXPECT_EQ(used.target.path, fresh.target.path);
      EXPECT_EQ(used.target.query.size(), fresh.target.query.size());
      EXPECT_EQ(used.framing.length, fresh.framing.length);
      EXPECT_EQ(used.keep_alive, fresh.keep_alive) << earlier << head;
      EXPECT_EQ(used.expects_continue, fresh.expects_continue);
      EXPECT_EQ(used.is_http_1_0, fresh.is_http_1_0);
      ASSERT_EQ(used.head.fields.size(), fresh.head.fields.size());
      for (const auto& field : fresh.head.fields) {
        EXPECT_EQ(used.head.fields.get(field.name), field.value);
      }
    }
  }
}

TEST(RequestHead, WhatCanBeReadInTwoWaysIsRefused) {
  const std::string rows[] = {
      get_with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
      get_with("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"),
      get_with("Content-Length: 3\r\nContent-Length: 3\r\n"),
      get_with("Content-Length: 3\r\ncontent-length: 4\r\n"),
      get_with("Content-Length: 3, 3\r\n"),
      get_with("Content-Length: +3\r\n"),
      get_with("Content-Length: -3\r\n"),
      get_with("Content-Length: 0x3\r\n"),
      get_with("Content-Length: 3 \x0b\r\n"),
      get_with("Content-Length: \r\n"),
      get_with("Content-Length: 18446744073709551616\r\n"),
      get_with("Content-Length: 9223372036854775808\r\n"),
      get_with("Transfer-Encoding: xchunked\r\n"),
      get_with("Transfer-Encoding: chunked, identity\r\n"),
      get_with("Transfer-Encoding: identity\r\n"),
      get_with("Transfer-Encoding: gzip, chunked\r\n"),
      get_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
      get_with("Transfer-Encoding:\x0b" "chunked\r\n"),
      get_with("Transfer-Encoding: \"chunked\"\r\n"),
      get_with("Transfer-Encoding : chunked\r\n"),
      get_with("Transfer-Encoding\t: chunked\r\n"),
      get_with(" Transfer-Encoding: chunked\r\n"),
      get_with("X: a\r\n Transfer-Encoding: chunked\r\n"),
      get_with("X: a\r\n\tfolded\r\n"),
      get_with("X: a\rTransfer-Encoding: chunked\r\n"),
      get_with("X: a\nTransfer-Encoding: chunked\r\n"),
      get_with(std::string("X: a\0b\r\n", 8)),
      get_with("X\r\n"),
      get_with(": x\r\n"),
      get_with("X y: x\r\n"),
      get_with("Host: g\r\n"),
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n",
      "GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
      "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /\r\n\r\n",
      "GET /\r\nHost: h\r\n\r\n",
      "GET / HTTP/1.1\nHost: h\n\n",
      "GET / HTTP/1.1\r\nHost: h\r\n\n",
      "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /\tHTTP/1.1\r\nHost: h\r\n\r\n",
      "GET / http/1.1\r\nHost: h\r\n\r\n",
      "GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
      "GET / HTTP/1.10\r\nHost: h\r\n\r\n",
      "G\x01T / HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /#f HTTP/1.1\r\nHost: h\r\n\r\n",
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
  };
  for (const std::string& row : rows) EXPECT_EQ(verdict(row), 400) << row;
}

TEST(RequestHead, OtherRefusalsHaveTheirOwnStatus) {
  EXPECT_EQ(verdict("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(verdict(get_with("Content-Length: 1048577\r\n")), 413);
  EXPECT_EQ(verdict("PUT / HTTP/1.0\r\n\r\n"), 411);
}

TEST(RequestHead, AFirstLineThatIsTooLongIsRefusedHoweverItArrives) {
  const std::string lines[] = {"GET /" + std::string(70'000, 'x') + " HTTP/1.1\r\n\r\n",
                               "GET /" + std::string(70'000, 'x') + "\r\n\r\n"};
  for (const std::string& bytes : lines) {
    EXPECT_EQ(verdict(bytes), 414);
    HeadScanner in_pieces(HeadScanner::Kind::kRequest, HeadLimits{});
    int refused = 0;
    for (std::size_t n = 100; refused == 0 && n <= bytes.size(); n += 100) {
      const auto found = in_pieces.scan(std::string_view(bytes).substr(0, n));
      if (found.error) refused = found.error->status;
    }
    EXPECT_EQ(refused, 414);
  }
}

TEST(RequestHead, OrdinaryOnesAreAccepted) {
  const std::string rows[] = {
      get_with(""),
      get_with("Content-Length: 1048576\r\n"),
      get_with("Expect: 200-maybe\r\n"),  // ignored
      get_with("Transfer-Encoding: chunked\r\n"),
      get_with("transfer-encoding:\tChunked \r\n"),
      get_with("Upgrade: h2c\r\nX-Utf8: \xc3\xa9\r\nX-Empty:\r\n"),
      "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
      "GET / HTTP/1.1\r\nHost:\r\n\r\n",
      "GET /\xc3\xa9?x=%2f HTTP/1.1\r\nHost: h\r\n\r\n",
      "PROPFIND / HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
  };
  for (const std::string& row : rows) EXPECT_EQ(verdict(row), 200) << row;
}

TEST(RequestHead, TheFirstRequestNeverIncludesWhatFollows) {
  const std::string head = get_with("Content-Length: 5\r\n");
  HeadScanner scanner(HeadScanner::Kind::kRequest, HeadLimits{});
  for (std::size_t n = 1; n < head.size(); ++n) {
    EXPECT_EQ(scanner.scan(std::string_view(head).substr(0, n)).size, 0u) << n;
  }
  EXPECT_EQ(scanner.scan(head + "helloGET /evil HTTP/1.1\r\n\r\n").size, head.size());
}

TEST(ResponseHead, FramingFollowsStatusAndMethod) {
  const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(parse_response_head(ok, Method::kGet)->framing.length, 5u);
  EXPECT_EQ(parse_response_head(ok, Method::kHead)->framing.kind, Framing::Kind::kNone);
  const auto open = parse_response_head("HTTP/1.1 200 OK\r\n\r\n", Method::kGet);
  EXPECT_EQ(open->framing.kind, Framing::Kind::kUntilClose);
  EXPECT_FALSE(open->keep_alive);
  EXPECT_EQ(parse_response_head("HTTP/1.1 204 No Content\r\n\r\n", Method::kGet)->framing.kind,
            Framing::Kind::kNone);
  EXPECT_FALSE(parse_response_head("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                                   Method::kGet)->keep_alive);
  const auto old = parse_response_head("HTTP/1.0 404\r\nContent-Length: 0\r\n\r\n", Method::kGet);
  EXPECT_EQ(old->head.status, 404);
  EXPECT_FALSE(old->keep_alive);
  EXPECT_TRUE(
      parse_response_head("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", Method::kGet)->keep_alive);
  for (const char* bad :
       {"SSH-2.0-x\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 20\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 200 O\x01K\r\n\r\n", "HTTP/1.1 200\tOK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : 1\r\n\r\n"}) {
    EXPECT_EQ(parse_response_head(bad, Method::kGet).error().code(), Errc::corrupt) << bad;
  }
}

/// The decoded body, "(more)" if it is not complete, "(bad)" if it is refused; fed in pieces.
std::string decode(std::string_view bytes, std::size_t piece) {
  ChunkedDecoder decoder;
  std::string body;
  while (!bytes.empty() && !decoder.done()) {
    const auto part = bytes.substr(0, piece);
    if (decoder.in_data()) {
      const auto data = part.substr(0, decoder.data_left());
      body += data;
      decoder.took_data(data.size());
      bytes.remove_prefix(data.size());
      continue;
    }
    const auto consumed = decoder.step(part);
    if (!consumed) return "(bad)";
    bytes.remove_prefix(*consumed);
  }
  return decoder.done() ? body + std::string(bytes) : body + "(more)";
}

TEST(Chunked, DecodesInPiecesOfAnySize) {
  const std::string text = "4\r\nwiki\r\nA;ext=\"v\"\r\n0123456789\r\n0\r\nX: y\r\n\r\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    EXPECT_EQ(decode(text, piece), "wiki0123456789") << piece;
  }
  EXPECT_EQ(decode(text + "GET /", 100), "wiki0123456789GET /");
  for (std::size_t n = 0; n < text.size(); ++n) {
    EXPECT_TRUE(decode(text.substr(0, n), 7).ends_with("(more)")) << n;
  }
}

TEST(Chunked, RefusesWhatOthersMayReadDifferently) {
  for (const char* bad :
       {"-1\r\n", "0x5\r\nhello\r\n", "+5\r\nhello\r\n", " 5\r\nhello\r\n", "5 \r\nhello\r\n", "\r\n",
        "5\nhello\r\n", "5;a\nb\r\nhello\r\n", "5;a\rb\r\nhello\r\n", "5\r\nhelloX\r\n", "5\r\nhello\n",
        "5\r\nhello0\r\n\r\n", "ffffffffffffffff\r\n", "10000000000000005\r\n", "g\r\n", "5 5\r\nhello\r\n",
        "0\r\nX : y\r\n\r\n", "0\r\n folded\r\n\r\n", "0\r\n\n"}) {
    for (std::size_t piece : {1, 3, 100}) EXPECT_EQ(decode(bad, piece), decode(bad, 100)) << bad;
    EXPECT_TRUE(decode(bad, 100) == "(bad)") << bad << " -> " << decode(bad, 100);
  }
  EXPECT_EQ(decode("5;" + std::string(5000, 'x'), 100), "(bad)");
  std::string trailers = "0\r\n";
  for (int i = 0; i < 40; ++i) trailers += "X: y\r\n";
  EXPECT_EQ(decode(trailers, 100), "(bad)");
}

}  // namespace
}  // namespace aisfs::http
