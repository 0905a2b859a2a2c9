// SPDX-License-Identifier: MIT
// Buckets that keep two copies: what was acknowledged, or read, survives the loss of either.
#include "tests/unit/node/target/mirror_fixture.h"

namespace aisfs::target {
namespace {

class MirrorTest : public MirrorFixture {};

TEST_F(MirrorTest, WhatIsAcknowledgedLiesAtBothHolders) {
  for (int i = 0; i < 20; ++i) {
    const std::string key = "k" + std::to_string(i);
    const auto info = put(key, "body of " + key);
    ASSERT_TRUE(info.ok()) << info.error().what();
    for (const std::string& id : holders(key)) {
      EXPECT_EQ(*stored(id, key), "body of " + key);
      const auto there = stored_info(id, key);
      EXPECT_EQ(there->content_version, info->content_version);
      EXPECT_EQ(there->ino, info->ino);
      EXPECT_EQ(there->etag, info->etag);
    }
  }
  EXPECT_EQ(list().size(), 20u) << "each once";
}

TEST_F(MirrorTest, AllIsThereWhenAnOwnerIsLost) {
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(put("k" + std::to_string(i), "first").ok());
  }
  for (int i = 0; i < 60; i += 3) {
    ASSERT_TRUE(put("k" + std::to_string(i), "second").ok());
  }
  for (int i = 1; i < 60; i += 3) ASSERT_TRUE(remove("k" + std::to_string(i)).ok());
  lose("t2");
  for (int i = 0; i < 60; ++i) {
    const auto read = get("k" + std::to_string(i));
    if (i % 3 == 1) {
      EXPECT_EQ(code(read), Errc::not_found) << i;
    } else {
      ASSERT_TRUE(read.ok()) << i << ": " << read.error().what();
      EXPECT_EQ(*read, i % 3 == 0 ? "second" : "first") << i;
    }
  }
  EXPECT_EQ(list().size(), 40u);
}

TEST_F(MirrorTest, AWalkMakesTheMissingCopies) {
  for (int i = 0; i < 60; ++i) {
    const std::string key = "k" + std::to_string(i);
    ASSERT_TRUE(put(key, key).ok());
  }
  lose("t2");
  EXPECT_TRUE(walk());
  for (int i = 0; i < 60; ++i) {
    const std::string key = "k" + std::to_string(i);
    for (const std::string& id : holders(key)) EXPECT_EQ(*stored(id, key), key);
  }
  settled();
  // Two targets of three, one after the other, and nothing is lost.
  cut_off_ = "t3";
  change([](ClusterMap& map) { map.nodes["t3"].state = NodeState::kAway; });
  for (int i = 0; i < 60; ++i) {
    const std::string key = "k" + std::to_string(i);
    EXPECT_EQ(*get(key), key);
  }
  EXPECT_EQ(list().size(), 60u);
}

TEST_F(MirrorTest, AllVersionsOfANameAreComparedAfterARestart) {
  change([](ClusterMap& map) {
    map.buckets.at(kName.uname()).props.versioning = Versioning::kEnabled;
  });
  const std::string key = key_on("t1", "k");
  const std::string other = holders(key)[1];
  ASSERT_TRUE(put(key, "1").ok());
  EXPECT_TRUE(run(targets_.at("t1")->replicator().note_clock()).ok());
  cut_off_ = other;
  EXPECT_FALSE(put_soon(key, "2").ok());
  EXPECT_FALSE(put_soon(key, "3").ok());
  cut_off_.clear();
  restart("t1");
  look_back();
  const auto versions = [&](const std::string& id) {
    std::map<std::string, Version> known;
    const auto states = stores_[id]->states_of(store::make_key(kId, name(key)));
    if (states) {
      for (const store::NameState& state : *states) known[state.key] = state.meta_version;
    }
    return known;
  };
  EXPECT_EQ(versions("t1").size(), 3u);
  EXPECT_EQ(versions(other), versions("t1"));
  EXPECT_EQ(*stored(other, key), "3");
}

TEST_F(MirrorTest, ADirectoryThatIsRemovedIsNotListedByWhoHeldIt) {
  make_target("t4");
  look_back();
  std::vector<std::string> kept;  // owners stay, and t4 takes the place of the other holder
  for (int i = 0; i < 40; ++i) {
    const std::string path = "d" + std::to_string(i);
    ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, path, {})).ok());
    const std::string before = owner(path + "/");
    ClusterMap later = *maps_.current();
    later.nodes["t4"] = NodeInfo{.id = "t4"};
    const auto holders = placement::holder_ids(later, name(path + "/"), 2);
    if (holders[0] == before && holders[1] == "t4") kept.push_back(path);
  }
  ASSERT_FALSE(kept.empty());
  const std::size_t all = list().size();
  place("t4", NodeState::kActive);
  for (const std::string& path : kept) {
    const Status removed = run(cluster_.remove_dir(alice(), kName, path));
    EXPECT_TRUE(removed.ok()) << removed.error().what();
  }
  EXPECT_EQ(list().size(), all - kept.size());
}

