// SPDX-License-Identifier: MIT
// A target dies before it has answered: whoever waits for the call gets what he asked for, once.
#include "tests/unit/aisfs/ops/ops_fixture.h"

namespace aisfs::ops {
namespace {

/// The answer to the first attempt is lost, after it was done or before.
class LostAnswers : public OpsFixture, public testing::WithParamInterface<bool> {
 protected:
  void lose_first(std::string operation) {
    lost_ = false;
    if (GetParam()) return cluster.lose_answer(std::move(operation));
    cluster.on_call([this, operation](auto asked, auto&) -> Status {
      if (asked != operation || std::exchange(lost_, true)) return {};
      return Error(Errc::timed_out, "nobody knows");
    });
  }
  static ::testing::AssertionResult good(const Status& done) {
    if (done) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << done.error().what();
  }
  template <class T>
  static ::testing::AssertionResult good(const Result<T>& done) {
    return good(done ? Status{} : Status(done.error()));
  }

 private:
  bool lost_ = false;
};

TEST_P(LostAnswers, AFileIsMadeAllTheSame) {
  lose_first("put");
  const auto made = run(create(*mount, call(), bucket, "x", 0644, O_RDWR | O_CREAT | O_EXCL));
  ASSERT_TRUE(good(made));
  put(made->opened.handle, 0, "bytes");
  finish(made->opened.handle);
  EXPECT_EQ(cluster.bytes_of("b", "x"), "bytes");
}

TEST_P(LostAnswers, AFileOfSomebodyElseIsInTheWay) {
  cluster.store("b", "x", "theirs");
  lose_first("put");
  const auto made = run(create(*mount, call(), bucket, "x", 0644, O_RDWR | O_CREAT | O_EXCL));
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), Errc::already_exists);
}

TEST_P(LostAnswers, AFileIsClosedAllTheSame) {
  const Created made = make("x");
  put(made.opened.handle, 0, "bytes");
  lose_first("put");
  EXPECT_TRUE(good(run(flush(*mount, call(), made.opened.handle))));
  EXPECT_TRUE(good(run(release(*mount, call(), made.opened.handle))));
  EXPECT_EQ(cluster.bytes_of("b", "x"), "bytes");
}

TEST_P(LostAnswers, AFileIsOverwrittenAllTheSame) {
  finish(make("x").opened.handle);
  const NodeId node = run(lookup(*mount, call(), bucket, "x"))->nodeid;
  const auto opened = run(open(*mount, call(), node, O_RDWR));
  ASSERT_TRUE(good(opened));
  put(opened->handle, 0, "bytes");
  lose_first("put");
  finish(opened->handle);
  EXPECT_EQ(cluster.bytes_of("b", "x"), "bytes");
}

TEST_P(LostAnswers, AttributesAreChangedAllTheSame) {
  const Created made = make("x");
  finish(made.opened.handle);
  lose_first("set_attrs");
  AttrRequest request{.mode = 0600};
  EXPECT_TRUE(good(run(setattr(*mount, call(), made.entry.nodeid, request))));
  EXPECT_EQ(cluster.info_of("b", "x")->posix->mode & 07777, 0600u);
}

TEST_P(LostAnswers, AFileIsTruncatedAllTheSame) {
  const Created made = make("x");
  put(made.opened.handle, 0, "bytes");
  finish(made.opened.handle);
  lose_first("patch");
  AttrRequest request{.size = 2};
  EXPECT_TRUE(good(run(setattr(*mount, call(), made.entry.nodeid, request))));
  EXPECT_EQ(cluster.bytes_of("b", "x"), "by");
}

TEST_P(LostAnswers, AnXattrIsMadeAndRemovedAllTheSame) {
  const Created made = make("x");
  finish(made.opened.handle);
  const NodeId node = made.entry.nodeid;
  lose_first("set_attrs");
  EXPECT_TRUE(good(run(setxattr(*mount, call(), node, "user.a", "1", XattrMode::kCreate))));
  EXPECT_EQ(*run(getxattr(*mount, call(), node, "user.a")), "1");
  lose_first("set_attrs");
  EXPECT_TRUE(good(run(removexattr(*mount, call(), node, "user.a"))));
  EXPECT_EQ(*run(listxattr(*mount, call(), node)), "");
}

TEST_P(LostAnswers, AFileIsRenamedAllTheSame) {
  const Created made = make("x");
  put(made.opened.handle, 0, "bytes");
  finish(made.opened.handle);
  lose_first("rename");
  EXPECT_TRUE(good(run(rename(*mount, call(), {bucket, "x", bucket, "y"}))));
  EXPECT_FALSE(cluster.info_of("b", "x"));
  EXPECT_EQ(cluster.bytes_of("b", "y"), "bytes");
}

TEST_P(LostAnswers, ADirectoryIsRenamedAllTheSame) {
  ASSERT_TRUE(good(run(mkdir(*mount, call(), bucket, "d", 0755))));
  lose_first("rename_dir");
  EXPECT_TRUE(good(run(rename(*mount, call(), {bucket, "d", bucket, "e"}))));
  EXPECT_FALSE(cluster.info_of("b", "d/"));
  EXPECT_TRUE(cluster.info_of("b", "e/"));
}

TEST_P(LostAnswers, ADirectoryIsMadeAllTheSame) {
  lose_first("make_dir");
  EXPECT_TRUE(good(run(mkdir(*mount, call(), bucket, "d", 0755))));
  EXPECT_TRUE(cluster.info_of("b", "d/"));
}

TEST_P(LostAnswers, ADirectoryOfSomebodyElseIsInTheWay) {
  cluster.store("b", "d/", "");
  lose_first("make_dir");
  const auto made = run(mkdir(*mount, call(), bucket, "d", 0755));
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), Errc::already_exists);
}

TEST_P(LostAnswers, AFileIsUnlinkedAllTheSame) {
  finish(make("x").opened.handle);
  lose_first("remove");
  EXPECT_TRUE(good(run(unlink(*mount, call(), bucket, "x"))));
  EXPECT_FALSE(cluster.info_of("b", "x"));
}

TEST_P(LostAnswers, ADirectoryIsRemovedAllTheSame) {
  ASSERT_TRUE(good(run(mkdir(*mount, call(), bucket, "d", 0755))));
  lose_first("remove_dir");
  EXPECT_TRUE(good(run(rmdir(*mount, call(), bucket, "d"))));
  EXPECT_FALSE(cluster.info_of("b", "d/"));
}

INSTANTIATE_TEST_SUITE_P(DoneOrNot, LostAnswers, testing::Bool());

}  // namespace
}  // namespace aisfs::ops
