// SPDX-License-Identifier: MIT
// What every MetaStore must do. An implementation brings a Maker with `MetaStore& store()`,
// `void stop()` and `void age_history(change)`, which makes it forget what is there now, by changes
// or otherwise, and instantiates the suite.
#pragma once
#include <gmock/gmock.h>

#include <future>

#include "common/async/runtime.h"
#include "node/control/meta_store.h"

namespace aisfs::control {

using meta::Compare;

template <class Maker>
class MetaStoreSuite : public ::testing::Test {
 protected:
  ~MetaStoreSuite() override { maker_.stop(); }

  template <class T>
  T run(Task<T> task) {
    return runtime_.run_on(0, std::move(task));
  }
  /// Runs it beside the test; get() of the future waits for it.
  template <class T>
  std::future<T> start(std::size_t shard, Task<T> task) {
    return std::async(std::launch::async, [this, shard, task = std::move(task)]() mutable {
      return runtime_.run_on(shard, std::move(task));
    });
  }
  MetaStore& store() { return maker_.store(); }

  meta::TxnReply put(const std::string& key, const std::string& value, meta::LeaseId lease = 0) {
    meta::TxnRequest request{{}, {meta::put_step(key, value, lease)}, {}};
    auto reply = run(store().txn(std::move(request)));
    EXPECT_TRUE(reply.ok());
    return *reply;
  }
  std::vector<meta::KeyValue> list(const std::string& prefix, meta::Revision revision = 0) {
    meta::GetRequest request{meta::prefix_range(prefix), revision, 0};
    auto reply = run(store().get(std::move(request)));
    EXPECT_TRUE(reply.ok());
    return reply ? reply->kvs : std::vector<meta::KeyValue>{};
  }
  Result<meta::TxnReply> txn(meta::TxnRequest request) { return run(store().txn(std::move(request))); }
  Result<meta::WatchReply> watch(const std::string& prefix, meta::Revision from, Duration wait) {
    meta::WatchRequest request{meta::prefix_range(prefix), from, wait.count()};
    return run(store().watch(std::move(request)));
  }

  struct Started : Runtime {
    Started() : Runtime(2) { start(); }
  };
  Started runtime_;
  Maker maker_{runtime_};
};
TYPED_TEST_SUITE_P(MetaStoreSuite);

TYPED_TEST_P(MetaStoreSuite, PutsCountVersionsAndRevisions) {
  const auto first = this->put("a/k", "1");
  const auto second = this->put("a/k", "2");
  EXPECT_EQ(second.revision, first.revision + 1);
  const auto kvs = this->list("a/");
  ASSERT_EQ(kvs.size(), 1u);
  EXPECT_EQ(kvs[0].value, "2");
  EXPECT_EQ(kvs[0].version, 2);
  EXPECT_EQ(kvs[0].create_revision, first.revision);
  EXPECT_EQ(kvs[0].mod_revision, second.revision);
}

TYPED_TEST_P(MetaStoreSuite, OneTransactionIsOneRevision) {
  const auto before = this->put("a/0", "");
  const auto reply = this->txn({{}, {meta::put_step("a/1", "x"), meta::put_step("a/2", "y")}, {}});
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->revision, before.revision + 1);
  const auto kvs = this->list("a/");
  ASSERT_EQ(kvs.size(), 3u);
  EXPECT_EQ(kvs[1].mod_revision, kvs[2].mod_revision);
}

TYPED_TEST_P(MetaStoreSuite, ComparesPickTheBranch) {
  const Compare absent{.key = "a/k", .what = Compare::What::kVersion, .number = 0};
  meta::TxnRequest create{{absent}, {meta::put_step("a/k", "mine")}, {}};
  create.otherwise.push_back({meta::Step::Kind::kGet, {"a/k", {}}, {}, 0});
  EXPECT_TRUE(this->txn(create)->succeeded);
  const auto lost = this->txn(create);
  ASSERT_TRUE(lost.ok());
  EXPECT_FALSE(lost->succeeded);
  ASSERT_EQ(lost->steps.at(0).kvs.size(), 1u);
  EXPECT_EQ(lost->steps[0].kvs[0].value, "mine");
}

