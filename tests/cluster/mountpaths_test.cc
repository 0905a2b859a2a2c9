// SPDX-License-Identifier: MIT
// A target's disks as an administrator changes them, while a client goes on.
#include <thread>

#include "tests/cluster/real_nodes.h"

namespace aisfs::tests {
namespace {

using std::chrono::milliseconds;

class MountpathsOfANode : public ClusterTest {
 protected:
  static constexpr int kNames = 40;

  void begin() {
    start_cluster(1);
    user_ = std::make_unique<User>(node(0), admin());
    ASSERT_EQ(user_->why_not(), "");
    ASSERT_TRUE(user_->create("data").ok());
  }
  ~MountpathsOfANode() override { user_.reset(); }

  std::string mp(int n) const { return dir_ + "/t1/mp" + std::to_string(n); }
  static std::string name(int i) { return "d/k" + std::to_string(i); }
  Status change(MountpathAction action, int n, bool skip = false) {
    return user_->run(user_->api().change_mountpath(User::within(seconds(30)), node(1).at("node"),
                                                    {action, mp(n), skip}));
  }
  StorageInfo storage() {
    auto info = user_->run(user_->api().storage(User::within(seconds(5)), node(1).at("node")));
    return info ? *std::move(info)
                : StorageInfo{.mountpaths = {}, .settled = false, .resilver = {}};
  }
  std::string state_of(int n) {
    for (const MountpathInfo& info : storage().mountpaths) {
      if (info.path == mp(n)) return info.state;
    }
    return "unknown";
  }
  template <class Done>
  void wait_for(const char* what, Done done) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(20);
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << what;
      std::this_thread::sleep_for(milliseconds(20));
    }
  }
  void wait_until_settled() {
    wait_for("names are in order", [this] { return storage().settled; });
  }
  void put_all(const std::string& body) {
    for (int i = 0; i < kNames; ++i) ASSERT_TRUE(user_->put("data", name(i), body).ok()) << i;
  }
  void expect_all(const std::string& body) {
    for (int i = 0; i < kNames; ++i) {
      const auto got = user_->get("data", name(i));
      EXPECT_EQ(got ? *got : got.error().what(), body) << name(i);
    }
    EXPECT_EQ(user_->count("data"), static_cast<std::size_t>(kNames));
  }
  void set_disk_copies(std::uint32_t copies) {
    BucketProps props;
    props.disk_copies = copies;
    ASSERT_TRUE(user_
                    ->run(user_->api().set_bucket_props(User::within(seconds(20)),
                                                        native_bucket("data"), props))
                    .ok());
  }
  /// On all disks.
  std::size_t files_of(const std::string& bucket) const {
    std::size_t count = 0;
    for (int n = 1; n <= 3; ++n) {
      const fs::path objects = mp(n) + "/@ais/" + bucket + "/%ob";
      if (!fs::exists(objects)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(objects)) {
        count += entry.is_regular_file() ? 1 : 0;
      }
    }
    return count;
  }
  void restart() {
    ASSERT_EQ(node(1).signal_and_wait(SIGTERM), 0);
    ASSERT_TRUE(node(1).start()) << node(1).log();
  }

  std::unique_ptr<User> user_;
};

TEST_F(MountpathsOfANode, OneIsAttachedAndTheFirstOneDetached) {
  begin();
  put_all("one");
  fs::create_directories(mp(2));
  ASSERT_TRUE(change(MountpathAction::kAttach, 2).ok());
  expect_all("one");
  wait_until_settled();
  expect_all("one");
  restart();  // its configuration names the first one alone
  EXPECT_EQ(state_of(2), "active");
  expect_all("one");
  const Status detached = change(MountpathAction::kDetach, 1);
  ASSERT_TRUE(detached.ok()) << detached.error().what();
  put_all("two");
  wait_until_settled();
  EXPECT_EQ(state_of(1), "unknown");
  expect_all("two");
  EXPECT_EQ(change(MountpathAction::kDetach, 2).error().code(), Errc::precondition_failed);
  EXPECT_EQ(change(MountpathAction::kEnable, 7).error().code(), Errc::not_found);
  restart();
  EXPECT_EQ(state_of(1), "unknown");
  expect_all("two");
}

