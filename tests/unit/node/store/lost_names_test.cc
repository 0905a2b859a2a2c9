// SPDX-License-Identifier: MIT
// Files that are damaged while nothing but they and the log tell what there is.
#include "tests/unit/node/store/damage.h"
#include "tests/unit/node/store/store_fixture.h"

namespace aisfs::store {
namespace {

class LostNamesTest : public StoreTest {
 protected:
  LostNamesTest() {
    level_ = Durability::kFull;
    for (const char* name : {"a", "b", "c"}) EXPECT_TRUE(put(name, body(name)).ok());
    store_->close();  // no intent is left to make a file anew
  }
  static std::string body(const std::string& name) { return std::string(70'000, name[0]); }
  void expect_lost(const std::string& name) {
    EXPECT_EQ(get(name).error(), Errc::not_ready);
    EXPECT_EQ(head(name).error(), Errc::not_ready);
    EXPECT_TRUE(store_->may_lack(key(name)));
    EXPECT_EQ(store_->lost_names().size(), 1u);
    EXPECT_EQ(store_->check_names_known(kBucket).error(), Errc::not_ready);
  }
  void expect_not_lost(const std::string& name) {
    EXPECT_FALSE(store_->may_lack(key(name)));
    EXPECT_TRUE(store_->lost_names().empty());
  }
};

TEST_F(LostNamesTest, WhatCannotBeReadIsNotSaidToBeGone) {
  flip_bit_of_xattr(file_of(dir_, "b"), 20);
  restart_without_index();
  expect_lost("b");
  EXPECT_EQ(*get("a"), body("a"));
  EXPECT_EQ(get("never").error(), Errc::not_found);
  restart_cleanly();
  expect_lost("b");
  restart_without_index();
  expect_lost("b");
}

TEST_F(LostNamesTest, ItIsLostNoMoreOnceItIsReplacedOrRemoved) {
  flip_bit_of_xattr(file_of(dir_, "b"), 20);
  restart_without_index();
  EXPECT_TRUE(put("b", "new").ok());
  expect_not_lost("b");
  EXPECT_EQ(*get("b"), "new");
  EXPECT_TRUE(remove("b").ok());
  expect_not_lost("b");
  EXPECT_EQ(get("b").error(), Errc::not_found);

  store_->close();
  flip_bit_of_xattr(file_of(dir_, "c"), 20);
  restart_without_index();
  expect_lost("c");
  RemoveOptions options{.missing_ok = true};
  EXPECT_TRUE(run(store_->remove(key("c"), std::move(options), level_)).ok());
  expect_not_lost("c");
  EXPECT_EQ(get("c").error(), Errc::not_found);
}

TEST_F(LostNamesTest, NorIsAnOlderDeleteTakenForTheLastWord) {
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(remove("b").ok());
  ASSERT_TRUE(put("b", body("b")).ok());
  store_->close();
  flip_bit_of_xattr(file_of(dir_, "b"), 20);
  restart_without_index();
  expect_lost("b");
}

TEST_F(LostNamesTest, WhatIsCutOffStaysListedAndDamaged) {
  std::filesystem::resize_file(file_of(dir_, "b"), 5000);
  restart_without_index();
  EXPECT_EQ(get("b").error(), Errc::corrupt);
  EXPECT_EQ(list(), (std::vector<std::string>{"a", "b", "c"}));
  expect_not_lost("b");
}

TEST_F(LostNamesTest, FilesThatWereExchangedAreNotReadAsEachOther) {
  ASSERT_TRUE(start().ok());
  std::string other;  // on the same disk as "a"
  const std::string file = file_of(dir_, "a");
  for (int i = 0; other.empty(); ++i) {
    const std::string name = "o" + std::to_string(i);
    ASSERT_TRUE(put(name, body("o")).ok());
    const bool same =
        file_of(dir_, name).substr(0, dir_.size() + 3) == file.substr(0, dir_.size() + 3);
    if (same) other = name;
  }
  store_->close();
  ASSERT_EQ(
      ::renameat2(AT_FDCWD, file.c_str(), AT_FDCWD, file_of(dir_, other).c_str(), RENAME_EXCHANGE),
      0);
  restart_without_index();
  EXPECT_EQ(get("a").error(), Errc::not_ready);
  EXPECT_EQ(get(other).error(), Errc::not_ready);
  EXPECT_EQ(store_->lost_names().size(), 2u);
}

}  // namespace
}  // namespace aisfs::store
