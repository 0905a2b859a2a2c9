// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/unit/aisfs/cli/ais_runner.h"

namespace aisfs::cli {
namespace {

using testing::HasSubstr;

class AisObjects : public testing::Test {
 protected:
  AisObjects() { ais.cluster.add_bucket("b"); }

  AisResult run(std::vector<std::string> arguments) {
    AisResult result = ais.run(std::move(arguments));
    EXPECT_EQ(result.status, 0) << result.err;
    return result;
  }
  AisRunner ais;
};

TEST_F(AisObjects, PutAndGetAFile) {
  const std::string path = ais.write_file("a.txt", "hello");
  run({"put", path, "ais://b"});
  EXPECT_EQ(*ais.cluster.bytes_of("b", "a.txt"), "hello");
  run({"get", "b/a.txt", ais.folder + "/back"});
  EXPECT_EQ(ais.read_file("back"), "hello");
  EXPECT_EQ(run({"cat", "b/a.txt", "--offset", "1", "--length", "3"}).out, "ell");
}

TEST_F(AisObjects, PutKeepsModeAndTime) {
  const std::string path = ais.write_file("a.sh", "#!");
  ::chmod(path.c_str(), 0751);
  run({"put", path, "b/x"});
  const auto info = ais.cluster.info_of("b", "x");
  ASSERT_TRUE(info && info->posix);
  EXPECT_EQ(info->posix->mode & 0777, 0751u);
  run({"get", "-p", "b/x", ais.folder + "/y"});
  struct stat st{};
  ASSERT_EQ(::stat((ais.folder + "/y").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0751u);
  EXPECT_EQ(st.st_mtim.tv_sec * 1'000'000'000ll + st.st_mtim.tv_nsec, info->posix->mtime_ns);
}

TEST_F(AisObjects, FoldersGoInAndComeOutEqual) {
  ais.write_file("in/a", "1");
  ais.write_file("in/sub/b", "22");
  std::filesystem::create_symlink("a", ais.folder + "/in/link");
  std::filesystem::create_directory(ais.folder + "/in/empty");
  run({"put", "-r", ais.folder + "/in", "b/2026"});
  EXPECT_EQ(*ais.cluster.bytes_of("b", "2026/sub/b"), "22");
  run({"get", "-r", "b/2026/", ais.folder + "/out"});
  EXPECT_EQ(ais.read_file("out/sub/b"), "22");
  EXPECT_EQ(std::filesystem::read_symlink(ais.folder + "/out/link"), "a");
  EXPECT_TRUE(std::filesystem::is_directory(ais.folder + "/out/empty"));
}

TEST_F(AisObjects, AFolderNeedsItsFlag) {
  EXPECT_EQ(ais.run({"put", ais.folder, "b"}).status, 1);
  EXPECT_EQ(ais.run({"rm", "b"}).status, 2);
}

TEST_F(AisObjects, OneFailureDoesNotStopTheOthers) {
  for (int i = 0; i < 20; ++i) ais.write_file("in/f" + std::to_string(i), "x");
  ais.cluster.on_call([](std::string_view op, const std::string& key) {
    return op == "put" && key.ends_with("f7") ? Status(Error(Errc::no_space, "disk full"))
                                              : Status();
  });
  const AisResult put = ais.run({"put", "-r", ais.folder + "/in", "b"});
  EXPECT_EQ(put.status, 1);
  EXPECT_THAT(put.err, HasSubstr("disk full"));
  EXPECT_THAT(put.err, HasSubstr("1 of 20 failed"));
  EXPECT_EQ(ais.cluster.calls("put"), 20u);
  EXPECT_TRUE(ais.cluster.bytes_of("b", "f19"));
}

TEST_F(AisObjects, AFailedGetLeavesNothingBehind) {
  ais.cluster.store("b", "x", "1");
  ais.cluster.on_call([](std::string_view op, const std::string&) {
    return op == "get" ? Status(Error(Errc::io, "bad disk")) : Status();
  });
  EXPECT_EQ(ais.run({"get", "b/x", ais.folder + "/x"}).status, 1);
  EXPECT_TRUE(std::filesystem::is_empty(ais.folder));
}

/// Root would have no /dev/null any more.
TEST_F(AisObjects, ADeviceIsWrittenToAndStays) {
  ais.cluster.store("b", "x", "hello");
  const std::string pipe = ais.folder + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  run({"get", "b/x", pipe});
  char text[16] = {};
  EXPECT_EQ(::read(reader, text, sizeof text), 5);
  EXPECT_STREQ(text, "hello");
  ::close(reader);
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

TEST_F(AisObjects, AKeyCannotLeaveTheFolder) {
  ais.cluster.store("b", "ok", "1");
  ais.cluster.store("b", "../evil", "1");
  EXPECT_EQ(ais.run({"get", "-r", "b", ais.folder + "/out"}).status, 1);
  EXPECT_EQ(ais.read_file("out/ok"), "1");
  EXPECT_FALSE(std::filesystem::exists(ais.folder + "/evil"));
}

TEST_F(AisObjects, ListingsShowNamesSizesAndLevels) {
  ais.cluster.store("b", "a", "123");
  ais.cluster.store("b", "d/x", "1");
  EXPECT_EQ(run({"ls", "b"}).out, "NAME  SIZE\na      3 B\nd/x    1 B\n");
  EXPECT_THAT(run({"ls", "b", "--one-level"}).out, HasSubstr("d/\n"));
  EXPECT_THAT(run({"ls", "b/d/", "--json"}).out, HasSubstr("{\"name\":\"d/x\",\"size\":1,"));
  EXPECT_EQ(run({"ls", "b", "--limit", "1", "--json"}).out.find("d/x"), std::string::npos);
  EXPECT_THAT(run({"ls", "b/none"}).err, HasSubstr("No objects in ais://b/none"));
}

TEST_F(AisObjects, MoveRenamesObjectsAndFolders) {
  ais.cluster.store("b", "a", "1");
  ais.cluster.store("b", "d/x", "2");
  run({"mv", "b/a", "b/c"});
  run({"mv", "b/d", "b/e"});
  EXPECT_FALSE(ais.cluster.bytes_of("b", "a"));
  EXPECT_EQ(*ais.cluster.bytes_of("b", "c"), "1");
  EXPECT_EQ(*ais.cluster.bytes_of("b", "e/x"), "2");
  ais.cluster.add_bucket("other");
  EXPECT_EQ(ais.run({"mv", "b/c", "other/c"}).status, 1);
}

TEST_F(AisObjects, CopyWorksAcrossBucketsAndFolders) {
  ais.cluster.add_bucket("other");
  ais.cluster.store("b", "d/x", "1");
  ais.cluster.store("b", "d/y", "2");
  run({"cp", "b/d/x", "other"});
  EXPECT_EQ(*ais.cluster.bytes_of("other", "x"), "1");
  run({"cp", "-r", "b/d", "other/e"});
  EXPECT_EQ(*ais.cluster.bytes_of("other", "e/y"), "2");
}

TEST_F(AisObjects, RemoveOneManyOrAllBelow) {
  for (const char* key : {"a", "b1", "b2", "d/x", "d/y/z", "dd"}) ais.cluster.store("b", key, "1");
  run({"rm", "b/a"});
  run({"rm", "b/b1", "b/b2"});
  run({"rm", "-r", "b/d"});
  EXPECT_TRUE(ais.cluster.bytes_of("b", "dd"));
  EXPECT_FALSE(ais.cluster.bytes_of("b", "d/y/z"));
  EXPECT_EQ(ais.run({"rm", "b/a"}).status, 3);
  EXPECT_EQ(ais.run({"rm", "-r", "b/d"}).status, 3);
}

TEST_F(AisObjects, HeadShowsAttributesAndBucketsToo) {
  ais.cluster.store("b", "a", "123");
  EXPECT_THAT(run({"head", "b/a"}).out, HasSubstr("3 B (3)"));
  EXPECT_THAT(run({"head", "b/a", "--json"}).out, HasSubstr("\"size\":3"));
  EXPECT_THAT(run({"head", "b"}).out, HasSubstr("ais://b"));
}

TEST_F(AisObjects, ProgressAppearsOnTerminalsOnly) {
  const std::string path = ais.write_file("a", std::string(100'000, 'x'));
  EXPECT_EQ(run({"put", path, "b"}).err.find('\r'), std::string::npos);
  ais.set_terminal(60);
  EXPECT_THAT(run({"put", path, "b"}).err, HasSubstr("\r"));
  EXPECT_EQ(run({"put", path, "b", "--json"}).err, "");
}

}  // namespace
}  // namespace aisfs::cli
