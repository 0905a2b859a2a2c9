// SPDX-License-Identifier: MIT
// A control plane without a single point of failure: three etcd members, three gateways, and any
// one of them killed or hung.
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include "node/control/etcd_store.h"
#include "tests/cluster/real_nodes.h"
#include "tests/kit/etcd_process.h"

namespace aisfs::tests {
namespace {

constexpr std::size_t kGateways = 3;

/// Puts objects and reads them back until told to end. What it counts as failed is what a program
/// sees: after the client's own attempts.
class Load {
 public:
  Load(const std::vector<Endpoint>& nodes, const Credentials& keys) : user_(nodes, keys) {
    thread_ = std::thread([this] { run(); });
  }
  ~Load() { end(); }
  void end() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
  }
  /// Waits for three more operations that succeed.
  bool goes_on() {
    std::unique_lock lock(mutex_);
    const std::size_t enough = done_ + 3;
    return progress_.wait_for(lock, seconds(15), [&] { return done_ >= enough; });
  }
  const std::vector<std::string>& failures() const { return failures_; }  // once ended

 private:
  void run() {
    for (std::size_t i = 0; !ending_; ++i) {
      const std::string key = "k" + std::to_string(i % 50), body = std::to_string(i);
      const Status put = user_.put("data", key, body);
      const auto got = user_.get("data", key);
      if (!put) failures_.push_back("put: " + put.error().what());
      if (!got) failures_.push_back("get: " + got.error().what());
      if (got && *got != body) failures_.push_back(key + " is " + *got + ", not " + body);
      const std::lock_guard lock(mutex_);
      if (put && got) ++done_;
      progress_.notify_one();
    }
  }

  User user_;
  std::atomic<bool> ending_ = false;
  std::mutex mutex_;
  std::condition_variable progress_;
  std::size_t done_ = 0;  // guarded by mutex_
  std::vector<std::string> failures_;
  std::thread thread_;
};

class ControlPlaneTest : public ClusterTest {
 protected:
  void start_all() {
    for (std::size_t i = 0; i < kGateways; ++i) {
      const std::string join = i == 0 ? "" : node(0).at("control");
      auto& gateway = add({.dir = dir_ + "/g" + std::to_string(i + 1),
                           .role = "gateway",
                           .key_file = key_,
                           .join = join,
                           .flags = etcd_flags()});
      ASSERT_TRUE(gateway.start()) << gateway.log();
    }
    std::string gateways;
    for (std::size_t i = 0; i < kGateways; ++i) {
      gateways += (i == 0 ? "" : ",") + node(i).at("control");
    }
    for (const char* name : {"/t1", "/t2"}) {
      auto& target = add({.dir = dir_ + name, .key_file = key_, .join = gateways});
      ASSERT_TRUE(target.start()) << target.log();
    }
  }
  std::vector<std::string> etcd_flags() const {
    std::string members;
    for (const Endpoint& e : etcd_.endpoints()) {
      members += (members.empty() ? "" : ",") + e.to_string();
    }
    return {"--etcd.endpoints", members};
  }
  /// Waits until that member is one of the cluster again.
  bool serves(std::size_t member) {
    Started runtime;
    http::Client http(runtime, {});
    control::EtcdStore store(http, {{etcd_.endpoints()[member]}, ""});
    meta::GetRequest one{{"k", {}}, 0, 0};
    const bool answered = runtime.run_on(0, store.get(std::move(one))).ok();
    http.close();
    return answered;
  }
  /// Where they were when they last started.
  std::vector<Endpoint> gateways() {
    std::vector<Endpoint> all;
    for (std::size_t i = 0; i < kGateways; ++i) all.push_back(node(i).endpoint("public"));
    return all;
  }
  /// By a client that is told of all gateways, as a new program would be; within the time that the
  /// control plane may be away.
  Status create_soon(const std::string& bucket) {
    User user(gateways(), admin());
    if (!user.why_not().empty()) return Error(Errc::unreachable, user.why_not());
    const auto made =
        user.run(user.api().create_bucket(User::within(seconds(5)), native_bucket(bucket), {}));
    return made ? Status() : Status(made.error());
  }

