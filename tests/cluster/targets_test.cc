// SPDX-License-Identifier: MIT
// Targets come and go under load: nobody sees an error, a wrong byte, a lost or a deleted object.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <random>
#include <thread>

#include "common/placement/hrw.h"
#include "tests/cluster/real_nodes.h"

namespace aisfs::tests {
namespace {

using std::chrono::milliseconds;

/// Clients that write, overwrite, remove, read and list, each its own names, and know what must be
/// there. What they count as failed is what a program sees: after the client's own attempts.
class Storm {
 public:
  Storm(Endpoint node, const Credentials& keys, int clients) {
    for (int i = 0; i < clients; ++i) {
      threads_.emplace_back([this, node, keys, i] { run(node, keys, i); });
    }
  }
  ~Storm() { end(); }

  void end() {
    ending_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }
  /// Waits until every client has done so many operations more.
  bool goes_on(std::size_t operations = 20) {
    std::unique_lock lock(mutex_);
    const auto enough = done_;
    return progress_.wait_for(lock, seconds(60), [&] {
      return std::all_of(done_.begin(), done_.end(),
                         [&](const auto& client) {
                           const auto before = enough.find(client.first);
                           return client.second >=
                                  (before == enough.end() ? 0 : before->second) + operations;
                         }) &&
             done_.size() == threads_.size();
    });
  }
  // Once ended:
  const std::vector<std::string>& failures() const { return failures_; }
  const std::map<std::string, std::string>& objects() const { return objects_; }
  std::size_t operations() const {
    std::size_t sum = 0;
    for (const auto& [_, count] : done_) sum += count;
    return sum;
  }
  Duration longest() const { return longest_; }

 private:
  static constexpr int kNames = 60;

  void run(const Endpoint& node, const Credentials& keys, int client) {
    User user({node}, keys);
    std::mt19937 random(static_cast<unsigned>(client) + 1);
    std::map<std::string, std::string> mine;
    const std::string prefix = "c" + std::to_string(client) + "/";
    for (int i = 0; !ending_; ++i) {
      const std::string key = prefix + std::to_string(random() % kNames);
      const auto begin = std::chrono::steady_clock::now();
      step(user, mine, prefix, key, static_cast<int>(random() % 100), std::to_string(i));
      const auto took = std::chrono::steady_clock::now() - begin;
      const std::lock_guard lock(mutex_);
      longest_ = std::max<Duration>(longest_, took);
      ++done_[client];
      progress_.notify_all();
    }
    const std::lock_guard lock(mutex_);
    objects_.insert(mine.begin(), mine.end());
  }

  void step(User& user,
            std::map<std::string, std::string>& mine,
            const std::string& prefix,
            const std::string& key,
            int what,
            const std::string& value) {
    if (what < 40) {
      const std::string body = value + std::string(static_cast<std::size_t>(what) * 400, 'x');
      check(user.put("data", key, body), "put " + key);
      mine[key] = body;
    } else if (what < 60) {
      if (mine.erase(key) == 0) return;
      check(user.run(user.api().remove(User::within(seconds(20)), {native_bucket("data"), key},
                                       {.missing_ok = true})),
            "remove " + key);
    } else if (what < 98) {
      const auto got = user.get("data", key);
      const auto expected = mine.find(key);
      if (expected == mine.end()) {
        if (got) fail("get " + key + ": it was removed, and is there with " + got->substr(0, 20));
        if (!got && got.error() != Errc::not_found) fail("get " + key + ": " + got.error().what());
      } else if (!got) {
        fail("get " + key + ": " + got.error().what());
      } else if (*got != expected->second) {
        fail("get " + key + ": " + got->substr(0, 20) + " is not " +
             expected->second.substr(0, 20));
      }
    } else {
      check_list(user, mine, prefix);
    }
  }