/// A name of t1 of which t3 takes t2's copy over when it comes.
class HolderChanges : public MirrorTest {
 protected:
  HolderChanges() {
    place("t3", NodeState::kAway);
    for (int i = 0;; ++i) {
      key_ = key_on("t1", "k" + std::to_string(i) + "-");
      ClusterMap later = *maps_.current();
      later.nodes["t3"].state = NodeState::kActive;
      if (placement::holder_ids(later, name(key_), 2) == std::vector<std::string>{"t1", "t3"})
        break;
    }
    settled();
    EXPECT_TRUE(put(key_, "text").ok());
  }
  Status remove_soon() { return run(targets_.at("t1")->remove(soon(), name(key_), {})); }

  std::string key_;
};

TEST_F(HolderChanges, WhoHeldANameDoesNotListItWhenItIsRemoved) {
  before_copies_ = [this] { place("t3", NodeState::kActive); };
  const Status removed = remove(key_);
  ASSERT_TRUE(removed.ok()) << removed.error().what();
  ASSERT_FALSE(before_copies_) << "the holders changed while it was removed";
  EXPECT_EQ(list(), std::vector<std::string>{});
}

TEST_F(HolderChanges, ACopyIsEnoughWhileANameIsRemoved) {
  before_copies_ = [this] {
    change([](ClusterMap& map) {
      map.buckets.at(kName.uname()).props.copies = 1;
      map.placement.copies[kId] = {.least = 1, .most = 2};
      map.placement.past.push_back({.until = map.epoch + 1, .targets = {"t1", "t2"}});
      map.placement.since = map.epoch + 1;
    });
  };
  const Status removed = remove(key_);
  ASSERT_TRUE(removed.ok()) << removed.error().what();
  EXPECT_EQ(list(), std::vector<std::string>{});
}

TEST_F(HolderChanges, WhoIsToldThatANameIsGoneDoesNotSeeItListed) {
  cut_off_ = "t2";
  EXPECT_FALSE(remove_soon().ok());
  cut_off_.clear();
  place("t3", NodeState::kActive);
  EXPECT_EQ(settle("t1"), 0u);
  EXPECT_EQ(*stored("t2", key_), "text") << "nobody has told t2";
  EXPECT_EQ(code(head(key_)), Errc::not_found);
  EXPECT_EQ(list(), std::vector<std::string>{});
}

