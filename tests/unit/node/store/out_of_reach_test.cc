// SPDX-License-Identifier: MIT
// Mountpaths that are out of reach and come back, and what is answered of names meanwhile.
#include <fstream>

#include "tests/unit/node/store/mountpaths_fixture.h"

namespace aisfs::store {
namespace {

class OutOfReachTest : public MountpathsTest {};

TEST_F(OutOfReachTest, WhatLiesOnOneThatIsOutOfReachIsNotKnown) {
  put_all();
  const auto out = files_on(2);
  ASSERT_GE(out.size(), 6u);
  ASSERT_TRUE(disable(2, Emptying::kSkip).ok());
  EXPECT_EQ(state_of(2), "disabled");
  EXPECT_TRUE(store_->lacks_anything());
  const auto check = [&] {
    for (int i = 0; i < kNames; ++i) {
      const bool lost = out.contains(name(i));
      EXPECT_EQ(store_->may_lack(key(name(i))), lost);
      EXPECT_EQ(code(get(name(i))), lost ? Errc::not_ready : Errc::internal) << name(i);
      EXPECT_EQ(code(head(name(i))), lost ? Errc::not_ready : Errc::internal);
      EXPECT_EQ(store_->states_of(key(name(i))).ok(), !lost);
      EXPECT_EQ(store_->resolve(key(name(i))).ok(), !lost);
    }
    EXPECT_EQ(code(run(store_->list(kBucket, {}))), Errc::not_ready);
    EXPECT_EQ(code(store_->any_below(kBucket, "no/")), Errc::not_ready);
    EXPECT_TRUE(run(store_->list(BucketId{77}, {})).ok()) << "it had nothing of that one";
  };
  check();
  restart_cleanly();
  check();
  lose_power();
  check();
}

TEST_F(OutOfReachTest, WhatIsWrittenMeanwhileIsNewer) {
  put_all();
  const std::set<std::string> on_two = files_on(2);
  std::vector<std::string> out(on_two.begin(), on_two.end());
  ASSERT_GE(out.size(), 6u);
  ASSERT_TRUE(disable(2, Emptying::kSkip).ok());
  EXPECT_EQ(code(remove(out[0])), Errc::not_ready) << "whether it is there is not known";
  EXPECT_EQ(code(put(out[0], "x", {.conditions = {.must_not_exist = true}})), Errc::not_ready);
  AttrChange change{.mode = 0100600};
  EXPECT_EQ(code(run(store_->set_attrs(key(out[0]), change, {}, level_))), Errc::not_ready);
  ASSERT_TRUE(put(out[0], "new").ok());
  ASSERT_TRUE(remove_missing(out[1]).ok());
  const auto check = [&](bool back) {
    EXPECT_EQ(get(out[0]).value_or("?"), "new");
    EXPECT_EQ(code(get(out[1])), Errc::not_found);
    EXPECT_EQ(code(get(out[2])), back ? Errc::internal : Errc::not_ready);
  };
  check(false);
  lose_power();
  check(false);
  ASSERT_TRUE(enable(2).ok());
  EXPECT_FALSE(store_->lacks_anything());
  check(true);
  EXPECT_EQ(list().size(), std::size_t{kNames} - 1);
  settle();
  check(true);
  EXPECT_TRUE(files_on(2).contains(out[0]));
  lose_power();
  settle();
  check(true);
  EXPECT_EQ(list().size(), std::size_t{kNames} - 1);
}

/// That it was deleted is all that the other mountpaths have of the bucket.
TEST_F(OutOfReachTest, ANewMountpathCastsNoDoubtOnWhatIsKnown) {
  put_all();
  const auto out = files_on(2);
  ASSERT_GE(out.size(), 6u);
  ASSERT_TRUE(disable(2, Emptying::kSkip).ok());
  for (const std::string& name : out) ASSERT_TRUE(put(name, "new").ok());
  make(3);
  ASSERT_TRUE(attach(3).ok());
  for (const std::string& name : out) EXPECT_EQ(get(name).value_or("?"), "new") << name;
  settle();
  ASSERT_TRUE(detach(1, Emptying::kSkip).ok());
  const auto there = files_on(3);
  ASSERT_GE(there.size(), 6u);
  for (const std::string& name : there) EXPECT_TRUE(get(name).ok()) << name;
}

TEST_F(OutOfReachTest, TheOnlyObjectOfABucketStaysDeleted) {
  std::string only;
  for (int i = 0; only.empty(); ++i) {
    ASSERT_TRUE(put(name(i), "text").ok());
    if (files_on(2).contains(name(i)))
      only = name(i);
    else
      ASSERT_TRUE(remove(name(i)).ok());
  }
  ASSERT_TRUE(disable(2, Emptying::kSkip).ok());
  ASSERT_TRUE(remove_missing(only).ok());
  ASSERT_TRUE(enable(2).ok());
  settle();
  EXPECT_EQ(code(get(only)), Errc::not_found);
  EXPECT_TRUE(list().empty());
  lose_power();
  EXPECT_EQ(code(get(only)), Errc::not_found);
}

TEST_F(OutOfReachTest, OneThatIsNotThereAtAStartIsMissing) {
  put_all();
  const auto out = files_on(2);
  store_->close();
  crash();
  fs::rename(m(2), dir_ + "/pulled");
  make(2);  // the empty folder that it was mounted on
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(state_of(2), "missing");
  for (int i = 0; i < kNames; ++i) {
    EXPECT_EQ(code(get(name(i))), out.contains(name(i)) ? Errc::not_ready : Errc::internal);
  }
  EXPECT_TRUE(fs::is_empty(m(2))) << "nobody takes it for a new one";
  EXPECT_EQ(code(enable(2)), Errc::not_found) << "the disk is not there yet";
  for (int i = 0; i < kNames; i += 2) ASSERT_TRUE(put(name(i), "new").ok());
  store_->close();
  crash();
  fs::remove(m(2));
  fs::rename(dir_ + "/pulled", m(2));
  ASSERT_TRUE(start().ok()) << "it is back";
  EXPECT_EQ(state_of(2), "active");
  settle();
  for (int i = 0; i < kNames; ++i) {
    EXPECT_EQ(get(name(i)).value_or("?"), i % 2 == 0 ? "new" : "old " + name(i));
  }
  EXPECT_EQ(list().size(), std::size_t{kNames});
}

TEST_F(OutOfReachTest, OneThatCannotBeRecoveredHasFailed) {
  put_all();
  const auto out = files_on(2);
  crash();
  fs::remove_all(m(2) + "/%index");
  fs::rename(m(2) + "/@ais/b/%ob", m(2) + "/kept");
  std::ofstream(m(2) + "/@ais/b/%ob") << "no folder";
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(state_of(2), "failed");
  EXPECT_EQ(code(get(*out.begin())), Errc::not_ready);
  crash();
  fs::remove(m(2) + "/@ais/b/%ob");
  fs::rename(m(2) + "/kept", m(2) + "/@ais/b/%ob");
  ASSERT_TRUE(start().ok());
  expect_all();
}

TEST_F(OutOfReachTest, WithoutAnyOfThemThereIsNoStart) {
  put_all();
  store_->close();
  crash();
  fs::rename(m(1), dir_ + "/p1");
  fs::rename(m(2), dir_ + "/p2");
  EXPECT_FALSE(start().ok());
  crash();
  fs::rename(dir_ + "/p1", m(1));
  fs::rename(dir_ + "/p2", m(2));
  ASSERT_TRUE(start().ok());
  expect_all();
}

TEST_F(OutOfReachTest, OneWhoseDiskIsPulledFails) {
  put_all();
  const auto out = files_on(2);
  fs::rename(m(2), dir_ + "/pulled");
  wait_for_state(2, "failed");
  for (int i = 0; i < kNames; ++i) {
    EXPECT_EQ(code(get(name(i))), out.contains(name(i)) ? Errc::not_ready : Errc::internal);
  }
  ASSERT_TRUE(put(*out.begin(), "new").ok());
  EXPECT_EQ(get(*out.begin()).value_or("?"), "new");
  fs::rename(dir_ + "/pulled", m(2));
  ASSERT_TRUE(enable(2).ok());
  settle();
  EXPECT_EQ(get(*out.begin()).value_or("?"), "new");
  EXPECT_EQ(list().size(), std::size_t{kNames});
  lose_power();
  EXPECT_EQ(list().size(), std::size_t{kNames});
}

TEST_F(OutOfReachTest, TheLastOneStaysWhateverHappensToIt) {
  put_all();
  ASSERT_TRUE(detach(2).ok());
  settle();
  fs::rename(m(1), dir_ + "/pulled");
  wait_for_state(1, "failed");
  EXPECT_TRUE(store_->is_failing());
  expect_all();  // its descriptors are as good as before
  fs::rename(dir_ + "/pulled", m(1));
  EXPECT_EQ(code(enable(1)), Errc::busy) << "nothing can take its place meanwhile";
  restart_cleanly();
  EXPECT_FALSE(store_->is_failing());
  EXPECT_EQ(state_of(1), "active");
  expect_all();
}

TEST_F(OutOfReachTest, OneThatFailedAsTheLastOneIsEnabledAfterAnother) {
  put_all();
  ASSERT_TRUE(disable(2, Emptying::kSkip).ok());
  fs::rename(m(1), dir_ + "/pulled");
  wait_for_state(1, "failed");
  EXPECT_TRUE(store_->is_failing());
  fs::rename(dir_ + "/pulled", m(1));
  EXPECT_EQ(code(enable(1)), Errc::busy) << "it is the only one";
  ASSERT_TRUE(enable(2).ok());
  EXPECT_EQ(state_of(1), "failed") << "what is there of it is not what it was opened as";
  ASSERT_TRUE(enable(1).ok());
  EXPECT_EQ(state_of(1), "active");
  settle();
  expect_all();
  ASSERT_TRUE(put(name(0), "new").ok());
  restart_cleanly();
  EXPECT_EQ(get(name(0)).value_or("?"), "new");
}

TEST_F(OutOfReachTest, WhatIsGivenUpIsNotFoundAndNeverComesBack) {
  put_all();
  const auto out = files_on(2);
  EXPECT_EQ(code(run(store_->give_up_mountpath(m(2)))), Errc::busy);
  ASSERT_TRUE(disable(2, Emptying::kSkip).ok());
  EXPECT_EQ(code(detach(2)), Errc::busy) << "not without a word about what it holds";
  ASSERT_TRUE(run(store_->give_up_mountpath(m(2))).ok());
  const auto check = [&] {
    for (int i = 0; i < kNames; ++i) {
      EXPECT_EQ(code(get(name(i))), out.contains(name(i)) ? Errc::not_found : Errc::internal);
    }
    EXPECT_EQ(list().size(), kNames - out.size());
  };
  check();
  EXPECT_EQ(code(enable(2)), Errc::not_found);
  EXPECT_EQ(code(attach(2)), Errc::invalid_argument);
  restart_cleanly();
  check();
  for (const auto& entry : fs::directory_iterator(m(2))) fs::remove_all(entry.path());
  ASSERT_TRUE(attach(2).ok()) << "as a new one";
  settle();
  check();
}

}  // namespace
}  // namespace aisfs::store