TEST_F(MountpathsOfANode, OneIsGivenUpWhenItsCopiesHaveBeenMadeAgain) {
  start_cluster(3);
  user_ = std::make_unique<User>(node(0), admin());
  ASSERT_EQ(user_->why_not(), "");
  const auto bucket = user_->create("data");
  ASSERT_TRUE(bucket.ok());
  BucketProps props = bucket->props;
  props.copies = 2;
  ASSERT_TRUE(user_
                  ->run(user_->api().set_bucket_props(User::within(seconds(20)),
                                                      native_bucket("data"), props))
                  .ok());
  fs::create_directories(mp(2));
  ASSERT_TRUE(change(MountpathAction::kAttach, 2).ok());
  wait_until_settled();
  put_all("one");
  EXPECT_FALSE(change(MountpathAction::kGiveUp, 2).ok()) << "it is in use";
  fs::rename(mp(2), dir_ + "/pulled");
  wait_for("it has failed", [this] { return state_of(2) == "failed"; });
  wait_for("it may be given up", [this] { return change(MountpathAction::kGiveUp, 2).ok(); });
  node(2).signal_and_wait(SIGKILL);
  expect_all("one");
}

/// As the only copy in the cluster, but on two disks.
TEST_F(MountpathsOfANode, APulledDiskIsNotMissedInABucketOnTwoDisks) {
  begin();
  for (const int n : {2, 3}) {
    fs::create_directories(mp(n));
    ASSERT_TRUE(change(MountpathAction::kAttach, n).ok());
  }
  set_disk_copies(2);
  wait_until_settled();
  put_all("one");
  ASSERT_TRUE(user_->put("data", "gone", "x").ok());
  const ObjectName gone{native_bucket("data"), "gone"};
  ASSERT_TRUE(user_->run(user_->api().remove(User::within(seconds(20)), gone, {})).ok());
  EXPECT_EQ(files_of("data"), std::size_t{2 * kNames});
  fs::rename(mp(2), dir_ + "/pulled2");
  wait_for("it has failed", [this] { return state_of(2) == "failed"; });
  expect_all("one");
  EXPECT_EQ(user_->get("data", "gone").error().code(), Errc::not_found);
  put_all("two");
  wait_until_settled();
  restart();
  expect_all("two");
  fs::rename(mp(3), dir_ + "/pulled3");
  wait_for("it has failed", [this] { return state_of(3) == "failed"; });
  expect_all("two");
  EXPECT_EQ(user_->get("data", "gone").error().code(), Errc::not_found);
}

TEST_F(MountpathsOfANode, ABucketGetsMoreCopiesOnDisksAndFewer) {
  begin();
  put_all("one");
  for (const int n : {2, 3}) {
    fs::create_directories(mp(n));
    ASSERT_TRUE(change(MountpathAction::kAttach, n).ok());
  }
  for (const std::uint32_t copies : {3u, 2u, 1u}) {
    set_disk_copies(copies);
    wait_for("each name has its copies",
             [&] { return storage().settled && files_of("data") == copies * kNames; });
    expect_all("one");
  }
}

TEST_F(MountpathsOfANode, WhatIsOnAPulledDiskAloneIs503UntilItIsBack) {
  begin();
  fs::create_directories(mp(2));
  ASSERT_TRUE(change(MountpathAction::kAttach, 2).ok());
  wait_until_settled();
  put_all("one");
  fs::rename(mp(2), dir_ + "/pulled");
  wait_for("it has failed", [this] { return state_of(2) == "failed"; });
  std::vector<std::string> lost;
  for (int i = 0; i < kNames; ++i) {
    const auto got = user_->get("data", name(i), milliseconds(50));
    if (got) continue;
    EXPECT_NE(got.error().code(), Errc::not_found) << got.error().what();
    lost.push_back(name(i));
  }
  ASSERT_GE(lost.size(), 4u);
  ASSERT_LT(lost.size(), std::size_t{kNames});
  EXPECT_EQ(user_->get("data", lost[0], seconds(1)).error().code(), Errc::not_ready);
  const auto page =
      user_->run(user_->api().list(User::within(seconds(1)), native_bucket("data"), {}));
  EXPECT_FALSE(page.ok()) << "no short list";
  EXPECT_TRUE(user_->put("data", lost[0], "new").ok());
  EXPECT_EQ(user_->get("data", lost[0]).value_or("?"), "new");
  RemoveOptions gone;
  gone.missing_ok = true;
  EXPECT_TRUE(user_
                  ->run(user_->api().remove(User::within(seconds(5)),
                                            {native_bucket("data"), lost[1]}, gone))
                  .ok());
  fs::rename(dir_ + "/pulled", mp(2));
  const Status back = change(MountpathAction::kEnable, 2);
  ASSERT_TRUE(back.ok()) << back.error().what();
  wait_until_settled();
  EXPECT_EQ(user_->get("data", lost[0]).value_or("?"), "new");
  EXPECT_EQ(user_->get("data", lost[1]).error().code(), Errc::not_found);
  EXPECT_EQ(user_->get("data", lost[2]).value_or("?"), "one");
  EXPECT_EQ(user_->count("data"), std::size_t{kNames} - 1);
}

}  // namespace
}  // namespace aisfs::tests