TYPED_TEST_P(MetaStoreSuite, ValueComparesOrderAndFailOnAMissingKey) {
  this->put("a/k", "m");
  const auto holds = [&](const std::string& key, Compare::Is is, const std::string& value) {
    Compare c{.key = key, .what = Compare::What::kValue, .is = is, .value = value};
    return this->txn({{c}, {}, {}})->succeeded;
  };
  EXPECT_TRUE(holds("a/k", Compare::Is::kEqual, "m"));
  EXPECT_TRUE(holds("a/k", Compare::Is::kLess, "n"));
  EXPECT_TRUE(holds("a/k", Compare::Is::kGreater, "l"));
  EXPECT_FALSE(holds("a/missing", Compare::Is::kEqual, ""));
}

TYPED_TEST_P(MetaStoreSuite, AReadOnlyTransactionMakesNoRevision) {
  const auto before = this->put("a/k", "1");
  const auto reply = this->txn({{}, {{meta::Step::Kind::kGet, {"a/k", {}}, {}, 0}}, {}});
  EXPECT_EQ(reply->revision, before.revision);
}

TYPED_TEST_P(MetaStoreSuite, PuttingAKeyTwiceChangesNothing) {
  const auto reply = this->txn({{}, {meta::put_step("a/k", "1"), meta::put_step("a/k", "2")}, {}});
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code(), Errc::invalid_argument);
  EXPECT_TRUE(this->list("a/").empty());
}

TYPED_TEST_P(MetaStoreSuite, ARemovedKeyStartsAnew) {
  this->put("a/k", "1");
  this->put("a/k", "2");
  const auto removed = this->txn({{}, {meta::remove_step("a/k")}, {}});
  EXPECT_EQ(removed->steps.at(0).removed, 1);
  EXPECT_TRUE(this->list("a/").empty());
  const auto again = this->put("a/k", "3");
  const auto kvs = this->list("a/");
  ASSERT_EQ(kvs.size(), 1u);
  EXPECT_EQ(kvs[0].version, 1);
  EXPECT_EQ(kvs[0].create_revision, again.revision);
}

TYPED_TEST_P(MetaStoreSuite, AnOldRevisionReadsAsItWas) {
  const auto then = this->put("a/1", "old");
  this->put("a/1", "new");
  this->put("a/2", "later");
  ASSERT_TRUE(this->txn({{}, {meta::remove_step("a/1")}, {}}).ok());
  const auto kvs = this->list("a/", then.revision);
  ASSERT_EQ(kvs.size(), 1u);
  EXPECT_EQ(kvs[0].value, "old");
  EXPECT_EQ(this->list("a/").at(0).key, "a/2");
}

TYPED_TEST_P(MetaStoreSuite, AFutureRevisionIsOutOfRange) {
  const auto now = this->put("a/k", "1").revision;
  meta::GetRequest request{meta::prefix_range("a/"), now + 1, 0};
  const auto reply = this->run(this->store().get(request));
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code(), Errc::out_of_range);
}

TYPED_TEST_P(MetaStoreSuite, ALimitSaysThatThereIsMore) {
  for (const char* key : {"a/1", "a/2", "a/3"}) this->put(key, "");
  meta::GetRequest two{meta::prefix_range("a/"), 0, 2};
  meta::GetRequest three{meta::prefix_range("a/"), 0, 3};
  EXPECT_TRUE(this->run(this->store().get(two))->more);
  EXPECT_FALSE(this->run(this->store().get(three))->more);
}

TYPED_TEST_P(MetaStoreSuite, AWatchReplaysFromItsRevisionAndFiltersByRange) {
  const auto from = this->put("a/1", "x").revision;
  this->put("b/1", "other");
  ASSERT_TRUE(this->txn({{}, {meta::remove_step("a/1")}, {}}).ok());
  const auto reply = this->watch("a/", from, std::chrono::seconds(5));
  ASSERT_TRUE(reply.ok());
  ASSERT_EQ(reply->events.size(), 2u);
  EXPECT_FALSE(reply->events[0].removed);
  EXPECT_TRUE(reply->events[1].removed);
  EXPECT_EQ(reply->events[1].previous->value, "x");
  EXPECT_EQ(reply->next, from + 3);
}

