// SPDX-License-Identifier: MIT
#include "node/control/etcd_store.h"

#include <boost/json.hpp>
#include <csignal>
#include <filesystem>

#include "tests/kit/etcd_process.h"
#include "tests/unit/common/http/hangs_up_once.h"
#include "tests/unit/node/control/meta_store_suite.h"

namespace aisfs::control {
namespace {

using tests::EtcdProcesses;

/// One etcd for all tests of the suite, a prefix for each.
class EtcdMaker {
 public:
  explicit EtcdMaker(Runtime& runtime)
      : runtime_(runtime), http_(runtime, {}), store_(http_, {etcd().endpoints(), new_prefix()}) {}

  MetaStore& store() { return store_; }
  void stop() { http_.close(); }
  template <class Change>
  void age_history(Change change) {
    change();
    change();
    EXPECT_TRUE(runtime_.run_on(0, compact(*this)).ok());
  }

 private:
  static EtcdProcesses& etcd() {
    static EtcdProcesses one(1);
    return one;
  }
  static std::string new_prefix() {
    static int tests = 0;
    return "test" + std::to_string(++tests) + "/";
  }
  static Task<Status> compact(EtcdMaker& self) {
    meta::GetRequest none{{"none", {}}, 0, 0};
    CO_TRY(const auto now, co_await self.store_.get(std::move(none)));
    http::ClientRequest request;
    request.to = etcd().endpoints()[0];
    request.head.method = http::Method::kPost;
    request.head.target = "/v3/kv/compaction";
    request.body = "{\"revision\":\"" + std::to_string(now.revision) + "\"}";
    CO_TRY(const auto answer, co_await self.http_.call(std::move(request)));
    co_return answer.head.status == 200 ? Status() : Status(Errc::internal);
  }

  Runtime& runtime_;
  http::Client http_;
  EtcdStore store_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Etcd, MetaStoreSuite, EtcdMaker);

/// A member that loses the answer, on a connection that was there already.
class EtcdOnceTest : public ::testing::Test {
 protected:
  EtcdOnceTest() { runtime_.start(); }
  ~EtcdOnceTest() override {
    http_.close();
    runtime_.stop();
  }
  /// How often `change` came there.
  template <class T>
  std::ptrdiff_t times(Task<T> change, const std::string& path) {
    static_cast<void>(runtime_.run_on(0, store_.get({{"k", {}}, 0, 0})));  // it says nothing of use
    EXPECT_EQ(runtime_.run_on(0, std::move(change)).error(), Errc::unreachable);
    const auto asked = member_.asked();
    return std::count(asked.begin(), asked.end(), "POST /v3/" + path);
  }

  Runtime runtime_{1};
  http::HangsUpOnce member_;
  http::Client http_{runtime_, {}};
  EtcdStore store_{http_, {{member_.endpoint()}, ""}};
};

TEST_F(EtcdOnceTest, ATransactionIsNotSentTwice) { EXPECT_EQ(times(store_.txn({}), "kv/txn"), 1); }

TEST_F(EtcdOnceTest, ALeaseIsNotAskedForTwice) {
  EXPECT_EQ(times(store_.grant(std::chrono::seconds(2)), "lease/grant"), 1);
}

/// Three members; the store is told of all of them.
class EtcdClusterTest : public ::testing::Test {
 protected:
  EtcdClusterTest() { runtime_.start(); }
  ~EtcdClusterTest() override {
    http_.close();
    runtime_.stop();
  }

  template <class T>
  T run(Task<T> task) {
    return runtime_.run_on(0, std::move(task));
  }
  Result<meta::TxnReply> put(const std::string& key, const std::string& value) {
    return run(store_.txn({{}, {meta::put_step(key, value)}, {}}));
  }
  Result<std::string> value_of(const std::string& key) {
    TRY(const auto reply, run(store_.get({{key, {}}, 0, 0})));
    if (reply.kvs.empty()) return Errc::not_found;
    return reply.kvs[0].value;
  }
  /// What a caller does whose answer was lost: looks, and does it again if it did not happen.
  bool put_surely(const std::string& key, const std::string& value) {
    for (int attempt = 0; attempt < 5; ++attempt) {
      if (put(key, value).ok()) return true;
      const auto now = value_of(key);
      if (now && *now == value) return true;
    }
    return false;
  }

