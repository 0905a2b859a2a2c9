// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tests/kit/mount_fixture.h"

namespace aisfs::tests {
namespace {

class Mounted : public testing::Test {
 protected:
  Mounted() { cluster.add_bucket("b"); }

  static int run(const std::string& command) { return std::system(command.c_str()); }
  static int write_file(const std::string& path, const std::string& text, int flags) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | flags, 0644);
    if (fd < 0) return errno;
    const bool all = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int closed = ::close(fd) == 0 ? 0 : errno;
    return all ? closed : EIO;
  }
  static std::string read_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY);
    if (fd < 0) return std::string("error: ") + std::strerror(errno);
    std::string out(1 << 20, '\0');
    const ssize_t n = ::read(fd, out.data(), out.size());
    ::close(fd);
    out.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return out;
  }

  FakeCluster cluster;
};

TEST_F(Mounted, AnswersThePosixTableLikeExt4) {
  MountFixture mount(cluster);
  EXPECT_EQ(run(AISFS_TESTS "/posix_table " + mount.path("b") + " --no-links"), 0);
}

TEST_F(Mounted, HoldsWhatRandomOperationsWrote) {
  MountFixture mount(cluster);
  EXPECT_EQ(run(AISFS_TESTS "/fsx " + mount.path("b") + " 400 1"), 0);
}

TEST_F(Mounted, IsTheSameTreeForTwoMounts) {
  MountFixture one(cluster), two(cluster);
  ASSERT_EQ(write_file(one.path("b/x"), "first", 0), 0);
  EXPECT_EQ(read_file(two.path("b/x")), "first");
  ASSERT_EQ(write_file(two.path("b/x"), "second", O_TRUNC), 0);
  EXPECT_EQ(read_file(one.path("b/x")), "second");
  EXPECT_EQ(write_file(two.path("b/x"), "", O_EXCL), EEXIST);
}

TEST_F(Mounted, AnOpenFileKeepsItsVersionWhileAnotherMountReplacesIt) {
  MountFixture one(cluster), two(cluster);
  ASSERT_EQ(write_file(one.path("b/x"), "old", 0), 0);
  const int fd = ::open(one.path("b/x").c_str(), O_RDONLY);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(write_file(two.path("b/x"), "new content", O_TRUNC), 0);
  EXPECT_EQ(read_file(one.path("b/x")), "new content");
  char text[16] = {};
  EXPECT_EQ(::read(fd, text, sizeof(text)), 3);
  EXPECT_STREQ(text, "old");
  ::close(fd);
}

TEST_F(Mounted, ExclusiveCreateHoldsBetweenMounts) {
  MountFixture one(cluster), two(cluster);
  const int fd = ::open(one.path("b/lock").c_str(), O_WRONLY | O_CREAT | O_EXCL, 0644);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(write_file(two.path("b/lock"), "", O_EXCL), EEXIST);
  ::close(fd);
}

TEST_F(Mounted, BucketsAreTheDirectoriesOfTheRoot) {
  MountFixture mount(cluster);
  ASSERT_EQ(::mkdir(mount.path("new").c_str(), 0755), 0);
  EXPECT_NE(cluster.current()->find_bucket(native_bucket("new")), nullptr);
  ASSERT_EQ(write_file(mount.path("new/x"), "x", 0), 0);
  EXPECT_EQ(::rename(mount.path("new/x").c_str(), mount.path("b/x").c_str()), -1);
  EXPECT_EQ(errno, EXDEV);
  EXPECT_EQ(::rmdir(mount.path("new").c_str()), -1);
  EXPECT_EQ(errno, ENOTEMPTY);
  ASSERT_EQ(::unlink(mount.path("new/x").c_str()), 0);
  EXPECT_EQ(::rmdir(mount.path("new").c_str()), 0);
  EXPECT_EQ(cluster.current()->find_bucket(native_bucket("new")), nullptr);
}

TEST_F(Mounted, ErrorsOfThePublishReachClose) {
  MountFixture mount(cluster);
  const int fd = ::open(mount.path("b/x").c_str(), O_WRONLY | O_CREAT, 0644);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(::write(fd, "x", 1), 1);
  cluster.on_call([](auto operation, auto&) {
    return operation == "put" ? Status(Error(Errc::no_space)) : Status();
  });
  EXPECT_EQ(::close(fd), -1);
  EXPECT_EQ(errno, ENOSPC);
  cluster.on_call({});
}

TEST_F(Mounted, ADeadClusterIsAnErrorInTimeAndNotAHang) {
  fs::Options options;
  options.op_timeout = std::chrono::seconds(1);
  MountFixture mount(cluster, options);
  cluster.set_latency(std::chrono::hours(1));
  const auto begin = std::chrono::steady_clock::now();
  struct stat st;
  EXPECT_EQ(::stat(mount.path("b/x").c_str(), &st), -1);
  EXPECT_EQ(errno, ETIMEDOUT);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  cluster.set_latency(Duration::zero());
  EXPECT_EQ(::stat(mount.path("b/x").c_str(), &st), -1);
  EXPECT_EQ(errno, ENOENT);
}

TEST_F(Mounted, AWaitingProcessCanBeKilled) {
  MountFixture mount(cluster);
  cluster.set_latency(std::chrono::seconds(25));
  const std::string path = mount.path("b/x");
  const pid_t child = ::fork();
  if (child == 0) {
    struct stat st;
    ::_exit(::stat(path.c_str(), &st) == 0 ? 0 : 1);
  }
  while (cluster.calls("lookup") == 0) std::this_thread::yield();
  const auto begin = std::chrono::steady_clock::now();
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  cluster.set_latency(Duration::zero());
}

TEST_F(Mounted, UnmountingPublishesWhatIsDirty) {
  MountFixture mount(cluster);
  const int fd = ::open(mount.path("b/x").c_str(), O_WRONLY | O_CREAT, 0644);
  ASSERT_EQ(::write(fd, "late", 4), 4);
  const Status stopped = mount.stop();
  EXPECT_TRUE(stopped.ok());
  EXPECT_EQ(cluster.bytes_of("b", "x"), "late");
  ::close(fd);
}

}  // namespace
}  // namespace aisfs::tests
