// SPDX-License-Identifier: MIT
// Calls that are answered before the cluster has done what they ask for.
#include "aisfs/ops/promises.h"

#include "tests/unit/aisfs/ops/own_directory.h"

namespace aisfs::ops {
namespace {

class Promises : public OwnDirectory {
 protected:
  /// A call that notes when it is answered, and what is there at that moment.
  struct Answered {
    std::atomic<int> times = 0;
    std::function<void()> look = [] {};
  };
  Call answering(Answered& answered) {
    Call asks = call();
    asks.answer = [&answered](const Entry&) {
      answered.look();
      ++answered.times;
    };
    return asks;
  }
  bool exists(const std::string& key) { return cluster.info_of("b", key).has_value(); }
  /// Begins on the mount's shard, and goes on while the test does something else.
  void begin(Task<Status> task) {
    const auto on_shard = [](Promises& test, Task<Status> what) -> Task<Status> {
      test.loops->spawn(test.note_end(std::move(what)));
      co_return Status();
    };
    ASSERT_TRUE(run(on_shard(*this, std::move(task))).ok());
  }
  Task<void> note_end(Task<Status> task) {
    end_ = co_await std::move(task);
    ended_ = true;
  }
  /// The result of what began.
  Status end() {
    until([&] { return ended_.load(); });
    return end_;
  }
  Created written(const std::string& name, std::string bytes) {
    Created made = make(name);
    EXPECT_TRUE(run(write(*mount, call(), made.opened.handle, 0, std::move(bytes))).ok());
    return made;
  }
  RenameRequest to(const std::string& from, const std::string& name) {
    return {.parent = dir, .name = from, .new_parent = dir, .new_name = name};
  }
  std::vector<std::string> names_in(NodeId directory) {
    const HandleId listing = *run(opendir(*mount, call(), directory));
    std::vector<std::string> names;
    for (std::uint64_t at = 2;; ++at) {  // after . and ..
      const auto entry = run(read_entry(*mount, call(), listing, at));
      EXPECT_TRUE(entry.ok());
      if (!entry.ok() || !*entry) break;
      names.push_back((*entry)->name);
    }
    releasedir(*mount, listing);
    return names;
  }

 private:
  std::atomic<bool> ended_ = false;
  Status end_;
};

constexpr auto kSlow = std::chrono::milliseconds(50);

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
  begin(flush(*mount, answering(answered), made.opened.handle));
  until([&] { return answered.times == 1; });
  EXPECT_TRUE(run(release(*mount, call(), made.opened.handle)).ok());
  EXPECT_TRUE(end().ok());
  EXPECT_EQ(answered.times, 1);
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "bytes");
}

TEST_F(Promises, WhileOneIsOverdueOthersWaitForTheirResult) {
  const Created made = written("x", "bytes");
  std::atomic<bool> fails = true;
  cluster.on_call([&](auto op, auto&) {
    return op == "put_end" && fails ? Error(Errc::no_space) : Status();
  });
  Answered answered, other;
  begin(flush(*mount, answering(answered), made.opened.handle));
  until([&] { return mount->overdue == 1; });
  const Created second = written("y", "bytes");
  EXPECT_EQ(run(flush(*mount, answering(other), second.opened.handle)).error(), Errc::no_space);
  EXPECT_EQ(other.times, 0);
  fails = false;
  EXPECT_TRUE(end().ok());
  EXPECT_TRUE(close(made.opened.handle).ok());
  EXPECT_TRUE(close(second.opened.handle).ok());
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "bytes");
}

TEST_F(Promises, WhoWantsTheDirectoryBackGetsWhatWasPromised) {
  const Created made = written("x", "bytes");
  cluster.set_latency(kSlow);
  Answered answered;
  begin(flush(*mount, answering(answered), made.opened.handle));
  until([&] { return answered.times == 1; });
  EXPECT_FALSE(exists("d/x"));
  recall();
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "bytes");
  EXPECT_TRUE(end().ok());
  EXPECT_TRUE(close(made.opened.handle).ok());
}