  EtcdProcesses etcd_{3};
};

TEST_F(ControlPlaneTest, AnyMemberOrGatewayMayDieAndNobodyNotices) {
  ASSERT_NO_FATAL_FAILURE(start_all());
  ASSERT_TRUE(create_soon("data").ok());
  Load load(gateways(), admin());
  for (std::size_t member = 0; member < 3; ++member) {
    SCOPED_TRACE("etcd member " + std::to_string(member));
    etcd_.signal(member, SIGKILL);
    const auto made = create_soon("dead-member-" + std::to_string(member));
    EXPECT_TRUE(made.ok()) << made.error().what();
    EXPECT_TRUE(load.goes_on());
    etcd_.start(member);
    ASSERT_TRUE(serves(member)) << "before the next one goes: two are a majority, one is none";
  }
  for (std::size_t gateway = 0; gateway < kGateways; ++gateway) {
    SCOPED_TRACE("gateway " + std::to_string(gateway));
    node(gateway).signal_and_wait(SIGKILL);
    const auto made = create_soon("dead-gateway-" + std::to_string(gateway));
    EXPECT_TRUE(made.ok()) << made.error().what();
    EXPECT_TRUE(load.goes_on());
    ASSERT_TRUE(node(gateway).start()) << node(gateway).log();
  }
  load.end();
  EXPECT_TRUE(load.failures().empty())
      << load.failures().size() << " failed; the first: " << load.failures().front();
}

TEST_F(ControlPlaneTest, OneThatHangsIsPassedOver) {
  ASSERT_NO_FATAL_FAILURE(start_all());
  ASSERT_TRUE(create_soon("data").ok());
  Load load(gateways(), admin());
  etcd_.signal(0, SIGSTOP);
  EXPECT_TRUE(load.goes_on());
  EXPECT_TRUE(create_soon("hung-member").ok());
  etcd_.signal(0, SIGCONT);
  node(0).signal(SIGSTOP);
  // Longer than the targets could do without a renewal of their leases.
  const auto until = std::chrono::steady_clock::now() + seconds(8);
  while (std::chrono::steady_clock::now() < until) ASSERT_TRUE(load.goes_on());
  node(0).signal(SIGCONT);
  load.end();
  EXPECT_TRUE(load.failures().empty())
      << load.failures().size() << " failed; the first: " << load.failures().front();
}

TEST_F(ControlPlaneTest, AllGatewaysStartAnewOnWhatEtcdKnows) {
  ASSERT_NO_FATAL_FAILURE(start_all());
  ASSERT_TRUE(create_soon("data").ok());
  const auto admin_keys = admin();
  for (std::size_t gateway = 0; gateway < kGateways; ++gateway)
    node(gateway).signal_and_wait(SIGKILL);
  // The last one alone, and it did not make the cluster.
  ASSERT_TRUE(node(kGateways - 1).start()) << node(kGateways - 1).log();
  User user({node(kGateways - 1).endpoint("public")}, admin_keys);
  EXPECT_TRUE(user.put("data", "k", "x").ok());
  EXPECT_EQ(*user.get("data", "k"), "x");
  EXPECT_TRUE(user.create("more").ok());
}

TEST_F(ControlPlaneTest, AGatewayOfAnotherClusterIsRefused) {
  auto& first =
      add({.dir = dir_ + "/g1", .role = "gateway", .key_file = key_, .flags = etcd_flags()});
  ASSERT_TRUE(first.start()) << first.log();
  for (const std::string& join : {std::string(), first.at("control")}) {
    auto& stranger = add({.dir = dir_ + "/stranger" + join,
                          .role = "gateway",
                          .key_file = make_key("other.key", 'b'),
                          .join = join,
                          .flags = etcd_flags()});
    EXPECT_FALSE(stranger.start());
    EXPECT_NE(stranger.log().find("copy of the first gateway's cluster.key"), std::string::npos)
        << stranger.log();
  }
  User user(first, admin());
  EXPECT_EQ(user.api().current()->nodes.size(), 1u);
}

TEST_F(ControlPlaneTest, TheMapMovesToEtcdAndBack) {
  start_cluster(1);
  std::string expected;
  const auto use = [&](const std::string& key) {
    User user(node(0), admin());
    expected += key;
    EXPECT_TRUE(user.why_not().empty()) << user.why_not();
    if (key == "disk") EXPECT_TRUE(user.create("b").ok());
    EXPECT_TRUE(user.put("b", key, key).ok());
    EXPECT_EQ(user.count("b"), expected.size() / 4);
    return user.api().current()->uuid;
  };
  const auto restart_by = [&](const std::string& where, std::vector<std::string> flags) {
    node(1).signal_and_wait(SIGTERM);
    node(0).signal_and_wait(SIGTERM);
    std::vector<std::string> move = etcd_flags();
    move.insert(move.end(), {"--move-map", where});
    node(0).set_flags({});
    EXPECT_EQ(node(0).run_to_end(move), 0) << node(0).log();
    node(0).set_flags(std::move(flags));
    EXPECT_TRUE(node(0).start()) << node(0).log();
    node(1).set_flags({"--join", node(0).at("control")});  // it has other ports now
    EXPECT_TRUE(node(1).start()) << node(1).log();
  };
  const std::string uuid = use("disk");
  restart_by("etcd", etcd_flags());
  EXPECT_EQ(use("etcd"), uuid);
  // By mistake on the disk that it has left: it must not become another cluster.
  node(0).signal_and_wait(SIGTERM);
  node(0).set_flags({});
  EXPECT_FALSE(node(0).start());
  EXPECT_NE(node(0).log().find("moved to etcd"), std::string::npos);
  restart_by("disk", {});
  EXPECT_EQ(use("back"), uuid);
}

}  // namespace
}  // namespace aisfs::tests
