// SPDX-License-Identifier: MIT
#include "common/disk/posix.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "common/async/gather.h"
#include "common/async/runtime.h"
#include "common/disk/atomic_file.h"
#include "common/disk/fs_probe.h"
#include "common/disk/io_pool.h"
#include "tests/unit/node/store/temp_dir.h"

namespace aisfs::disk {
namespace {

class PosixTest : public ::testing::Test {
 protected:
  Status write(const std::string& path, std::string_view text) {
    CHECK_OK(make_parent_dirs(root(), path));
    TRY(const UniqueFd fd, open_beneath(root(), path, O_CREAT | O_TRUNC | O_WRONLY));
    return pwrite_all(fd.get(), as_bytes(text), 0);
  }
  std::string read(const std::string& path) {
    return read_file(root(), path, 1 << 20).value_or("<none>");
  }
  int root() const { return dir_.root(); }

  TempDir dir_;
};

TEST_F(PosixTest, NoPathLeavesTheRoot) {
  ASSERT_TRUE(write("in/file", "x").ok());
  std::filesystem::create_symlink("/etc", dir_.path() + "/in/link");
  std::filesystem::create_symlink("file", dir_.path() + "/in/inner");
  for (const char* path : {"..", "../x", "/etc/passwd", "in/../../x", "in/link/passwd", "in/link",
                           "in/inner"}) {
    EXPECT_FALSE(open_beneath(root(), path, O_RDONLY).ok()) << path;
  }
  for (const char* path : {"../x", "in/link/x", "in/../../x", "/tmp/x"}) {
    EXPECT_FALSE(unlink_beneath(root(), path).ok()) << path;
    EXPECT_FALSE(rename_beneath(root(), "in/file", path).ok()) << path;
    EXPECT_FALSE(link_beneath(root(), "in/file", path).ok()) << path;
    EXPECT_FALSE(make_dirs(root(), path + std::string("/d")).ok()) << path;
    EXPECT_FALSE(stat_beneath(root(), path).ok()) << path;
  }
  EXPECT_EQ(read("in/file"), "x");
}

TEST_F(PosixTest, MakesAndPrunesFolders) {
  ASSERT_TRUE(write("a/b/c/file", "x").ok());
  ASSERT_TRUE(write("a/other", "y").ok());
  EXPECT_EQ(make_dirs(root(), "a/other/d").error().code(), Errc::not_directory);
  EXPECT_TRUE(make_dirs(root(), "a/b/c").ok());
  EXPECT_EQ(rmdir_beneath(root(), "a").error().code(), Errc::not_empty);
  ASSERT_TRUE(unlink_beneath(root(), "a/b/c/file").ok());
  prune_empty_parents(root(), "a/b/c/file", "");
  EXPECT_EQ(stat_beneath(root(), "a/b").error().code(), Errc::not_found);
  EXPECT_EQ(read("a/other"), "y");
}

TEST_F(PosixTest, RenamesWithAndWithoutReplacing) {
  ASSERT_TRUE(write("a", "1").ok());
  ASSERT_TRUE(write("b", "2").ok());
  EXPECT_EQ(rename_beneath(root(), "a", "b", Replace::kNo).error().code(), Errc::already_exists);
  EXPECT_TRUE(rename_beneath(root(), "a", "b").ok());
  EXPECT_EQ(read("b"), "1");
  EXPECT_EQ(rename_beneath(root(), "a", "c").error().code(), Errc::not_found);
}

TEST_F(PosixTest, ANamelessFileGetsItsName) {
  const auto fd = open_nameless(root(), "");
  if (!fd && fd.error() == Errc::unsupported) return;  // the probe below says so
  ASSERT_TRUE(fd.ok());
  ASSERT_TRUE(pwrite_all(fd->get(), as_bytes("x"), 0).ok());
  ASSERT_TRUE(link_nameless(fd->get(), root(), "named").ok());
  EXPECT_EQ(link_nameless(fd->get(), root(), "named").error().code(), Errc::already_exists);
  EXPECT_EQ(read("named"), "x");
}

TEST_F(PosixTest, ReadsExactlyOrSaysSo) {
  ASSERT_TRUE(write("f", "12345").ok());
  const auto fd = open_beneath(root(), "f", O_RDONLY);
  std::byte buffer[8];
  EXPECT_TRUE(pread_exactly(fd->get(), MutableBytes(buffer, 5), 0).ok());
  EXPECT_EQ(pread_exactly(fd->get(), buffer, 0).error().code(), Errc::corrupt);
  EXPECT_EQ(*pread_up_to(fd->get(), buffer, 3), 2u);
  EXPECT_EQ(read_file(root(), "f", 4).error().code(), Errc::too_large);
}

TEST_F(PosixTest, Xattrs) {
  ASSERT_TRUE(write("f", "x").ok());
  const auto fd = open_beneath(root(), "f", O_RDWR);
  EXPECT_EQ(get_xattr(fd->get(), "user.a").error().code(), Errc::no_attribute);
  EXPECT_TRUE(set_xattr(fd->get(), "user.a", std::string_view("\0v", 2)).ok());
  EXPECT_EQ(*get_xattr(fd->get(), "user.a"), std::string_view("\0v", 2));
  EXPECT_EQ(get_xattr(fd->get(), "user.a", 1).error().code(), Errc::too_large);
  EXPECT_EQ(set_xattr(fd->get(), "user.b", std::string(1 << 20, 'x')).error().code(),
            Errc::too_large);
  EXPECT_TRUE(remove_xattr(fd->get(), "user.a").ok());
  EXPECT_EQ(remove_xattr(fd->get(), "user.a").error().code(), Errc::no_attribute);
}

TEST_F(PosixTest, AnAtomicFileIsReplacedWhole) {
  for (const char* text : {"first", "second, longer", ""}) {
    ASSERT_TRUE(write_file_atomically(root(), "state", text).ok());
    EXPECT_EQ(read("state"), text);
  }
  EXPECT_EQ(stat_beneath(root(), "state.new").error().code(), Errc::not_found);
}

TEST_F(PosixTest, TheProbeLeavesNothingBehind) {
  const auto facts = probe_fs(root());
  ASSERT_TRUE(facts.ok());
  EXPECT_FALSE(facts->type.empty());
  EXPECT_NE(facts->file_system, 0u);
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
  const auto first = mount_identity(root()), again = mount_identity(root());
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(*first, *again);
  EXPECT_FALSE(first->boot_id.empty());
  EXPECT_GT(space_of(root())->total_bytes, 0u);
}

TEST(IoPool, RunsNoMoreThanItHasThreads) {
  Runtime runtime(1);
  IoPool pool({.threads = 2, .pending = 4});  // its threads end first: they resume tasks there
  runtime.start();
  std::atomic<int> running = 0, most = 0;
  auto work = [](IoPool& p, std::atomic<int>& now, std::atomic<int>& high) -> Task<Result<int>> {
    auto call = [&now, &high] {
      const int n = ++now;
      int seen = high;
      while (n > seen && !high.compare_exchange_weak(seen, n)) {
      }
      std::this_thread::yield();
      return --now;
    };
    co_return co_await p.run(std::move(call));
  };
  std::vector<Task<Result<int>>> tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(work(pool, running, most));
  const auto done = runtime.run_on(0, gather(std::move(tasks)));
  EXPECT_EQ(done.size(), 100u);
  EXPECT_LE(most, 2);
  EXPECT_EQ(running, 0);
}

TEST(IoPool, WhoIsServedDoesNotWaitForBackgroundWork) {
  Runtime runtime(1, 1);
  IoPool pool({.threads = 1, .background = 1});
  runtime.start();
  std::promise<void> entered, open;
  const auto held = [&entered, opened = open.get_future().share()] {
    entered.set_value();
    EXPECT_EQ(opened.wait_for(std::chrono::seconds(10)), std::future_status::ready);
    return is_background_thread();
  };
  auto background = asio::co_spawn(runtime.shard(1), pool.run(held), asio::use_future);
  entered.get_future().get();
  EXPECT_FALSE(runtime.run_on(0, pool.run([] { return is_background_thread(); })));
  EXPECT_EQ(background.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  open.set_value();
  EXPECT_TRUE(background.get());
}

}  // namespace
}  // namespace aisfs::disk
