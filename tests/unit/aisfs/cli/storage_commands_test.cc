// SPDX-License-Identifier: MIT
// The disks of targets as an administrator sees and changes them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/aisfs/cli/ais_runner.h"

namespace aisfs::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class AisStorage : public testing::Test {
 protected:
  AisStorage() {
    for (const char* id : {"t1", "t2"}) ais.cluster.add_target(id);
    StorageInfo info;
    info.mountpaths = {{.path = "/mnt/a",
                        .state = "active",
                        .fs = "xfs",
                        .total_bytes = 1000 << 20,
                        .available_bytes = 250 << 20,
                        .objects = 12,
                        .used_bytes = 700 << 20}};
    ais.cluster.set_storage("t1", info);
    info.mountpaths.push_back(
        {.path = "/mnt/b", .state = "failed", .why = "Input/output error", .lacking = true});
    ais.cluster.set_storage("t2", info);
  }
  AisResult mountpath(std::vector<std::string> words) {
    words.insert(words.begin(), {"storage", "mountpath"});
    return ais.run(std::move(words));
  }

  AisRunner ais;
};

TEST_F(AisStorage, ShowHasALineForEachMountpath) {
  const AisResult shown = ais.run({"storage", "show"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("t1      /mnt/a     active  xfs  1000 MiB    250 MiB   75%"));
  EXPECT_THAT(shown.out, HasSubstr("t2      /mnt/b     failed  -"));
  EXPECT_THAT(shown.out, HasSubstr("t2 /mnt/b is failed: Input/output error; names that may be on "
                                   "it alone are answered 503"));
  EXPECT_THAT(shown.out, HasSubstr("ais storage mountpath enable TARGET=PATH"));
  EXPECT_THAT(ais.run({"storage", "mountpath", "show", "t1"}).out, Not(HasSubstr("t2")));
  EXPECT_THAT(
      ais.run({"storage", "show", "--json"}).out,
      HasSubstr(R"({"path":"/mnt/b","state":"failed","lacking":true,"why":"Input/output error"})"));
  EXPECT_EQ(ais.run({"storage", "show", "t9"}).status, 3);
}

TEST_F(AisStorage, ShowSaysHowFarNamesHaveMoved) {
  ais.cluster.set_storage("t1", {.mountpaths = {},
                                 .settled = false,
                                 .resilver = {.running = true,
                                              .names_seen = 40,
                                              .names_total = 100,
                                              .names_moved = 20,
                                              .bytes_moved = 3 << 20}});
  EXPECT_THAT(
      ais.run({"storage", "show"}).out,
      HasSubstr("t1 moves names between its mountpaths: 20 (3.00 MiB) moved, 60 to look at"));
}

TEST_F(AisStorage, AFailedDiskIsSeenInTheCluster) {
  EXPECT_THAT(ais.run({"show", "cluster"}).out, HasSubstr("Mountpath:    t2 /mnt/b is failed"));
  EXPECT_THAT(ais.run({"show", "cluster", "--json"}).out, HasSubstr(R"("alerts":["t2 /mnt/b)"));
}

TEST_F(AisStorage, AFullDiskIsAnAlertWithoutARemedyForLostOnes) {
  ais.cluster.set_storage(
      "t2",
      {.mountpaths = {
           {.path = "/mnt/a", .state = "active", .why = "93% of it is in use", .fs = "xfs"}}});
  const AisResult shown = ais.run({"storage", "show"});
  EXPECT_THAT(shown.out, HasSubstr("t2 /mnt/a is active: 93% of it is in use\n"));
  EXPECT_THAT(shown.out, Not(HasSubstr("give-up")));
}

TEST_F(AisStorage, AChangeGoesToItsTarget) {
  const AisResult attached = mountpath({"attach", "t1=/mnt/c"});
  EXPECT_EQ(attached.status, 0) << attached.err;
  EXPECT_EQ(attached.out,
            "mountpath t1=/mnt/c is in use: its names move to it (ais storage show)\n");
  EXPECT_EQ(mountpath({"detach", "--no-resilver", "t2=/mnt/b", "--json"}).out,
            "{\"node\":\"t2\",\"path\":\"/mnt/b\",\"action\":\"detach\"}\n");
  const auto asked = ais.cluster.mountpath_changes();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].first, "t1");
  EXPECT_EQ(asked[0].second.action, MountpathAction::kAttach);
  EXPECT_EQ(asked[1].second.action, MountpathAction::kDetach);
  EXPECT_TRUE(asked[1].second.skip_resilver);
  EXPECT_NE(mountpath({"attach", "/mnt/c"}).status, 0);
  EXPECT_NE(mountpath({"attach", "t1=mnt"}).status, 0);
}

TEST_F(AisStorage, ADiskIsGivenUpOnceItsPathIsTyped) {
  ais.type({"no"});
  EXPECT_NE(mountpath({"give-up", "t2=/mnt/b"}).status, 0);
  EXPECT_TRUE(ais.cluster.mountpath_changes().empty());
  ais.type({"/mnt/b"});
  EXPECT_EQ(mountpath({"give-up", "t2=/mnt/b"}).status, 0);
  EXPECT_EQ(mountpath({"give-up", "--yes", "t2=/mnt/b"}).status, 0);
  EXPECT_EQ(ais.cluster.mountpath_changes().size(), 2u);
}

}  // namespace
}  // namespace aisfs::cli
