// SPDX-License-Identifier: MIT
// Targets that come and go as AIStore's clients ask for it.
#include <gmock/gmock.h>

#include "tests/unit/node/front/native/native_fixture.h"

namespace aisfs::native {
namespace {

using testing::HasSubstr;

class NodeActions : public NativeTest {
 protected:
  NodeActions() : NativeTest(2) {
    for (const char* id : {"t0", "t1"}) cluster_.disks(0).add_target(id);
  }

  http::Client::Whole change(std::string action, std::string value, std::string user = "root") {
    return call({.method = Method::kPut,
                 .target = "/v1/cluster",
                 .body = R"({"action":")" + action + R"(","name":"","value":)" + value + "}",
                 .user = std::move(user)});
  }
  http::Client::Whole ask(std::string what, std::string body) {
    return call({.target = "/v1/cluster?what=" + what, .body = std::move(body)});
  }
  std::int64_t flags_of(const std::string& id) {
    const auto smap = parsed(call({.target = "/v1/daemon?what=smap"})).as_object();
    return smap.at("tmap").as_object().at(id).as_object().at("flags").to_number<std::int64_t>();
  }
};

TEST_F(NodeActions, MaintenanceIsARebalanceAndAFlag) {
  cluster_.disks(0).move_slowly();
  EXPECT_EQ(flags_of("t1"), 0);
  const auto begun = change("start-maintenance", R"({"sid":"t1","skip_rebalance":false})");
  EXPECT_EQ(begun.head.status, 200) << begun.body;
  const auto since = cluster_.maps().current()->placement.since;
  EXPECT_EQ(begun.body, "g" + std::to_string(since));
  EXPECT_EQ(flags_of("t1"), 4);
  EXPECT_EQ(parsed(ask("status", R"({"ID":")" + begun.body + "\"}")).at("end_time"), 0);
  cluster_.disks(0).settle();
  EXPECT_EQ(flags_of("t1"), 4 | 16);
  const auto status = parsed(ask("status", R"({"ID":")" + begun.body + "\"}"));
  EXPECT_NE(status.at("end_time"), 0);
  EXPECT_EQ(status.at("kind").as_string(), "rebalance");
  EXPECT_EQ(change("stop-maintenance", R"({"sid":"t1"})").head.status, 200);
  EXPECT_EQ(flags_of("t1"), 0);
}

TEST_F(NodeActions, DecommissionAndShutdown) {
  cluster_.disks(0).move_slowly();
  const auto early = change("shutdown-node", R"({"sid":"t1"})");
  EXPECT_EQ(early.head.status, 412);
  EXPECT_THAT(early.body, HasSubstr("start-maintenance"));
  EXPECT_EQ(change("decommission-node", R"({"sid":"t1","rm_user_data":true})").head.status, 200);
  EXPECT_EQ(flags_of("t1"), 8);
  EXPECT_EQ(change("shutdown-node", R"({"sids":["t1"]})").head.status, 409);
  cluster_.disks(0).edit_placement([](Placement& placement) { placement.past.clear(); });
  EXPECT_EQ(change("shutdown-node", R"({"sids":["t1"]})").head.status, 200);
  EXPECT_TRUE(cluster_.disks(0).has_ended("t1"));
}

TEST_F(NodeActions, MistakesAndWhatIsNotSupported) {
  EXPECT_EQ(change("start-maintenance", R"({"sid":"t9"})").head.status, 404);
  EXPECT_EQ(change("start-maintenance", "{}").head.status, 400);
  EXPECT_EQ(change("start-maintenance", R"({"sids":[7]})").head.status, 400);
  EXPECT_EQ(change("start-maintenance", R"({"sids":["t0","t1"]})").head.status, 501);
  const auto skipped = change("start-maintenance", R"({"sid":"t1","skip_rebalance":true})");
  EXPECT_EQ(skipped.head.status, 501);
  EXPECT_THAT(skipped.body, HasSubstr("skip_rebalance"));
  EXPECT_EQ(change("reset-config", "null").head.status, 501);
  EXPECT_EQ(change("start-maintenance", R"({"sid":"t1"})", "ann").head.status, 403);
  EXPECT_EQ(flags_of("t1"), 0);
}

TEST_F(NodeActions, EachTargetTellsWhatItHasMoved) {
  cluster_.disks(0).set_rebalance("t1", RebalanceProgress{.placement = 7,
                                                          .running = true,
                                                          .started_ns = 1'700'000'000'000'000'000,
                                                          .names_moved = 5,
                                                          .bytes_moved = 4096});
  cluster_.disks(0).set_rebalance("t0", Error(Errc::unreachable, "t0 does not answer"));
  const auto stats = parsed(ask("qryxstats", R"({"Kind":"rebalance"})")).as_object();
  EXPECT_EQ(stats.size(), 1u);
  const auto& snap = stats.at("t1").as_array().at(0).as_object();
  EXPECT_EQ(snap.at("id").as_string(), "g7");
  EXPECT_EQ(snap.at("start-time").as_string(), "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(snap.at("end-time").as_string(), "0001-01-01T00:00:00Z");
  EXPECT_EQ(snap.at("stats").as_object().at("out-objs").as_string(), "5");
  EXPECT_EQ(snap.at("stats").as_object().at("out-bytes").as_string(), "4096");
  EXPECT_EQ(ask("qryxstats", R"({"Kind":"lru"})").body, "{}");
  EXPECT_EQ(ask("status", R"({"ID":"abc"})").head.status, 404);
}

}  // namespace
}  // namespace aisfs::native
