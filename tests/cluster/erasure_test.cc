// SPDX-License-Identifier: MIT
// Objects in slices on real nodes: two targets of five are killed for good, one after the other,
// and a third one's disk loses its slices; readers see no error, and all comes back to order by
// itself.
#include <atomic>
#include <csignal>
#include <thread>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "tests/cluster/real_nodes.h"

namespace aisfs::tests {
namespace {

using std::chrono::milliseconds;

class ErasureTest : public ClusterTest {
 protected:
  static constexpr int kObjects = 24;

  static std::string key(int i) { return "dir/k" + std::to_string(i); }
  /// From one stripe to several; no two alike.
  static std::string body(int i) {
    std::string text(static_cast<std::size_t>(i) * 300'000 + 70'000, '\0');
    std::uint64_t state = static_cast<std::uint64_t>(i) + 1;
    for (char& c : text) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      c = static_cast<char>(state >> 56);
    }
    return text;
  }

  static Status create(User& user, ErasureProps erasure) {
    BucketProps props;
    props.erasure = erasure;
    props.erasure.least_bytes = 64 * 1024;
    const auto made =
        user.run(user.api().create_bucket(User::within(seconds(10)), native_bucket("data"), props));
    return made ? Status() : Status(made.error());
  }

  /// Slices of a target, by file.
  std::vector<fs::path> slices(std::size_t target) {
    std::vector<fs::path> found;
    const std::string dir = dir_ + "/t" + std::to_string(target);
    for (const auto& entry : fs::recursive_directory_iterator(dir)) {
      const bool slice = entry.path().string().find("/%ec/") != std::string::npos;
      if (slice && entry.is_regular_file()) found.push_back(entry.path());
    }
    return found;
  }
  std::size_t slices_of(const std::string& key) {
    const std::string hash = to_hex(xxh64(as_bytes(key)));
    std::size_t sum = 0;
    for (std::size_t target = 1; target < nodes_.size(); ++target) {
      for (const fs::path& slice : slices(target)) {
        sum += slice.string().find(hash) != std::string::npos ? 1 : 0;
      }
    }
    return sum;
  }
  /// All slices there are on these targets.
  std::size_t count(const std::vector<std::size_t>& targets) {
    std::size_t sum = 0;
    for (const std::size_t target : targets) sum += slices(target).size();
    return sum;
  }
  /// Another process has to get there.
  template <class Condition>
  static bool becomes(Condition condition, Duration most = seconds(60)) {
    const Deadline deadline = Deadline::after(most);
    while (!condition()) {
      if (deadline.expired()) return false;
      std::this_thread::sleep_for(milliseconds(20));
    }
    return true;
  }
  static void expect_all(User& user, const char* when) {
    for (int i = 0; i < kObjects; ++i) {
      const auto got = user.get("data", key(i));
      ASSERT_TRUE(got.ok()) << when << " " << key(i) << ": " << got.error().what();
      EXPECT_TRUE(*got == body(i)) << when << " " << key(i);
    }
    EXPECT_EQ(user.count("data"), static_cast<std::size_t>(kObjects)) << when;
  }
  static ::testing::AssertionResult job_ends(User& user, const std::string& kind) {
    JobSpec spec{.kind = kind};
    const auto id =
        user.run(user.api().jobs().start_job(User::within(seconds(20)), std::move(spec), ""));
    if (!id) return ::testing::AssertionFailure() << id.error().what();
    const auto ended = [&] {
      JobQuery query{.id = *id};
      const auto found =
          user.run(user.api().jobs().list_jobs(User::within(seconds(20)), std::move(query)));
      return found && !found->empty() && found->front().state == JobState::kFinished;
    };
    if (!becomes(ended)) return ::testing::AssertionFailure() << "it does not end";
    return ::testing::AssertionSuccess();
  }
  template <class Condition>
  static bool sees(User& user, Condition condition) {
    const Deadline deadline = Deadline::after(seconds(60));
    MapSnapshot map = user.api().current();
    while (!condition(*map)) {
      auto next = user.run(user.api().at_least(map->epoch + 1, deadline));
      if (!next) return false;
      map = *std::move(next);
    }
    return true;
  }
  void give_up(User& user, std::size_t target) {
    const std::string id = node(target).at("node");
    node(target).signal_and_wait(SIGKILL);
    ASSERT_TRUE(sees(user, [&](const ClusterMap& map) {
      return map.find_node(id)->state == NodeState::kAway && map.placement.next.empty();
    })) << "its lease does not end";
    const auto gone =
        user.run(user.api().change_node(User::within(seconds(20)), id, NodeAction::kDataLost));
    ASSERT_TRUE(gone.ok()) << gone.error().what();
  }
};

TEST_F(ErasureTest, TargetsThatAreLostForGoodAreMadeUpFor) {
  start_cluster(6);
  User user(node(0), admin());
  ASSERT_TRUE(create(user, {.data = 2, .parity = 2}).ok());
  for (int i = 0; i < kObjects; ++i) {
    const Status put = user.put("data", key(i), body(i));
    ASSERT_TRUE(put.ok()) << put.error().what();
  }
  constexpr std::size_t kSlices = 4u * kObjects;
  for (int i = 0; i < kObjects; ++i) {
    EXPECT_EQ(slices_of(key(i)), 4u) << key(i) << " was not split before it was acknowledged";
  }
  expect_all(user, "at first");

  give_up(user, 1);
  expect_all(user, "without one target");
  ASSERT_TRUE(becomes([&] { return count({2, 3, 4, 5, 6}) == kSlices; })) << count({2, 3, 4, 5, 6});
  give_up(user, 2);
  expect_all(user, "without two targets");
  ASSERT_TRUE(becomes([&] { return count({3, 4, 5, 6}) == kSlices; })) << count({3, 4, 5, 6});
  expect_all(user, "when all was made anew");

  const auto refused = user.run(user.api().change_node(
      User::within(seconds(20)), node(3).at("node"), NodeAction::kDecommission));
  EXPECT_FALSE(refused.ok()) << "three targets cannot hold four slices";

  for (const fs::path& slice : slices(3)) fs::remove(slice);
  expect_all(user, "with slices of a third one gone");
  for (const std::size_t target : {3u, 4u, 5u, 6u}) {
    const auto scrub = user.run(
        user.api().scrub(User::within(seconds(10)), node(target).at("node"), ScrubAction::kStart));
    ASSERT_TRUE(scrub.ok()) << scrub.error().what();
  }
  ASSERT_TRUE(becomes([&] { return count({3, 4, 5, 6}) == kSlices; })) << count({3, 4, 5, 6});
  expect_all(user, "when these were made anew");
}

TEST_F(ErasureTest, ATargetThatDiesWhileObjectsArriveFailsNone) {
  start_cluster(5);
  User user(node(0), admin());
  ASSERT_TRUE(create(user, {.data = 2, .parity = 1}).ok());
  std::atomic<int> done = 0;
  std::vector<std::string> failures;
  std::thread writer([&] {
    User other(node(0), admin());
    for (int i = 0; i < kObjects; ++i) {
      const Status put = other.put("data", key(i), body(i));
      if (!put) failures.push_back(key(i) + ": " + put.error().what());
      ++done;
    }
  });
  EXPECT_TRUE(becomes([&] { return done >= kObjects / 3; }));
  node(5).signal_and_wait(SIGKILL);
  writer.join();
  EXPECT_TRUE(failures.empty()) << failures.front();
  expect_all(user, "without it");
}

TEST_F(ErasureTest, WhatIsThereIsSplitByAJobAndPutTogetherByAnother) {
  start_cluster(4);
  User user(node(0), admin());
  ASSERT_TRUE(user.create("data").ok());
  for (int i = 0; i < kObjects; ++i) ASSERT_TRUE(user.put("data", key(i), body(i)).ok());
  const auto set = [&](ErasureProps erasure) {
    BucketProps props = user.api().current()->find_bucket(native_bucket("data"))->props;
    props.erasure = erasure;
    const auto changed = user.run(
        user.api().set_bucket_props(User::within(seconds(10)), native_bucket("data"), props));
    ASSERT_TRUE(changed.ok()) << changed.error().what();
  };
  set({.data = 2, .parity = 1, .later = true, .least_bytes = 64 * 1024});
  EXPECT_TRUE(job_ends(user, "ec-encode"));
  EXPECT_EQ(count({1, 2, 3, 4}), 3u * kObjects);
  expect_all(user, "when all were split");
  set({});
  EXPECT_TRUE(job_ends(user, "ec-encode"));
  expect_all(user, "when all were put together");
}

}  // namespace
}  // namespace aisfs::tests
