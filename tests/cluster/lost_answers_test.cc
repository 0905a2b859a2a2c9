// SPDX-License-Identifier: MIT
// A real target whose answers get lost, and somebody else who changes the name meanwhile.
#include "common/client/placed_objects.h"
#include "common/client/public_transport.h"
#include "common/client/remote_node.h"
#include "tests/cluster/real_nodes.h"

namespace aisfs::tests {
namespace {

/// A connection that breaks once: after the target has done what it was asked, or before.
class LosesAnAnswer final : public Transport {
 public:
  explicit LosesAnAnswer(Transport& wire) : wire_(wire) {}

  /// The next answer, after which somebody does `meanwhile`.
  void lose(std::function<Task<Status>()> meanwhile) { meanwhile_ = std::move(meanwhile); }
  bool lost() const { return lost_; }
  /// The next request, whose body is being sent.
  void break_off() { breaks_off_ = true; }

  Task<Result<http::ClientResponse>> send(NodeInfo node,
                                          Context context,
                                          http::ClientRequest request) override {
    if (std::exchange(breaks_off_, false)) {
      std::byte some[4];
      CO_CHECK_OK(co_await request.stream->read(some));
      co_return Error(Errc::unreachable, "the connection broke");
    }
    CO_TRY(auto response,
           co_await wire_.send(std::move(node), std::move(context), std::move(request)));
    if (!meanwhile_) co_return response;
    lost_ = response.status() < 300;
    const auto meanwhile = std::exchange(meanwhile_, nullptr);
    CO_CHECK_OK(co_await meanwhile());
    co_return Error(Errc::unreachable, "the connection broke");
  }

 private:
  Transport& wire_;
  std::function<Task<Status>()> meanwhile_;
  bool lost_ = false;
  bool breaks_off_ = false;
};

class LostAnswersTest : public ClusterTest {
 protected:
  void SetUp() override {
    start_cluster(1);
    runtime_.start();
    ClusterClientOptions options{.endpoints = {node(0).endpoint("public")}, .credentials = admin()};
    auto connected = run(ClusterClient::connect(runtime_, std::move(options)));
    ASSERT_TRUE(connected.ok()) << connected.error().what();
    client_ = *std::move(connected);
    const auto made = run(client_->create_bucket(soon(), name().bucket, {}));
    ASSERT_TRUE(made.ok()) << made.error().what();
    http_ = std::make_unique<http::Client>(runtime_, http::ClientOptions{});
    wire_ = std::make_unique<PublicTransport>(*http_, admin(), 0, [] { return Epoch{}; });
    lossy_ = std::make_unique<LosesAnAnswer>(*wire_);
    const auto at = [this](const NodeInfo& to) {
      return std::make_shared<RemoteNode>(*lossy_, to);
    };
    mine_ = std::make_unique<PlacedObjects>(*client_, at, seconds(20));
  }
  void TearDown() override {
    if (client_) client_->stop();
    if (http_) http_->close();
    runtime_.stop();
  }

  static Context soon() { return User::within(seconds(20)); }
  static ObjectName name() { return {native_bucket("b"), "k"}; }
  template <class T>
  T run(Task<T> task) {
    return runtime_.run_on(0, std::move(task));
  }
  static Task<Result<ObjectInfo>> put(ObjectApi& api, std::string bytes) {
    StringSource body(std::move(bytes));
    PutOptions options;
    ExpectedChecksums unknown;
    co_return co_await api.put(soon(), name(), std::move(options), std::move(unknown), body);
  }
  static Task<Status> remove(ObjectApi& api) {
    RemoveOptions options{.missing_ok = true};
    co_return co_await api.remove(soon(), name(), std::move(options));
  }
  static Task<Result<std::string>> get(ObjectApi& api) {
    GetOptions options;
    CO_TRY(auto stream, co_await api.get(soon(), name(), std::move(options)));
    co_return co_await read_all(*stream.body, 1 << 20);
  }
  static Task<Status> nothing() { co_return Status{}; }
  Task<Status> others_put() {
    CO_TRY(const auto info, co_await put(*client_, "their"));
    static_cast<void>(info);
    co_return Status{};
  }

  Runtime runtime_{1};
  std::unique_ptr<ClusterClient> client_;  // somebody else's
  std::unique_ptr<http::Client> http_;
  std::unique_ptr<PublicTransport> wire_;
  std::unique_ptr<LosesAnAnswer> lossy_;
  std::unique_ptr<PlacedObjects> mine_;
};

TEST_F(LostAnswersTest, APutIsDoneOnceWhoeverElsePuts) {
  ASSERT_TRUE(run(put(*mine_, "old")).ok());
  lossy_->lose([] { return nothing(); });
  const auto found = run(put(*mine_, "mine"));
  ASSERT_TRUE(found.ok()) << found.error().what();
  EXPECT_TRUE(lossy_->lost());
  EXPECT_EQ(found->content_version, run(client_->head(soon(), name(), {}))->content_version);

  lossy_->lose([this] { return others_put(); });
  const auto told = run(put(*mine_, "new"));
  ASSERT_FALSE(told.ok());
  EXPECT_EQ(told.error().code(), Errc::timed_out) << told.error().what();
  EXPECT_EQ(run(get(*client_)).value_or(""), "their");
}

TEST_F(LostAnswersTest, ADeleteIsDoneOnceWhoeverElsePuts) {
  ASSERT_TRUE(run(put(*mine_, "old")).ok());
  lossy_->lose([this] { return others_put(); });
  const auto told = run(remove(*mine_));
  ASSERT_FALSE(told.ok());
  EXPECT_EQ(told.error().code(), Errc::timed_out) << told.error().what();
  EXPECT_EQ(run(get(*client_)).value_or(""), "their");
  lossy_->lose([] { return nothing(); });
  EXPECT_TRUE(run(remove(*mine_)).ok());
  EXPECT_TRUE(lossy_->lost());
}

TEST_F(LostAnswersTest, APutThatDidNotArriveIsSentAgain) {
  ASSERT_TRUE(run(others_put()).ok());
  ASSERT_TRUE(run(get(*mine_)).ok());  // which tells how far the target's versions have come
  lossy_->break_off();
  const auto info = run(put(*mine_, "mine"));
  ASSERT_TRUE(info.ok()) << info.error().what();
  EXPECT_EQ(run(get(*client_)).value_or(""), "mine");
}

}  // namespace
}  // namespace aisfs::tests