TEST_F(Promises, AttributesThatAreSetMeanwhileArriveToo) {
  const Created made = written("x", "bytes");
  cluster.set_latency(kSlow);
  Answered answered;
  begin(flush(*mount, answering(answered), made.opened.handle));
  until([&] { return answered.times == 1; });
  EXPECT_TRUE(chmod(made.entry.nodeid, 0600).ok());
  EXPECT_TRUE(end().ok());
  EXPECT_TRUE(run(release(*mount, call(), made.opened.handle)).ok());
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
  const Created made = written("x", "bytes");
  cluster.set_latency(kSlow);
  Answered closed, renamed;
  begin(flush(*mount, answering(closed), made.opened.handle));
  until([&] { return closed.times == 1; });
  bool there = true;
  renamed.look = [&] { there = exists("d/x"); };
  EXPECT_TRUE(run(rename(*mount, answering(renamed), to("x", "y"))).ok());
  EXPECT_EQ(renamed.times, 1);
  EXPECT_FALSE(there);
  EXPECT_TRUE(end().ok());
  EXPECT_EQ(cluster.bytes_of("b", "d/y"), "bytes");
  EXPECT_FALSE(exists("d/x"));
  EXPECT_TRUE(run(release(*mount, call(), made.opened.handle)).ok());
}

TEST_F(Promises, TheOldNameIsFreeAtOnceAndItsNextFileIsAnother) {
  make_closed("x", "old");
  cluster.set_latency(kSlow);
  Answered answered;
  begin(rename(*mount, answering(answered), to("x", "y")));
  until([&] { return answered.times == 1; });
  const auto gone = run(lookup(*mount, call(), dir, "x"));
  EXPECT_TRUE(gone ? gone->nodeid == 0 : gone.error() == Errc::not_found);
  const NodeId again = make_closed("x", "new");
  EXPECT_NE(again, run(lookup(*mount, call(), dir, "y"))->nodeid);
  EXPECT_TRUE(end().ok());
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "new");
  EXPECT_EQ(cluster.bytes_of("b", "d/y"), "old");
}

TEST_F(Promises, AListingWaitsForARenameAndWhoIsRemovedForItsName) {
  make_closed("x", "bytes");
  cluster.set_latency(kSlow);
  Answered answered;
  begin(rename(*mount, answering(answered), to("x", "y")));
  until([&] { return answered.times == 1; });
  EXPECT_EQ(names_in(dir), std::vector<std::string>{"y"});
  EXPECT_TRUE(end().ok());
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
  cluster.set_latency(kSlow);
  Answered answered;
  bool there = true;
  answered.look = [&] { there = exists("d/e/"); };
  const auto make_below = [](Mount& m, Call asks, NodeId parent) -> Task<Status> {
    CO_TRY(const Entry made, co_await mkdir(m, std::move(asks), parent, "e", 0755));
    co_return made.nodeid != 0 ? Status() : Status(Error(Errc::internal));
  };
  begin(make_below(*mount, answering(answered), dir));
  until([&] { return answered.times == 1; });
  EXPECT_FALSE(there);
  const auto below = run(lookup(*mount, call(), dir, "e"));
  ASSERT_TRUE(below.ok());
  const auto file = run(create(*mount, call(), below->nodeid, "x", 0644, O_RDWR | O_EXCL));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(names_in(dir), std::vector<std::string>{"e"});
  EXPECT_EQ(run(rmdir(*mount, call(), dir, "e")).error(), Errc::not_empty);
  EXPECT_TRUE(end().ok());
  EXPECT_EQ(cluster.info_of("b", "d/e/")->ino, below->attr.ino);
  EXPECT_TRUE(close(file->opened.handle).ok());
}

TEST_F(Promises, TheEndOfTheMountLosesNothing) {
  const Created made = written("x", "bytes");
  cluster.set_latency(kSlow);
  Answered answered;
  begin(flush(*mount, answering(answered), made.opened.handle));
  until([&] { return answered.times == 1; });
  EXPECT_TRUE(run(mount->close()).ok());
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "bytes");
  EXPECT_TRUE(end().ok());
}

}  // namespace
}  // namespace aisfs::ops
