// SPDX-License-Identifier: MIT
#include "aisfs/ops/ops.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "aisfs/ops/open_file.h"
#include "tests/unit/aisfs/ops/ops_fixture.h"

namespace aisfs::ops {
namespace {

class Ops : public OpsFixture {};

TEST_F(Ops, ANewFileWithItsAttributesCostsAReservationAndOnePublish) {
  const Created made = make("x");
  put(made.opened.handle, 0, "bytes");
  AttrRequest request{.mode = 0600, .uid = 5, .mtime_ns = 1234};
  ASSERT_TRUE(run(setattr(*mount, call(), made.entry.nodeid, request)).ok());
  finish(made.opened.handle);
  EXPECT_EQ(cluster.calls(""), 2u);
  const auto info = cluster.info_of("b", "x");
  EXPECT_EQ(cluster.bytes_of("b", "x"), "bytes");
  EXPECT_EQ(info->posix->mode, S_IFREG | 0600u);
  EXPECT_EQ(info->posix->uid, 5u);
  EXPECT_EQ(info->posix->mtime_ns, 1234);
}

TEST_F(Ops, TruncateByNameWhileTheLastHandleIsReleased) {
  const Created made = make("x");
  put(made.opened.handle, 0, "bytes");
  cluster.set_latency(std::chrono::milliseconds(5));  // the release publishes and takes its time
  const auto both = [](Mount& m, std::uint64_t handle, std::uint64_t node) -> Task<Result<fs::Attr>> {
    TaskScope scope(co_await asio::this_coro::executor);
    const auto let_go = [](Mount& mount_, std::uint64_t h) -> Task<void> {
      Call own;
      EXPECT_TRUE((co_await release(mount_, std::move(own), h)).ok());
    };
    scope.spawn(let_go(m, handle));
    AttrRequest request{.size = 3};
    Call own;
    auto attr = co_await setattr(m, std::move(own), node, request);
    co_await scope.join();
    co_return attr;
  };
  const auto attr = run(both(*mount, made.opened.handle, made.entry.nodeid));
  ASSERT_TRUE(attr.ok()) << attr.error().what();
  EXPECT_EQ(attr->size, 3u);
  EXPECT_EQ(cluster.bytes_of("b", "x"), "byt");
}

TEST_F(Ops, ASmallFileIsReadByOneRequest) {
  cluster.store("b", "x", "small");
  const auto entry = run(lookup(*mount, call(), bucket, "x"));
  cluster.reset_calls();
  const auto opened = run(open(*mount, call(), entry->nodeid, O_RDONLY));
  EXPECT_EQ(*run(read(*mount, call(), opened->handle, {0, 100})), "small");
  EXPECT_EQ(*run(read(*mount, call(), opened->handle, {2, 2})), "al");
  finish(opened->handle);
  EXPECT_EQ(cluster.calls(""), 1u);
}

TEST_F(Ops, ReopeningTheSameVersionKeepsTheKernelsPages) {
  cluster.store("b", "x", "small");
  const auto entry = run(lookup(*mount, call(), bucket, "x"));
  const auto first = run(open(*mount, call(), entry->nodeid, O_RDONLY));
  EXPECT_FALSE(first->keep_cache);
  finish(first->handle);
  const auto second = run(open(*mount, call(), entry->nodeid, O_RDONLY));
  EXPECT_TRUE(second->keep_cache);
  finish(second->handle);
  cluster.store("b", "x", "other");
  const auto again = run(lookup(*mount, call(), bucket, "x"));
  const auto third = run(open(*mount, call(), again->nodeid, O_RDONLY));
  EXPECT_FALSE(third->keep_cache);
  finish(third->handle);
}

TEST_F(Ops, ARemoteVersionGetsItsOwnNodeWithTheSameIno) {
  cluster.store("b", "x", "old");
  const auto entry = run(lookup(*mount, call(), bucket, "x"));
  const auto opened = run(open(*mount, call(), entry->nodeid, O_RDONLY));
  cluster.store("b", "x", "newer");
  const auto again = run(lookup(*mount, call(), bucket, "x"));
  EXPECT_NE(again->nodeid, entry->nodeid);
  EXPECT_EQ(again->attr.ino, entry->attr.ino);
  EXPECT_EQ(again->attr.size, 5u);
  EXPECT_EQ(*run(read(*mount, call(), opened->handle, {0, 100})), "old");
  finish(opened->handle);
}

TEST_F(Ops, ChangesOfALargeFileGoAsAPatch) {
  std::string content(8_MiB, 'a');
  cluster.store("b", "x", content);
  const auto entry = run(lookup(*mount, call(), bucket, "x"));
  const auto opened = run(open(*mount, call(), entry->nodeid, O_RDWR));
  cluster.reset_calls();
  put(opened->handle, 5_MiB, "changed");
  put(opened->handle, 8_MiB, "tail");
  finish(opened->handle);
  EXPECT_EQ(cluster.calls("patch"), 1u);
  EXPECT_EQ(cluster.calls("put") + cluster.calls("get"), 0u);
  content.replace(5_MiB, 7, "changed");
  EXPECT_EQ(cluster.bytes_of("b", "x"), content + "tail");
}

TEST_F(Ops, TwoHostsPatchingEachWinWhereTheyWroteLast) {
  cluster.store("b", "x", std::string(8_MiB, 'a'));
  const auto entry = run(lookup(*mount, call(), bucket, "x"));
  const auto opened = run(open(*mount, call(), entry->nodeid, O_RDWR));
  put(opened->handle, 0, "mine");
  std::string theirs(8_MiB, 'a');
  theirs.replace(6_MiB, 6, "theirs");
  cluster.store("b", "x", theirs);
  finish(opened->handle);
  theirs.replace(0, 4, "mine");
  EXPECT_EQ(cluster.bytes_of("b", "x"), theirs);
}

TEST_F(Ops, AFileRemovedElsewhereCannotBePublished) {
  const Created made = make("x");
  put(made.opened.handle, 0, "bytes");
  ASSERT_TRUE(cluster.state().remove({native_bucket("b"), "x"}, {}).ok());
  EXPECT_EQ(run(flush(*mount, call(), made.opened.handle)).error().code(),
            Errc::precondition_failed);
  EXPECT_FALSE(run(release(*mount, call(), made.opened.handle)).ok());
  EXPECT_EQ(cluster.bytes_of("b", "x"), std::nullopt);
}

TEST_F(Ops, AFailedPublishIsTriedAgain) {
  const Created made = make("x");
  put(made.opened.handle, 0, "bytes");
  cluster.on_call([](auto operation, auto&) {
    return operation == "put" ? Status(Error(Errc::no_space)) : Status();
  });
  EXPECT_EQ(run(fsync(*mount, call(), made.opened.handle)).error().code(), Errc::no_space);
  cluster.on_call({});
  EXPECT_TRUE(run(fsync(*mount, call(), made.opened.handle)).ok());
  EXPECT_EQ(cluster.bytes_of("b", "x"), "bytes");
  finish(made.opened.handle);
}

TEST_F(Ops, TheLastFileOfAnImpliedDirectoryLeavesTheDirectory) {
  cluster.store("b", "d/x", "1");
  const auto dir = run(lookup(*mount, call(), bucket, "d"));
  ASSERT_TRUE(run(unlink(*mount, call(), dir->nodeid, "x")).ok());
  EXPECT_TRUE(run(lookup(*mount, call(), bucket, "d")).ok());
  EXPECT_TRUE(cluster.info_of("b", "d/").has_value());
}

TEST_F(Ops, AnUnlinkedFilePublishesNothing) {
  const Created made = make("x");
  put(made.opened.handle, 0, "bytes");
  ASSERT_TRUE(run(unlink(*mount, call(), bucket, "x")).ok());
  EXPECT_EQ(*run(read(*mount, call(), made.opened.handle, {0, 10})), "bytes");
  finish(made.opened.handle);
  EXPECT_EQ(cluster.info_of("b", "x"), std::nullopt);
}

TEST_F(Ops, OneThreadsStatIsOneRequest) {
  cluster.store("b", "x", "1");
  const Call same = call();
  cluster.reset_calls();
  const auto entry = run(lookup(*mount, same, bucket, "x"));
  ASSERT_TRUE(run(getattr(*mount, same, entry->nodeid)).ok());
  EXPECT_EQ(cluster.calls(""), 1u);
  ASSERT_TRUE(run(getattr(*mount, call(), entry->nodeid)).ok());
  EXPECT_EQ(cluster.calls(""), 2u);
}

TEST_F(Ops, FsyncMakesWhatAnyHostClosedDurable) {
  const Created made = make("x");
  put(made.opened.handle, 0, "bytes");
  finish(made.opened.handle);
  const auto opened = run(open(*mount, call(), made.entry.nodeid, O_RDWR));
  cluster.reset_calls();
  ASSERT_TRUE(run(fsync(*mount, call(), opened->handle)).ok());
  EXPECT_EQ(cluster.calls("sync"), 1u);
  EXPECT_EQ(cluster.calls("put"), 0u);
  finish(opened->handle);
}

TEST_F(Ops, FsyncOfADirectoryMakesTheNamesOfItsBucketDurable) {
  make("x");
  cluster.reset_calls();
  ASSERT_TRUE(run(fsyncdir(*mount, call(), bucket)).ok());
  EXPECT_EQ(cluster.calls("sync"), 1u);
  ASSERT_TRUE(run(fsyncdir(*mount, call(), fs::InodeTable::kRootId)).ok());
  EXPECT_EQ(cluster.calls(""), 1u);
}

TEST_F(Ops, WhatAnEarlierMountSawIsAskedOfItsOwnerAlone) {
  char folder[] = "/tmp/aisfs-ops-names-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  auto names = cachefs::NameCache::open({.folder = folder + std::string("/names"), .cluster_uuid = "c"});
  ASSERT_TRUE(names.ok());
  cluster.store("b", "d/x", "bytes");
  const auto find = [&] {
    Mount one({cluster, cluster, cluster, names->get()}, fs::Options{}, runtime.shard(0).get_executor());
    const auto top = run(lookup(one, call(), fs::InodeTable::kRootId, "b"));
    const auto dir = run(lookup(one, call(), top->nodeid, "d"));
    cluster.reset_calls();
    const auto file = run(lookup(one, call(), dir->nodeid, "x"));
    EXPECT_TRUE(run(one.close()).ok());
    return file.ok() ? file->attr.mode & S_IFMT : 0;
  };
  EXPECT_EQ(find(), static_cast<std::uint32_t>(S_IFREG));
  EXPECT_EQ(cluster.calls("lookup"), 1u);  // of every target
  EXPECT_EQ(find(), static_cast<std::uint32_t>(S_IFREG));
  EXPECT_EQ(cluster.calls("lookup"), 0u);
  EXPECT_EQ(cluster.calls("head"), 1u);
  // Replaced by a directory meanwhile: what was seen does not count.
  ASSERT_TRUE(run(cluster.remove({}, {native_bucket("b"), "d/x"}, {})).ok());
  cluster.store("b", "d/x/y", "bytes");
  EXPECT_EQ(find(), static_cast<std::uint32_t>(S_IFDIR));
  EXPECT_EQ(cluster.calls("lookup"), 1u);
  names->reset();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace aisfs::ops
