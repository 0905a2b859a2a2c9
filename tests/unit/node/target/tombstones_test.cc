// SPDX-License-Identifier: MIT
// When it is forgotten that an object was deleted, and when not.
#include "node/target/tombstones.h"

#include "tests/unit/node/target/mirror_fixture.h"

namespace aisfs::target {
namespace {

/// Days pass when the test says so.
class SetClock final : public Clock {
 public:
  TimePoint now() const override { return real_.now() + passed_; }
  std::int64_t unix_ns() const override { return real_.unix_ns() + (passed_ + jumped_).count(); }
  Task<Status> sleep_until(TimePoint) override { co_return Error(Errc::cancelled); }
  void pass(Duration time) { passed_ += time; }
  void jump(Duration time) { jumped_ += time; }

 private:
  RealClock real_;
  Duration passed_{}, jumped_{};
};

constexpr Duration kLife = std::chrono::hours(24);

class TombstonesTest : public MirrorFixture {
 protected:
  TombstonesTest() {
    for (const auto& [id, _] : targets_) {
      TombstoneCollector::Deps deps{.node_id = id,
                                    .store = *stores_[id],
                                    .maps = maps_,
                                    .peers = peers_,
                                    .clock = time_,
                                    .is_busy = [this] { return busy_; },
                                    .replicator = targets_.at(id)->replicator(),
                                    .life = kLife};
      collectors_[id] = std::make_unique<TombstoneCollector>(std::move(deps));
    }
  }
  std::size_t collect() {
    std::size_t gone = 0;
    for (const auto& [id, collector] : collectors_) {
      const auto some = run(collector->round());
      EXPECT_TRUE(some.ok()) << some.error().what();
      gone += some ? *some : 0;
    }
    return gone;
  }
  /// Two looks with time between them: one to know what there is, one that forgets.
  std::size_t collect_after(Duration time) {
    collect();
    time_.pass(time);
    return collect();
  }
  std::size_t tombstones(const std::string& key) {
    std::size_t count = 0;
    for (const auto& [_, store] : stores_) {
      count += store->states_of(store::make_key(kId, name(key)))->size();
    }
    return count;
  }
  std::string removed(const std::string& begin = "k") {
    const std::string key = key_on("t1", begin);
    EXPECT_TRUE(put(key, "text").ok());
    EXPECT_TRUE(remove(key).ok());
    EXPECT_EQ(tombstones(key), 2u);
    return key;
  }

  SetClock time_;
  bool busy_ = false;
  std::map<std::string, std::unique_ptr<TombstoneCollector>> collectors_;
};

TEST_F(TombstonesTest, OldOnesGoFromAllHolders) {
  const std::string key = removed();
  EXPECT_EQ(collect_after(kLife - std::chrono::hours(1)), 0u);
  EXPECT_EQ(collect_after(std::chrono::hours(2)), 1u);
  EXPECT_EQ(tombstones(key), 0u);
  EXPECT_EQ(code(head(key)), Errc::not_found);
  ASSERT_TRUE(put(key, "again").ok());
  EXPECT_EQ(*get(key), "again");
}

TEST_F(TombstonesTest, AClockThatJumpsMakesNoneOld) {
  const std::string key = removed();
  collect();
  time_.jump(2 * kLife);
  EXPECT_EQ(collect(), 0u);
  EXPECT_EQ(tombstones(key), 2u);
}

TEST_F(TombstonesTest, AreKeptWhileATargetIsAwayThatMayHaveAnOldCopy) {
  const std::string key = removed();
  cut_off_ = "t3";
  place("t3", NodeState::kAway);
  EXPECT_EQ(collect_after(2 * kLife), 0u) << "names have not settled";
  settled();
  EXPECT_EQ(collect_after(2 * kLife), 0u) << "it is still away";
  cut_off_.clear();
  place("t3", NodeState::kActive);
  EXPECT_TRUE(walk());
  settled();
  collect_after(2 * kLife);
  EXPECT_EQ(tombstones(key), 0u) << "of whoever ever held it";
}

TEST_F(TombstonesTest, AreKeptUntilTheOtherHolderHasForgotten) {
  const std::string key = removed();
  cut_off_ = holders(key)[1];
  EXPECT_EQ(collect_after(2 * kLife), 0u);
  EXPECT_EQ(tombstones(key), 2u);
  cut_off_.clear();
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(tombstones(key), 0u);
}

TEST_F(TombstonesTest, AreKeptWhenTheOtherHolderHasSomethingElse) {
  const std::string key = removed();
  const std::string other = holders(key)[1];
  const store::Key at = store::make_key(kId, name(key));
  // As if that one had lost its tombstone and kept the object.
  const auto mine = stores_[owner(key)]->states_of(at);
  ASSERT_TRUE(*run(stores_[other]->forget_tombstone(at, mine->front().meta_version)));
  StringSource source("text");
  PutOptions options;
  ExpectedChecksums expected;
  ASSERT_TRUE(run(stores_[other]->put(at, std::move(options), std::move(expected), source)).ok());
  EXPECT_EQ(collect_after(2 * kLife), 0u);
  EXPECT_EQ(stores_[owner(key)]->states_of(at)->size(), 1u);
}

TEST_F(TombstonesTest, AreKeptWhileARenameIsUnderWay) {
  const std::string key = removed();
  busy_ = true;
  EXPECT_EQ(collect_after(2 * kLife), 0u);
  busy_ = false;
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(tombstones(key), 0u);
}

TEST_F(TombstonesTest, WhatIsWrittenAgainStays) {
  const std::string key = removed();
  collect();
  time_.pass(2 * kLife);
  ASSERT_TRUE(put(key, "again").ok());
  EXPECT_EQ(collect(), 0u);
  EXPECT_EQ(*get(key), "again");
}

}  // namespace
}  // namespace aisfs::target
