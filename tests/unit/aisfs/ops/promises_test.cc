// SPDX-License-Identifier: MIT
#include "tests/unit/aisfs/ops/answered_ahead.h"

namespace aisfs::ops {
namespace {

TEST_F(Promises, ACloseIsAnsweredWhenItsBytesAreOnTheirWay) {
  const Created made = written("x", "bytes");
  Answered answered;
  bool there = true;
  answered.look = [&] { there = exists("d/x"); };
  ASSERT_TRUE(run(flush(*mount, answering(answered), made.opened.handle)).ok());
  EXPECT_EQ(answered.times, 1);
  EXPECT_FALSE(there);
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "bytes");
  EXPECT_TRUE(run(release(*mount, call(), made.opened.handle)).ok());
}

TEST_F(Promises, ACloseThatFailsAtOnceSaysSo) {
  const Created made = written("x", "bytes");
  cluster.on_call([](auto op, auto&) { return op == "put" ? Error(Errc::no_space) : Status(); });
  Answered answered;
  EXPECT_EQ(run(flush(*mount, answering(answered), made.opened.handle)).error(), Errc::no_space);
  EXPECT_EQ(answered.times, 0);
  cluster.on_call({});
  EXPECT_TRUE(close(made.opened.handle).ok());
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "bytes");
}

TEST_F(Promises, OutsideOfItsOwnDirectoryACloseWaits) {
  recall();
  const Created made = written("x", "bytes");
  Answered answered;
  ASSERT_TRUE(run(flush(*mount, answering(answered), made.opened.handle)).ok());
  EXPECT_EQ(answered.times, 0);
  EXPECT_TRUE(close(made.opened.handle).ok());
}

TEST_F(Promises, WhatWasAnsweredIsRepeatedUntilItArrives) {
  const Created made = written("x", "bytes");
  std::atomic<int> failures = 2;
  cluster.on_call([&](auto op, auto&) {
    return op == "put_end" && failures-- > 0 ? Error(Errc::no_space) : Status();
  });
  Answered answered;
  Begun closed;
  begin(closed, flush(*mount, answering(answered), made.opened.handle));
  until([&] { return answered.times == 1; });
  EXPECT_TRUE(run(release(*mount, call(), made.opened.handle)).ok());
  EXPECT_TRUE(end(closed).ok());
  EXPECT_EQ(answered.times, 1);
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "bytes");
}

TEST_F(Promises, WhileOneIsOverdueOthersWaitForTheirResult) {
  const Created made = written("x", "bytes"), second = written("y", "bytes");
  std::atomic<bool> fails = true;
  cluster.on_call([&](auto op, auto&) {
    return op == "put_end" && fails ? Error(Errc::no_space) : Status();
  });
  Answered answered, other;
  Begun closed;
  begin(closed, flush(*mount, answering(answered), made.opened.handle));
  until([&] { return mount->overdue == 1; });
  EXPECT_EQ(run(flush(*mount, answering(other), second.opened.handle)).error(), Errc::no_space);
  EXPECT_EQ(other.times, 0);
  fails = false;
  EXPECT_TRUE(end(closed).ok());
  EXPECT_TRUE(close(made.opened.handle).ok());
  EXPECT_TRUE(close(second.opened.handle).ok());
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "bytes");
}

TEST_F(Promises, OnlySoManyAreOnTheirWay) {
  cluster.hold("put_end");
  std::deque<Closing> all(64);
  int made = 0;
  for (Closing& closing : all) {
    closing.file = written("x" + std::to_string(made++), "bytes");
    begin(closing.closed, flush(*mount, answering(closing.answered), closing.file.opened.handle));
    until([&] { return closing.answered.times == 1; });
  }
  Closing late;
  late.file = written("late", "bytes");
  begin(late.closed, flush(*mount, answering(late.answered), late.file.opened.handle));
  until([&] { return cluster.calls("put") == 65; });
  cluster.let_go();
  EXPECT_TRUE(end(late.closed).ok());
  EXPECT_EQ(late.answered.times, 0);
  for (Closing& closing : all) {
    EXPECT_TRUE(end(closing.closed).ok());
    EXPECT_TRUE(close(closing.file.opened.handle).ok());
  }
  EXPECT_TRUE(close(late.file.opened.handle).ok());
}

