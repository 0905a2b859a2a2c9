// SPDX-License-Identifier: MIT
#include "node/control/move_map.h"

#include <gmock/gmock.h>

#include "node/control/job_store.h"
#include "node/control/map_store.h"
#include "tests/unit/node/control/embedded_maker.h"

namespace aisfs::control {
namespace {

using ::testing::HasSubstr;

/// Passes everything on, until so many transactions have been: then it has died.
class Mortal final : public MetaStore {
 public:
  Mortal(MetaStore& store, int transactions) : store_(store), left_(transactions) {}

  Task<Result<meta::GetReply>> get(meta::GetRequest r) override { return store_.get(std::move(r)); }
  Task<Result<meta::TxnReply>> txn(meta::TxnRequest r) override {
    if (left_-- <= 0) co_return Error(Errc::unreachable, "it has died");
    co_return co_await store_.txn(std::move(r));
  }
  Task<Result<meta::LeaseId>> grant(Duration ttl) override { return store_.grant(ttl); }
  Task<Result<Duration>> keep_alive(meta::LeaseId id) override { return store_.keep_alive(id); }
  Task<Status> revoke(meta::LeaseId id) override { return store_.revoke(id); }
  Task<Result<meta::WatchReply>> watch(meta::WatchRequest r) override {
    return store_.watch(std::move(r));
  }

 private:
  MetaStore& store_;
  int left_;
};

class MoveMapTest : public ::testing::Test {
 protected:
  MoveMapTest() {
    EXPECT_TRUE(run(MapStore(a_.store()).bootstrap("cluster", test_key())).ok());
    EXPECT_TRUE(add_users(a_.store(), 250).ok());
  }
  ~MoveMapTest() override {
    a_.stop();
    b_.stop();
  }

  template <class T>
  T run(Task<T> task) {
    return runtime_.run_on(0, std::move(task));
  }
  Status add_users(MetaStore& store, int count) {
    const MapStore::Edit edit = [count](MapDraft& draft) -> Status {
      for (int i = 0; i < count; ++i) {
        std::string id = "u" + std::to_string(draft.map.users.size());
        draft.map.users[id] = {.id = id};
      }
      draft.map.store_node = "g1";
      return {};
    };
    auto changed = run(MapStore(store).change(edit));
    return changed ? Status() : Status(std::move(changed).error());
  }
  Result<MovedMap> move(MetaStore& from, MetaStore& to, const std::string& holder = "g2") {
    MapMove options{.holder = holder, .destination = "the other", .leases_max = Duration::zero()};
    return run(move_map(from, to, std::move(options), true));
  }
  std::size_t users(MetaStore& store) {
    const auto draft = run(MapStore(store).load());
    return draft ? draft->map.users.size() : 0;
  }

  struct Started : Runtime {
    Started() : Runtime(1) { start(); }
  };
  Started runtime_;
  EmbeddedMaker a_{runtime_}, b_{runtime_};
};

TEST_F(MoveMapTest, ItIsThereWholeAndTheSourceSaysWhereItHasGone) {
  const auto before = run(MapStore(a_.store()).load());
  const auto moved = move(a_.store(), b_.store());
  ASSERT_TRUE(moved.ok()) << moved.error().what();
  const auto after = run(MapStore(b_.store()).load());
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->map.users, before->map.users);
  EXPECT_EQ(after->map.uuid, "cluster");
  EXPECT_EQ(after->map.epoch, before->map.epoch + 1);
  EXPECT_EQ(after->map.store_node, "g2");
  EXPECT_TRUE(run(MapStore(b_.store()).check_key(test_key())).ok());
  EXPECT_FALSE(run(MapStore(b_.store()).check_key(test_key('b'))).ok());