TYPED_TEST_P(MetaStoreSuite, AWatchWaitsForTheFirstEvent) {
  const auto now = this->put("a/1", "x").revision;
  meta::WatchRequest request{meta::prefix_range("a/"), now + 1, std::int64_t{10'000'000'000}};
  auto future = this->start(1, this->store().watch(request));
  this->put("a/2", "y");
  const auto reply = future.get();
  ASSERT_TRUE(reply.ok());
  ASSERT_EQ(reply->events.size(), 1u);
  EXPECT_EQ(reply->events[0].kv.key, "a/2");
}

TYPED_TEST_P(MetaStoreSuite, AWatchThatSeesNothingEndsAtItsWait) {
  const auto now = this->put("a/1", "x").revision;
  const auto reply = this->watch("a/", now + 1, std::chrono::milliseconds(1));
  ASSERT_TRUE(reply.ok());
  EXPECT_TRUE(reply->events.empty());
  EXPECT_EQ(reply->next, now + 1);
}

TYPED_TEST_P(MetaStoreSuite, ACompactedRevisionAsksForANewListing) {
  const auto first = this->put("a/k", "0").revision;
  this->maker_.age_history([this] { this->put("a/k", "more"); });
  const auto reply = this->watch("a/", first, Duration::zero());
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code(), Errc::out_of_range);
  EXPECT_THAT(reply.error().what(), ::testing::HasSubstr("compacted"));
}

TYPED_TEST_P(MetaStoreSuite, AnEndedLeaseTakesItsKeysWithIt) {
  const auto lease = this->run(this->store().grant(std::chrono::milliseconds(150)));
  ASSERT_TRUE(lease.ok());
  const auto put = this->put("alive/t1", "x", *lease);
  const auto reply = this->watch("alive/", put.revision + 1, std::chrono::seconds(20));
  ASSERT_TRUE(reply.ok());
  ASSERT_EQ(reply->events.size(), 1u);
  EXPECT_TRUE(reply->events[0].removed);
  const auto late = this->run(this->store().keep_alive(*lease));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code(), Errc::not_found);
}

TYPED_TEST_P(MetaStoreSuite, ARevokedLeaseCanNotBeUsed) {
  const auto lease = this->run(this->store().grant(std::chrono::seconds(60)));
  ASSERT_TRUE(lease.ok());
  this->put("alive/t1", "x", *lease);
  EXPECT_EQ(*this->run(this->store().keep_alive(*lease)), std::chrono::seconds(60));
  EXPECT_TRUE(this->run(this->store().revoke(*lease)).ok());
  EXPECT_TRUE(this->list("alive/").empty());
  const auto put = this->txn({{}, {meta::put_step("alive/t1", "x", *lease)}, {}});
  ASSERT_FALSE(put.ok());
  EXPECT_EQ(put.error().code(), Errc::not_found);
}

TYPED_TEST_P(MetaStoreSuite, RacingIncrementsLoseNone) {
  this->put("a/n", "0");
  const auto add = [](MetaStore& store) -> Task<Result<int>> {
    for (int done = 0; done < 20;) {
      meta::GetRequest get{{"a/n", {}}, 0, 0};
      CO_TRY(const auto now, co_await store.get(std::move(get)));
      const auto& kv = now.kvs.at(0);
      meta::TxnRequest request;
      request.compares.push_back({.key = "a/n", .number = kv.mod_revision});
      request.then.push_back(meta::put_step("a/n", std::to_string(std::stoi(kv.value) + 1)));
      CO_TRY(const auto reply, co_await store.txn(std::move(request)));
      done += reply.succeeded ? 1 : 0;
    }
    co_return 0;
  };
  auto a = this->start(0, add(this->store()));
  auto b = this->start(1, add(this->store()));
  EXPECT_TRUE(a.get().ok());
  EXPECT_TRUE(b.get().ok());
  EXPECT_EQ(this->list("a/").at(0).value, "40");
}

REGISTER_TYPED_TEST_SUITE_P(MetaStoreSuite,
                            PutsCountVersionsAndRevisions,
                            OneTransactionIsOneRevision,
                            ComparesPickTheBranch,
                            ValueComparesOrderAndFailOnAMissingKey,
                            AReadOnlyTransactionMakesNoRevision,
                            PuttingAKeyTwiceChangesNothing,
                            ARemovedKeyStartsAnew,
                            AnOldRevisionReadsAsItWas,
                            AFutureRevisionIsOutOfRange,
                            ALimitSaysThatThereIsMore,
                            AWatchReplaysFromItsRevisionAndFiltersByRange,
                            AWatchWaitsForTheFirstEvent,
                            AWatchThatSeesNothingEndsAtItsWait,
                            ACompactedRevisionAsksForANewListing,
                            AnEndedLeaseTakesItsKeysWithIt,
                            ARevokedLeaseCanNotBeUsed,
                            RacingIncrementsLoseNone);

}  // namespace aisfs::control
