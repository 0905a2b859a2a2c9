// SPDX-License-Identifier: MIT
#include "aisfs/cli/transfer_plan.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace aisfs::cli {
namespace {

namespace fs = std::filesystem;
using Kind = TransferItem::Kind;

class PlanPut : public testing::Test {
 protected:
  PlanPut() {
    char path[] = "/tmp/aisfs-cli-XXXXXX";
    folder_ = ::mkdtemp(path);
  }
  ~PlanPut() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    fs::create_directories(fs::path(folder_ + "/" + name).parent_path());
    std::ofstream(folder_ + "/" + name) << text;
  }
  TransferPlan plan(const std::string& to) {
    auto made = plan_put(folder_, *parse_location(to));
    EXPECT_TRUE(made.ok());
    return *std::move(made);
  }
  std::string folder_;
};

TEST_F(PlanPut, KeysAreThePathsBelowTheFolder) {
  write("a.txt", "123");
  write("sub/b.txt", "45");
  const TransferPlan p = plan("b/2026");
  ASSERT_EQ(p.items.size(), 2u);
  EXPECT_EQ(p.items[0].object.key, "2026/a.txt");
  EXPECT_EQ(p.items[1].object.key, "2026/sub/b.txt");
  EXPECT_EQ(p.items[1].local, folder_ + "/sub/b.txt");
  EXPECT_EQ(p.bytes, 5u);
  EXPECT_TRUE(S_ISREG(p.items[0].posix.mode));
}

TEST_F(PlanPut, ASlashAtTheEndOfEitherSideChangesNothing) {
  write("a", "1");
  EXPECT_EQ(plan("b/x/").items[0].object.key, "x/a");
  EXPECT_EQ((*plan_put(folder_ + "//", *parse_location("b"))).items[0].object.key, "a");
}

TEST_F(PlanPut, LinksAreKeptAndNotFollowed) {
  fs::create_directory_symlink("/etc", folder_ + "/link");
  const TransferPlan p = plan("b");
  ASSERT_EQ(p.items.size(), 1u);
  EXPECT_EQ(p.items[0].kind, Kind::kSymlink);
  EXPECT_EQ(p.items[0].posix.symlink, "/etc");
}

TEST_F(PlanPut, OnlyEmptyFoldersNeedAnObject) {
  write("full/a", "1");
  fs::create_directory(folder_ + "/empty");
  const TransferPlan p = plan("b");
  ASSERT_EQ(p.items.size(), 2u);
  EXPECT_EQ(p.items[0].kind, Kind::kDirectory);
  EXPECT_EQ(p.items[0].object.key, "empty");
}

TEST_F(PlanPut, PipesAreRefusedByName) {
  ASSERT_EQ(::mkfifo((folder_ + "/pipe").c_str(), 0600), 0);
  const TransferPlan p = plan("b");
  ASSERT_EQ(p.refused.size(), 1u);
  EXPECT_EQ(p.refused[0].code(), Errc::unsupported);
  EXPECT_NE(p.refused[0].what().find("/pipe"), std::string::npos);
}

TEST_F(PlanPut, AFolderThatIsNotThereIsAnError) {
  EXPECT_EQ(plan_put(folder_ + "/nothing", *parse_location("b")).error().code(), Errc::not_found);
}

TEST(KeyForFile, BelowABucketOrASlashElseAsGiven) {
  EXPECT_EQ(key_for_file("/x/a.tar", *parse_location("b")), "a.tar");
  EXPECT_EQ(key_for_file("/x/a.tar", *parse_location("b/old/")), "old/a.tar");
  EXPECT_EQ(key_for_file("/x/a.tar", *parse_location("b/old")), "old");
}

TEST(LocalPathFor, KeepsWhatIsBelowTheLastFolderOfThePrefix) {
  EXPECT_EQ(*local_path_for("photos/a", "photos", "out"), "out/photos/a");
  EXPECT_EQ(*local_path_for("photos/a", "photos/", "out"), "out/a");
  EXPECT_EQ(*local_path_for("x/photos/a", "x/photos", "out"), "out/photos/a");
  EXPECT_EQ(*local_path_for("dir/", "", "out"), "out/dir");
}

TEST(LocalPathFor, NeverLeavesTheFolder) {
  for (const char* key : {"../a", "a/../../b", "/etc/passwd", "a//b", "./a", ".."}) {
    EXPECT_EQ(local_path_for(key, "", "out").error().code(), Errc::invalid_argument) << key;
  }
  EXPECT_FALSE(local_path_for(std::string(256, 'x'), "", "out").ok());
}

TEST(PlanGet, KindsComeFromNameAndMode) {
  TransferPlan plan;
  const Location from = *parse_location("b");
  plan_get_entry(plan, from, {"f", false, {.size = 3}}, "out");
  plan_get_entry(plan, from, {"d/", false, {}}, "out");
  PosixAttrs link{.mode = S_IFLNK | 0777, .symlink = "f"};
  plan_get_entry(plan, from, {"l", false, {.posix = link}}, "out");
  plan_get_entry(plan, from, {"../x", false, {}}, "out");
  ASSERT_EQ(plan.items.size(), 3u);
  EXPECT_EQ(plan.items[0].kind, Kind::kFile);
  EXPECT_EQ(plan.items[1].kind, Kind::kDirectory);
  EXPECT_EQ(plan.items[2].kind, Kind::kSymlink);
  EXPECT_EQ(plan.refused.size(), 1u);
  EXPECT_EQ(plan.bytes, 3u);
}

}  // namespace
}  // namespace aisfs::cli
