// SPDX-License-Identifier: MIT
// What a mount asks for when it has leases, and what it forgets.
#include "tests/unit/aisfs/ops/leased_mount.h"

namespace aisfs::ops {
namespace {

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
