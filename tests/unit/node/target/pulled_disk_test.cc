// SPDX-License-Identifier: MIT
// A disk of a target is out of reach, and other targets have copies of what was on it.
#include <set>

#include "tests/unit/node/store/damage.h"
#include "tests/unit/node/target/mirror_fixture.h"

namespace aisfs::target {
namespace {

class PulledDisk : public MirrorFixture {
 protected:
  static constexpr int kNames = 60;

  PulledDisk() {
    for (int i = 0; i < kNames; ++i) EXPECT_TRUE(put(key(i), "first").ok());
    for (int i = 0; i < kNames; ++i) {
      if (is_removed(i)) EXPECT_TRUE(remove(key(i)).ok());
    }
  }
  static std::string key(int i) { return "d/k" + std::to_string(i); }
  static bool is_removed(int i) { return i % 10 == 0; }
  std::string disk(const std::string& id) const { return dir_ + "/" + id + "/m1"; }
  void pull(const std::string& id) {
    EXPECT_TRUE(run(stores_[id]->disable(disk(id), store::Store::Emptying::kSkip)).ok());
    EXPECT_TRUE(stores_[id]->lacks_anything());
  }
  void bring_back(const std::string& id) {
    EXPECT_TRUE(run(stores_[id]->enable(disk(id))).ok());
    look_back();  // as it does in the background
    EXPECT_TRUE(run(stores_[id]->settle_names()).ok());
    EXPECT_FALSE(stores_[id]->lacks_anything());
  }
  /// Names of the target's, of objects that are there, that it knows nothing of now.
  std::vector<std::string> out_of_sight(const std::string& id) {
    std::vector<std::string> keys;
    for (int i = 0; i < kNames; ++i) {
      const bool lost = stores_[id]->may_lack(store::make_key(kId, name(key(i))));
      if (lost && !is_removed(i) && owner(key(i)) == id) keys.push_back(key(i));
    }
    return keys;
  }
  std::string read(const std::string& at) {
    const auto body = get(at);
    return body ? *body : std::string(info(body.error().code()).name);
  }
  void expect_all(const std::set<int>& changed = {}) {
    std::size_t there = 0;
    for (int i = 0; i < kNames; ++i) {
      const std::string first = is_removed(i) ? "not_found" : "first";
      const std::string expected = changed.contains(i) ? "second" : first;
      EXPECT_EQ(read(key(i)), expected) << key(i);
      there += expected == "not_found" ? 0 : 1;
    }
    EXPECT_EQ(list().size(), there);
  }
};

TEST_F(PulledDisk, WhatWasOnItIsReadAndListed) {
  pull("t1");
  ASSERT_GT(out_of_sight("t1").size(), 3u);
  EXPECT_EQ(list().size(), 54u) << "before any of them was read";
  expect_all();
  EXPECT_TRUE(out_of_sight("t1").empty()) << "what was read is here again";
  EXPECT_EQ(read("d/never"), "not_found");
  bring_back("t1");
  expect_all();
}

TEST_F(PulledDisk, ChangesGoOnAndCountWhenItIsBack) {
  pull("t1");
  const auto lost = out_of_sight("t1");
  ASSERT_GT(lost.size(), 3u);
  std::set<int> changed;
  for (int i = 1; i < kNames; i += 3) {
    EXPECT_TRUE(put(key(i), "second").ok()) << key(i);
    changed.insert(i);
  }
  EXPECT_TRUE(remove(lost.back()).ok());
  EXPECT_EQ(read(lost.back()), "not_found");
  EXPECT_TRUE(put(lost.back(), "second").ok());
  changed.insert(std::stoi(lost.back().substr(3)));
  expect_all(changed);
  bring_back("t1");
  expect_all(changed);
}

TEST_F(PulledDisk, WhatNobodyElseCanTellIsNotDenied) {
  pull("t1");
  std::string gone;
  for (const std::string& at : out_of_sight("t1")) {
    if (holders(at)[1] == "t2") gone = at;
  }
  ASSERT_FALSE(gone.empty());
  cut_off_ = "t2";
  EXPECT_EQ(head_soon(gone).error(), Errc::not_ready);
  cut_off_.clear();
  const auto again = head(gone);
  EXPECT_TRUE(again.ok()) << again.error().what();
  pull("t2");
  ListOptions options;
  Context context = soon();
  EXPECT_EQ(run(cluster_.list(std::move(context), kName, std::move(options))).error(),
            Errc::not_ready)
      << "two disks together may have all copies of a name";
}

TEST_F(PulledDisk, WhatWasOnItIsMadeAgainBeforeAnybodyReadsIt) {
  pull("t1");
  ASSERT_GT(out_of_sight("t1").size(), 3u);
  const auto restore = [this] {
    bool all = true;
    for (auto& [_, target] : targets_) {
      const auto done = run(target->restorer().round());
      all = all && done && *done;
    }
    return all;
  };
  const std::vector<std::string> everything;
  for (auto& [_, target] : targets_) {
    Context t1{.who = auth::node_identity("t1")};
    ASSERT_TRUE(run(target->miss_slices(std::move(t1), BucketName(), everything)).ok());
  }
  cut_off_ = "t1";
  EXPECT_FALSE(restore()) << "it is tried again";
  EXPECT_TRUE(targets_["t2"]->restorer().has_copies_for("t1"));
  cut_off_.clear();
  EXPECT_TRUE(restore());
  EXPECT_FALSE(targets_["t2"]->restorer().has_copies_for("t1"));
  EXPECT_TRUE(out_of_sight("t1").empty());
  for (int i = 0; i < kNames; ++i) {
    if (is_removed(i)) continue;
    for (const std::string& id : holders(key(i))) EXPECT_EQ(*stored(id, key(i)), "first") << id;
  }
  lose("t2");
  for (int i = 0; i < kNames; ++i) {
    EXPECT_EQ(read(key(i)), is_removed(i) ? "not_found" : "first") << key(i);
  }
}

/// One comes back with what it knew, and the other one, which has all that was changed meanwhile,
/// goes.
class SwappedDisks : public PulledDisk {
 protected:
  void swap(const std::string& id) {
    bring_one_back(id, "m1");
    EXPECT_TRUE(run(stores_[id]->disable(other_disk(id), store::Store::Emptying::kSkip)).ok());
  }
  void bring_one_back(const std::string& id, const std::string& mountpath) {
    EXPECT_TRUE(run(stores_[id]->enable(dir_ + "/" + id + "/" + mountpath)).ok());
    look_back();
  }
  std::string other_disk(const std::string& id) const { return dir_ + "/" + id + "/m2"; }
  /// Those that "t1" owns and has on the disk that is pulled next.
  std::vector<std::string> names_to_change() {
    std::vector<std::string> keys;
    for (int i = 0; i < kNames; ++i) {
      const bool lies_there = !store::file_of(disk("t1"), key(i)).empty();
      if (lies_there && !is_removed(i) && owner(key(i)) == "t1") keys.push_back(key(i));
    }
    return keys;
  }
};

TEST_F(SwappedDisks, WhatCameBackIsNotTakenForTheNewest) {
  auto names = names_to_change();
  ASSERT_GT(names.size(), 4u);
  const std::string removed = names.back();
  names.pop_back();
  pull("t1");
  for (const std::string& at : names) EXPECT_TRUE(put(at, "second").ok());
  EXPECT_TRUE(remove(removed).ok());
  swap("t1");
  for (const std::string& at : names) EXPECT_EQ(read(at), "second") << at;
  EXPECT_EQ(read(removed), "not_found");
  EXPECT_TRUE(put(names[0], "third").ok());
  EXPECT_EQ(read(names[0]), "third");
  bring_one_back("t1", "m2");
  EXPECT_TRUE(run(stores_["t1"]->settle_names()).ok());
  EXPECT_EQ(read(names[0]), "third");
  EXPECT_EQ(read(names[1]), "second");
  EXPECT_EQ(read(removed), "not_found");
}

TEST_F(SwappedDisks, OfASingleCopyAnOlderVersionIsNoAnswer) {
  keep(1);
  auto names = names_to_change();
  ASSERT_GT(names.size(), 2u);
  pull("t1");
  for (const std::string& at : names) EXPECT_TRUE(put(at, "second").ok());
  swap("t1");
  EXPECT_EQ(head_soon(names[0]).error(), Errc::not_ready);
  EXPECT_TRUE(put(names[0], "third").ok());
  EXPECT_EQ(read(names[0]), "third");
  bring_one_back("t1", "m2");
  EXPECT_EQ(read(names[0]), "third");
  EXPECT_EQ(read(names[1]), "second");
}

TEST_F(PulledDisk, OfASingleCopyNothingIsKnown) {
  keep(1);
  EXPECT_TRUE(walk());
  settled();
  pull("t1");
  const auto lost = out_of_sight("t1");
  ASSERT_FALSE(lost.empty());
  EXPECT_EQ(head_soon(lost.front()).error(), Errc::not_ready);
}

}  // namespace
}  // namespace aisfs::target