TEST_F(Promises, WhoWantsTheDirectoryBackGetsWhatWasPromised) {
  Closing closing;
  close_ahead(closing, "x");
  ASSERT_TRUE(run(leases.recall(id, "d")).ok());
  until([&] { return !mount->delegations.is_free(*mount->inodes.find(dir), "free"); });
  EXPECT_EQ(leases.given_back(), 0u);
  cluster.let_go();
  until([&] { return leases.given_back() > 0; });
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "bytes");
  EXPECT_TRUE(arrive_now(closing).ok());
}

TEST_F(Promises, AttributesThatAreSetMeanwhileArriveToo) {
  Closing closing;
  close_ahead(closing, "x");
  EXPECT_TRUE(chmod(closing.file.entry.nodeid, 0600).ok());
  EXPECT_TRUE(arrive_now(closing).ok());
  recall();
  EXPECT_EQ(mode_of("d/x"), 0600u);
}

TEST_F(Promises, ARenameIsAnsweredBeforeItIsDoneAndTakesAttributesAlong) {
  const NodeId node = make_closed("x", "bytes");
  ASSERT_TRUE(chmod(node, 0600).ok());
  cluster.reset_calls();
  Answered answered;
  bool there = true;
  answered.look = [&] { there = exists("d/y"); };
  EXPECT_TRUE(run(rename(*mount, answering(answered), to("x", "y"))).ok());
  EXPECT_EQ(answered.times, 1);
  EXPECT_FALSE(there);
  EXPECT_EQ(cluster.bytes_of("b", "d/y"), "bytes");
  EXPECT_EQ(mode_of("d/y"), 0600u);
  EXPECT_EQ(cluster.calls(""), 1u);
}

TEST_F(Promises, ARenameOfWhatIsOnItsWayFollowsIt) {
  Closing closing;
  close_ahead(closing, "x");
  Answered answered;
  Begun renamed;
  begin(renamed, rename(*mount, answering(answered), to("x", "y")));
  until([&] { return answered.times == 1; });
  EXPECT_EQ(cluster.calls("rename"), 0u);
  EXPECT_TRUE(arrive_now(closing).ok());
  EXPECT_TRUE(end(renamed).ok());
  EXPECT_EQ(cluster.bytes_of("b", "d/y"), "bytes");
  EXPECT_FALSE(exists("d/x"));
}

TEST_F(Promises, TheOldNameIsFreeForAnotherFileWhenTheRenameIsDone) {
  make_closed("x", "old");
  cluster.hold("rename");
  Answered answered;
  Begun renamed, looked;
  begin(renamed, rename(*mount, answering(answered), to("x", "y")));
  until([&] { return answered.times == 1; });
  const auto look = [](Mount& m, Call asks, NodeId parent) -> Task<Status> {
    const auto found = co_await lookup(m, std::move(asks), parent, "x");
    const bool missing = found ? found->nodeid == 0 : found.error() == Errc::not_found;
    co_return missing ? Status() : Status(Error(Errc::already_exists));
  };
  begin(looked, look(*mount, call(), dir));
  cluster.let_go();
  EXPECT_TRUE(end(looked).ok());
  EXPECT_TRUE(end(renamed).ok());
  const NodeId again = make_closed("x", "new");
  EXPECT_NE(again, run(lookup(*mount, call(), dir, "y"))->nodeid);
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "new");
  EXPECT_EQ(cluster.bytes_of("b", "d/y"), "old");
}

