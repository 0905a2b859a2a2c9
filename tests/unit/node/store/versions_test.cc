// SPDX-License-Identifier: MIT
#include <thread>

#include "common/model/version_key.h"
#include "node/store/layout.h"
#include "tests/unit/node/store/store_fixture.h"

namespace aisfs::store {
namespace {

class VersionsTest : public StoreTest {
 protected:
  Key versioned(const std::string& name) const {
    Key k = key(name);
    k.versioning = mode_;
    return k;
  }
  /// The id of the version that is written.
  std::string write(const std::string& name, const std::string& body, PutOptions options = {}) {
    options.level = level_;
    StringSource source(body);
    ExpectedChecksums expected;
    const auto put =
        run(store_->put(versioned(name), std::move(options), std::move(expected), source));
    EXPECT_TRUE(put.ok()) << (put ? "" : put.error().what());
    return put ? version_id(*put) : "";
  }
  std::string mark(const std::string& name) {
    const auto put = run(store_->put_delete_marker(versioned(name), {}, level_));
    EXPECT_TRUE(put.ok()) << (put ? "" : put.error().what());
    return put ? version_id(*put) : "";
  }
  Status drop(const std::string& name, const std::string& id) {
    return run(store_->remove_version(key(version_key(name, id)), {}, level_));
  }
  /// Its bytes, by whichever name it has.
  std::string bytes(const std::string& name, const std::string& id) {
    const auto found = store_->find_version(key(version_key(name, id)));
    return found ? get(found->key.key()).value_or("unreadable") : "none";
  }
  /// Ids of the versions that a name has, newest first.
  std::vector<std::string> ids() {
    ListOptions options;
    options.attributes = options.versions = true;
    std::vector<std::string> out;
    const auto page = run(store_->list(kBucket, std::move(options)));
    for (const ListEntry& entry : page->entries) {
      out.push_back(is_version_key(entry.key)
                        ? std::string(version_id_of_suffix(version_suffix(entry.key)))
                        : version_id(entry.info));
    }
    return out;
  }
  /// As if power had gone between the two steps of a publish.
  void link_kept(const std::string& name) {
    const std::string kept = kept_key(name, *head(name));
    for (const char* mountpath : {"/m1/", "/m2/"}) {
      const std::string bucket = dir_ + mountpath + "@ais/b";
      if (!std::filesystem::exists(layout::object_path(bucket, name).path)) continue;
      const std::filesystem::path to = layout::escaped_path(bucket, kept).path;
      std::filesystem::create_directories(to.parent_path());
      std::filesystem::create_hard_link(layout::object_path(bucket, name).path, to);
    }
  }
  std::vector<std::string> of(std::vector<std::string> list) { return list; }

