// SPDX-License-Identifier: MIT
#include "common/http/client.h"

#include <gmock/gmock.h>

#include "common/async/lent_source.h"
#include "tests/unit/common/http/hangs_up_once.h"
#include "tests/unit/common/http/loopback.h"

namespace aisfs::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ClientTest = Loopback;

Task<void> echo(Exchange& exchange) {
  const bool announced = exchange.content_length().has_value();
  auto body = co_await read_all(exchange.body(), 16_MiB);
  ResponseHead head{.status = body ? 200 : 400};
  head.fields.add("X-Framing", announced ? "length" : "chunked");
  head.fields.add("X-Peer", exchange.peer());
  std::string text = body ? *std::move(body) : std::string();
  const Status sent = co_await exchange.respond(std::move(head), std::move(text));
  EXPECT_TRUE(sent.ok()) << sent.error().what();
}

TEST_F(ClientTest, BodiesGoBothWays) {
  serve(echo);
  for (std::size_t size : {0ul, 1ul, 70'000ul, 3'000'000ul}) {
    auto got = call(request(Method::kPut, "/", pattern(size)));
    ASSERT_TRUE(got.ok()) << got.error().what();
    EXPECT_TRUE(got->body == pattern(size)) << size;
  }
}

TEST_F(ClientTest, AStreamOfKnownAndOfUnknownLength) {
  serve(echo);
  StringSource known(pattern(2'000'000));
  auto with_length = request(Method::kPut, "/");
  with_length.stream = &known;
  auto got = call(std::move(with_length));
  ASSERT_TRUE(got.ok()) << got.error().what();
  EXPECT_EQ(got->head.fields.get("X-Framing"), "length");
  EXPECT_TRUE(got->body == pattern(2'000'000));

  PiecesBody pieces({"one ", "two ", pattern(100'000)});
  auto chunked = request(Method::kPut, "/");
  chunked.stream = &pieces;
  chunked.expect_continue = true;
  got = call(std::move(chunked));
  ASSERT_TRUE(got.ok()) << got.error().what();
  EXPECT_EQ(got->head.fields.get("X-Framing"), "chunked");
  EXPECT_TRUE(got->body == "one two " + pattern(100'000));
}

/// Lends its pieces, one after the other, and knows how much of them was given back.
class LentPieces final : public LentSource {
 public:
  explicit LentPieces(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  Task<Result<ConstBytes>> lend() override {
    while (at_ < pieces_.size() && rest_ == 0) rest_ = pieces_[at_++].size();
    if (rest_ == 0) co_return ConstBytes();
    co_return as_bytes(pieces_[at_ - 1]).last(rest_);
  }
  void give_back(std::size_t taken) override { rest_ -= taken; }

 private:
  const std::vector<std::string> pieces_;
  std::size_t at_ = 0, rest_ = 0;
};

TEST_F(ClientTest, LentMemoryIsSentAsItLies) {
  serve(echo);
  LentPieces pieces({"one ", pattern(3'000'000), " two"});
  auto lent = request(Method::kPut, "/");
  lent.stream = &pieces;
  const auto got = call(std::move(lent));
  ASSERT_TRUE(got.ok()) << got.error().what();
  EXPECT_EQ(got->head.fields.get("X-Framing"), "chunked");
  EXPECT_TRUE(got->body == "one " + pattern(3'000'000) + " two");
  LentPieces read({"one ", "two"});
  EXPECT_EQ(runtime_.run_on(0, read_all(read, 100)).value_or(""), "one two")
      << "by who knows nothing of it";
}

TEST_F(ClientTest, ChunkedResponsesAndPassThrough) {
  serve([this](Exchange& exchange) {
    return [](Exchange& x, Loopback&, Client& through, Endpoint self) -> Task<void> {
      ResponseHead head;
      if (x.target().path == "/origin") {
        PiecesBody body({"first ", pattern(200'000), " last"});
        EXPECT_TRUE((co_await x.respond(std::move(head), body)).ok());
        co_return;
      }
      ClientRequest r;
      r.to = self;
      r.head.target = "/origin";
      auto response = co_await through.send(std::move(r));
      EXPECT_TRUE(response.ok());
      if (!response) co_return;
      auto body = std::move(*response).take_body();
      EXPECT_TRUE((co_await x.respond(std::move(head), *body)).ok());
    }(exchange, *this, client(), server_->endpoint());
  });
  client();
  auto got = call(request(Method::kGet, "/through"));
  ASSERT_TRUE(got.ok()) << got.error().what();
  EXPECT_TRUE(got->body == "first " + pattern(200'000) + " last");
}

/// Promises a million bytes and fails in the middle.
class BrokenBody final : public BodySource {
 public:
  Task<Result<std::size_t>> read(MutableBytes into) override {
    if (std::exchange(failed_, true)) co_return Error(Errc::io, "a disk is gone");
    co_return into.size();
  }
  std::optional<std::uint64_t> remaining() const override { return 1'000'000; }

 private:
  bool failed_ = false;
};

/// What comes at "/through/..." is sent on to "/...", and the answer back, as a gateway does.
Task<void> pass_on(Exchange& x, Client& through, Endpoint self) {
  const std::string& path = x.target().path;
  if (path == "/broken") {
    BrokenBody broken;
    ResponseHead head;
    co_return static_cast<void>(co_await x.respond(std::move(head), broken));
  }
  if (!path.starts_with("/through")) co_return co_await echo(x);
  ClientRequest r;
  r.to = self;
  r.head.method = x.request().method;
  r.head.target = path.substr(8);
  r.stream = &x.body();
  auto response = co_await through.send(std::move(r));
  ResponseHead head{.status = response ? 200 : 502};
  if (!response) co_return static_cast<void>(co_await x.respond(std::move(head), std::string()));
  head.fields.add("X-Peer", std::string(response->head().fields.get("X-Peer")));
  auto body = std::move(*response).take_body();
  static_cast<void>(co_await x.respond(std::move(head), *body));
}

TEST_F(ClientTest, LargeBodiesArePassedOnBothWays) {
  serve([this](Exchange& exchange) { return pass_on(exchange, client(), server_->endpoint()); });
  client();
  std::string peer;
  for (const std::size_t size : {65'536ul, 65'537ul, 1'000'000ul, 5'000'003ul}) {
    auto got = call(request(Method::kPut, "/through/x", pattern(size)));
    ASSERT_TRUE(got.ok()) << got.error().what();
    EXPECT_TRUE(got->body == pattern(size)) << size;
    const std::string now(got->head.fields.get("X-Peer"));
    EXPECT_TRUE(peer.empty() || peer == now) << "a connection is kept after a body was passed on";
    peer = now;
  }
}

TEST_F(ClientTest, ABodyThatEndsEarlyIsNotPassedOnAsAWhole) {
  serve([this](Exchange& exchange) { return pass_on(exchange, client(), server_->endpoint()); });
  client();
  RawClient raw(server_->endpoint());
  raw.send("PUT /through/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" +
           pattern(700'000));
  raw.finish();
  EXPECT_FALSE(raw.read_to_end().starts_with("HTTP/1.1 200"));
  const auto back = call(request(Method::kGet, "/through/broken"));
  EXPECT_EQ(back.error(), Errc::unreachable);
}

TEST_F(ClientTest, KeepsConnectionsAndReplacesOneThatTheServerClosed) {
  ServerOptions options;
  options.idle_timeout = 50ms;
  serve(echo, options);
  auto first = call(request(Method::kGet, "/"));
  auto second = call(request(Method::kGet, "/"));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->head.fields.get("X-Peer"), second->head.fields.get("X-Peer"));
  // The server forgets the connection; whether it is seen before or after sending, it is replaced.
  server_->stop(1s);
  Server again(runtime_, {}, echo);
  ASSERT_TRUE(again.listen(server_->endpoint()).ok());
  auto third = call(request(Method::kPost, "/", "x"));
  ASSERT_TRUE(third.ok()) << third.error().what();
  EXPECT_EQ(third->body, "x");
}

TEST_F(ClientTest, AHangUpInsteadOfAnAnswerIsRetriedOnce) {
  HangsUpOnce peer;
  EXPECT_TRUE(call(peer.request("/1")).ok());
  const auto again = call(peer.request("/2"));
  EXPECT_TRUE(again.ok()) << again.error().what();
  EXPECT_THAT(peer.asked(), ElementsAre("GET /1", "GET /2", "GET /2"));
}

TEST_F(ClientTest, WhatMustNotBeDoneTwiceIsNotSentAgainAfterAHangUp) {
  HangsUpOnce peer;
  EXPECT_TRUE(call(peer.request("/1")).ok());
  ClientRequest change = peer.request("/2");
  change.once = true;
  const auto lost = call(std::move(change));
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error(), Errc::unreachable);
  EXPECT_THAT(lost.error().what(), HasSubstr("it may have happened"));
  EXPECT_FALSE(lost.error().never_sent());
  EXPECT_THAT(peer.asked(), ElementsAre("GET /1", "GET /2"));
}

TEST_F(ClientTest, AConnectionThatIsKnownToBeClosedIsNoneThatHasSeenARequestForOnce) {
  HangsUpOnce peer;
  EXPECT_TRUE(call(peer.request("/1")).ok());
  peer.hang_up();
  ClientRequest change = peer.request("/2");
  change.once = true;
  const auto done = call(std::move(change));
  EXPECT_TRUE(done.ok()) << done.error().what();
  EXPECT_THAT(peer.asked(), ElementsAre("GET /1", "GET /2"));
}

TEST_F(ClientTest, WhatAConnectionThatWasLostMayHaveSeenIsNotCalledNeverSent) {
  HangsUpOnce peer;
  EXPECT_TRUE(call(peer.request("/1")).ok());
  peer.listen_no_more();
  const auto lost = call(peer.request("/2"));
  ASSERT_FALSE(lost.ok());
  EXPECT_THAT(peer.asked(), ElementsAre("GET /1", "GET /2"));
  EXPECT_FALSE(lost.error().never_sent());
  const auto refused = call(peer.request("/3"));
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(refused.error().never_sent());
}

TEST_F(ClientTest, ConnectionsToAServerAreBoundedAndOthersWait) {
  serve(echo);
  ClientOptions options;
  options.connections_per_endpoint_max = 1;
  client(options);
  auto held_up = request(Method::kGet, "/");
  held_up.deadline = Deadline::after(50ms);
  auto sequence = [](Client& c, ClientRequest a, ClientRequest b, ClientRequest d) -> Task<void> {
    auto first = co_await c.send(std::move(a));
    EXPECT_TRUE(first.ok());
    auto blocked = co_await c.send(std::move(b));
    EXPECT_EQ(blocked.error().code(), Errc::timed_out);
    EXPECT_TRUE(blocked.error().never_sent());
    auto body = co_await read_all(first->body(), 1_MiB);
    EXPECT_TRUE(body.ok());
    auto free_again = co_await c.send(std::move(d));
    EXPECT_TRUE(free_again.ok());
  };
  runtime_.run_on(0, sequence(client(), request(Method::kPut, "/", pattern(100'000)), std::move(held_up),
                              request(Method::kGet, "/")));
}

TEST_F(ClientTest, ADeadlineEndsTheWaitForAHead) {
  std::promise<void> never;
  serve([](Exchange& x) -> Task<void> {
    asio::steady_timer forever(co_await asio::this_coro::executor, 1h);
    co_await forever.async_wait(use_ec);
    const Status sent = co_await x.respond(ResponseHead{});
    EXPECT_FALSE(sent.ok());
  });
  auto r = request(Method::kGet, "/");
  r.deadline = Deadline::after(50ms);
  auto got = call(std::move(r));
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), Errc::timed_out);
  server_->stop(0s);
}

TEST_F(ClientTest, CancellingClosesTheConnectionAndUnwinds) {
  serve([](Exchange&) -> Task<void> {
    asio::steady_timer forever(co_await asio::this_coro::executor, 1h);
    co_await forever.async_wait(use_ec);
  });
  auto got = runtime_.run_on(
      0, with_timeout(client().call(request(Method::kGet, "/")), Deadline::after(50ms)));
  EXPECT_FALSE(got.ok());
  server_->stop(0s);
}

TEST_F(ClientTest, NobodyThereIsUnreachable) {
  serve(echo);
  auto r = request(Method::kGet, "/");
  server_->stop(0s);
  auto got = call(std::move(r));
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), Errc::unreachable);
}

TEST_F(ClientTest, ABodyOverTheLimitIsTooLarge) {
  serve(echo);
  auto got = runtime_.run_on(0, client().call(request(Method::kPut, "/", pattern(1001)), 1000));
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), Errc::too_large);
}

TEST_F(ClientTest, AnEarlyRefusalIsReadWhileTheBodyIsStillBeingSent) {
  serve([](Exchange& x) -> Task<void> {
    ResponseHead head{.status = 403};
    EXPECT_TRUE((co_await x.respond(std::move(head), "no")).ok());
  });
  StringSource body(pattern(64_MiB));
  auto r = request(Method::kPut, "/");
  r.stream = &body;
  auto got = call(std::move(r));
  ASSERT_TRUE(got.ok()) << got.error().what();
  EXPECT_EQ(got->head.status, 403);
  EXPECT_GT(*body.remaining(), 0u);
}

}  // namespace
}  // namespace aisfs::http
