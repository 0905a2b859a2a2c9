// SPDX-License-Identifier: MIT
// Jobs over real nodes, which are killed meanwhile.
#include <gmock/gmock.h>

#include <csignal>
#include <thread>

#include "common/wire/data.h"
#include "tests/cluster/real_nodes.h"

namespace aisfs::tests {
namespace {

using std::chrono::milliseconds;

class JobsTest : public ClusterTest {
 protected:
  /// node(0) has the store, node(1) is another gateway, the rest are targets.
  void start_nodes(int targets) {
    start_gateway();
    auto& second = add(
        {.dir = dir_ + "/g2", .role = "gateway", .key_file = key_, .join = node(0).at("control")});
    ASSERT_TRUE(second.start()) << second.log();
    for (int i = 1; i <= targets; ++i) {
      auto& target = add_target("t" + std::to_string(i));
      ASSERT_TRUE(target.start()) << target.log();
    }
  }

  static std::string key(int i) { return "d" + std::to_string(i % 7) + "/k" + std::to_string(i); }
  static std::string body(int i) {
    return std::to_string(i) + ":" + std::string(static_cast<std::size_t>(i % 50) * 4097, 'x');
  }
  static void fill(User& user, const std::string& bucket, int count) {
    ASSERT_TRUE(user.create(bucket).ok());
    for (int i = 0; i < count; ++i) ASSERT_TRUE(user.put(bucket, key(i), body(i)).ok());
  }
  static std::string start(User& user, JobSpec spec) {
    const auto id =
        user.run(user.api().jobs().start_job(User::within(seconds(20)), std::move(spec), ""));
    EXPECT_TRUE(id.ok()) << id.error().what();
    return id ? *id : "";
  }
  static JobSpec copy(const std::string& from, const std::string& to) {
    return {.kind = "copy-bck", .bucket = native_bucket(from), .to = native_bucket(to)};
  }
  static Result<Job> job(User& user, const std::string& id) {
    JobQuery query{.id = id};
    auto found = user.run(user.api().jobs().list_jobs(User::within(seconds(20)), std::move(query)));
    if (!found) return std::move(found).error();
    if (found->empty()) return Error(Errc::not_found, "no job " + id);
    return found->front();
  }
  /// Looks at it until it is so.
  template <class Is>
  static Job wait_until(User& user, const std::string& id, Is is) {
    const auto until = std::chrono::steady_clock::now() + seconds(90);
    while (true) {
      const auto now = job(user, id);
      if (now && is(*now)) return *now;
      if (std::chrono::steady_clock::now() > until) {
        ADD_FAILURE() << (now ? display_of(*now) + ": " + sum_of(*now).waiting + now->error
                              : now.error().what());
        return now ? *now : Job{};
      }
      std::this_thread::sleep_for(milliseconds(20));  // other processes have to get there
    }
  }
  static Job wait_for_end(User& user, const std::string& id) {
    return wait_until(user, id, [](const Job& j) { return !j.is_running(); });
  }
  static void expect_all(User& user, const std::string& bucket, int count) {
    for (int i = 0; i < count; ++i) {
      const auto got = user.get(bucket, key(i), seconds(30));
      ASSERT_TRUE(got.ok()) << key(i) << ": " << got.error().what();
      ASSERT_EQ(*got, body(i)) << key(i);
    }
  }
};

TEST_F(JobsTest, ACopyOutlivesTheGatewayThatTookItAndARestartOfATarget) {
  constexpr int kObjects = 500;
  start_nodes(3);
  std::string id;
  {
    User user(node(1), admin());
    fill(user, "a", kObjects);
    id = start(user, copy("a", "b"));
  }
  User user(node(0), admin());
  // A target says that it begins before it does.
  const std::string first = node(2).at("node");
  wait_until(user, id, [&](const Job& j) { return j.targets.contains(first) || !j.is_running(); });
  node(2).signal_and_wait(SIGKILL);
  node(1).signal_and_wait(SIGKILL);
  ASSERT_TRUE(node(2).start()) << node(2).log();
  const Job ended = wait_for_end(user, id);
  EXPECT_EQ(ended.state, JobState::kFinished) << ended.error;
  EXPECT_EQ(sum_of(ended).counts.objects, std::uint64_t{kObjects});
  EXPECT_EQ(ended.targets.at(first).runs, 2u);  // the first one was cut
  expect_all(user, "b", kObjects);
  EXPECT_EQ(user.count("b"), std::size_t{kObjects});
  // The record stays, and every gateway knows it.
  ASSERT_TRUE(node(1).start()) << node(1).log();
  User other(node(1), admin());
  const auto known = job(other, id);
  ASSERT_TRUE(known.ok()) << known.error().what();
  EXPECT_EQ(known->state, JobState::kFinished);
}

TEST_F(JobsTest, ARunningJobIsThereAgainAfterTheGatewayWithTheStoreCameBack) {
  start_nodes(2);
  User user({node(0).endpoint("public"), node(1).endpoint("public")}, admin());
  fill(user, "a", 100);
  const std::string id = start(user, copy("a", "b"));
  node(0).signal_and_wait(SIGKILL);
  node(0).set_flags({"--net.control_port", std::to_string(node(0).endpoint("control").port)});
  ASSERT_TRUE(node(0).start()) << node(0).log();
  User again(node(0), admin());
  EXPECT_EQ(wait_for_end(again, id).state, JobState::kFinished);
  expect_all(again, "b", 100);
}

TEST_F(JobsTest, StopEndsItAndTheRestIsNotCopied) {
  start_nodes(1);
  User user(node(1), admin());
  fill(user, "a", 400);
  const std::string id = start(user, copy("a", "b"));
  JobQuery query{.id = id};
  ASSERT_TRUE(user.run(user.api().jobs().stop_jobs(User::within(seconds(20)), query)).ok());
  const Job ended = wait_for_end(user, id);
  EXPECT_EQ(ended.state, JobState::kStopped);
  EXPECT_LT(user.count("b"), 400u);
  // What has ended can be told to stop again, and nothing changes.
  EXPECT_TRUE(user.run(user.api().jobs().stop_jobs(User::within(seconds(20)), query)).ok());
  JobQuery none{.id = "nothere"};
  EXPECT_EQ(user.run(user.api().jobs().stop_jobs(User::within(seconds(20)), none)).error(),
            Errc::not_found);
}

TEST_F(JobsTest, ABucketIsRenamed) {
  start_nodes(2);
  User user(node(1), admin());
  fill(user, "a", 120);
  const std::string id =
      start(user, {.kind = "move-bck", .bucket = native_bucket("a"), .to = native_bucket("new")});
  EXPECT_TRUE(user.put("a", "late", "written while it moves").ok());
  EXPECT_EQ(wait_for_end(user, id).state, JobState::kFinished);
  expect_all(user, "new", 120);
  EXPECT_EQ(user.get("new", "late").value_or(""), "written while it moves");
  EXPECT_EQ(user.get("a", key(1)).error(), Errc::not_found);
}

TEST_F(JobsTest, ListsAndTemplates) {
  start_nodes(2);
  User user(node(1), admin());
  ASSERT_TRUE(user.create("a").ok());
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(user.put("a", "s-" + std::to_string(i), "x").ok());
  }
  JobSpec some{
      .kind = "delete-listrange", .bucket = native_bucket("a"), .names = {"s-1", "s-2", "nothere"}};
  const Job listed = wait_for_end(user, start(user, std::move(some)));
  EXPECT_EQ(listed.state, JobState::kFinished) << listed.error;
  EXPECT_EQ(sum_of(listed).counts.objects, 2u);
  EXPECT_EQ(sum_of(listed).counts.skipped, 1u);
  EXPECT_EQ(user.count("a"), 18u);
  JobSpec range{.kind = "delete-listrange", .bucket = native_bucket("a")};
  range.name_template = "s-{10..19}";
  EXPECT_EQ(sum_of(wait_for_end(user, start(user, std::move(range)))).counts.objects, 10u);
  EXPECT_EQ(user.count("a"), 8u);
}

TEST_F(JobsTest, WhatTargetsDoByThemselvesIsStartedAndHasAnEnd) {
  start_nodes(2);
  User user(node(1), admin());
  fill(user, "a", 20);
  for (const char* kind : {"scrub", "rebalance", "resilver", "cleanup-store"}) {
    const std::string id = start(user, {.kind = kind});
    const Job ended = wait_for_end(user, id);
    EXPECT_EQ(ended.state, JobState::kFinished) << kind << ": " << ended.error;
    EXPECT_EQ(ended.targets.size(), 2u) << kind;
  }
}

}  // namespace
}  // namespace aisfs::tests
