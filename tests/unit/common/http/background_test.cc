// SPDX-License-Identifier: MIT
#include "common/async/background.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include "tests/unit/common/http/loopback.h"

namespace aisfs::http {
namespace {

constexpr std::size_t kServing = 0, kBackground = 1;  // shards

/// Says on which kind of thread it is served.
Task<void> say_where(Exchange& exchange) {
  ResponseHead head;
  std::string text = is_background_thread() ? "background" : "serving";
  const Status sent = co_await exchange.respond(std::move(head), std::move(text));
  EXPECT_TRUE(sent.ok()) << sent.error().what();
}

class BackgroundTest : public testing::Test {
 protected:
  BackgroundTest() { runtime_.start(); }
  ~BackgroundTest() override {
    server_.reset();
    client_.close();
    runtime_.stop();
  }

  Status serve_at(const std::string& host, bool sorts = true) {
    server_ = std::make_unique<Server>(runtime_, ServerOptions{.name = "test", .sorts = sorts},
                                       say_where);
    return server_->listen({host, 0});
  }
  std::string ask_from(std::size_t shard) {
    ClientRequest request;
    request.to = server_->endpoint();
    request.head = {.method = Method::kGet, .target = "/", .fields = {}};
    request.deadline = Deadline::after(10s);
    auto answer = runtime_.run_on(shard, client_.call(std::move(request)));
    return answer ? answer->body : answer.error().what();
  }

  Runtime runtime_{1, 1};
  std::unique_ptr<Server> server_;
  Client client_{runtime_, {}};
};

TEST_F(BackgroundTest, RequestsOfBackgroundWorkAreServedAsSuch) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    const Status listening = serve_at(host);
    ASSERT_TRUE(listening.ok()) << listening.error().what();
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(ask_from(kServing), "serving") << host;
      EXPECT_EQ(ask_from(kBackground), "background") << host;
    }
  }
}

TEST_F(BackgroundTest, AListenerThatDoesNotSortServesAllAlike) {
  ASSERT_TRUE(serve_at("127.0.0.1", false).ok());
  EXPECT_EQ(ask_from(kBackground), "serving");
}

TEST_F(BackgroundTest, StopEndsThoseConnectionsToo) {
  ASSERT_TRUE(serve_at("127.0.0.1").ok());
  ASSERT_EQ(ask_from(kBackground), "background");
  server_->stop(10s);  // which an idle connection does not use up
  EXPECT_THAT(ask_from(kBackground), testing::HasSubstr("refused"));
}

TEST_F(BackgroundTest, ItsThreadGivesWay) {
  const auto nice = [] { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); };
  const auto of_caller = [](auto ask) -> Task<int> { co_return ask(); };
  const int serving = runtime_.run_on(kServing, of_caller(nice));
  EXPECT_EQ(serving, nice());
  EXPECT_GT(runtime_.run_on(kBackground, of_caller(nice)), serving);
}

}  // namespace
}  // namespace aisfs::http