TEST_F(Promises, AListingWaitsForARename) {
  make_closed("x", "bytes");
  cluster.hold("rename");
  Answered answered;
  Begun renamed, listed;
  begin(renamed, rename(*mount, answering(answered), to("x", "y")));
  until([&] { return answered.times == 1; });
  const HandleId listing = *run(opendir(*mount, call(), dir));
  std::string name;
  const auto list = [](Mount& m, Call asks, HandleId handle, std::string& first) -> Task<Status> {
    CO_TRY(const auto entry, co_await read_entry(m, std::move(asks), handle, 2));
    if (entry) first = entry->name;
    co_return Status();
  };
  begin(listed, list(*mount, call(), listing, name));
  cluster.let_go();
  EXPECT_TRUE(end(listed).ok());
  EXPECT_EQ(name, "y");
  EXPECT_TRUE(end(renamed).ok());
  releasedir(*mount, listing);
  EXPECT_TRUE(run(unlink(*mount, call(), dir, "y")).ok());
  EXPECT_TRUE(names_in(dir).empty());
}

TEST_F(Promises, ARenameThatFailsIsRepeated) {
  make_closed("x", "bytes");
  std::atomic<int> failures = 1;
  cluster.on_call([&](auto op, auto&) {
    return op == "rename" && failures-- > 0 ? Error(Errc::unreachable) : Status();
  });
  Answered answered;
  EXPECT_TRUE(run(rename(*mount, answering(answered), to("x", "y"))).ok());
  EXPECT_EQ(answered.times, 1);
  EXPECT_EQ(cluster.bytes_of("b", "d/y"), "bytes");
}

TEST_F(Promises, ADirectoryIsMadeAheadWithWhatIsInIt) {
  cluster.hold("make_dir");
  Answered answered;
  Begun made;
  begin(made, make_dir(*mount, answering(answered), dir, "e"));
  until([&] { return answered.times == 1; });
  EXPECT_FALSE(exists("d/e/"));
  const auto below = run(lookup(*mount, call(), dir, "e"));
  ASSERT_TRUE(below.ok());
  const auto file = run(create(*mount, call(), below->nodeid, "x", 0644, O_RDWR | O_EXCL));
  ASSERT_TRUE(file.ok());
  cluster.let_go();
  EXPECT_EQ(names_in(dir), std::vector<std::string>{"e"});
  EXPECT_EQ(run(rmdir(*mount, call(), dir, "e")).error(), Errc::not_empty);
  EXPECT_TRUE(end(made).ok());
  EXPECT_EQ(cluster.info_of("b", "d/e/")->ino, below->attr.ino);
  EXPECT_TRUE(close(file->opened.handle).ok());
}

/// Requests to two targets: that for a name can be there before that for its directory.
TEST_F(Promises, WhatOvertakesItsDirectoryIsSentAgain) {
  std::atomic<int> too_early = 0;
  cluster.on_call([&](auto op, auto& key) {
    const bool below = (op == "put_end" && key == "d/e/x") || (op == "make_dir" && key == "d/e/f");
    return below && too_early++ < 2 ? Error(Errc::not_found) : Status();
  });
  cluster.hold("make_dir");
  Answered made, made_below, closed;
  Begun first, second, third;
  begin(first, make_dir(*mount, answering(made), dir, "e"));
  until([&] { return made.times == 1; });
  const NodeId below = run(lookup(*mount, call(), dir, "e"))->nodeid;
  begin(second, make_dir(*mount, answering(made_below), below, "f"));
  const auto file = run(create(*mount, call(), below, "x", 0644, O_RDWR | O_EXCL));
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(run(write(*mount, call(), file->opened.handle, 0, "bytes")).ok());
  begin(third, flush(*mount, answering(closed), file->opened.handle));
  until([&] { return too_early == 2; });
  cluster.let_go();
  EXPECT_TRUE(end(first).ok());
  EXPECT_TRUE(end(second).ok());
  EXPECT_TRUE(end(third).ok());
  EXPECT_TRUE(exists("d/e/f/"));
  EXPECT_EQ(cluster.bytes_of("b", "d/e/x"), "bytes");
  EXPECT_TRUE(run(release(*mount, call(), file->opened.handle)).ok());
}

TEST_F(Promises, TheEndOfTheMountLosesNothing) {
  Closing closing;
  close_ahead(closing, "x");
  cluster.let_go();
  EXPECT_TRUE(run(mount->close()).ok());
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "bytes");
  EXPECT_TRUE(end(closing.closed).ok());
}

}  // namespace
}  // namespace aisfs::ops
