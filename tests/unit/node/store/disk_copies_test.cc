// SPDX-License-Identifier: MIT
// Names that lie on several mountpaths of a target.
#include <algorithm>

#include "common/model/version_key.h"
#include "tests/unit/node/store/damage.h"
#include "tests/unit/node/store/mountpaths_fixture.h"

namespace aisfs::store {
namespace {

class DiskCopiesTest : public MountpathsTest {
 protected:
  static constexpr int kDisks = 3;

  DiskCopiesTest() {
    make(3);
    EXPECT_TRUE(attach(3).ok());
    settle();
  }
  void keep(std::uint32_t copies) {
    EXPECT_TRUE(run(store_->keep_copies({{kBucket, copies}})).ok());
    EXPECT_EQ(store_->copies_kept(kBucket), copies);
  }
  /// As whoever changes a name does before it is acknowledged.
  void copied(const std::string& at) {
    const auto whole = run(store_->copy_to_disks(key(at)));
    ASSERT_TRUE(whole.ok()) << whole.error().what();
    EXPECT_TRUE(*whole) << at;
  }
  void put_copied(const std::string& at, const std::string& body) {
    ASSERT_TRUE(put(at, body).ok());
    copied(at);
  }
  void put_all_copied(const std::string& body = "old ") {
    for (int i = 0; i < kNames; ++i) put_copied(name(i), body + name(i));
  }
  std::size_t files_of(const std::string& at) const {
    std::size_t count = 0;
    for (int disk = 1; disk <= kDisks; ++disk) count += files_on(disk).contains(at) ? 1 : 0;
    return count;
  }
  void expect_files(std::size_t copies) const {
    for (int i = 0; i < kNames; ++i) EXPECT_EQ(files_of(name(i)), copies) << name(i);
  }
  /// The disk that answers for the name.
  int first_of(const std::string& at) {
    for (int disk = 1; disk <= kDisks; ++disk) {
      const auto names = run(store_->names_on(index_of(disk), kBucket, {}));
      for (const NameState& state : names->names) {
        if (state.key == at) return disk;
      }
    }
    return 0;
  }
  std::size_t index_of(int disk) const { return static_cast<std::size_t>(disk - 1); }
  std::string file_on(int disk, const std::string& at) const { return file_of(m(disk), at); }
  ScrubFinding scrub(const std::string& at) {
    auto found = run(store_->scrub(key(at)));
    EXPECT_TRUE(found.ok());
    return found ? *found : ScrubFinding{};
  }
};

TEST_F(DiskCopiesTest, EachNameLiesOnTwoAndCountsOnce) {
  keep(2);
  EXPECT_TRUE(store_->storage().settled) << "nothing was written of the bucket";
  put_all_copied();
  const auto check = [&] {
    expect_files(2);
    expect_all();
    std::size_t told = 0;
    for (std::size_t disk = 0; disk < kDisks; ++disk) {
      told += run(store_->names_on(disk, kBucket, {}))->names.size();
    }
    EXPECT_EQ(told, std::size_t{kNames});
  };
  check();
  restart_cleanly();
  EXPECT_EQ(store_->copies_kept(kBucket), 2u);
  EXPECT_EQ(store_->usage(kBucket)->objects, std::uint64_t{kNames});
  check();
  lose_power();
  settle();
  check();
}

TEST_F(DiskCopiesTest, TheLossOfAnyDiskCostsNothing) {
  keep(2);
  put_all_copied();
  for (int i = 0; i < kNames; i += 5) {
    ASSERT_TRUE(remove(name(i)).ok());
    copied(name(i));
  }
  const auto check = [&] {
    for (int i = 0; i < kNames; ++i) {
      if (i % 5 == 0) {
        EXPECT_EQ(code(get(name(i))), Errc::not_found) << name(i);
      } else {
        EXPECT_EQ(get(name(i)).value_or("?"), "old " + name(i));
      }
      EXPECT_FALSE(store_->may_lack(key(name(i))));
    }
    EXPECT_EQ(code(get("never")), Errc::not_found);
    EXPECT_EQ(list().size(), std::size_t{kNames} * 4 / 5);
  };
  for (int lost = 1; lost <= kDisks; ++lost) {
    SCOPED_TRACE(lost);
    ASSERT_TRUE(disable(lost, Emptying::kSkip).ok());
    check();
    ASSERT_TRUE(put("new", "x").ok());
    copied("new");
    ASSERT_TRUE(remove("new").ok());
    copied("new");
    settle();
    check();
    lose_power();
    check();
    settle();
    ASSERT_TRUE(enable(lost).ok());
    EXPECT_EQ(code(get("new")), Errc::not_found);
    settle();
    check();
    for (int i = 1; i < kNames; i += 5) EXPECT_EQ(files_of(name(i)), 2u) << name(i);
  }
}

TEST_F(DiskCopiesTest, OneDiskAfterTheOtherIsLostOnceCopiesAreMadeAgain) {
  keep(2);
  put_all_copied();
  ASSERT_TRUE(disable(1, Emptying::kSkip).ok());
  settle();
  ASSERT_TRUE(disable(2, Emptying::kSkip).ok());
  expect_all();
  settle();
  expect_all();
  restart_cleanly();
  expect_all();
}

TEST_F(DiskCopiesTest, ADiskIsLostWhileNamesMoveToANewOne) {
  keep(2);
  put_all_copied();
  make(4);
  ASSERT_TRUE(attach(4).ok());
  ASSERT_FALSE(store_->storage().settled);
  ASSERT_TRUE(disable(1, Emptying::kSkip).ok());
  for (int i = 0; i < kNames; ++i) {
    EXPECT_EQ(get(name(i)).value_or("?"), "old " + name(i));
    put_copied(name(i), "new " + name(i));
  }
  settle();
  ASSERT_TRUE(disable(4, Emptying::kSkip).ok());
  for (int i = 0; i < kNames; ++i) EXPECT_EQ(get(name(i)).value_or("?"), "new " + name(i));
}

TEST_F(DiskCopiesTest, WhatOnlyTwoLostDisksHadIsNotSaidToBeGone) {
  keep(2);
  put_all_copied();
  std::set<std::string> gone, kept = files_on(3);
  for (int i = 0; i < kNames; ++i) {
    if (!kept.contains(name(i))) gone.insert(name(i));
  }
  ASSERT_GE(gone.size(), 4u);
  ASSERT_TRUE(disable(1, Emptying::kSkip).ok());
  ASSERT_TRUE(disable(2, Emptying::kSkip).ok());
  const auto check = [&] {
    for (const std::string& one : gone) EXPECT_EQ(code(get(one)), Errc::not_ready) << one;
    for (const std::string& one : kept) EXPECT_EQ(get(one).value_or("?"), "old " + one);
    EXPECT_EQ(code(run(store_->list(kBucket, {}))), Errc::not_ready);
  };
  check();
  restart_cleanly();
  check();
  lose_power();
  for (const std::string& one : gone) EXPECT_EQ(code(get(one)), Errc::not_ready) << one;
  ASSERT_TRUE(enable(2).ok());
  settle();
  expect_all();
}

TEST_F(DiskCopiesTest, ADiskThatIsBackWithOldStatesChangesNothing) {
  keep(2);
  put_all_copied();
  ASSERT_TRUE(disable(1, Emptying::kSkip).ok());
  put_all_copied("new ");
  ASSERT_TRUE(remove(name(0)).ok());
  copied(name(0));
  ASSERT_TRUE(enable(1).ok());
  EXPECT_EQ(code(get(name(0))), Errc::not_found);
  for (int i = 1; i < kNames; ++i) EXPECT_EQ(get(name(i)).value_or("?"), "new " + name(i));
  settle();
  for (const int lost : {2, 3}) {
    ASSERT_TRUE(disable(lost, Emptying::kSkip).ok());
    EXPECT_EQ(code(get(name(0))), Errc::not_found);
    for (int i = 1; i < kNames; ++i) EXPECT_EQ(get(name(i)).value_or("?"), "new " + name(i));
    ASSERT_TRUE(enable(lost).ok());
    settle();
  }
}

TEST_F(DiskCopiesTest, TheNumberOfCopiesRisesAndFalls) {
  put_all();
  expect_files(1);
  keep(3);
  EXPECT_FALSE(store_->storage().settled);
  expect_all();
  settle();
  expect_files(3);
  expect_all();
  keep(2);
  settle();
  expect_files(2);
  keep(1);
  expect_all();
  settle();
  expect_files(1);
  expect_all();
}

TEST_F(DiskCopiesTest, AllKindsOfChangesReachTheCopies) {
  keep(2);
  put_all_copied();
  AttrChange change{.mode = 0100600};
  for (int i = 0; i < kNames; i += 4) {
    ASSERT_TRUE(run(store_->set_attrs(key(name(i)), change, {}, level_)).ok());
    copied(name(i));
    ASSERT_TRUE(put(name(i + 1), std::string(100'000, 'x')).ok());
    copied(name(i + 1));
    ASSERT_TRUE(run(store_->reserve(key("r" + name(i)), {})).ok());
    copied("r" + name(i));
  }
  Key versioned = key("v");
  versioned.versioning = Versioning::kEnabled;
  std::string old;
  for (const char* body : {"one", "two"}) {
    StringSource source(body);
    const auto done = run(store_->put(versioned, {}, {}, source));
    ASSERT_TRUE(done.ok());
    if (old.empty()) old = version_id(*done);
    copied("v");
  }
  for (int lost = 1; lost <= kDisks; ++lost) {
    SCOPED_TRACE(lost);
    ASSERT_TRUE(disable(lost, Emptying::kSkip).ok());
    for (int i = 0; i < kNames; i += 4) {
      ASSERT_TRUE(head(name(i)).ok());
      EXPECT_EQ(head(name(i))->posix->mode, 0100600u);
      EXPECT_EQ(get(name(i)).value_or("?"), "old " + name(i));
      EXPECT_EQ(get(name(i + 1)).value_or("?"), std::string(100'000, 'x'));
      EXPECT_TRUE(head("r" + name(i)).ok());
    }
    EXPECT_EQ(get("v").value_or("?"), "two");
    EXPECT_EQ(store_->states_of(key("v"))->size(), 2u);
    EXPECT_TRUE(store_->find_version(key(version_key("v", old))).ok());
    settle();
    ASSERT_TRUE(enable(lost).ok());
    settle();
  }
}

/// One target's rename leaves the bytes where they are, if the two names have different disks.
TEST_F(DiskCopiesTest, NamesWhoseBytesLieElsewhereAreTold) {
  keep(2);
  put_all_copied();
  std::set<std::string> elsewhere, told;
  for (int i = 0; i < kNames; ++i) {
    const std::string to = "to/" + name(i);
    ASSERT_TRUE(run(store_->rename_local(key(name(i)), key(to), {}, level_)).ok());
    copied(name(i));
    const auto whole = run(store_->copy_to_disks(key(to)));
    ASSERT_TRUE(whole.ok());
    if (*whole) EXPECT_EQ(files_of(to), 2u);
    if (!*whole) elsewhere.insert(to);
    EXPECT_EQ(files_of(name(i)), 0u);
  }
  ASSERT_FALSE(elsewhere.empty());
  for (const Key& one : store_->take_references()) told.insert(one.key());
  EXPECT_EQ(told, elsewhere);
  EXPECT_TRUE(store_->take_references().empty());
  for (const std::string& to : elsewhere) put_copied(to, "plain");
  for (const std::string& to : elsewhere) EXPECT_EQ(files_of(to), 2u);
}

TEST_F(DiskCopiesTest, WhatIsForgottenIsForgottenOnAllOfThem) {
  keep(2);
  put_all_copied();
  ASSERT_TRUE(run(store_->forget(key(name(0)), head(name(0))->meta_version)).ok());
  EXPECT_EQ(files_of(name(0)), 0u);
  ASSERT_TRUE(remove(name(1)).ok());
  copied(name(1));
  const auto states = store_->states_of(key(name(1)));
  ASSERT_EQ(states->size(), 1u);
  EXPECT_TRUE(
      run(store_->forget_tombstone(key(name(1)), states->front().meta_version)).value_or(false));
  for (int lost = 1; lost <= kDisks; ++lost) {
    ASSERT_TRUE(disable(lost, Emptying::kSkip).ok());
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(code(get(name(i))), Errc::not_found);
      EXPECT_TRUE(store_->states_of(key(name(i)))->empty()) << "on disk " << lost;
    }
    settle();
    ASSERT_TRUE(enable(lost).ok());
    settle();
  }
}

TEST_F(DiskCopiesTest, AnothersCopyIsOnTwoDisksWhenItIsTaken) {
  keep(2);
  put_copied("from", "body");
  {
    auto copy = run(store_->open_copy(key("from")));
    ASSERT_TRUE(copy.ok());
    copy->meta.key = "k";
    EXPECT_TRUE(run(store_->adopt(key("k"), copy->meta, *copy->body)).value_or(false));
  }
  EXPECT_EQ(files_of("k"), 2u);
  const Version later = *store_->next_version();
  EXPECT_TRUE(run(store_->adopt_tombstone(key("k"), later, level_)).value_or(false));
  EXPECT_EQ(files_of("k"), 0u);
  for (int lost = 1; lost <= kDisks; ++lost) {
    ASSERT_TRUE(disable(lost, Emptying::kSkip).ok());
    ASSERT_EQ(store_->states_of(key("k"))->size(), 1u);
    EXPECT_EQ(store_->states_of(key("k"))->front().meta_version, later);
    settle();
    ASSERT_TRUE(enable(lost).ok());
    settle();
  }
}

TEST_F(DiskCopiesTest, ADamagedCopyIsMadeAgainAndADamagedFileHealedByIt) {
  keep(2);
  const std::string body(1'500'000, 'b');
  put_copied("k", body);
  const int first = first_of("k");
  ASSERT_NE(first, 0);
  int second = 0;
  for (int disk = 1; disk <= kDisks; ++disk) {
    if (disk != first && !file_on(disk, "k").empty()) second = disk;
  }
  ASSERT_NE(second, 0);
  flip_bit(file_on(second, "k"), 1'200'000);
  EXPECT_EQ(scrub("k").state, ScrubFinding::State::kGood);
  EXPECT_EQ(set_aside_below(dir_).size(), 1u);
  flip_bit(file_on(first, "k"), 7);
  const ScrubFinding found = scrub("k");
  EXPECT_EQ(found.state, ScrubFinding::State::kDamaged);
  EXPECT_TRUE(run(store_->heal_from_disks(key("k"), found.meta_version)).value_or(false));
  EXPECT_EQ(scrub("k").state, ScrubFinding::State::kGood);
  EXPECT_EQ(get("k").value_or("?"), body) << "so the copy had been a good one";
}

TEST_F(DiskCopiesTest, ADetachedDiskLeavesTwoCopies) {
  keep(2);
  put_all_copied();
  ASSERT_TRUE(detach(2).ok());
  expect_all();
  settle();
  EXPECT_EQ(state_of(2), "unknown");
  expect_all();
  for (int i = 0; i < kNames; ++i) {
    EXPECT_EQ(files_on(1).count(name(i)) + files_on(3).count(name(i)), 2u) << name(i);
  }
}

}  // namespace
}  // namespace aisfs::store
