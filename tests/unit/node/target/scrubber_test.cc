// SPDX-License-Identifier: MIT
// A pass over all that a target holds: what it finds, heals and reports, and how it goes on.
#include "node/target/scrubber.h"

#include "tests/unit/node/target/healing_fixture.h"

namespace aisfs::target {
namespace {

using store::flip_bit;

/// Time passes while somebody sleeps, at once; after so many sleeps the process is stopped.
class CutClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  std::int64_t unix_ns() const override { return real_.unix_ns(); }
  Task<Status> sleep_until(TimePoint at) override {
    if (sleeps_left == 0) co_return Error(Errc::cancelled);
    --sleeps_left;
    now_ = std::max(now_, at);
    co_return Status{};
  }
  int sleeps_left = 0;

 private:
  RealClock real_;
  TimePoint now_ = real_.now();
};

class ScrubberTest : public HealingFixture {
 protected:
  std::unique_ptr<Scrubber> scrubber(const std::string& id) { return scrubber(id, clock_, 1_GiB); }
  std::unique_ptr<Scrubber> scrubber(const std::string& id,
                                     Clock& clock,
                                     std::uint64_t bytes_per_second) {
    Scrubber::Deps deps{.node_id = id,
                        .state_dir = dir_ + "/" + id + "/state",
                        .store = *stores_[id],
                        .maps = maps_,
                        .peers = peers_,
                        .clock = clock,
                        .io = io_,
                        .healer = targets_.at(id)->healer(),
                        .replicator = targets_.at(id)->replicator(),
                        .slicer = targets_.at(id)->slicer(),
                        .bytes_per_second = bytes_per_second,
                        .interval = interval_};
    auto opened = Scrubber::open(std::move(deps));
    EXPECT_TRUE(opened.ok());
    return *std::move(opened);
  }
  /// All of it, once.
  ScrubProgress pass(const std::string& id) {
    const auto of = scrubber(id);
    of->start();
    EXPECT_TRUE(of->progress().running);
    EXPECT_TRUE(run(of->pass()).ok());
    return of->progress();
  }
  std::vector<std::string> put_many(int count) {
    std::vector<std::string> keys;
    for (int i = 0; i < count; ++i) {
      keys.push_back("k" + std::to_string(i));
      EXPECT_TRUE(put(keys.back(), body_of(keys.back())).ok());
    }
    return keys;
  }
  static std::string body_of(const std::string& key) { return "body of " + key; }

  disk::IoPool io_{{.threads = 1}};
  Duration interval_{};
};

TEST_F(ScrubberTest, AllIsByteEqualAgainAfterDamageOfEachKind) {
  const auto keys = put_many(60);
  std::uint64_t damaged = 0;
  for (std::size_t i = 0; i < keys.size(); i += 2) {
    const std::string victim = file(holders(keys[i])[i / 2 % 2], keys[i]);
    if (i % 3 == 0) flip_bit(victim, i % 8);
    if (i % 3 == 1) store::flip_bit_of_xattr(victim, 30 + i);
    if (i % 3 == 2) std::filesystem::remove(victim);
    ++damaged;
  }
  std::uint64_t found = 0, healed = 0, objects = 0;
  for (const char* id : {"t1", "t2", "t3"}) {
    const ScrubProgress p = pass(id);
    found += p.damaged;
    healed += p.healed;
    objects += p.objects;
    EXPECT_FALSE(p.running);
    EXPECT_GE(p.ended_ns, p.started_ns);
    EXPECT_TRUE(p.names.empty());
  }
  EXPECT_EQ(objects, 2 * keys.size());
  EXPECT_EQ(found, damaged);
  EXPECT_EQ(healed, damaged);
  for (const std::string& key : keys) {
    for (const std::string& id : holders(key)) EXPECT_EQ(*stored(id, key), body_of(key)) << key;
  }
  EXPECT_EQ(pass("t1").damaged, 0u);
}

TEST_F(ScrubberTest, WithOneCopyItIsToldWhichNamesAreLost) {
  keep(1);
  const std::string lost = key_on("t1", "lost"), good = key_on("t1", "good");
  ASSERT_TRUE(put(lost, "text").ok());
  ASSERT_TRUE(put(good, "text").ok());
  flip_bit(file("t1", lost), 0);
  const ScrubProgress p = pass("t1");
  EXPECT_EQ(p.objects, 2u);
  EXPECT_EQ(p.lost, 1u);
  ASSERT_EQ(p.names.size(), 1u);
  EXPECT_EQ(p.names[0].key, lost);
  EXPECT_EQ(code(get(lost)), Errc::corrupt);
  EXPECT_EQ(list().size(), 2u);
  // A restart still knows.
  forget_verified();
  const auto again = scrubber("t1");
  settle_healer("t1");
  EXPECT_EQ(again->progress().names.size(), 1u);
  EXPECT_EQ(again->progress().lost, 1u);
}

TEST_F(ScrubberTest, WhatTheOtherHolderLacksIsSentAgain) {
  const std::string key = key_on("t1", "k"), other = holders(key)[1];
  ASSERT_TRUE(put(key, "text").ok());
  const store::Key at = store::make_key(kId, name(key));
  ASSERT_TRUE(run(stores_[other]->forget(at, stored_info(other, key)->meta_version)).ok());
  pass("t1");
  EXPECT_EQ(*stored(other, key), "text");
}

/// Of the only key below the folder whose file's path does not tell it.
std::string escaped_file(const std::string& below) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(below)) {
    const std::string path = entry.path();
    if (entry.is_regular_file() && path.find("/%esc/") != std::string::npos) return path;
  }
  return {};
}