/// A change that its owner published and could not replicate, of a name that has another owner by
/// now, who has asked the other holder for it.
class UntoldChange : public MirrorTest {
 protected:
  UntoldChange() {
    place("t3", NodeState::kAway);
    while (true) {
      key_ = key_on("t1", "k" + std::to_string(tried_++) + "-");
      place("t3", NodeState::kActive);
      const bool moves = owner(key_) == "t3" && holders(key_)[1] == "t1";
      place("t3", NodeState::kAway);
      if (moves) break;
    }
    settled();
    cut_off_ = "t2";
    EXPECT_FALSE(put_soon(key_, "new").ok());
    cut_off_ = "t1";
    place("t3", NodeState::kActive);
    EXPECT_EQ(code(head(key_)), Errc::not_found);
    cut_off_.clear();
  }
  void expect_told() {
    EXPECT_EQ(*get(key_), "new");
    EXPECT_EQ(*stored("t3", key_), "new");
    EXPECT_EQ(list(), std::vector{key_});
  }

  std::string key_;

 private:
  int tried_ = 0;
};

TEST_F(UntoldChange, IsToldToTheOwnerOfNow) {
  EXPECT_FALSE(targets_.at("t1")->replicator().has_told_owners());
  EXPECT_EQ(settle("t1"), 0u);
  EXPECT_TRUE(targets_.at("t1")->replicator().has_told_owners());
  expect_told();
}

TEST_F(UntoldChange, IsToldAfterARestart) {
  restart("t1");
  EXPECT_FALSE(walk()) << "names are not at home before their owners know of them";
  EXPECT_TRUE(run(targets_.at("t1")->replicator().look_back()).ok());
  EXPECT_TRUE(walk());
  expect_told();
}

TEST_F(MirrorTest, WhatDidNotReachTheOtherHolderIsNotShown) {
  const std::string key = key_on("t1", "k");
  ASSERT_TRUE(put(key, "old").ok());
  cut_off_ = holders(key)[1];
  EXPECT_FALSE(put_soon(key, "new").ok());
  EXPECT_EQ(code(head_soon(key)), Errc::not_ready);
  cut_off_.clear();
  EXPECT_EQ(settle("t1"), 0u);
  EXPECT_EQ(*get(key), "new");
  EXPECT_EQ(*stored(holders(key)[1], key), "new");
}

TEST_F(MirrorTest, ARefusalTellsNothingThatDidNotReachTheOtherHolder) {
  const std::string key = key_on("t1", "k"), other = key_on("t1", "m"), third = key_on("t1", "n");
  ASSERT_TRUE(put(key, "old").ok());
  ASSERT_TRUE(put(third, "old").ok());
  cut_off_ = holders(key)[1];
  const auto remove_soon = [&] {
    return run(targets_.at("t1")->remove(soon(), name(key), {})).error().code();
  };
  EXPECT_EQ(remove_soon(), Errc::timed_out) << "it may have been removed";
  EXPECT_EQ(remove_soon(), Errc::not_ready) << "not that it is gone";
  cut_off_ = holders(other)[1];
  EXPECT_FALSE(put_soon(other, "new").ok());
  StringSource source("newer");
  PutOptions options{.conditions = {.must_not_exist = true}};
  ExpectedChecksums expected;
  const auto refused = run(
      targets_.at("t1")->put(soon(), name(other), std::move(options), std::move(expected), source));
  EXPECT_EQ(refused.error(), Errc::not_ready) << "not that it exists";
  RenameOptions no_replace{.no_replace = true};
  const auto moved =
      run(targets_.at("t1")->rename(soon(), name(third), name(other), std::move(no_replace)));
  EXPECT_EQ(moved.error(), Errc::not_ready) << "not that it exists";
  cut_off_.clear();
  EXPECT_EQ(settle("t1"), 0u);
  EXPECT_EQ(remove_soon(), Errc::not_found);
}

TEST_F(MirrorTest, WhatDidNotReachTheOtherHolderIsLostWithItsOwner) {
  const std::string key = key_on("t1", "k");
  ASSERT_TRUE(put(key, "old").ok());
  cut_off_ = holders(key)[1];
  EXPECT_FALSE(put_soon(key, "new").ok()) << "so nobody may rely on it";
  lose("t1");
  EXPECT_EQ(*get(key), "old");
}

