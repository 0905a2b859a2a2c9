// SPDX-License-Identifier: MIT
// Real nodes: one gateway and targets, killed, restarted, copied and confused with each other.
#include <gmock/gmock.h>

#include <csignal>

#include "tests/cluster/real_nodes.h"

namespace aisfs::tests {
namespace {

using ::testing::HasSubstr;

TEST_F(ClusterTest, EveryNodeAnswersForAll) {
  start_cluster(3);
  User first(node(0), admin());
  ASSERT_TRUE(first.create("b").ok());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(first.put("b", "k" + std::to_string(i), "x").ok());
  for (std::size_t i = 0; i < 4; ++i) {
    User user(node(i), admin());
    EXPECT_EQ(user.count("b"), 20u);
    EXPECT_EQ(*user.get("b", "k7"), "x");
  }
}

TEST_F(ClusterTest, ClientsAreNotShownUsers) {
  start_cluster(1);
  User user(node(1), admin());
  EXPECT_FALSE(user.api().current()->nodes.empty());
  EXPECT_TRUE(user.api().current()->users.empty());
}

TEST_F(ClusterTest, ATargetThatIsAwayIsNeverNotFound) {
  start_cluster(2);
  User user(node(0), admin());
  ASSERT_TRUE(user.create("b").ok());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(user.put("b", "k" + std::to_string(i), "x").ok());
  EXPECT_EQ(node(1).signal_and_wait(SIGKILL), 128 + SIGKILL);
  int away = 0;
  for (int i = 0; i < 10; ++i) {
    const auto body = user.get("b", "k" + std::to_string(i), std::chrono::milliseconds(400));
    if (body) continue;
    EXPECT_NE(body.error().code(), Errc::not_found) << body.error().what();
    ++away;
  }
  EXPECT_GT(away, 0);
  ASSERT_TRUE(node(1).start()) << node(1).log();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(*user.get("b", "k" + std::to_string(i)), "x");
}

TEST_F(ClusterTest, ARestartedGatewayKnowsEverything) {
  start_gateway();
  {
    User user(node(0), admin());
    const auto made = user.run(
        user.api().create_bucket(User::within(seconds(9)), native_bucket("b"), {.disk_copies = 2}));
    ASSERT_TRUE(made.ok()) << made.error().what();
    CreateUser other{"u", "", false, "other", "other-secret"};
    ASSERT_TRUE(user.run(user.api().create_user(User::within(seconds(9)), other)).ok());
  }
  Epoch epoch = 0;
  std::string uuid;
  for (const int signal : {SIGTERM, SIGKILL}) {
    node(0).signal_and_wait(signal);
    ASSERT_TRUE(node(0).start()) << node(0).log();
    User user(node(0), admin());
    const MapSnapshot map = user.api().current();
    EXPECT_GT(map->epoch, epoch);
    EXPECT_TRUE(uuid.empty() || uuid == map->uuid);
    const Bucket* bucket = map->find_bucket(native_bucket("b"));
    ASSERT_NE(bucket, nullptr);
    EXPECT_EQ(bucket->props.disk_copies, 2u);
    EXPECT_EQ(user.run(user.api().list_users(User::within(seconds(9))))->size(), 2u);
    epoch = map->epoch;
    uuid = map->uuid;
  }
}

TEST_F(ClusterTest, ARecreatedBucketIsEmptyAndAFullOneStays) {
  start_cluster(1);
  User user(node(1), admin());
  ASSERT_TRUE(user.create("b").ok());
  ASSERT_TRUE(user.put("b", "k", "x").ok());
  EXPECT_EQ(user.destroy("b").error().code(), Errc::not_empty);
  const Context context = User::within(seconds(9));
  ASSERT_TRUE(user.run(user.api().destroy_bucket(context, native_bucket("b"), true)).ok());
  ASSERT_TRUE(user.create("b").ok());
  EXPECT_EQ(user.count("b"), 0u);
  EXPECT_EQ(user.get("b", "k").error().code(), Errc::not_found);
}

TEST_F(ClusterTest, UsersDoNotTouchEachOthersBuckets) {
  start_cluster(1);
  User root(node(0), admin());
  for (const char* name : {"anna", "bert"}) {
    CreateUser made{name, "", false, name, "secret-of-" + std::string(name)};
    ASSERT_TRUE(root.run(root.api().create_user(User::within(seconds(9)), made)).ok());
  }
  User anna(node(1), {.access_key = "anna", .secret_key = "secret-of-anna"});
  User bert(node(1), {.access_key = "bert", .secret_key = "secret-of-bert"});
  ASSERT_TRUE(anna.create("hers").ok());
  ASSERT_TRUE(anna.put("hers", "k", "x").ok());
  EXPECT_EQ(bert.get("hers", "k").error().code(), Errc::permission_denied);
  EXPECT_EQ(bert.put("hers", "k", "y").error().code(), Errc::permission_denied);
  EXPECT_EQ(bert.destroy("hers").error().code(), Errc::permission_denied);
  const auto found =
      bert.run(bert.api().find_bucket(User::within(seconds(9)), native_bucket("hers")));
  EXPECT_EQ(found.error().code(), Errc::permission_denied);
  EXPECT_TRUE(bert.run(bert.api().list_buckets(User::within(seconds(9))))->empty());
  EXPECT_EQ(*anna.get("hers", "k"), "x");
}

TEST_F(ClusterTest, ASecondGatewayServesAndAdministers) {
  start_cluster(1);
  auto& second = add(
      {.dir = dir_ + "/g2", .role = "gateway", .key_file = key_, .join = node(0).at("control")});
  ASSERT_TRUE(second.start()) << second.log();
  User user(second, admin());
  ASSERT_TRUE(user.create("b").ok());
  ASSERT_TRUE(user.put("b", "k", "x").ok());
  User other(node(0), admin());
  EXPECT_EQ(*other.get("b", "k"), "x");
}

TEST_F(ClusterTest, ARenamedDirectoryIsWholeThoughNodesAreKilled) {
  start_cluster(3);
  User user(node(0), admin());
  ASSERT_TRUE(user.create("b").ok());
  constexpr int kFiles = 60;
  for (int i = 0; i < kFiles; ++i) {
    ASSERT_TRUE(user.put("b", "old/f" + std::to_string(i), std::to_string(i)).ok());
  }
  const auto rename = [&](const std::string& from, const std::string& to) {
    return user.run(
        user.api().rename_dir(User::within(seconds(20)), native_bucket("b"), from, to, true));
  };
  ASSERT_TRUE(rename("old", "new").ok());
  for (const std::size_t killed : {1, 2, 3, 0}) {  // while the names go to their places
    node(killed).signal_and_wait(SIGKILL);
    ASSERT_TRUE(node(killed).start()) << node(killed).log();
    EXPECT_EQ(user.count("b"), static_cast<std::size_t>(kFiles));
  }
  ASSERT_TRUE(user.put("b", "old/f1", "another").ok());
  for (int i = 0; i < kFiles; ++i) {
    EXPECT_EQ(user.get("b", "new/f" + std::to_string(i)).value_or("?"), std::to_string(i));
  }
  EXPECT_EQ(user.get("b", "old/f1").value_or("?"), "another");
  EXPECT_EQ(user.get("b", "old/f2").error().code(), Errc::not_found);
  ASSERT_TRUE(rename("new", "third").ok());
  EXPECT_EQ(user.get("b", "third/f59").value_or("?"), "59");
  // In the end every name is its own again.
  const auto deadline = Deadline::after(seconds(60));
  while (!user.api().current()->mappings.empty() && !deadline.expired()) {
    (void)user.run(
        user.api().at_least(user.api().current()->epoch + 1, Deadline::after(seconds(1))));
  }
  EXPECT_TRUE(user.api().current()->mappings.empty());
  EXPECT_EQ(user.count("b"), static_cast<std::size_t>(kFiles) + 1);
}

TEST_F(ClusterTest, TheS3ListenerSpeaksTls) {
  const std::string cert = dir_ + "/cert.pem", key = dir_ + "/key.pem";
  ASSERT_EQ(
      std::system(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
                   "-days 1 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout " +
                   key + " -out " + cert + " 2>/dev/null")
                      .c_str()),
      0);
  auto& gateway = add({.dir = dir_ + "/g1",
                       .role = "gateway",
                       .key_file = key_,
                       .flags = {"--net.s3_certificate", cert, "--net.s3_certificate_key", key}});
  ASSERT_TRUE(gateway.start()) << gateway.log();
  const auto ask = [&](const std::string& how) {
    return std::system(
        ("curl -s -o " + dir_ + "/answer --max-time 20 " + how + gateway.at("s3") + "/ 2>/dev/null")
            .c_str());
  };
  EXPECT_EQ(ask("--cacert " + cert + " https://"), 0);
  std::stringstream answer;
  answer << std::ifstream(dir_ + "/answer").rdbuf();
  EXPECT_THAT(answer.str(), HasSubstr("AccessDenied"));
  EXPECT_NE(ask("https://"), 0);  // a certificate that nobody vouches for
  EXPECT_NE(ask("http://"), 0);
}

TEST_F(ClusterTest, AnotherKeyDoesNotJoin) {
  start_gateway();
  auto& stranger = add(
      {.dir = dir_ + "/t1", .key_file = make_key("other.key", 'b'), .join = node(0).at("control")});
  EXPECT_FALSE(stranger.start());
  EXPECT_THAT(stranger.log(), HasSubstr("cluster key is not this cluster's"));
}

TEST_F(ClusterTest, AMountpathOfAnotherNodeIsRefused) {
  start_cluster(1);
  node(1).signal_and_wait(SIGTERM);
  auto& thief = add({.dir = dir_ + "/t2",
                     .key_file = key_,
                     .join = node(0).at("control"),
                     .mountpath = dir_ + "/t1/mp1"});
  EXPECT_FALSE(thief.start());
  EXPECT_THAT(thief.log(), HasSubstr(node(1).at("node")));
}

TEST_F(ClusterTest, ADiskThatWasSetBackIsRefused) {
  start_cluster(1);
  User user(node(0), admin());
  ASSERT_TRUE(user.create("b").ok());
  const std::string disk = dir_ + "/t1/mp1", old = dir_ + "/old", aside = dir_ + "/aside";
  node(1).signal_and_wait(SIGTERM);
  fs::copy(disk, old, fs::copy_options::recursive);
  ASSERT_TRUE(node(1).start()) << node(1).log();
  ASSERT_TRUE(user.put("b", "k", "x").ok());
  node(1).signal_and_wait(SIGKILL);
  fs::rename(disk, aside);
  fs::rename(old, disk);
  EXPECT_FALSE(node(1).start());
  EXPECT_THAT(node(1).log(), HasSubstr("mountpath " + disk));
  EXPECT_THAT(node(1).log(), HasSubstr("bring the right disk back"));
  fs::remove_all(disk);
  fs::rename(aside, disk);
  ASSERT_TRUE(node(1).start()) << node(1).log();
  EXPECT_EQ(*user.get("b", "k"), "x");
}

TEST_F(ClusterTest, AnImageOfAllDisksIsRefused) {
  start_cluster(1);
  const std::string clock = dir_ + "/t1/mp1/%clock", old = dir_ + "/clock";
  node(1).signal_and_wait(SIGTERM);
  fs::copy(clock, old);
  for (int start = 0; start < 2; ++start) {  // each tells how far its disks have come
    ASSERT_TRUE(node(1).start()) << node(1).log();
    node(1).signal_and_wait(SIGKILL);
  }
  fs::rename(clock, dir_ + "/new");
  fs::copy(old, clock);
  EXPECT_FALSE(node(1).start());
  EXPECT_THAT(node(1).log(), HasSubstr("mountpath " + dir_ + "/t1/mp1 is an image"));
  fs::remove(clock);
  fs::rename(dir_ + "/new", clock);
  EXPECT_TRUE(node(1).start()) << node(1).log();
}

}  // namespace
}  // namespace aisfs::tests
