// SPDX-License-Identifier: MIT
#include "node/store/committer.h"

#include <gtest/gtest.h>

#include "common/async/gather.h"
#include "common/async/runtime.h"

namespace aisfs::store {
namespace {

/// Writes down what happens to it.
class Traced final : public Mutation {
 public:
  Traced(std::atomic<int>& syncs, bool before, bool after) : syncs_(syncs) {
    barrier_before = before;
    barrier_after = after;
  }
  Status stage() override {
    staged_at = syncs_;
    return {};
  }
  Status publish() override {
    published_at = syncs_;
    return {};
  }
  void settle() override { settled_at = syncs_; }
  int staged_at = -1, published_at = -1, settled_at = -1;

 private:
  std::atomic<int>& syncs_;
};

struct CommitterTest : ::testing::Test {
  CommitterTest() { runtime.start(); }
  ~CommitterTest() override { runtime.stop(); }

  Status run(Mutation& m) { return runtime.run_on(0, committer.run(m)); }

  Runtime runtime{1};
  disk::IoPool pool{{.threads = 2}};
  std::atomic<int> syncs = 0;
  std::atomic<Barrier> last{};
  Status answer;
  Committer committer{pool, [this](Barrier barrier) {
                        last = barrier;
                        ++syncs;
                        return answer;
                      }};
};

TEST_F(CommitterTest, LevelNoneNeverSyncs) {
  Traced m(syncs, false, false);
  EXPECT_TRUE(run(m).ok());
  EXPECT_EQ(m.published_at, 0);
  EXPECT_EQ(syncs, 0);
}

TEST_F(CommitterTest, WhatWasAcknowledgedWithoutASyncIsDueForOne) {
  EXPECT_FALSE(committer.is_flush_due(Duration::zero())) << "nothing was acknowledged yet";
  Traced m(syncs, false, false);
  m.flush_soon = true;
  EXPECT_TRUE(run(m).ok());
  EXPECT_EQ(syncs, 0);
  EXPECT_FALSE(committer.is_flush_due(std::chrono::hours(1)));
  EXPECT_TRUE(committer.is_flush_due(Duration::zero()));
  committer.flush();
  Traced barrier(syncs, true, false);  // is staged behind the flush or shares its barrier
  EXPECT_TRUE(run(barrier).ok());
  EXPECT_GE(syncs, 1);
  EXPECT_FALSE(committer.is_flush_due(Duration::zero())) << "nothing is left to flush";
}

TEST_F(CommitterTest, NothingIsPublishedBeforeItsFirstBarrier) {
  Traced m(syncs, true, true);
  EXPECT_TRUE(run(m).ok());
  EXPECT_GT(m.published_at, m.staged_at);
  EXPECT_GT(syncs, m.published_at);
  EXPECT_GT(m.settled_at, m.published_at);  // only then may what it replaced go
}

TEST_F(CommitterTest, ManyShareTheirBarriers) {
  std::vector<std::unique_ptr<Traced>> mutations;
  auto all = [&]() -> Task<int> {
    std::vector<Task<Result<int>>> tasks;
    auto one = [](Committer& c, Mutation& m) -> Task<Result<int>> {
      CO_CHECK_OK(co_await c.run(m));
      co_return 1;
    };
    for (int i = 0; i < 100; ++i) {
      mutations.push_back(std::make_unique<Traced>(syncs, true, true));
      tasks.push_back(one(committer, *mutations.back()));
    }
    const auto results = co_await gather(std::move(tasks));
    int good = 0;
    for (const auto& r : results) good += r.ok() ? 1 : 0;
    co_return good;
  };
  EXPECT_EQ(runtime.run_on(0, all()), 100);
  EXPECT_LT(syncs, 202);
  for (const auto& m : mutations) EXPECT_GT(m->published_at, m->staged_at);
}

TEST_F(CommitterTest, WhatIsInTheIntentLogWaitsForThatAlone) {
  Traced m(syncs, true, false);
  m.barrier = Barrier::kIntents;
  EXPECT_TRUE(run(m).ok());
  EXPECT_EQ(last, Barrier::kIntents);
  EXPECT_GT(m.published_at, m.staged_at);
  Traced files(syncs, true, false);
  EXPECT_TRUE(run(files).ok());
  EXPECT_EQ(last, Barrier::kFiles);
}

TEST_F(CommitterTest, AFailedSyncIsNeverRepeated) {
  answer = Error(Errc::io, "syncfs: Input/output error");
  Traced first(syncs, true, true), second(syncs, true, true), plain(syncs, false, false);
  EXPECT_FALSE(run(first).ok());
  EXPECT_EQ(first.published_at, -1);
  answer = Status();
  EXPECT_FALSE(run(second).ok());
  EXPECT_FALSE(run(plain).ok());
  EXPECT_EQ(syncs, 1);
  EXPECT_TRUE(committer.suspect());
}

}  // namespace
}  // namespace aisfs::store