TEST_F(MirrorTest, ARefusedChangeHoldsNobodyUp) {
  const std::string key = key_on("t1", "k");
  ASSERT_TRUE(put(key, "old").ok());
  cut_off_ = holders(key)[1];
  StringSource source("new");
  PutOptions options{.conditions = {.must_not_exist = true}};
  ExpectedChecksums expected;
  const auto refused =
      run(cluster_.put(alice(), name(key), std::move(options), std::move(expected), source));
  EXPECT_EQ(code(refused), Errc::already_exists);
  EXPECT_TRUE(head_soon(key).ok());
}

TEST_F(MirrorTest, ARestartComparesWhatWasNotKnownToBeThere) {
  const std::string key = key_on("t1", "k");
  ASSERT_TRUE(put(key, "old").ok());
  cut_off_ = holders(key)[1];
  EXPECT_FALSE(put_soon(key, "new").ok());
  restart("t1");
  EXPECT_FALSE(head_soon(key).ok()) << "it may be on this target alone";
  cut_off_.clear();
  EXPECT_EQ(*get(key), "new");
  EXPECT_EQ(*stored(holders(key)[1], key), "new");
}

TEST_F(MirrorTest, AttributesAndDeletesReachBoth) {
  const std::string key = key_on("t1", "k");
  ASSERT_TRUE(put(key, "text").ok());
  AttrChange change;
  change.mode = 0640;
  const auto changed = run(cluster_.set_attrs(alice(), name(key), std::move(change), {}));
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(stored_info(holders(key)[1], key)->meta_version, changed->meta_version);
  ASSERT_TRUE(remove(key).ok());
  for (const std::string& id : holders(key)) {
    EXPECT_EQ(code(stored_info(id, key)), Errc::not_found) << id;
  }
}

TEST_F(MirrorTest, ARenamedFileLiesAtTheHoldersOfItsNewName) {
  const std::string from = key_on("t1", "from"), near = key_on("t1", "near");
  const std::string far = key_on("t2", "far");
  ASSERT_TRUE(put(from, "text").ok());
  ASSERT_TRUE(rename(from, near).ok());
  for (const std::string& id : holders(near)) EXPECT_EQ(*stored(id, near), "text") << id;
  ASSERT_TRUE(rename(near, far).ok());
  EXPECT_EQ(*stored(holders(far)[1], far), "text") << "the bytes, whoever else has them";
  lose("t2");
  EXPECT_EQ(*get(far), "text");
  EXPECT_EQ(list(), std::vector<std::string>{far});
}

/// The tombstone of a rename has the version of when it was decided, however late it is made.
TEST_F(MirrorTest, ALateTombstoneIsToldTheOwnerOfNowAfterARestart) {
  place("t3", NodeState::kAway);
  ClusterMap later = *maps_.current();
  later.nodes["t3"].state = NodeState::kActive;
  using Ids = std::vector<std::string>;
  const auto find = [&](const std::string& owner, const std::string& begin, const Ids& holders) {
    for (int i = 0;; ++i) {
      const std::string key = key_on(owner, begin + std::to_string(i) + "-");
      if (placement::holder_ids(later, name(key), 2) == holders) return key;
    }
  };
  const std::string from = find("t1", "from", {"t3", "t1"}), to = find("t2", "to", {"t2", "t1"});
  settled();
  ASSERT_TRUE(put(from, "text").ok());
  finish_is_lost_ = true;
  EXPECT_EQ(code(rename_within(kSoon, from, to)), Errc::timed_out);
  finish_is_lost_ = false;
  EXPECT_TRUE(run(targets_.at("t1")->replicator().note_clock()).ok());
  cut_off_ = "t1";
  place("t3", NodeState::kActive);
  EXPECT_EQ(*get(from), "text") << "t2 knows of nothing else";
  cut_off_ = "t3";
  EXPECT_EQ(*run(targets_.at("t1")->settle_all(as("node", true))), 0u);
  cut_off_.clear();
  restart("t1");
  EXPECT_TRUE(run(targets_.at("t1")->replicator().look_back()).ok());
  EXPECT_EQ(code(head(from)), Errc::not_found);
  EXPECT_EQ(*get(to), "text");
}

