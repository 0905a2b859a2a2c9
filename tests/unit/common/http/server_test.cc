// SPDX-License-Identifier: MIT
#include "common/http/server.h"

#include "common/base/text.h"
#include "common/http/range.h"
#include "tests/unit/common/http/loopback.h"

namespace aisfs::http {
namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kLastGet = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// Answers with the path and the whole body.
Task<void> echo(Exchange& exchange) {
  auto body = co_await read_all(exchange.body(), 16_MiB);
  ResponseHead head{.status = body ? 200 : info(body.error().code()).http};
  std::string text = exchange.target().path + " " + (body ? *body : body.error().what());
  for (const auto& field : exchange.trailers()) text += " " + field.name + "=" + field.value;
  const Status sent = co_await exchange.respond(std::move(head), std::move(text));
  EXPECT_TRUE(sent.ok() || sent.error() == Errc::unreachable) << sent.error().what();
}

Task<void> say_ok(Exchange& exchange) {
  ResponseHead head;
  std::string text = "ok " + exchange.target().path;
  const Status sent = co_await exchange.respond(std::move(head), std::move(text));
  EXPECT_TRUE(sent.ok());
}

using ServerTest = Loopback;

TEST_F(ServerTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  serve(echo);
  const std::string answers = ask(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
      "PUT /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
      "PUT /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nde\r\n1\r\nf\r\n0\r\nX-T: v\r\n\r\n"
      "GET /4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(count(answers, "HTTP/1.1 200 OK\r\n"), 4u);
  EXPECT_LT(answers.find("/1 "), answers.find("/2 abc"));
  EXPECT_LT(answers.find("/2 abc"), answers.find("/3 def X-T=v"));
  EXPECT_LT(answers.find("/3 def"), answers.find("/4 "));
  EXPECT_EQ(count(answers, "Connection: close"), 1u);
  EXPECT_EQ(count(answers, "\r\nDate: "), 4u);
}

/// Has the answer to every path that begins with "/ready".
std::optional<ReadyAnswer> ready(const RequestHead&, const Target& target) {
  if (!target.path.starts_with("/ready")) return std::nullopt;
  auto body = std::make_shared<const std::string>("in memory " + target.path);
  return ReadyAnswer{"X-Ready: yes\r\n", *body, body};
}

TEST_F(ServerTest, WhatIsReadyIsAnsweredInItsTurn) {
  serve(echo, {}, ready);
  const std::string answers = ask(
      "GET /ready/1 HTTP/1.1\r\nHost: h\r\n\r\n"
      "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
      "GET /ready/3 HTTP/1.1\r\nHost: h\r\n\r\n"
      "GET /4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(count(answers, "X-Ready: yes\r\n"), 2u);
  EXPECT_EQ(count(answers, "\r\nDate: "), 4u);
  EXPECT_EQ(count(answers, "Content-Length: 18\r\n\r\nin memory /ready/1HTTP/1.1 200 OK\r\n"), 1u);
  EXPECT_LT(answers.find("in memory /ready/1"), answers.find("/2 "));
  EXPECT_LT(answers.find("/2 "), answers.find("in memory /ready/3"));
  EXPECT_LT(answers.find("in memory /ready/3"), answers.find("/4 "));
}

TEST_F(ServerTest, OnlyAnOrdinaryGetIsAnsweredFromWhatIsReady) {
  serve(echo, {}, ready);
  for (const std::string_view request :
       {"HEAD /ready HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "GET /ready HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "GET /ready HTTP/1.0\r\n\r\n",
        "GET /ready HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
        "PUT /ready HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"}) {
    const std::string answer = ask(request);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << request;
    EXPECT_EQ(count(answer, "X-Ready"), 0u) << request;
  }
}

TEST_F(ServerTest, AReadyAnswerThatTheSocketDoesNotTakeAtOnceArrivesWhole) {
  const auto text = std::make_shared<const std::string>(pattern(8 << 20));
  serve(echo, {}, [text](const RequestHead&, const Target&) {
    return std::optional(ReadyAnswer{"", *text, text});
  });
  RawClient raw = connect();
  raw.send(kGet);
  raw.send(kGet);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(raw.read_until("\r\n\r\n").ends_with("Content-Length: 8388608\r\n\r\n"));
    EXPECT_TRUE(raw.read_exactly(text->size()) == *text);
  }
}

TEST_F(ServerTest, AReadyAnswerMayHaveASource) {
  serve(echo, {}, [](const RequestHead&, const Target& target) {
    std::unique_ptr<BodySource> source = std::make_unique<StringSource>(pattern(300'000));
    if (target.path == "/fails") source = std::make_unique<FileBody>(-1, 0, 100);
    return std::optional(ReadyAnswer{.fields = "", .body = "", .owner = {}, .source = std::move(source)});
  });
  RawClient raw = connect();
  raw.send(kGet);
  EXPECT_TRUE(raw.read_until("\r\n\r\n").ends_with("Content-Length: 300000\r\n\r\n"));
  EXPECT_TRUE(raw.read_exactly(300'000) == pattern(300'000));
  raw.send("GET /fails HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(raw.read_until("\r\n").starts_with("HTTP/1.1 500"));
}

TEST_F(ServerTest, AHeadMayComeByteByByte) {
  serve(echo);
  RawClient raw = connect();
  for (char c : kLastGet) raw.send({&c, 1});
  EXPECT_TRUE(raw.read_to_end().ends_with("/last "));
}

TEST_F(ServerTest, Http10ClosesUnlessAskedNotTo) {
  serve(say_ok);
  EXPECT_TRUE(ask("GET /a HTTP/1.0\r\n\r\n").ends_with("ok /a"));
  RawClient raw = connect();
  raw.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(raw.read_until("ok /a").find("Connection: keep-alive"), std::string::npos);
  raw.send("GET /b HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(raw.read_to_end().ends_with("ok /b"));
}

TEST_F(ServerTest, ContinueIsSaidAtTheFirstReadOnly) {
  serve(echo);
  RawClient raw = connect();
  raw.send("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(raw.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  raw.send("hi");
  EXPECT_TRUE(raw.read_until("/x hi").starts_with("HTTP/1.1 200"));
}

TEST_F(ServerTest, AnAnswerInsteadOfContinueEndsTheConnection) {
  serve(say_ok);
  const std::string answer =
      ask("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(count(answer, "100 Continue"), 0u);
  EXPECT_EQ(count(answer, "Connection: close"), 1u);
}

TEST_F(ServerTest, AnUnreadSmallBodyIsDrainedALargeOneEndsTheConnection) {
  serve(say_ok);
  const std::string small(100'000, 'x');
  RawClient raw = connect();
  raw.send("PUT /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + small);
  raw.send(kLastGet);
  EXPECT_TRUE(raw.read_to_end().ends_with("ok /last"));
  const std::string large(1'000'000, 'x');
  const std::string answer = ask("PUT /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + large);
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("ok /1"));
}

TEST_F(ServerTest, HeadHasNoBodyAndMayTellItsLength) {
  serve([](Exchange& exchange) -> Task<void> {
    ResponseHead head;
    if (exchange.target().path == "/own") head.fields.add("Content-Length", "12345");
    std::string text = "body";
    EXPECT_TRUE((co_await exchange.respond(std::move(head), std::move(text))).ok());
  });
  const std::string own = ask("HEAD /own HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(own.find("Content-Length: 12345\r\n"), std::string::npos);
  EXPECT_TRUE(own.ends_with("\r\n\r\n"));
  const std::string other = ask("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(other.find("Content-Length: 4\r\n"), std::string::npos);
  EXPECT_TRUE(other.ends_with("\r\n\r\n"));
  EXPECT_TRUE(ask("GET /own HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").ends_with("\r\n\r\nbody"));
}

TEST_F(ServerTest, AHandlerThatThrowsOrSaysNothingIs500) {
  serve([](Exchange& exchange) -> Task<void> {
    if (exchange.target().path == "/throw") throw std::runtime_error("a bug");
    co_return;
  });
  EXPECT_TRUE(ask("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n").starts_with("HTTP/1.1 500 "));
  RawClient raw = connect();
  raw.send(kGet);
  EXPECT_TRUE(raw.read_until("answered\n").starts_with("HTTP/1.1 500 "));
}

TEST_F(ServerTest, HeadersNeverCarryLineBreaksOut) {
  serve([](Exchange& exchange) -> Task<void> {
    ResponseHead head;
    head.fields.add("X-A", "1\r\nX-Evil: 2");
    head.fields.add("X Bad\r\nX-Evil: 3", "v");
    EXPECT_TRUE((co_await exchange.respond(std::move(head))).ok());
  });
  const std::string answer = ask(kLastGet);
  EXPECT_EQ(count(answer, "\r\nX-Evil"), 0u);
  EXPECT_EQ(count(answer, "X-A: 1  X-Evil: 2\r\n"), 1u);
}

TEST_F(ServerTest, FilesArriveByteForByteWholeAndInPart) {
  const std::string all = pattern(5_MiB);
  const std::string path = folder_ + "/file";
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(file.get(), all.data(), all.size()), static_cast<ssize_t>(all.size()));
  serve([fd = file.get()](Exchange& exchange) {
    return [](Exchange& x, int f) -> Task<void> {
      const std::uint64_t size = std::stoull(x.target().path.substr(1));
      const RangeRequest range = parse_range(x.request().fields.get("Range"), size);
      const bool part = range.kind == RangeRequest::Kind::kPart;
      FileBody body(f, part ? range.part.offset : 0, part ? range.part.length : size);
      ResponseHead head{.status = part ? 206 : 200};
      if (part) head.fields.add("Content-Range", content_range(range.part, size));
      EXPECT_TRUE((co_await x.respond(std::move(head), body)).ok());
    }(exchange, fd);
  });
  for (std::size_t size : {0ul, 1ul, 4096ul, 65535ul, 65536ul, 65537ul, 1048576ul, 1048577ul, 5242880ul}) {
    auto got = call(request(Method::kGet, "/" + std::to_string(size)));
    ASSERT_TRUE(got.ok()) << got.error().what();
    EXPECT_TRUE(got->body == all.substr(0, size)) << size;
    auto head = call(request(Method::kHead, "/" + std::to_string(size)));
    ASSERT_TRUE(head.ok());
    EXPECT_EQ(head->head.fields.get("Content-Length"), std::to_string(size));
  }
  auto ranged = request(Method::kGet, "/5242880");
  ranged.head.fields.add("Range", "bytes=1000000-1999999");
  auto got = call(std::move(ranged));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->head.status, 206);
  EXPECT_EQ(got->head.fields.get("Content-Range"), "bytes 1000000-1999999/5242880");
  EXPECT_TRUE(got->body == all.substr(1000000, 1000000));
}

TEST_F(ServerTest, ABodyThatFailsMidwayIsNotTakenForTheWhole) {
  serve([](Exchange& exchange) -> Task<void> {
    PiecesBody body({"first", "fail"});
    ResponseHead head;
    const Status sent = co_await exchange.respond(std::move(head), body);
    EXPECT_EQ(sent.error().code(), Errc::io);
    EXPECT_TRUE(exchange.responded());
  });
  EXPECT_FALSE(call(request(Method::kGet, "/")).ok());
}

TEST_F(ServerTest, ABodyThatFailsAtOnceCanStillBecomeAnErrorAnswer) {
  serve([](Exchange& exchange) -> Task<void> {
    PiecesBody body({"fail"});
    ResponseHead head;
    const Status sent = co_await exchange.respond(std::move(head), body);
    EXPECT_FALSE(exchange.responded());
    ResponseHead failure{.status = info(sent.error().code()).http};
    EXPECT_TRUE((co_await exchange.respond(std::move(failure))).ok());
  });
  auto got = call(request(Method::kGet, "/"));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->head.status, 500);
}

TEST_F(ServerTest, LimitsHoldToTheByte) {
  ServerOptions options;
  options.target_bytes_max = 100;
  options.header_bytes_max = 300;
  options.header_fields_max = 4;
  options.body_bytes_max = 10;
  serve(echo, options);
  const auto status_of = [&](const std::string& text) { return ask(text).substr(9, 3); };
  const auto target = [](std::size_t n) {
    return "GET /" + std::string(n - 1, 'a') + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  };
  EXPECT_EQ(status_of(target(100)), "200");
  EXPECT_EQ(status_of(target(101)), "414");
  EXPECT_EQ(status_of("GET /" + std::string(5000, 'a')), "414");
  const auto fields = [](std::size_t bytes) {
    std::string lines = "Host: h\r\nConnection: close\r\nX: ";
    lines += std::string(bytes - lines.size() - 2, 'x') + "\r\n";
    return "GET / HTTP/1.1\r\n" + lines + "\r\n";
  };
  EXPECT_EQ(status_of(fields(300)), "200");
  EXPECT_EQ(status_of(fields(301)), "431");
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nX: " + std::string(5000, 'x')), "431");
  const std::string four = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nA: 1\r\nB: 2\r\n";
  EXPECT_EQ(status_of(four + "\r\n"), "200");
  EXPECT_EQ(status_of(four + "C: 3\r\n\r\n"), "431");
  const std::string put = "PUT / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
  EXPECT_EQ(status_of(put + "Content-Length: 10\r\n\r\n0123456789"), "200");
  EXPECT_EQ(status_of(put + "Content-Length: 11\r\n\r\n01234567890"), "413");
  EXPECT_EQ(status_of(put + "Content-Length: 9223372036854775807\r\n\r\n"), "413");
  EXPECT_EQ(status_of(put + "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"), "200");
  EXPECT_EQ(status_of(put + "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n6\r\n567890\r\n0\r\n\r\n"), "413");
  EXPECT_EQ(status_of("PUT / HTTP/1.0\r\n\r\n"), "411");
}

TEST_F(ServerTest, SlowHeadsAndBodiesAreCutOff) {
  ServerOptions options;
  options.header_timeout = 100ms;
  options.body_rate_grace = 100ms;
  serve(echo, options);
  EXPECT_TRUE(ask("GET / HT").starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(ask(""), "");
  EXPECT_TRUE(ask("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab").starts_with("HTTP/1.1 504 "));
}

TEST_F(ServerTest, IdleConnectionsAreClosed) {
  ServerOptions options;
  options.idle_timeout = 100ms;
  serve(say_ok, options);
  EXPECT_TRUE(ask(kGet).ends_with("ok /"));
}

TEST_F(ServerTest, ConnectionsAreBounded) {
  ServerOptions options;
  options.connections_max = 1;
  serve(say_ok, options);
  RawClient first = connect();
  first.send(kGet);
  EXPECT_TRUE(first.read_until("ok /").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(ask(kLastGet), "");
  first.send(kLastGet);
  EXPECT_TRUE(first.read_to_end().ends_with("ok /last"));
}

TEST_F(ServerTest, APortThatIsTakenIsBusy) {
  serve(say_ok);
  Server second(runtime_, {}, say_ok);
  const Status status = second.listen(server_->endpoint());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), Errc::busy) << status.error().what();
}

/// Lets a test hold a handler up, and see that it got there.
struct Gate {
  std::promise<void> entered;
  std::promise<void> open;
};

Task<void> wait_at(Gate& gate, asio::thread_pool& pool, Exchange& exchange) {
  gate.entered.set_value();
  auto opened = [future = gate.open.get_future().share()] { return future.wait_for(10s) == std::future_status::ready; };
  EXPECT_TRUE(co_await offload(pool, std::move(opened)));
  co_await say_ok(exchange);
}

TEST_F(ServerTest, StopFinishesTheRequestInFlightAndClosesIdleConnections) {
  Gate gate;
  asio::thread_pool pool(1);
  serve([&](Exchange& exchange) {
    return exchange.target().path == "/" ? say_ok(exchange) : wait_at(gate, pool, exchange);
  });
  RawClient idle = connect();
  idle.send(kGet);
  idle.read_until("ok /");
  RawClient busy = connect();
  busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  gate.entered.get_future().get();
  auto stopped = std::async(std::launch::async, [&] { server_->stop(10s); });
  EXPECT_EQ(idle.read_to_end(), "");
  gate.open.set_value();
  const std::string answer = busy.read_to_end();
  EXPECT_TRUE(answer.ends_with("ok /slow"));
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  stopped.get();
}

TEST_F(ServerTest, StopCutsOffWhatOutlastsItsGrace) {
  std::promise<void> entered;
  serve([&](Exchange& exchange) {
    return [](Exchange& x, std::promise<void>& in) -> Task<void> {
      in.set_value();
      const auto body = co_await read_all(x.body(), 100);
      EXPECT_FALSE(body.ok());
    }(exchange, entered);
  });
  RawClient raw = connect();
  raw.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  entered.get_future().get();
  server_->stop(50ms);
  EXPECT_EQ(count(raw.read_to_end(), "200"), 0u);
}

TEST_F(ServerTest, AClientThatGoesMidBodyIsAnErrorOfItsBody) {
  std::promise<Errc> seen;
  serve([&](Exchange& exchange) {
    return [](Exchange& x, std::promise<Errc>& out) -> Task<void> {
      const auto body = co_await read_all(x.body(), 100);
      out.set_value(body ? Errc::internal : body.error().code());
    }(exchange, seen);
  });
  {
    RawClient raw = connect();
    raw.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  }
  EXPECT_EQ(seen.get_future().get(), Errc::unreachable);
}

}  // namespace
}  // namespace aisfs::http
