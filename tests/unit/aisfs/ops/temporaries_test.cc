// SPDX-License-Identifier: MIT
#include "tests/unit/aisfs/ops/answered_ahead.h"

namespace aisfs::ops {
namespace {

/// Files that are closed under an rsync temporary's name.
class Temporaries : public Promises {
 protected:
  explicit Temporaries(std::chrono::nanoseconds wait = std::chrono::hours(1))
      : Promises({.await_name = wait}) {}

  static constexpr auto kName = ".x.AbC123";
  struct Temporary {
    Created file;
    Answered answered;
    Begun closed;
  };
  /// Its close has been answered, and nothing was sent.
  void close_temporary(Temporary& temporary) {
    temporary.file = written(kName, "bytes");
    begin(temporary.closed,
          flush(*mount, answering(temporary.answered), temporary.file.opened.handle));
    until([&] { return temporary.answered.times == 1; });
    EXPECT_TRUE(run(release(*mount, call(), temporary.file.opened.handle)).ok());
    EXPECT_EQ(cluster.calls(""), 0u);
  }
};

TEST_F(Temporaries, AreSentOnceUnderTheNameTheyGet) {
  Temporary temporary;
  close_temporary(temporary);
  EXPECT_TRUE(chmod(temporary.file.entry.nodeid, 0600).ok());
  Answered answered;
  std::size_t sent = 0;
  answered.look = [&] { sent = cluster.calls("put"); };
  EXPECT_TRUE(run(rename(*mount, answering(answered), to(kName, "x"))).ok());
  EXPECT_EQ(answered.times, 1);
  EXPECT_EQ(sent, 1u) << "the rename was answered before the bytes were on their way";
  EXPECT_TRUE(end(temporary.closed).ok());
  EXPECT_EQ(cluster.calls(""), 1u);
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "bytes");
  EXPECT_EQ(mode_of("d/x"), 0600u);
  EXPECT_EQ(names_in(dir), std::vector<std::string>{"x"});
}

TEST_F(Temporaries, ReplaceAFileByARename) {
  make_closed("x", "old");
  cluster.reset_calls();
  Temporary temporary;
  close_temporary(temporary);
  Answered answered;
  std::size_t sent = 0;
  answered.look = [&] { sent = cluster.calls("put"); };
  EXPECT_TRUE(run(rename(*mount, answering(answered), to(kName, "x"))).ok());
  EXPECT_TRUE(end(temporary.closed).ok());
  EXPECT_EQ(answered.times, 1);
  EXPECT_EQ(sent, 1u) << "the rename was answered before the bytes were on their way";
  EXPECT_EQ(cluster.calls("rename"), 1u);
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "bytes");
  EXPECT_EQ(names_in(dir), std::vector<std::string>{"x"});
}

/// The name has moved here when the bytes are sent again, and not in the cluster.
TEST_F(Temporaries, ThatAreSentAgainReplaceAFileTooByARename) {
  make_closed("x", "old");
  cluster.reset_calls();
  Temporary temporary;
  close_temporary(temporary);
  std::atomic<bool> fails = false;
  cluster.on_call([&](auto op, auto&) {
    return op == "put_end" && fails.exchange(false) ? Error(Errc::unreachable) : Status();
  });
  cluster.hold("put_end");
  Answered answered;
  Begun renamed;
  begin(renamed, rename(*mount, answering(answered), to(kName, "x")));
  until([&] { return answered.times == 1; });
  fails = true;
  cluster.let_go();
  EXPECT_TRUE(end(renamed).ok());
  EXPECT_TRUE(end(temporary.closed).ok());
  EXPECT_FALSE(fails);
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "bytes");
  EXPECT_EQ(names_in(dir), std::vector<std::string>{"x"});
}

TEST_F(Temporaries, ThatCannotBeSentAreNotRenamed) {
  Temporary temporary;
  close_temporary(temporary);
  cluster.on_call(
      [](auto op, auto&) { return op == "put" ? Error(Errc::permission_denied) : Status(); });
  Answered answered;
  EXPECT_FALSE(run(rename(*mount, answering(answered), to(kName, "x"))).ok());
  EXPECT_FALSE(end(temporary.closed).ok());
  EXPECT_EQ(answered.times, 0);
  EXPECT_TRUE(names_in(dir).empty());
}

TEST_F(Temporaries, AreThereForWhoeverLooks) {
  Temporary temporary;
  close_temporary(temporary);
  EXPECT_EQ(names_in(dir), std::vector<std::string>{kName});
  EXPECT_TRUE(end(temporary.closed).ok());
  EXPECT_EQ(cluster.bytes_of("b", std::string("d/") + kName), "bytes");
}

TEST_F(Temporaries, ArriveWhenTheDirectoryIsWantedBack) {
  Temporary temporary;
  close_temporary(temporary);
  recall();
  EXPECT_EQ(cluster.bytes_of("b", std::string("d/") + kName), "bytes");
  EXPECT_TRUE(end(temporary.closed).ok());
}

TEST_F(Temporaries, CanBeRemoved) {
  Temporary temporary;
  close_temporary(temporary);
  EXPECT_TRUE(run(unlink(*mount, call(), dir, kName)).ok());
  EXPECT_TRUE(end(temporary.closed).ok());
  EXPECT_TRUE(names_in(dir).empty());
}

TEST_F(Temporaries, ThatFailAtFirstArriveUnderTheNameTheyGot) {
  Temporary temporary;
  close_temporary(temporary);
  std::atomic<int> failures = 1;
  cluster.on_call([&](auto op, auto&) {
    return op == "put" && failures-- > 0 ? Error(Errc::unreachable) : Status();
  });
  Answered answered;
  EXPECT_TRUE(run(rename(*mount, answering(answered), to(kName, "x"))).ok());
  EXPECT_TRUE(end(temporary.closed).ok());
  EXPECT_EQ(cluster.bytes_of("b", "d/x"), "bytes");
}

TEST_F(Temporaries, ArriveBeforeTheMountEnds) {
  Temporary temporary;
  close_temporary(temporary);
  EXPECT_TRUE(run(mount->close()).ok());
  EXPECT_TRUE(end(temporary.closed).ok());
  EXPECT_EQ(cluster.bytes_of("b", std::string("d/") + kName), "bytes");
}

class ImpatientTemporaries : public Temporaries {
 protected:
  ImpatientTemporaries() : Temporaries(std::chrono::milliseconds(1)) {}
};

TEST_F(ImpatientTemporaries, ArriveWithoutARename) {
  const Created made = written(kName, "bytes");
  Answered answered;
  EXPECT_TRUE(run(flush(*mount, answering(answered), made.opened.handle)).ok());
  EXPECT_EQ(answered.times, 1);
  EXPECT_EQ(cluster.bytes_of("b", std::string("d/") + kName), "bytes");
  EXPECT_TRUE(run(release(*mount, call(), made.opened.handle)).ok());
}

}  // namespace
}  // namespace aisfs::ops
