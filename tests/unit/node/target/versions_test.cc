// SPDX-License-Identifier: MIT
#include "common/model/version_key.h"
#include "tests/unit/node/target/target_fixture.h"

namespace aisfs::target {
namespace {

class VersionedTargetTest : public LocalTargetTest {
 public:
  VersionedTargetTest() { set(Versioning::kEnabled); }

  void set(Versioning mode) {
    ASSERT_TRUE(maps_
                    .change([&](ClusterMap& map) -> Status {
                      map.buckets.at(kName.uname()).props.versioning = mode;
                      return {};
                    })
                    .ok());
  }
  std::string write(const std::string& key, const std::string& body) {
    const auto done = put(key, body);
    EXPECT_TRUE(done.ok()) << (done ? "" : done.error().what());
    return done ? version_id(*done) : "";
  }
  Status remove(const std::string& key) {
    return run(cluster_.remove(alice(), name(key), {.missing_ok = true}));
  }
  std::string bytes(const std::string& key, const std::string& id) {
    return get(version_key(key, id)).value_or("none");
  }
  std::vector<ListEntry> versions(const std::string& prefix = {}) {
    ListOptions options{.prefix = prefix};
    options.attributes = options.versions = true;
    auto page = run(cluster_.list(alice(), kName, std::move(options)));
    EXPECT_TRUE(page.ok());
    return page ? page->entries : std::vector<ListEntry>();
  }
};

TEST_F(VersionedTargetTest, AVersionIsReadByItsIdCurrentOrNot) {
  for (const char* target : {"t1", "t2", "t3"}) {
    const std::string key = key_on(target, "a");
    const std::string one = write(key, "1"), two = write(key, "2");
    EXPECT_EQ(bytes(key, one), "1");
    EXPECT_EQ(bytes(key, two), "2");
    EXPECT_EQ(get(key).value_or("?"), "2");
    EXPECT_EQ(code(head(version_key(key, "null"))), Errc::not_found);
    EXPECT_EQ(code(put(version_key(key, one), "x")), Errc::invalid_argument);
  }
}

TEST_F(VersionedTargetTest, RemovingLeavesAMarkerAndAVersionGoesForGood) {
  const std::string one = write("a", "1");
  ASSERT_TRUE(remove("a").ok());
  EXPECT_EQ(code(get("a")), Errc::not_found);
  EXPECT_TRUE(list().empty());
  const auto there = versions();
  ASSERT_EQ(there.size(), 2u);
  EXPECT_TRUE(is_delete_marker(there.front().info));
  ASSERT_TRUE(remove(version_key("a", version_id(there.front().info))).ok());
  EXPECT_EQ(get("a").value_or("?"), "1");
  ASSERT_TRUE(remove(version_key("a", one)).ok());
  EXPECT_TRUE(versions().empty());
}

/// Versions of a name are one object by their inode.
TEST_F(VersionedTargetTest, AnEarlierVersionIsRenamedOverALaterOne) {
  const std::string from = key_on("t1", "a"), to = key_on("t2", "b");
  write(from, "1");
  write(from, "2");
  ASSERT_TRUE(rename(from, to).ok());
  ASSERT_EQ(code(get(from)), Errc::not_found);
  ASSERT_TRUE(remove(version_key(from, version_id(versions(from).front().info))).ok());
  ASSERT_EQ(get(from).value_or("?"), "1");
  ASSERT_TRUE(rename(from, to).ok());
  EXPECT_EQ(get(to).value_or("?"), "1");
}

TEST_F(VersionedTargetTest, AFileSystemSeesTheCurrentVersionAlone) {
  write("d/f", "1");
  write("d/f", "2");
  ASSERT_TRUE(run(cluster_.remove(alice(), name("d/f"), {})).ok());
  EXPECT_EQ(code(run(cluster_.remove(alice(), name("d/f"), {}))), Errc::not_found);
  const auto dir = run(cluster_.lookup(alice(), kName, "d"));
  EXPECT_EQ(dir->kind, LookupReply::Kind::kNone);
}

TEST_F(VersionedTargetTest, AReservationIsNoVersion) {
  ASSERT_TRUE(reserve("a").ok());
  write("a", "1");
  EXPECT_EQ(versions().size(), 1u);
}

TEST_F(VersionedTargetTest, AttributesOfAnOlderVersionChangeAlone) {
  const std::string one = write("a", "1"), two = write("a", "2");
  AttrChange change;
  change.headers = std::map<std::string, std::string>{{"x-amz-tagging", "k=v"}};
  ASSERT_TRUE(
      run(cluster_.set_attrs(alice(), name(version_key("a", one)), std::move(change), {})).ok());
  EXPECT_EQ(head(version_key("a", one))->headers.at("x-amz-tagging"), "k=v");
  EXPECT_EQ(version_id(*head(version_key("a", one))), one);
  EXPECT_FALSE(head("a")->headers.contains("x-amz-tagging"));
}

TEST_F(VersionedTargetTest, AnOlderVersionIsCopiedToBeTheCurrentOne) {
  for (const char* target : {"t1", "t2"}) {
    const std::string from = key_on("t1", "from"), to = key_on(target, "to");
    const std::string one = write(from, "1");
    write(from, "2");
    const auto copied =
        run(cluster_.copy(alice(), name(version_key(from, one)), name(to), CopyOptions{}));
    ASSERT_TRUE(copied.ok()) << copied.error().what();
    EXPECT_NE(version_id(*copied), one);
    EXPECT_EQ(get(to).value_or("?"), "1");
  }
}

TEST_F(VersionedTargetTest, ARenameOverAnyTargetsNameKeepsIt) {
  for (const char* a : {"t1", "t2"}) {
    const std::string from = key_on(a, "from"), to = key_on("t2", std::string("to-") + a);
    write(from, "first");
    write(from, "new");
    const std::string old = write(to, "old");
    ASSERT_TRUE(rename(from, to).ok());
    settle_all();
    EXPECT_EQ(get(to).value_or("?"), "new");
    EXPECT_EQ(bytes(to, old), "old");
    write(to, "newer");
    EXPECT_EQ(versions(to).size(), 3u);
    EXPECT_EQ(code(head(from)), Errc::not_found);
    const auto left = versions(from);  // what was kept of the old name, under a marker
    ASSERT_EQ(left.size(), 2u);
    EXPECT_TRUE(is_delete_marker(left.front().info));
  }
}

TEST_F(VersionedTargetTest, ARenamedDirectoryTakesItsVersionsAlong) {
  ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, "old", {})).ok());
  std::map<std::string, std::string> ids;
  for (int i = 0; i < 8; ++i) {
    const std::string f = "f" + std::to_string(i);
    ids[f] = write("old/" + f, "1");
    write("old/" + f, "2");
  }
  write("old/gone", "1");
  ASSERT_TRUE(remove("old/gone").ok());
  const auto before = versions("old/f").size();
  ASSERT_TRUE(run(cluster_.rename_dir(alice(), kName, "old", "new", false)).ok());
  for (const auto& [f, id] : ids) EXPECT_EQ(bytes("new/" + f, id), "1");
  EXPECT_EQ(versions("new/f").size(), before);
  const std::string current = version_key("new/f0", version_id(*head("new/f0")));
  AttrChange change{.content_type = "text/changed"};
  ASSERT_TRUE(run(cluster_.set_attrs(alice(), name(current), std::move(change), {})).ok());
  EXPECT_EQ(head("new/f0")->content_type, "text/changed");
  for (int round = 0; round < 10 && settle_all() > 0; ++round) {
  }
  for (const auto& [f, id] : ids) EXPECT_EQ(bytes("new/" + f, id), "1");
  EXPECT_EQ(versions("new/f").size(), before);
  EXPECT_EQ(versions("new/gone").size(), 2u);
  EXPECT_TRUE(versions("old/").empty());
  EXPECT_EQ(code(head("new/gone")), Errc::not_found);
}

}  // namespace
}  // namespace aisfs::target