TEST_F(MirrorTest, WhatWasRenamedBetweenTwoDisksIsReadWhereverTheOldNameBelongs) {
  keep(1);
  place("t3", NodeState::kAway);
  settled();
  ClusterMap later = *maps_.current();
  later.nodes["t3"].state = NodeState::kActive;
  const auto owner_later = [&](const std::string& key) {
    return placement::owner_of(later, name(key))->id;
  };
  std::string from, to;
  for (int i = 0; to.empty(); ++i) {
    from = key_on("t1", "from" + std::to_string(i) + "-");
    const std::string near = key_on("t1", "near" + std::to_string(i) + "-");
    if (owner_later(from) != "t3" || owner_later(near) != "t1") continue;
    ASSERT_TRUE(put(from, "text").ok());
    ASSERT_TRUE(rename(from, near).ok());
    const auto reference = stores_["t1"]->resolve(store::make_key(kId, name(near)));
    if (reference.ok() && reference->has_value()) to = near;
  }
  place("t3", NodeState::kActive);
  EXPECT_TRUE(walk());
  settled();
  EXPECT_EQ(get(to).value_or("?"), "text");
  ASSERT_TRUE(remove(to).ok());
  EXPECT_EQ(code(get(to)), Errc::not_found);
}

TEST_F(MirrorTest, AReservationIsKeptByBoth) {
  const std::string key = key_on("t1", "k");
  ASSERT_TRUE(reserve(key).ok());
  lose("t1");
  EXPECT_EQ(code(reserve(key)), Errc::already_exists);
}

TEST_F(MirrorTest, AnOwnerThatWasReplacedChangesNothing) {
  const std::string key = key_on("t1", "k");
  ASSERT_TRUE(put(key, "old").ok());
  const auto before = stored_info("t1", key);
  const std::string other = holders(key)[1];
  place("t1", NodeState::kAway);
  store::StoredMeta meta{.bucket = kId, .key = key, .info = *before};
  ++meta.info.content_version.hlc;
  ++meta.info.meta_version.hlc;
  StringSource body("late");
  meta.info.size = 4;
  const Status taken =
      run(targets_.at(other)->take_copy(as("node", true), "t1", kName, meta, body));
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code(), Errc::stale_map);
  EXPECT_EQ(*get(key), "old");
}

TEST_F(MirrorTest, WithoutASecondTargetNothingIsAcknowledged) {
  const std::string key = "k";
  ASSERT_TRUE(put(key, "old").ok());
  lose("t2");
  place("t3", NodeState::kAway);
  EXPECT_EQ(code(put_soon(key, "new")), Errc::not_ready);
}

TEST_F(MirrorTest, ARenameWhoseSourcesOwnerDiesBetweenTheTwoNamesLeavesOne) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to");
  ASSERT_TRUE(put(from, "body").ok());
  finish_is_lost_ = true;  // it is committed, and the other owner does not hear of it
  EXPECT_FALSE(rename_within(kSoon, from, to).ok());
  EXPECT_EQ(*run(targets_.at("t2")->settle_all(as("node", true))), 1u) << "t1 is asked";
  EXPECT_FALSE(targets_.at("t2")->has_open_renames()) << "nothing is to be done there meanwhile";
  lose("t1");
  ASSERT_EQ(get(from).value_or("?"), "body") << "of a copy";
  EXPECT_EQ(*run(targets_.at("t2")->settle_all(as("node", true))), 0u);
  EXPECT_EQ(code(get(from)), Errc::not_found);
  EXPECT_EQ(get(to).value_or("?"), "body");
}

}  // namespace
}  // namespace aisfs::target
