// SPDX-License-Identifier: MIT
// A mount with leases from a target whose side the test speaks.
#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>

#include <thread>

#include "aisfs/ops/leases.h"
#include "aisfs/ops/ops.h"
#include "common/async/notifier.h"
#include "common/async/runtime.h"
#include "tests/kit/fake_cluster.h"

namespace aisfs::ops {

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
    const auto recalls = std::exchange(recalls_, {});
    if (!begins && !request.ends && request.heard == last_ && recalls.empty() &&
        map_.current()->epoch == request.epoch) {
      co_await changed_.wait(seen, Deadline::after(std::chrono::milliseconds(20)));
    }
    wire::LeasePollReply reply{.instance = "here", .epoch = map_.current()->epoch, .last = last_};
    if (!begins && request.heard < last_) reply.changes.push_back({bucket_, path_});
    reply.recalls = recalls;
    co_return reply;
  }
  /// Any thread may look at the counts; the rest is the mount's shard's.
  Task<Status> delegate(NodeInfo, wire::DelegateRequest request, Deadline) override {
    if (request.ends) {
      ++given_back_;
      co_return Status{};
    }
    if (refuses_) co_return Error(Errc::busy, "others are at work");
    ++delegated_;
    delegation_ = request.id;
    co_return Status{};
  }

  void change(BucketId bucket, std::string path) {
    bucket_ = bucket;
    path_ = std::move(path);
    ++last_;
    changed_.notify();
  }
  std::uint64_t ends() const { return ends_; }
  void refuse() { refuses_ = true; }
  std::uint64_t delegated() const { return delegated_; }
  std::uint64_t given_back() const { return given_back_; }
  /// On the mount's shard.
  Task<Status> recall(BucketId bucket, std::string path) {
    recalls_.push_back({delegation_, bucket, std::move(path)});
    changed_.notify();
    co_return Status{};
  }

 private:
  MapSource& map_;
  Notifier changed_;
  BucketId bucket_;
  std::string path_;
  std::atomic<std::uint64_t> last_ = 0, ends_ = 0, delegated_ = 0, given_back_ = 0;
  std::atomic<bool> refuses_ = false;
  std::uint64_t delegation_ = 0;  // the last
  std::vector<wire::RecalledDirectory> recalls_;
};

struct CountedKernel final : KernelCache {
  void forget_names() override { ++names; }
  void forget_attrs(std::uint64_t) override { ++attrs; }
  std::atomic<std::size_t> names = 0, attrs = 0;
};

class LeasedMount : public testing::Test {
 protected:
  explicit LeasedMount(fs::Options options = {}) {
    id = cluster.add_bucket("b").id;
    runtime.start();
    const auto shard = runtime.shard(0).get_executor();
    mount =
        std::make_unique<Mount>(Mount::Cluster{cluster, cluster, map}, std::move(options), shard);
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
    const Valid all = valid_of(entry);
    return entry.nodeid == 0 ? all.name : all.attr;
  }
  Valid valid_of(const Entry& entry) {
    const auto ask = [](Mount& m, Entry e) -> Task<Result<Valid>> { co_return valid_for(m, e); };
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

}  // namespace aisfs::ops
