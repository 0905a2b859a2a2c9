// SPDX-License-Identifier: MIT
// What a mount asks for when it has leases, and what it forgets.
#include "aisfs/ops/leases.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <thread>

#include "aisfs/ops/ops.h"
#include "common/async/notifier.h"
#include "common/async/runtime.h"
#include "tests/kit/fake_cluster.h"

namespace aisfs::ops {
namespace {

/// The fake cluster's map with a target that owns everything, and no implied directories.
class OneTarget final : public MapSource {
 public:
  explicit OneTarget(MapSource& map) : map_(map) {}
  MapSnapshot current() const override {
    auto map = std::make_shared<ClusterMap>(*map_.current());
    map->epoch += later_;
    map->nodes["t1"] = NodeInfo{.id = "t1"};
    for (auto& [name, bucket] : map->buckets) bucket.implied_dirs = false;
    return map;
  }
  Task<Result<MapSnapshot>> at_least(Epoch, Deadline) override { co_return current(); }
  void advance() { ++later_; }

 private:
  MapSource& map_;
  std::atomic<Epoch> later_ = 0;
};

/// A target's side of the protocol, as told by the test.
class ToldLeases final : public LeaseApi {
 public:
  explicit ToldLeases(MapSource& map) : map_(map) {}

  Task<Result<wire::LeasePollReply>> poll_leases(NodeInfo,
                                                 wire::LeasePollRequest request,
                                                 Deadline) override {
    if (request.ends) ++ends_;
    const auto seen = changed_.count();
    const bool begins = request.instance != "here";
    if (!begins && !request.ends && request.heard == last_ &&
        map_.current()->epoch == request.epoch) {
      co_await changed_.wait(seen, Deadline::after(std::chrono::milliseconds(20)));
    }
    wire::LeasePollReply reply{.instance = "here", .epoch = map_.current()->epoch, .last = last_};
    if (!begins && request.heard < last_) reply.changes.push_back({bucket_, path_});
    co_return reply;
  }

  void change(BucketId bucket, std::string path) {
    bucket_ = bucket;
    path_ = std::move(path);
    ++last_;
    changed_.notify();
  }
  std::uint64_t ends() const { return ends_; }

 private:
  MapSource& map_;
  Notifier changed_;
  BucketId bucket_;
  std::string path_;
  std::atomic<std::uint64_t> last_ = 0, ends_ = 0;
};

struct CountedKernel final : KernelCache {
  void forget_names() override { ++names; }
  void forget_attrs(std::uint64_t) override { ++attrs; }
  std::atomic<std::size_t> names = 0, attrs = 0;
};

class LeasedMount : public testing::Test {
 protected:
  LeasedMount() {
    id = cluster.add_bucket("b").id;
    runtime.start();
    const auto shard = runtime.shard(0).get_executor();
    mount = std::make_unique<Mount>(Mount::Cluster{cluster, cluster, map}, fs::Options{}, shard);
    EXPECT_TRUE(run(start()).ok());
    bucket = run(lookup(*mount, call(), fs::InodeTable::kRootId, "b"))->nodeid;
    until([&] { return mount->leases.left_of_map() > Duration::zero(); });
    cluster.reset_calls();
  }
  ~LeasedMount() override {
    EXPECT_TRUE(run(mount->close()).ok());
    EXPECT_TRUE(run(stop()).ok());
  }

  template <class T>
  T run(Task<T> task) {
    return runtime.run_on(0, std::move(task));
  }
  Task<Status> start() {
    loops.emplace(mount->shard);
    loops->spawn(mount->leases.run(leases, 7, &kernel));
    co_return Status{};
  }
  Task<Status> stop() {
    co_await mount->leases.stop();
    loops->cancel();
    co_await loops->join();
    co_return Status{};
  }
  /// Asks on the mount's shard until it holds.
  void until(std::function<bool()> holds) {
    const auto ask = [](std::function<bool()>& what) -> Task<Result<bool>> { co_return what(); };
    for (const auto end = Deadline::after(std::chrono::seconds(20)); !*run(ask(holds));) {
      ASSERT_FALSE(end.expired());
      std::this_thread::yield();
    }
  }
  Call call() { return Call{.uid = 1, .gid = 2, .pid = ++pid_}; }
  Result<Entry> find(const std::string& name) { return run(lookup(*mount, call(), bucket, name)); }
  Duration valid(const Entry& entry) {
    const auto ask = [](Mount& m, Entry e) -> Task<Result<Duration>> { co_return valid_for(m, e); };
    return *run(ask(*mount, entry));
  }
  /// Somebody else changes a name, and the mount hears of it.
  void change(const std::string& name) {
    const std::size_t before = kernel.names;
    leases.change(id, name);
    until([&, before] { return kernel.names > before; });
  }
  std::string read_all_of(NodeId node) {
    const Opened opened = *run(open(*mount, call(), node, O_RDONLY));
    const std::string bytes = *run(read(*mount, call(), opened.handle, {0, 100}));
    EXPECT_TRUE(run(release(*mount, call(), opened.handle)).ok());
    return bytes;
  }