  const auto gone = run(MapStore(a_.store()).load());
  ASSERT_FALSE(gone.ok());
  EXPECT_THAT(gone.error().what(), HasSubstr("moved to the other"));
  EXPECT_TRUE(run(MapStore(a_.store()).bootstrap("a new one", test_key())).ok());
  EXPECT_FALSE(run(MapStore(a_.store()).load()).ok()) << "no second cluster where one has been";
}

TEST_F(MoveMapTest, JobsGoAlong) {
  RealClock clock;
  JobStore here(a_.store(), clock), there(b_.store(), clock);
  ASSERT_TRUE(run(here.add({.id = "runs"}, {"x", "y"})).ok());
  ASSERT_TRUE(run(here.add({.id = "over"}, {})).ok());
  ASSERT_TRUE(run(here.end("over", JobState::kFailed, "why")).ok());
  wire::JobReport report{"runs", {.runs = 1, .cursor = "k"}};
  ASSERT_TRUE(run(here.report("t1", report)).ok());
  ASSERT_TRUE(move(a_.store(), b_.store()).ok());
  EXPECT_EQ(run(there.find("runs"))->targets.at("t1").cursor, "k");
  EXPECT_EQ(run(there.names("runs"))->size(), 2u);
  EXPECT_EQ(run(there.find("over"))->error, "why");
  EXPECT_TRUE(run(here.live())->empty());
  EXPECT_TRUE(run(here.past())->empty());
}

TEST_F(MoveMapTest, AndBack) {
  ASSERT_TRUE(move(a_.store(), b_.store()).ok());
  ASSERT_TRUE(add_users(b_.store(), 1).ok());
  ASSERT_TRUE(move(b_.store(), a_.store(), "g1").ok());
  EXPECT_EQ(users(a_.store()), 251u);
  EXPECT_EQ(users(b_.store()), 0u);
}

TEST_F(MoveMapTest, AMoveThatDiesAnywhereIsEndedByTheNext) {
  for (int transactions = 0; transactions < 4; ++transactions) {
    SCOPED_TRACE(transactions);
    Mortal dies(b_.store(), transactions);
    EXPECT_FALSE(move(a_.store(), dies).ok());
    EXPECT_EQ(users(a_.store()), 250u) << "it is still in the source";
  }
  Mortal source(a_.store(), 0);
  EXPECT_FALSE(move(source, b_.store()).ok()) << "copied, and the source does not know yet";
  EXPECT_EQ(users(a_.store()), 250u);
  ASSERT_TRUE(move(a_.store(), b_.store()).ok());
  EXPECT_EQ(users(a_.store()), 0u);
  EXPECT_EQ(users(b_.store()), 250u);
}

TEST_F(MoveMapTest, WhatTheSourceDidAfterAMoveThatDiedCounts) {
  Mortal source(a_.store(), 0);
  ASSERT_FALSE(move(source, b_.store()).ok());
  ASSERT_TRUE(add_users(a_.store(), 1).ok());
  ASSERT_TRUE(add_users(a_.store(), 1).ok());
  ASSERT_TRUE(move(a_.store(), b_.store()).ok());
  EXPECT_EQ(users(b_.store()), 252u);
}

TEST_F(MoveMapTest, ItReplacesNeitherAnotherClusterNorANewerMap) {
  Mortal source(a_.store(), 0);
  ASSERT_FALSE(move(source, b_.store()).ok());
  ASSERT_TRUE(add_users(b_.store(), 1).ok());
  const auto newer = move(a_.store(), b_.store());
  ASSERT_FALSE(newer.ok());
  EXPECT_EQ(newer.error(), Errc::busy);

  EmbeddedMaker other(runtime_);
  ASSERT_TRUE(run(MapStore(other.store()).bootstrap("another", test_key())).ok());
  const auto another = move(a_.store(), other.store());
  ASSERT_FALSE(another.ok());
  EXPECT_THAT(another.error().what(), HasSubstr("another cluster"));
  EXPECT_EQ(users(a_.store()), 250u);
}

TEST_F(MoveMapTest, WhileANodeRunsNothingIsMoved) {
  const auto lease = run(a_.store().grant(std::chrono::seconds(60)));
  meta::TxnRequest alive{{}, {meta::put_step(std::string(kAlivePrefix) + "g1", "1", *lease)}, {}};
  ASSERT_TRUE(run(a_.store().txn(std::move(alive))).ok());
  const auto moved = move(a_.store(), b_.store());
  ASSERT_FALSE(moved.ok());
  EXPECT_THAT(moved.error().what(), HasSubstr("g1"));
}

}  // namespace
}  // namespace aisfs::control
