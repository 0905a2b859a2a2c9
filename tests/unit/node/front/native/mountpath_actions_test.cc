// SPDX-License-Identifier: MIT
// Mountpaths in AIStore's words.
#include <gmock/gmock.h>

#include "tests/unit/node/front/native/native_fixture.h"

namespace aisfs::native {
namespace {

class MountpathActions : public NativeTest {
 protected:
  MountpathActions() : NativeTest(2) {
    for (const char* id : {"t0", "t1"}) cluster_.disks(0).add_target(id);
    StorageInfo info;
    info.mountpaths = {{.path = "/a", .state = "active"},
                       {.path = "/b", .state = "detaching"},
                       {.path = "/c", .state = "failed"},
                       {.path = "/d", .state = "disabled"}};
    cluster_.disks(0).set_storage("t1", info);
  }
  http::Client::Whole at_node(Method method,
                              std::string what,
                              std::string body = {},
                              std::string node = "t1",
                              std::string user = "root") {
    return call({.method = method,
                 .target = "/v1/reverse/daemon" + what,
                 .body = std::move(body),
                 .fields = {{"Ais-Node-Id", std::move(node)}},
                 .user = std::move(user)});
  }
  std::vector<std::pair<std::string, MountpathChange>> asked() {
    return cluster_.disks(0).mountpath_changes();
  }
};

TEST_F(MountpathActions, AGatewayTellsOfAnyTarget) {
  const auto reply = at_node(Method::kGet, "?what=mountpaths");
  EXPECT_EQ(reply.head.status, 200) << reply.body;
  EXPECT_EQ(reply.body, R"({"available":["/a"],"waiting_dd":["/b"],"disabled":["/c","/d"]})");
  EXPECT_EQ(at_node(Method::kGet, "?what=mountpaths", "", "t9").head.status, 404);
  EXPECT_EQ(at_node(Method::kGet, "?what=log").head.status, 501);
  EXPECT_EQ(call({.target = "/v1/reverse/daemon?what=mountpaths"}).head.status, 400);
}

TEST_F(MountpathActions, EachActionIsOne) {
  const std::pair<const char*, MountpathAction> all[] = {{"attach-mp", MountpathAction::kAttach},
                                                         {"detach-mp", MountpathAction::kDetach},
                                                         {"enable-mp", MountpathAction::kEnable},
                                                         {"disable-mp", MountpathAction::kDisable}};
  for (const auto& [name, action] : all) {
    const std::string body = R"({"action":")" + std::string(name) + R"(","value":"/x"})";
    EXPECT_EQ(at_node(Method::kPut, "/mountpaths", body).head.status, 200);
    EXPECT_EQ(asked().back().first, "t1");
    EXPECT_EQ(asked().back().second.action, action);
    EXPECT_EQ(asked().back().second.path, "/x");
    EXPECT_FALSE(asked().back().second.skip_resilver);
  }
  at_node(Method::kDelete, "/mountpaths?dntres=true", R"({"action":"detach-mp","value":"/a"})");
  EXPECT_TRUE(asked().back().second.skip_resilver);
}

TEST_F(MountpathActions, WhatIsSoAlreadyIs204) {
  EXPECT_EQ(
      at_node(Method::kPost, "/mountpaths", R"({"action":"enable-mp","value":"/a"})").head.status,
      204);
  EXPECT_EQ(
      at_node(Method::kPost, "/mountpaths", R"({"action":"disable-mp","value":"/d"})").head.status,
      204);
  EXPECT_TRUE(asked().empty());
}

TEST_F(MountpathActions, MistakesAndThoseWhoMayNot) {
  EXPECT_EQ(
      at_node(Method::kPut, "/mountpaths", R"({"action":"rescan-mp","value":"/a"})").head.status,
      501);
  EXPECT_EQ(at_node(Method::kPut, "/mountpaths", R"({"action":"attach-mp","value":7})").head.status,
            400);
  const std::string attach = R"({"action":"attach-mp","value":"/x"})";
  EXPECT_EQ(at_node(Method::kPut, "/mountpaths", attach, "t1", "ann").head.status, 403);
  EXPECT_EQ(at_node(Method::kPut, "/mountpaths", attach, "t9").head.status, 404);
  EXPECT_TRUE(asked().empty());
}

}  // namespace
}  // namespace aisfs::native