  Versioning mode_ = Versioning::kEnabled;
};

TEST_F(VersionsTest, WhatIsReplacedIsKept) {
  const std::string one = write("a", "1"), two = write("a", "22"), three = write("a", "333");
  EXPECT_EQ(get("a").value_or("?"), "333");
  EXPECT_EQ(bytes("a", one), "1");
  EXPECT_EQ(bytes("a", two), "22");
  EXPECT_EQ(bytes("a", three), "333");
  EXPECT_EQ(ids(), of({three, two, one}));
  EXPECT_EQ(list(), of({"a"}));
  EXPECT_EQ(bytes("a", new_version_id({1, 2, 3})), "none");
}

TEST_F(VersionsTest, WhatWasThereBeforeHasNoId) {
  mode_ = Versioning::kOff;
  EXPECT_EQ(write("a", "old"), "null");
  mode_ = Versioning::kEnabled;
  const std::string id = write("a", "new");
  EXPECT_EQ(bytes("a", "null"), "old");
  EXPECT_EQ(ids(), of({id, "null"}));
}

TEST_F(VersionsTest, ASuspendedBucketHasOneVersionWithoutAnId) {
  const std::string id = write("a", "kept");
  mode_ = Versioning::kSuspended;
  EXPECT_EQ(write("a", "first"), "null");
  EXPECT_EQ(write("a", "second"), "null");
  EXPECT_EQ(ids(), of({"null", id}));
  EXPECT_EQ(bytes("a", "null"), "second");
  mode_ = Versioning::kEnabled;
  const std::string newer = write("a", "newer");
  mode_ = Versioning::kSuspended;
  write("a", "third");
  EXPECT_EQ(ids(), of({"null", newer, id}));
  EXPECT_EQ(mark("a"), "null");
  EXPECT_EQ(ids(), of({"null", newer, id}));
  EXPECT_EQ(code(head("a")), Errc::not_found);
}

TEST_F(VersionsTest, ADeleteMarkerHidesAndItsRemovalShows) {
  const std::string one = write("a", "1"), two = write("a", "2");
  const std::string marker = mark("a");
  EXPECT_EQ(code(head("a")), Errc::not_found);
  EXPECT_EQ(list(), of({}));
  EXPECT_FALSE(*store_->any_below(kBucket, "a"));
  EXPECT_EQ(ids(), of({marker, two, one}));
  EXPECT_EQ(bytes("a", one), "1");
  ASSERT_TRUE(drop("a", marker).ok());
  EXPECT_EQ(get("a").value_or("?"), "2");
  EXPECT_EQ(ids(), of({two, one}));
}

TEST_F(VersionsTest, ANameWithoutAnObjectGetsAMarkerToo) {
  const std::string first = mark("a"), second = mark("a");
  EXPECT_EQ(ids(), of({second, first}));
  ASSERT_TRUE(drop("a", second).ok());
  EXPECT_EQ(code(head("a")), Errc::not_found);
  ASSERT_TRUE(drop("a", first).ok());
  EXPECT_EQ(ids(), of({}));
  EXPECT_EQ(code(drop("a", first)), Errc::not_found);
}

TEST_F(VersionsTest, TheNewestOfWhatIsLeftIsCurrent) {
  const std::string one = write("a", "1"), two = write("a", "2"), three = write("a", "3");
  ASSERT_TRUE(drop("a", three).ok());
  EXPECT_EQ(get("a").value_or("?"), "2");
  EXPECT_EQ(version_id(*head("a")), two);
  ASSERT_TRUE(drop("a", one).ok());
  EXPECT_EQ(ids(), of({two}));
  ASSERT_TRUE(drop("a", two).ok());
  EXPECT_EQ(ids(), of({}));
  // What is counted lags a little behind what is there.
  const Deadline soon = Deadline::after(std::chrono::seconds(10));
  while (store_->usage(kBucket)->objects > 0 && !soon.expired()) std::this_thread::yield();
  EXPECT_EQ(store_->usage(kBucket)->objects, 0u);
}

TEST_F(VersionsTest, UnderAMarkerOlderVersionsGoOneByOne) {
  const std::string one = write("a", "1"), marker = mark("a"), two = write("a", "2");
  ASSERT_TRUE(drop("a", two).ok());
  EXPECT_EQ(code(head("a")), Errc::not_found);
  EXPECT_EQ(ids(), of({marker, one}));
  ASSERT_TRUE(drop("a", one).ok());
  EXPECT_EQ(ids(), of({marker}));
}

TEST_F(VersionsTest, AFileThatIsKeptIsNotWrittenOver) {
  std::vector<std::pair<std::string, std::string>> all;
  for (int i = 0; i < 20; ++i) {
    const std::string body(1000 + static_cast<std::size_t>(i), static_cast<char>('a' + i));
    all.emplace_back(write("a", body), body);
    mode_ = Versioning::kOff;
    write("other", body);
    mode_ = Versioning::kEnabled;
  }
  for (const auto& [id, body] : all) EXPECT_EQ(bytes("a", id), body);
}

TEST_F(VersionsTest, AllIsThereAgainAfterARestart) {
  for (const Durability level : {Durability::kNone, Durability::kFull}) {
    level_ = level;
    const std::string name = level == Durability::kNone ? "a/b" : "long-" + std::string(600, 'x');
    PutOptions large{.user = {{"k", std::string(3000, 'v')}}};
    const std::string one = write(name, "1", std::move(large)), two = write(name, "2");
    const std::string marker = mark(name), three = write(name, "3");
    AttrChange change{.content_type = "text/changed"};
    const Key kept = store_->find_version(key(version_key(name, two)))->key;
    ASSERT_TRUE(run(store_->set_attrs(kept, std::move(change), {}, level_)).ok());
    const auto before = ids();
    restart_cleanly();
    EXPECT_EQ(ids(), before);
    restart_without_index();
    EXPECT_EQ(ids(), before);
    EXPECT_EQ(store_->recovery()[0].damaged + store_->recovery()[1].damaged, 0u);
    EXPECT_EQ(bytes(name, one), "1");
    EXPECT_EQ(bytes(name, two), "2");
    const Key first = store_->find_version(key(version_key(name, one)))->key;
    EXPECT_EQ(run(store_->head(first))->user.at("k").size(), 3000u);
    EXPECT_EQ(run(store_->head(kept))->content_type, "text/changed");
    ASSERT_TRUE(drop(name, three).ok());
    ASSERT_TRUE(drop(name, marker).ok());
    EXPECT_EQ(get(name).value_or("?"), "2");
    ASSERT_TRUE(drop(name, two).ok());
    EXPECT_EQ(head(name)->user.at("k").size(), 3000u);
    restart_without_index();
    EXPECT_EQ(ids(), of({one}));
    EXPECT_EQ(get(name).value_or("?"), "1");
    ASSERT_TRUE(drop(name, one).ok());
    EXPECT_EQ(ids(), of({}));
  }
  restart_without_index();
  EXPECT_EQ(ids(), of({}));
}

TEST_F(VersionsTest, AChangeThatWasNotFinishedLeavesNothingBehind) {
  const std::string one = write("a", "1");
  link_kept("a");
  restart_without_index();
  EXPECT_EQ(ids(), of({one, one}));  // listings of the front show it once
  const std::string two = write("a", "2");
  EXPECT_EQ(ids(), of({two, one}));
  EXPECT_EQ(bytes("a", one), "1");
  link_kept("a");
  restart_without_index();
  ASSERT_TRUE(drop("a", two).ok());
  EXPECT_EQ(get("a").value_or("?"), "1");
  EXPECT_EQ(ids(), of({one}));
}

TEST_F(VersionsTest, ARenameOverANameKeepsWhatWasThere) {
  const std::string old = write("to", "old");
  write("from", "new");
  ASSERT_TRUE(run(store_->rename_local(key("from"), versioned("to"), {}, level_)).ok());
  EXPECT_EQ(get("to").value_or("?"), "new");
  EXPECT_EQ(bytes("to", old), "old");
  EXPECT_EQ(ids().size(), 2u);
  EXPECT_LT(version_id(*head("to")), old);  // newer
}

TEST_F(VersionsTest, AListingWithADelimiterRollsUpNamesAlone) {
  write("d/x", "1");
  const std::string last = write("d/x", "2");
  write("e", "1");
  mark("gone/y");
  ListOptions plain{.delimiter = "/"};
  EXPECT_EQ(list(plain), of({"d/", "e"}));
  plain.versions = true;
  EXPECT_EQ(list(plain), of({"d/", "e", "gone/"}));
  plain.delimiter = last.substr(0, 1);
  plain.prefix = "e";
  EXPECT_EQ(list(plain), of({"e"}));
}

}  // namespace
}  // namespace aisfs::store