  void check_list(User& user,
                  const std::map<std::string, std::string>& mine,
                  const std::string& prefix) {
    std::vector<std::string> seen, expected;
    const auto page = user.run(user.api().list(User::within(seconds(20)), native_bucket("data"),
                                               {.prefix = prefix, .limit = 1000}));
    if (!page) return fail("list " + prefix + ": " + page.error().what());
    for (const ListEntry& entry : page->entries) seen.push_back(entry.key);
    for (const auto& [key, _] : mine) expected.push_back(key);
    if (seen == expected) return;
    std::vector<std::string> differ;
    std::set_symmetric_difference(seen.begin(), seen.end(), expected.begin(), expected.end(),
                                  std::back_inserter(differ));
    fail("list " + prefix + ": " + std::to_string(seen.size()) + " names, not " +
         std::to_string(expected.size()) + "; " + (differ.empty() ? "twice" : differ[0]));
  }

  void check(const Status& status, const std::string& what) {
    if (!status) fail(what + ": " + status.error().what());
  }
  void fail(std::string what) {
    const std::lock_guard lock(mutex_);
    failures_.push_back(std::move(what));
  }

  std::atomic<bool> ending_ = false;
  std::mutex mutex_;
  std::condition_variable progress_;
  std::map<int, std::size_t> done_;             // guarded by mutex_, by client
  std::vector<std::string> failures_;           // guarded by mutex_
  std::map<std::string, std::string> objects_;  // guarded by mutex_, of clients that have ended
  Duration longest_{};                          // guarded by mutex_
  std::vector<std::thread> threads_;
};

class TargetsTest : public ClusterTest {
 protected:
  /// Waits until the map is as wanted.
  template <class Wanted>
  ::testing::AssertionResult comes(Wanted wanted, Duration time = seconds(60)) {
    User user(node(0), admin());
    if (!user.why_not().empty()) return ::testing::AssertionFailure() << user.why_not();
    const Deadline deadline = Deadline::after(time);
    MapSnapshot map = user.api().current();
    while (!wanted(*map)) {
      auto next = user.run(user.api().at_least(map->epoch + 1, deadline));
      if (!next) return ::testing::AssertionFailure() << describe(*map);
      map = *std::move(next);
    }
    return ::testing::AssertionSuccess();
  }
  static std::string describe(const ClusterMap& map) {
    std::string text = "epoch " + std::to_string(map.epoch) + ", " +
                       std::to_string(map.placement.past.size()) + " past sets";
    for (const auto& [id, node] : map.nodes) {
      text += ", " + id + " " + std::to_string(static_cast<int>(node.state));
    }
    return text;
  }
  static auto settled_on(std::size_t targets) {
    return [targets](const ClusterMap& map) {
      return map.active_targets().size() == targets && map.placement.settled();
    };
  }

