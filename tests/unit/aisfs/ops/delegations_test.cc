// SPDX-License-Identifier: MIT
// What a mount does in a directory that it has to itself, and what it owes before it gives it back.
#include "aisfs/ops/delegations.h"

#include "tests/unit/aisfs/ops/own_directory.h"

namespace aisfs::ops {
namespace {

TEST_F(OwnDirectory, AFreeNameIsKnownToBeFree) {
  const auto missing = run(lookup(*mount, call(), dir, "x"));
  ASSERT_TRUE(missing.ok());
  EXPECT_EQ(missing->nodeid, 0u);
  EXPECT_GT(valid(*missing), Duration::zero());
  EXPECT_EQ(cluster.calls(""), 0u);
}

TEST_F(OwnDirectory, WhatCannotBeANameIsNotFreeButAnError) {
  const auto long_name = run(lookup(*mount, call(), dir, std::string(256, 'x')));
  EXPECT_EQ(long_name.error().code(), Errc::name_too_long);
  NodeId deepest = dir;
  for (int i = 0; i < 5; ++i) {
    const std::string name(200, 'd');
    const auto below = run(mkdir(*mount, call(), deepest, name, 0755));
    ASSERT_TRUE(below.ok());
    deepest = below->nodeid;
  }
  const auto long_path = run(lookup(*mount, call(), deepest, std::string(100, 'x')));
  EXPECT_EQ(long_path.error().code(), Errc::name_too_long);
}

TEST_F(OwnDirectory, AFileIsOneRequest) {
  const NodeId node = make_closed("x", "bytes");
  EXPECT_EQ(cluster.calls(""), 1u);
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "bytes");
  const auto seen = run(lookup(*mount, call(), dir, "x"));
  EXPECT_EQ(seen->nodeid, node);
  EXPECT_EQ(seen->attr.ino, cluster.info_of("b", "d/x")->ino);
  EXPECT_EQ(cluster.calls(""), 1u);
}

TEST_F(OwnDirectory, ADirectoryBelowIsKnownWholeToo) {
  const auto below = run(mkdir(*mount, call(), dir, "e", 0755));
  ASSERT_TRUE(below.ok());
  EXPECT_EQ(leases.delegated(), 1u);
  cluster.reset_calls();
  EXPECT_EQ(run(lookup(*mount, call(), below->nodeid, "x"))->nodeid, 0u);
  EXPECT_EQ(cluster.calls(""), 0u);
}

TEST_F(OwnDirectory, AnOpenFileExistsForTheClusterBeforeTheDirectoryIsGivenBack) {
  const Created made = make("x");
  EXPECT_EQ(cluster.info_of("b", "d/x"), std::nullopt);
  recall();
  const auto there = cluster.info_of("b", "d/x");
  ASSERT_TRUE(there.has_value());
  EXPECT_EQ(there->ino, made.entry.attr.ino);
  EXPECT_TRUE(run(write(*mount, call(), made.opened.handle, 0, "late")).ok());
  EXPECT_TRUE(close(made.opened.handle).ok());
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "late");
}

TEST_F(OwnDirectory, AfterItIsGivenBackNamesAreAskedFor) {
  recall();
  cluster.store("b", "d/x", "theirs");
  EXPECT_NE(run(lookup(*mount, call(), dir, "x"))->nodeid, 0u);
  EXPECT_EQ(cluster.calls("lookup"), 1u);
}

TEST_F(OwnDirectory, ANameIsMadeOnce) {
  const Created made = make("x");
  const auto again = run(create(*mount, call(), dir, "x", 0644, O_RDWR | O_EXCL));
  EXPECT_EQ(again.error().code(), Errc::already_exists);
  EXPECT_EQ(run(mkdir(*mount, call(), dir, "x", 0755)).error().code(), Errc::already_exists);
  EXPECT_TRUE(close(made.opened.handle).ok());
}

TEST_F(OwnDirectory, WhatAnotherHostHasMadeInSpiteOfItIsNotOverwritten) {
  const Created made = make("x");
  cluster.store("b", "d/x", "theirs");  // as after a target's restart
  EXPECT_TRUE(run(write(*mount, call(), made.opened.handle, 0, "mine")).ok());
  EXPECT_EQ(close(made.opened.handle).error().code(), Errc::precondition_failed);
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "theirs");
}

TEST_F(OwnDirectory, AnUnsentFileIsListedAndKeepsItsDirectory) {
  const Created made = make("x");
  const HandleId listing = *run(opendir(*mount, call(), dir));
  std::vector<std::string> names;
  for (std::uint64_t at = 0;; ++at) {
    const auto entry = run(read_entry(*mount, call(), listing, at));
    ASSERT_TRUE(entry.ok());
    if (!*entry) break;
    names.push_back((*entry)->name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{".", "..", "x"}));
  const Created other = make("y");
  EXPECT_EQ(run(rmdir(*mount, call(), bucket, "d")).error().code(), Errc::not_empty);
  EXPECT_TRUE(close(made.opened.handle).ok());
  EXPECT_TRUE(close(other.opened.handle).ok());
}