  EtcdProcesses etcd_{3};
  Runtime runtime_{1};
  http::Client http_{runtime_, {}};
  EtcdStore store_{http_, {etcd_.endpoints(), "c/"}};
};

TEST_F(EtcdClusterTest, AnyMemberMayDieOrHangAndWhatWasAcknowledgedStays) {
  ASSERT_TRUE(put_surely("k", "0"));
  const auto lease = run(store_.grant(std::chrono::seconds(60)));
  ASSERT_TRUE(lease.ok());
  int n = 0;
  for (std::size_t member = 0; member < 3; ++member) {
    for (const int how : {SIGKILL, SIGSTOP}) {
      etcd_.signal(member, how);
      const std::string next = std::to_string(++n);
      EXPECT_TRUE(put_surely("k", next)) << "member " << member << " signal " << how;
      EXPECT_EQ(*value_of("k"), next);
      EXPECT_TRUE(run(store_.keep_alive(*lease)).ok());
      how == SIGKILL ? etcd_.start(member) : etcd_.signal(member, SIGCONT);
    }
  }
}

TEST_F(EtcdClusterTest, AWatchGoesOnAtAnotherMember) {
  ASSERT_TRUE(put_surely("k", "0"));
  const auto begun = run(store_.get({{"k", {}}, 0, 0}));
  ASSERT_TRUE(begun.ok());
  meta::WatchRequest request{{"k", {}}, begun->revision + 1, std::int64_t{20'000'000'000}};
  std::thread elsewhere([&] {
    for (std::size_t member = 0; member < 2; ++member) {
      etcd_.signal(member, SIGKILL);
      etcd_.start(member);
    }
    // By another store, which does not know what this one has found out.
    Runtime runtime(1);
    runtime.start();
    http::Client http(runtime, {});
    EtcdStore store(http, {etcd_.endpoints(), "c/"});
    for (int attempt = 0; attempt < 5; ++attempt) {
      if (runtime.run_on(0, store.txn({{}, {meta::put_step("k", "1")}, {}})).ok()) break;
    }
    http.close();
    runtime.stop();
  });
  const auto reply = run(store_.watch(request));
  elsewhere.join();
  ASSERT_TRUE(reply.ok()) << reply.error().what();
  ASSERT_FALSE(reply->events.empty());
  EXPECT_EQ(reply->events.back().kv.value, "1");
}

TEST_F(EtcdClusterTest, WithoutAMajorityAnErrorSaysSo) {
  ASSERT_TRUE(put_surely("k", "0"));
  etcd_.signal(0, SIGKILL);
  etcd_.signal(1, SIGKILL);
  const auto lost = put("k", "1");
  ASSERT_FALSE(lost.ok());
  const Errc why = lost.error().code();
  EXPECT_TRUE(why == Errc::unreachable || why == Errc::timed_out) << lost.error().what();
  etcd_.start(0);
  EXPECT_TRUE(put_surely("k", "2"));
}

TEST(EtcdOverTls, OnlyWhoShowsACertificateIsServed) {
  std::string folder = "/tmp/aisfs-etcd-tls-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const EtcdProcesses::Certificate certificate{folder + "/mine.pem", folder + "/mine.key"};
  const std::string make =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
      " -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout " +
      certificate.key_file + " -out " + certificate.file + " 2>/dev/null";
  ASSERT_EQ(std::system(make.c_str()), 0);
  EtcdProcesses etcd(1, certificate);
  Runtime runtime(1);
  runtime.start();
  const auto ask = [&](const http::ClientTlsOptions& options) {
    auto tls = http::make_client_tls(options);
    EXPECT_TRUE(tls.ok());
    const http::ClientOptions client{.tls = *std::move(tls)};
    http::Client http(runtime, client);
    EtcdStore store(http, {etcd.endpoints(), ""});
    const auto answer = runtime.run_on(0, store.txn({{}, {meta::put_step("k", "1")}, {}}));
    http.close();
    return answer.ok();
  };
  bool served = false;  // once it listens
  for (int attempt = 0; attempt < 5 && !served; ++attempt) {
    served = ask({certificate.file, certificate.file, certificate.key_file});
  }
  EXPECT_TRUE(served);
  EXPECT_FALSE(ask({.ca_file = certificate.file, .certificate_file = "", .key_file = ""}));
  runtime.stop();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace aisfs::control
