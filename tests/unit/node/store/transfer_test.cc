// SPDX-License-Identifier: MIT
// Objects that come from other targets, and copies that go to them.
#include "tests/unit/node/store/store_fixture.h"

namespace aisfs::store {
namespace {

class TransferTest : public StoreTest {
 protected:
  /// An object as another target would send it.
  static StoredMeta meta_of(const std::string& name, const std::string& body, std::uint64_t hlc) {
    StoredMeta meta{.bucket = kBucket, .key = name, .level = Durability::kFull};
    meta.info.ino = 77;
    meta.info.size = body.size();
    meta.info.etag = "tag";
    meta.info.content_version = meta.info.meta_version = {.epoch = 1, .hlc = hlc, .incarnation = 9};
    meta.info.user["k"] = "v";
    return meta;
  }
  Result<bool> adopt(const std::string& name, const std::string& body, std::uint64_t hlc) {
    StringSource source(body);
    return run(store_->adopt(key(name), meta_of(name, body, hlc), source));
  }
  std::vector<NameState> names(bool tombstones = false) {
    std::vector<NameState> all;
    for (std::size_t mp = 0; mp < store_->mountpath_count(); ++mp) {
      const auto page =
          run(store_->names_on(mp, kBucket, {.after = {}, .limit = 100, .tombstones = tombstones}));
      EXPECT_TRUE(page.ok());
      all.insert(all.end(), page->names.begin(), page->names.end());
    }
    return all;
  }
  Version version_of(const std::string& name) {
    return store_->states_of(key(name))->at(0).meta_version;
  }
};

TEST_F(TransferTest, WhatComesKeepsItsVersionsAndAttributes) {
  ASSERT_TRUE(*adopt("k", "body", 5));
  const auto check = [&] {
    EXPECT_EQ(*get("k"), "body");
    const auto info = head("k");
    EXPECT_EQ(info->content_version.hlc, 5u);
    EXPECT_EQ(info->ino, 77u);
    EXPECT_EQ(info->etag, "tag");
    EXPECT_EQ(info->user.at("k"), "v");
  };
  check();
  restart_without_index();
  check();
}

TEST_F(TransferTest, OnlyWhatIsNewerIsTaken) {
  ASSERT_TRUE(*adopt("k", "five", 5));
  EXPECT_FALSE(*adopt("k", "four", 4));
  EXPECT_FALSE(*adopt("k", "five again", 5));
  EXPECT_EQ(*get("k"), "five");
  EXPECT_TRUE(*adopt("k", "six", 6));
  EXPECT_EQ(*get("k"), "six");
  const Version seven{.epoch = 1, .hlc = 7, .incarnation = 9};
  EXPECT_TRUE(*run(store_->adopt_tombstone(key("k"), seven, Durability::kFull)));
  EXPECT_FALSE(*adopt("k", "six", 6)) << "deleted since";
  EXPECT_EQ(code(get("k")), Errc::not_found);
  restart_without_index();
  EXPECT_FALSE(*adopt("k", "six", 6));
  EXPECT_EQ(names(true).size(), 1u);
}

TEST_F(TransferTest, ADamagedCopyIsRefused) {
  ASSERT_TRUE(put("from", "body").ok());
  auto copy = run(store_->open_copy(key("from")));
  ASSERT_TRUE(copy.ok());
  StringSource other("bodi");
  StoredMeta meta = copy->meta;
  EXPECT_EQ(code(run(store_->adopt(key("to"), std::move(meta), other))), Errc::bad_checksum);
  EXPECT_EQ(code(get("to")), Errc::not_found);
  EXPECT_TRUE(*run(store_->adopt(key("to"), copy->meta, *copy->body)));
  EXPECT_EQ(*get("to"), "body");
}

TEST_F(TransferTest, AForgottenCopyLeavesNothing) {
  ASSERT_TRUE(put("k", "body").ok());
  const Version old = version_of("k");
  ASSERT_TRUE(put("k", "newer").ok());
  ASSERT_TRUE(run(store_->forget(key("k"), old)).ok());
  EXPECT_EQ(*get("k"), "newer") << "not what was meant";
  const Version now = version_of("k");
  ASSERT_TRUE(run(store_->forget(key("k"), now)).ok());
  const auto gone = [&] {
    EXPECT_EQ(code(get("k")), Errc::not_found);
    EXPECT_TRUE(names().empty());
    EXPECT_TRUE(names(true).empty()) << "no tombstone";
  };
  gone();
  store_.reset();  // as after kill -9
  ASSERT_TRUE(start().ok());
  gone();
  restart_without_index();
  gone();
  ASSERT_TRUE(*adopt("k", "back", now.hlc)) << "the very version may come back";
  EXPECT_EQ(*get("k"), "back");
  restart_without_index();
  EXPECT_EQ(*get("k"), "back");
}

TEST_F(TransferTest, AForgottenReservationStaysForgotten) {
  PutOptions options;
  ASSERT_TRUE(run(store_->reserve(key("r"), std::move(options))).ok());
  ASSERT_TRUE(run(store_->forget(key("r"), version_of("r"))).ok());
  for (const bool rebuilt : {false, true}) {
    if (rebuilt) restart_without_index();
    EXPECT_EQ(code(head("r")), Errc::not_found);
    store_.reset();
    ASSERT_TRUE(start().ok());
    EXPECT_EQ(code(head("r")), Errc::not_found);
  }
}

TEST_F(TransferTest, AMountpathTellsItsNamesInPages) {
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(put("k" + std::to_string(i), "x").ok());
  ASSERT_TRUE(remove("k7").ok());
  std::size_t seen = 0;
  for (std::size_t mp = 0; mp < store_->mountpath_count(); ++mp) {
    Store::NamesOptions page{.after = {}, .limit = 4};
    for (bool more = true; more;) {
      const auto names = run(store_->names_on(mp, kBucket, page));
      ASSERT_TRUE(names.ok());
      EXPECT_LE(names->names.size(), 4u);
      seen += names->names.size();
      more = names->more;
      page.after = names->next;
    }
  }
  EXPECT_EQ(seen, 29u);
  EXPECT_EQ(names(true).size(), 1u);
}

}  // namespace
}  // namespace aisfs::store