TEST_F(OwnDirectory, AnUnsentFileIsRenamedAndRemoved) {
  const Created made = make("x");
  RenameRequest request{.parent = dir, .name = "x", .new_parent = dir, .new_name = "y"};
  ASSERT_TRUE(run(rename(*mount, call(), std::move(request))).ok());
  EXPECT_TRUE(run(write(*mount, call(), made.opened.handle, 0, "bytes")).ok());
  EXPECT_TRUE(close(made.opened.handle).ok());
  EXPECT_EQ(cluster.bytes_of("b", "d/y"), "bytes");
  EXPECT_EQ(cluster.info_of("b", "d/x"), std::nullopt);
  const Created gone = make("z");
  EXPECT_TRUE(run(unlink(*mount, call(), dir, "z")).ok());
  EXPECT_TRUE(close(gone.opened.handle).ok());
  EXPECT_EQ(cluster.info_of("b", "d/z"), std::nullopt);
}

TEST_F(OwnDirectory, AttributesAreSentBeforeTheDirectoryIsGivenBack) {
  const NodeId node = make_closed("x", "bytes");
  cluster.reset_calls();
  ASSERT_TRUE(chmod(node, 0600).ok());
  ASSERT_TRUE(chmod(node, 0640).ok());
  EXPECT_EQ(run(getattr(*mount, call(), node))->mode & 07777, 0640u);
  EXPECT_EQ(cluster.calls(""), 0u);
  recall();
  EXPECT_EQ(mode_of("d/x"), 0640u);
  EXPECT_EQ(cluster.calls("set_attrs"), 1u);
}

TEST_F(OwnDirectory, AttributesAreSentSoonByThemselves) {
  const NodeId node = make_closed("x", "bytes");
  ASSERT_TRUE(chmod(node, 0600).ok());
  forget(*mount, node, 100);  // the kernel does not know the inode any more
  until([&] { return mode_of("d/x") == 0600; });
}

TEST_F(OwnDirectory, AttributesGoAlongWithNewBytes) {
  const NodeId node = make_closed("x", "bytes");
  cluster.reset_calls();
  ASSERT_TRUE(chmod(node, 0600).ok());
  const Opened opened = *run(open(*mount, call(), node, O_WRONLY));
  EXPECT_TRUE(run(write(*mount, call(), opened.handle, 0, "other")).ok());
  EXPECT_TRUE(close(opened.handle).ok());
  EXPECT_EQ(mode_of("d/x"), 0600u);
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "other");
  EXPECT_EQ(cluster.calls("set_attrs"), 0u);
}

TEST_F(OwnDirectory, AttributesAreSentAtTheEnd) {
  const NodeId node = make_closed("x", "bytes");
  ASSERT_TRUE(chmod(node, 0600).ok());
  EXPECT_TRUE(run(mount->close()).ok());
  EXPECT_EQ(mode_of("d/x"), 0600u);
}

TEST_F(OwnDirectory, AFileThatIsOpenIsReadInSpiteOfAReplacement) {
  const NodeId node = make_closed("x", "bytes");
  const Opened opened = *run(open(*mount, call(), node, O_RDONLY));
  recall();
  cluster.store("b", "d/x", "others");
  EXPECT_EQ(*run(read(*mount, call(), opened.handle, {0, 100})), "bytes");
  EXPECT_TRUE(close(opened.handle).ok());
}

TEST_F(LeasedMount, ADirectoryThatIsNotDelegatedIsUsedAsAnyOther) {
  leases.refuse();
  const auto dir = run(mkdir(*mount, call(), bucket, "d", 0755));
  ASSERT_TRUE(dir.ok());
  const auto made = run(create(*mount, call(), dir->nodeid, "x", 0644, O_RDWR));
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(cluster.info_of("b", "d/x").has_value());  // reserved
  EXPECT_TRUE(run(release(*mount, call(), made->opened.handle)).ok());
}

TEST_F(LeasedMount, ADirectoryInWhichMuchIsMadeIsAskedFor) {
  cluster.store("b", "there", "bytes");
  for (const char* name : {"x", "y", "z"}) {
    const auto made = run(create(*mount, call(), bucket, name, 0644, O_RDWR | O_EXCL));
    ASSERT_TRUE(made.ok());
    EXPECT_TRUE(run(release(*mount, call(), made->opened.handle)).ok());
  }
  EXPECT_EQ(leases.delegated(), 1u);
  const auto there = run(create(*mount, call(), bucket, "there", 0644, O_RDWR | O_EXCL));
  EXPECT_EQ(there.error().code(), Errc::already_exists);
}

}  // namespace
}  // namespace aisfs::ops