  NodeProcess& start_target(const std::string& name) {
    auto& target = add_target(name);
    EXPECT_TRUE(target.start()) << target.log();
    return target;
  }
  Status act(const std::string& id, NodeAction action) {
    User user(node(0), admin());
    return user.run(user.api().change_node(User::within(seconds(30)), id, action));
  }
  Status shut_down(const std::string& id) {
    User user(node(0), admin());
    return user.run(user.api().shut_down_node(User::within(seconds(30)), id));
  }
  Result<RebalanceProgress> progress_of(const std::string& id) {
    User user(node(0), admin());
    return user.run(user.api().rebalance(User::within(seconds(30)), id));
  }
  /// Every object is there once, with its bytes; and nothing else.
  void expect_all(const Storm& storm) {
    User user(node(0), admin());
    EXPECT_TRUE(storm.failures().empty()) << storm.failures().size() << " of " << storm.operations()
                                          << " failed; the first: " << storm.failures().front();
    for (const auto& [key, body] : storm.objects()) {
      const auto got = user.get("data", key);
      EXPECT_TRUE(got.ok() && *got == body) << key;
    }
    EXPECT_EQ(user.count("data"), storm.objects().size());
    std::printf("%zu operations, the longest %.2f s\n", storm.operations(),
                std::chrono::duration<double>(storm.longest()).count());
  }
};

TEST_F(TargetsTest, TheClusterGrowsAndShrinksUnderLoad) {
  start_cluster(3);
  ASSERT_TRUE(User(node(0), admin()).create("data").ok());
  Storm storm(node(0).endpoint("public"), admin(), 4);
  ASSERT_TRUE(storm.goes_on(100));
  for (const char* name : {"t4", "t5", "t6"}) start_target(name);
  EXPECT_TRUE(comes(settled_on(6)));
  EXPECT_TRUE(storm.goes_on());
  for (std::size_t gone : {1u, 2u}) {
    EXPECT_TRUE(act(node(gone).at("node"), NodeAction::kDecommission).ok());
    EXPECT_TRUE(comes(settled_on(6 - gone)));
    EXPECT_TRUE(storm.goes_on());
  }
  for (std::size_t gone : {3u, 4u}) {
    const Status begun = act(node(gone).at("node"), NodeAction::kStartMaintenance);
    EXPECT_TRUE(begun.ok()) << begun.error().what();
    EXPECT_TRUE(comes(settled_on(7 - 1 - gone)));
    EXPECT_TRUE(storm.goes_on());
  }
  // Nothing is left where names were, so that those may be switched off.
  for (std::size_t gone : {1u, 2u, 3u}) node(gone).signal_and_wait(SIGKILL);
  EXPECT_EQ(shut_down(node(5).at("node")).error(), Errc::precondition_failed);
  const auto moved = progress_of(node(4).at("node"));
  EXPECT_TRUE(moved.ok() && !moved->running && moved->names_moved > 0);
  const Status ended = shut_down(node(4).at("node"));
  EXPECT_TRUE(ended.ok()) << ended.error().what();
  EXPECT_EQ(node(4).signal_and_wait(0), 0);  // waits: it ends by itself
  EXPECT_TRUE(storm.goes_on(100));
  storm.end();
  expect_all(storm);
}

TEST_F(TargetsTest, OneThatWasAwayBringsBackWhatItAloneHeldAndNothingOlder) {
  start_cluster(3);
  User user(node(0), admin());
  ASSERT_TRUE(user.create("data").ok());
  const std::string away = node(1).at("node");
  std::vector<std::string> its;  // names that it owns
  for (int i = 0; its.size() < 6; ++i) {
    const std::string key = "k" + std::to_string(i);
    ASSERT_TRUE(user.put("data", key, "old").ok());
    const ObjectName name{native_bucket("data"), key};
    if (placement::owner_of(*user.api().current(), name)->id == away) its.push_back(key);
  }
  const std::size_t all = user.count("data");
  node(1).signal_and_wait(SIGKILL);
  ASSERT_TRUE(comes([&](const ClusterMap& map) {
    return map.find_node(away)->state == NodeState::kAway && map.placement.next.empty();
  }));
  // What it alone holds is neither there nor gone; what is written anew is somebody else's.
  EXPECT_EQ(user.get("data", its[0], milliseconds(300)).error().code(), Errc::not_ready);
  const auto part =
      user.run(user.api().list(User::within(milliseconds(300)), native_bucket("data"), {}));
  EXPECT_EQ(part.ok() ? Errc::internal : part.error().code(), Errc::not_ready);
  ASSERT_TRUE(user.put("data", its[1], "new").ok());
  ASSERT_TRUE(user.put("data", its[2], "new").ok());
  ASSERT_TRUE(
      user.run(user.api().remove(User::within(seconds(20)), {native_bucket("data"), its[2]}, {}))
          .ok());
  EXPECT_EQ(*user.get("data", its[1]), "new");

  ASSERT_TRUE(node(1).start()) << node(1).log();
  ASSERT_TRUE(comes(settled_on(3)));
  EXPECT_EQ(*user.get("data", its[0]), "old");
  EXPECT_EQ(*user.get("data", its[1]), "new");
  EXPECT_EQ(user.get("data", its[2]).error().code(), Errc::not_found);
  EXPECT_EQ(user.count("data"), all - 1);
}

TEST_F(TargetsTest, WhatATargetHeldIsGivenUpOnlyWhenItIsAway) {
  start_cluster(3);
  User user(node(0), admin());
  ASSERT_TRUE(user.create("data").ok());
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(user.put("data", std::to_string(i), "x").ok());
  const std::string lost = node(1).at("node");
  EXPECT_EQ(act(lost, NodeAction::kDataLost).error().code(), Errc::busy);
  node(1).signal_and_wait(SIGKILL);
  ASSERT_TRUE(comes([&](const ClusterMap& map) {
    return map.find_node(lost)->state == NodeState::kAway && map.placement.next.empty();
  }));
  EXPECT_EQ(act(lost, NodeAction::kDecommission).error().code(), Errc::precondition_failed);
  ASSERT_TRUE(act(lost, NodeAction::kDataLost).ok());
  ASSERT_TRUE(comes(settled_on(2)));
  std::size_t there = 0;
  for (int i = 0; i < 30; ++i) {
    const auto got = user.get("data", std::to_string(i));
    if (!got) EXPECT_EQ(got.error().code(), Errc::not_found);
    there += got ? 1 : 0;
  }
  EXPECT_EQ(user.count("data"), there);
  EXPECT_LT(there, 30u);
  EXPECT_FALSE(node(1).start());
  EXPECT_NE(node(1).log().find("decommissioned"), std::string::npos) << node(1).log();
}

TEST_F(TargetsTest, NothingIsLostWithATargetWhenTwoHaveEverything) {
  start_cluster(4);
  User user(node(0), admin());
  EXPECT_EQ(user.create("data", 5).error(), Errc::precondition_failed) << "of four targets";
  ASSERT_TRUE(user.create("data", 2).ok());
  Storm storm(node(0).endpoint("public"), admin(), 4);
  ASSERT_TRUE(storm.goes_on(100));
  const std::string lost = node(1).at("node");
  node(1).signal_and_wait(SIGKILL);
  ASSERT_TRUE(comes([&](const ClusterMap& map) {
    return map.find_node(lost)->state == NodeState::kAway && map.placement.next.empty();
  }));
  EXPECT_TRUE(storm.goes_on(100)) << "what it had is had elsewhere";
  ASSERT_TRUE(act(lost, NodeAction::kDataLost).ok());
  ASSERT_TRUE(comes(settled_on(3)));
  // A second one, now that all names have two copies again.
  const std::string next = node(2).at("node");
  node(2).signal_and_wait(SIGKILL);
  ASSERT_TRUE(comes([&](const ClusterMap& map) {
    return map.find_node(next)->state == NodeState::kAway && map.placement.next.empty();
  }));
  EXPECT_TRUE(storm.goes_on(100));
  EXPECT_EQ(act(node(3).at("node"), NodeAction::kDecommission).error(), Errc::precondition_failed)
      << "one target cannot keep two copies";
  storm.end();
  expect_all(storm);
}

TEST_F(TargetsTest, CopiesComeAndGoWithTheProperty) {
  start_cluster(3);
  User user(node(0), admin());
  const auto bucket = user.create("data");
  ASSERT_TRUE(bucket.ok());
  Storm storm(node(0).endpoint("public"), admin(), 4);
  ASSERT_TRUE(storm.goes_on(100));
  const auto set_copies = [&](std::uint32_t copies) {
    BucketProps props = bucket->props;
    props.copies = copies;
    return user.run(user.api().set_bucket_props(User::within(seconds(20)), native_bucket("data"),
                                                std::move(props)));
  };
  const auto usage = [&] {
    const auto capacity = user.run(user.api().capacity(User::within(seconds(20))));
    return capacity ? capacity->objects : 0;
  };
  ASSERT_TRUE(set_copies(2).ok());
  EXPECT_TRUE(comes(settled_on(3)));
  EXPECT_TRUE(storm.goes_on(50));
  node(1).signal_and_wait(SIGKILL);
  EXPECT_TRUE(storm.goes_on(50)) << "after its lease";
  ASSERT_TRUE(node(1).start()) << node(1).log();
  EXPECT_TRUE(comes(settled_on(3)));
  ASSERT_TRUE(set_copies(1).ok());
  EXPECT_TRUE(comes(settled_on(3)));
  EXPECT_TRUE(storm.goes_on(50));
  storm.end();
  expect_all(storm);
  // What is counted lags a little behind what is there.
  const Deadline soon = Deadline::after(seconds(10));
  while (usage() != storm.objects().size() && !soon.expired()) {
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_EQ(usage(), storm.objects().size()) << "one copy of each";
}

}  // namespace
}  // namespace aisfs::tests