  tests::FakeCluster cluster;
  OneTarget map{cluster};
  ToldLeases leases{map};
  CountedKernel kernel;
  Runtime runtime{1};
  std::unique_ptr<Mount> mount;
  std::optional<TaskScope> loops;
  NodeId bucket = 0;
  BucketId id;

 private:
  std::int32_t pid_ = 0;
};

TEST_F(LeasedMount, ANameIsAskedForOnceUntilSomebodyChangesIt) {
  cluster.store("b", "x", "bytes");
  const auto first = find("x");
  ASSERT_TRUE(first.ok());
  EXPECT_GT(valid(*first), Duration::zero());
  EXPECT_EQ(find("x")->nodeid, first->nodeid);
  EXPECT_EQ(cluster.calls("lookup"), 1u);
  cluster.store("b", "x", "more bytes");
  change("x");
  EXPECT_EQ(find("x")->attr.size, 10u);
  EXPECT_EQ(cluster.calls("lookup"), 2u);
}

TEST_F(LeasedMount, AMissingNameIsRememberedToo) {
  const auto missing = find("y");
  ASSERT_TRUE(missing.ok());
  EXPECT_EQ(missing->nodeid, 0u);
  EXPECT_GT(valid(*missing), Duration::zero());
  EXPECT_EQ(find("y")->nodeid, 0u);
  EXPECT_EQ(cluster.calls("lookup"), 1u);
  cluster.store("b", "y", "bytes");
  change("y");
  EXPECT_NE(find("y")->nodeid, 0u);
}

TEST_F(LeasedMount, WhatThisMountMakesIsNotMissingAnyMore) {
  EXPECT_EQ(find("d")->nodeid, 0u);
  ASSERT_TRUE(run(mkdir(*mount, call(), bucket, "d", 0755)).ok());
  const auto made = find("d");
  ASSERT_TRUE(made.ok());
  EXPECT_NE(made->nodeid, 0u);
  EXPECT_EQ(cluster.calls("lookup"), 1u);
}

TEST_F(LeasedMount, AFileThatWasReadIsOpenedAgainWithoutAsking) {
  cluster.store("b", "x", "bytes");
  const NodeId node = find("x")->nodeid;
  EXPECT_EQ(read_all_of(node), "bytes");
  cluster.reset_calls();
  const auto again = run(open(*mount, call(), node, O_RDONLY));
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->keep_cache);
  EXPECT_EQ(cluster.calls(""), 0u);
  EXPECT_TRUE(run(release(*mount, call(), again->handle)).ok());
  cluster.store("b", "x", "other");
  change("x");
  EXPECT_EQ(read_all_of(find("x")->nodeid), "other");
}

TEST_F(LeasedMount, TheEndIsTold) {
  EXPECT_EQ(leases.ends(), 0u);
  EXPECT_TRUE(run(stop()).ok());
  EXPECT_EQ(leases.ends(), 1u);
}

TEST_F(LeasedMount, ANewMapVoidsWhatWasBelieved) {
  cluster.store("b", "x", "bytes");
  ASSERT_TRUE(find("x").ok());
  const std::size_t before = kernel.names;
  map.advance();
  until([&] { return kernel.names > before; });
  ASSERT_TRUE(find("x").ok());
  EXPECT_EQ(cluster.calls("lookup"), 2u);
}

}  // namespace
}  // namespace aisfs::ops
