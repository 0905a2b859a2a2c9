// SPDX-License-Identifier: MIT
#include "aisfs/fs/inode_table.h"

#include <gtest/gtest.h>

namespace aisfs::fs {
namespace {

class Table : public testing::Test {
 protected:
  Table() : table(AttrDefaults{}) {
    bucket = table.add(table.find(InodeTable::kRootId), "b", Kind::kBucket);
    table.remember(bucket);
  }
  InodePtr known(const InodePtr& parent, const std::string& name, Kind kind = Kind::kFile) {
    InodePtr inode = table.add(parent, name, kind);
    table.remember(inode);
    return inode;
  }
  InodeTable table;
  InodePtr bucket;
};

TEST_F(Table, PathsFollowRenamesOfParents) {
  const auto d = known(bucket, "d", Kind::kDirectory), f = known(d, "f");
  EXPECT_EQ(table.place(*f)->path, "d/f");
  table.move(d, bucket, "e");
  EXPECT_EQ(table.place(*f)->path, "e/f");
  EXPECT_EQ(table.place(*bucket)->path, "");
}

TEST_F(Table, WhatIsReplacedLosesItsNameAndNotItsId) {
  const auto a = known(bucket, "a"), b = known(bucket, "b");
  table.move(a, bucket, "b");
  EXPECT_EQ(table.child(*bucket, "b"), a);
  EXPECT_FALSE(b->has_name());
  EXPECT_EQ(table.find(b->nodeid), b);
  EXPECT_EQ(table.place(*b).error().code(), Errc::not_found);
}

TEST_F(Table, ForgettingFreesChildrenBeforeParents) {
  const auto d = known(bucket, "d", Kind::kDirectory), f = known(d, "f");
  table.forget(d->nodeid, 1);
  EXPECT_NE(table.find(d->nodeid), nullptr);  // f's path leads over it
  table.forget(f->nodeid, 1);
  EXPECT_EQ(table.find(f->nodeid), nullptr);
  EXPECT_EQ(table.find(d->nodeid), nullptr);
  EXPECT_EQ(table.child(*bucket, "d"), nullptr);
}

TEST_F(Table, ForgetCountsLookups) {
  const auto f = known(bucket, "f");
  table.remember(f);
  table.forget(f->nodeid, 1);
  EXPECT_NE(table.find(f->nodeid), nullptr);
  table.forget(f->nodeid, 1);
  EXPECT_EQ(table.find(f->nodeid), nullptr);
}

TEST_F(Table, NodeIdsAreNeverUsedTwice) {
  const auto id = known(bucket, "f")->nodeid;
  table.forget(id, 1);
  EXPECT_NE(known(bucket, "f")->nodeid, id);
}

}  // namespace
}  // namespace aisfs::fs
