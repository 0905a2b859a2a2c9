// SPDX-License-Identifier: MIT
#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>

#include "aisfs/ops/ops.h"
#include "common/async/runtime.h"
#include "tests/kit/fake_cluster.h"

namespace aisfs::ops {

/// Operations without FUSE, one after the other on a shard.
class OpsFixture : public testing::Test {
 protected:
  OpsFixture() {
    cluster.add_bucket("b");
    runtime.start();
    mount = std::make_unique<Mount>(Mount::Cluster{cluster, cluster, cluster}, fs::Options{},
                                    runtime.shard(0).get_executor());
    bucket = run(lookup(*mount, call(), fs::InodeTable::kRootId, "b"))->nodeid;
    cluster.reset_calls();
  }
  ~OpsFixture() override { EXPECT_TRUE(run(mount->close()).ok()); }

  template <class T>
  T run(Task<T> task) {
    return runtime.run_on(0, std::move(task));
  }
  /// Each call is another thread's, so nothing is shared between them.
  Call call() { return Call{.uid = 1, .gid = 2, .pid = ++pid_}; }

  Created make(const std::string& name) {
    auto made = run(create(*mount, call(), bucket, name, 0644, O_RDWR | O_CREAT | O_EXCL));
    EXPECT_TRUE(made.ok());
    return *made;
  }
  void put(HandleId handle, std::uint64_t at, std::string bytes) {
    EXPECT_TRUE(run(write(*mount, call(), handle, at, std::move(bytes))).ok());
  }
  void finish(HandleId handle) {
    EXPECT_TRUE(run(flush(*mount, call(), handle)).ok());
    EXPECT_TRUE(run(release(*mount, call(), handle)).ok());
  }

  tests::FakeCluster cluster;
  Runtime runtime{1};
  std::unique_ptr<Mount> mount;
  NodeId bucket = 0;

 private:
  std::int32_t pid_ = 0;
};

}  // namespace aisfs::ops