TEST_F(ScrubberTest, AnOwnerGetsBackWhatHeHasLostWithAnUnreadableFile) {
  const std::string key = key_on("t1", "k//"), other = holders(key)[1];
  const std::string removed = key_on("t1", "removed");
  ASSERT_TRUE(put(key, "text").ok());
  ASSERT_TRUE(put(removed, "text").ok());
  store::flip_bit_of_xattr(escaped_file(dir_ + "/t1"), 40);
  all_copies_are_known(other);
  forget_verified();
  forget_index("t1");
  EXPECT_EQ(code(get(key)), Errc::not_found) << "nothing tells what lay there";
  ASSERT_TRUE(remove(removed).ok());
  pass(other);
  EXPECT_EQ(*get(key), "text");
  EXPECT_EQ(code(get(removed)), Errc::not_found);
}

TEST_F(ScrubberTest, APassGoesOnWhereARestartHasCutIt) {
  put_many(40);
  const std::uint64_t all = pass("t1").objects;
  // So slowly that the place is saved after each name, with half a minute between two.
  CutClock clock;
  clock.sleeps_left = 250;
  const auto first = scrubber("t1", clock, 512);
  first->start();
  EXPECT_EQ(run(first->pass()).error().code(), Errc::cancelled);
  const std::uint64_t before = first->progress().objects;
  EXPECT_GT(before, 0u);
  EXPECT_LT(before, all);
  const auto second = scrubber("t1");
  EXPECT_TRUE(second->progress().running) << "a stop of the process is no end";
  EXPECT_EQ(second->progress().objects, before);
  EXPECT_TRUE(run(second->pass()).ok());
  EXPECT_EQ(second->progress().objects, all);
}

TEST_F(ScrubberTest, APassBeginsByItselfWhenTheIntervalIsOver) {
  put_many(10);
  CutClock clock;
  clock.sleeps_left = 5;
  const auto never = scrubber("t1", clock, 1_GiB);
  runtime_.run_on(0, never->run());
  EXPECT_EQ(never->progress().started_ns, 0);
  EXPECT_EQ(never->progress().next_ns, 0);
  interval_ = Duration(1);
  clock.sleeps_left = 5;
  const auto soon = scrubber("t1", clock, 1_GiB);
  EXPECT_GT(soon->progress().next_ns, 0);
  runtime_.run_on(0, soon->run());
  EXPECT_GT(soon->progress().objects, 0u);
  EXPECT_FALSE(soon->progress().running);
}

TEST_F(ScrubberTest, AStoppedPassEnds) {
  put_many(10);
  const auto of = scrubber("t1");
  of->start();
  of->stop();
  EXPECT_EQ(run(of->pass()).error().code(), Errc::cancelled);
  EXPECT_FALSE(of->progress().running);
  EXPECT_EQ(of->progress().objects, 0u);
  of->start();
  EXPECT_TRUE(run(of->pass()).ok());
  EXPECT_GT(of->progress().objects, 0u);
}

}  // namespace
}  // namespace aisfs::target
