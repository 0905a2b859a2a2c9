// SPDX-License-Identifier: MIT
// Buckets that lie on both disks of each target that holds their objects.
#include <set>

#include "tests/unit/node/store/damage.h"
#include "tests/unit/node/target/mirror_fixture.h"

namespace aisfs::target {
namespace {

class DiskCopies : public MirrorFixture {
 protected:
  static constexpr int kNames = 60;

  DiskCopies() {
    keep(1);
    change([](ClusterMap& map) { map.buckets.at(kName.uname()).props.disk_copies = 2; });
  }
  /// As the node does with each map.
  void keep_on_disks() {
    for (auto& [id, store] : stores_) EXPECT_TRUE(run(store->keep_copies({{kId, 2}})).ok());
  }
  static std::string key(int i) { return "d/k" + std::to_string(i); }
  void put_all() {
    for (int i = 0; i < kNames; ++i) ASSERT_TRUE(put(key(i), "first " + key(i)).ok());
  }
  std::string disk(const std::string& id, int n) const {
    return dir_ + "/" + id + "/m" + std::to_string(n);
  }
  void pull(const std::string& id, int n) {
    EXPECT_TRUE(run(stores_[id]->disable(disk(id, n), store::Store::Emptying::kSkip)).ok());
    EXPECT_TRUE(stores_[id]->lacks_anything());
  }
  void bring_back(const std::string& id, int n) {
    EXPECT_TRUE(run(stores_[id]->enable(disk(id, n))).ok());
    look_back();
    EXPECT_TRUE(run(stores_[id]->settle_names()).value_or(false));
  }
  std::string read(const std::string& at) {
    const auto body = get(at);
    return body ? *body : std::string(info(body.error().code()).name);
  }
};

TEST_F(DiskCopies, AChangeWaitsUntilTheDisksAreToKeepIt) {
  EXPECT_EQ(code(put_soon("k", "body")), Errc::not_ready);
  keep_on_disks();
  EXPECT_TRUE(put("k", "body").ok());
}

TEST_F(DiskCopies, ABucketWithOneCopySurvivesTheLossOfADiskOfEachTarget) {
  keep_on_disks();
  put_all();
  std::map<std::string, std::string> expected;
  for (int i = 0; i < kNames; ++i) {
    if (i % 3 == 0) {
      ASSERT_TRUE(remove(key(i)).ok());
      expected[key(i)] = "not_found";
    } else if (i % 3 == 1) {
      const std::string to = "r/" + std::to_string(i);
      ASSERT_TRUE(rename(key(i), to).ok());
      expected[key(i)] = "not_found";
      expected[to] = "first " + key(i);
    } else {
      expected[key(i)] = "first " + key(i);
    }
  }
  for (const int n : {1, 2}) {
    SCOPED_TRACE(n);
    for (const auto& [id, store] : stores_) pull(id, n);
    for (const auto& [at, body] : expected) EXPECT_EQ(read(at), body) << at;
    EXPECT_EQ(list().size(), std::size_t{kNames} * 2 / 3);
    EXPECT_EQ(read("never"), "not_found");
    for (auto& [at, body] : expected) {
      if (body == "not_found") continue;
      body = "disk " + std::to_string(n);
      ASSERT_TRUE(put(at, body).ok()) << at;
    }
    for (const auto& [id, store] : stores_) bring_back(id, n);
    for (const auto& [at, body] : expected) EXPECT_EQ(read(at), body) << at;
  }
}

TEST_F(DiskCopies, WithCopiesOnOtherTargetsTooADiskIsNotMissed) {
  keep(2);
  keep_on_disks();
  put_all();
  for (const auto& [id, store] : stores_) pull(id, 1);
  for (int i = 0; i < kNames; ++i) {
    for (const std::string& id : holders(key(i))) {
      EXPECT_FALSE(stores_[id]->may_lack(store::make_key(kId, name(key(i))))) << key(i);
      EXPECT_EQ(stored(id, key(i)).value_or("?"), "first " + key(i));
    }
  }
}

TEST_F(DiskCopies, WhatADiskHasChangedIsReadFromTheOther) {
  keep_on_disks();
  const std::string body(1'500'000, 'b');
  ASSERT_TRUE(put("k", body).ok());
  const std::string id = owner("k");
  restart(id);
  look_back();
  for (const int n : {1, 2}) {
    const std::string file = store::file_of(disk(id, n), "k");
    ASSERT_FALSE(file.empty());
    const auto verified = run(stores_[id]->scrub(store::make_key(kId, name("k"))));
    ASSERT_TRUE(verified.ok());
    store::flip_bit(file, 1'200'000);
    (void)run(targets_.at(id)->healer().check(store::make_key(kId, name("k"))));
    EXPECT_EQ(read("k"), body);
  }
  EXPECT_EQ(store::set_aside_below(dir_).size(), 2u);
}

}  // namespace
}  // namespace aisfs::target
