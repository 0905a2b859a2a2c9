// SPDX-License-Identifier: MIT
// Directories: made, removed, and renamed by a mapping of their prefix.
#include "common/async/gather.h"
#include "tests/unit/node/target/target_fixture.h"

namespace aisfs::target {
namespace {

TEST_F(LocalTargetTest, Directories) {
  const PosixAttrs posix{.mode = 0040755};
  ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, "d", {.posix = posix})).ok());
  EXPECT_EQ(code(run(cluster_.make_dir(alice(), kName, "d", {.posix = posix}))),
            Errc::already_exists);
  ASSERT_TRUE(put("d/f", "1").ok());
  ASSERT_TRUE(put("i/f", "1").ok());
  const auto kind = [&](const std::string& path) {
    return run(cluster_.lookup(alice(), kName, path))->kind;
  };
  EXPECT_EQ(kind(""), LookupReply::Kind::kDirectory);
  EXPECT_EQ(kind("d"), LookupReply::Kind::kDirectory);
  EXPECT_EQ(kind("i"), LookupReply::Kind::kDirectory);
  EXPECT_EQ(kind("d/f"), LookupReply::Kind::kFile);
  EXPECT_EQ(kind("x"), LookupReply::Kind::kNone);
  EXPECT_EQ(code(run(cluster_.make_dir(alice(), kName, "d/f", {.posix = posix}))),
            Errc::already_exists);
  EXPECT_EQ(run(cluster_.remove_dir(alice(), kName, "d")).error().code(), Errc::not_empty);
  EXPECT_EQ(run(cluster_.remove_dir(alice(), kName, "d/f")).error().code(), Errc::not_directory);
  EXPECT_EQ(run(cluster_.remove_dir(alice(), kName, "x")).error().code(), Errc::not_found);
  RemoveOptions plain;
  ASSERT_TRUE(run(cluster_.remove(alice(), name("d/f"), plain)).ok());
  ASSERT_TRUE(run(cluster_.remove_dir(alice(), kName, "d")).ok());
  EXPECT_EQ(kind("d"), LookupReply::Kind::kNone);
}

TEST_F(LocalTargetTest, NothingIsMadeInARemovedDirectory) {
  const PosixAttrs posix{.mode = 0040755};
  ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, "d", {.posix = posix})).ok());
  ASSERT_TRUE(put("x", "1").ok());
  ASSERT_TRUE(make_seen("d/f").ok());
  ASSERT_TRUE(run(cluster_.remove(alice(), name("d/f"), {})).ok());
  ASSERT_TRUE(run(cluster_.remove_dir(alice(), kName, "d")).ok());
  EXPECT_EQ(code(make_seen("d/f")), Errc::not_found);
  EXPECT_EQ(code(rename("x", "d/x", {.has_parent = true})), Errc::not_found);
  EXPECT_EQ(code(run(cluster_.make_dir(alice(), kName, "d/s", {.posix = posix}))), Errc::not_found);
  EXPECT_EQ(list(), std::vector<std::string>{"x"});
  EXPECT_FALSE(maps_.current()->find_bucket(kName)->implied_dirs);
  ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, "d", {.posix = posix})).ok());
  EXPECT_TRUE(make_seen("d/f").ok());
}

TEST_F(LocalTargetTest, WhoHasADirectoryToHimselfIsHeardBeforeItGoes) {
  const PosixAttrs posix{.mode = 0040755};
  ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, "d", {.posix = posix})).ok());
  Context mount = alice();
  mount.session = 5;
  for (auto& [id, target] : targets_) {
    wire::LeasePollRequest hello{.session = 5, .epoch = maps_.current()->epoch};
    hello.instance = run(target->leases().poll("alice", hello))->instance;
    ASSERT_TRUE(run(target->leases().poll("alice", hello)).ok());
    ASSERT_TRUE(target->delegate(mount, {.id = 1, .bucket = kName, .path = "d"}).ok());
  }
  // What it makes there needs no look at the directory.
  std::string elsewhere = "d/f";
  while (owner(elsewhere) == owner("d/")) elsewhere += "f";
  checks_of_dirs_ = 0;
  StringSource nothing("");
  PutOptions options{.size = 0, .has_parent = true};
  ExpectedChecksums unknown;
  ASSERT_TRUE(run(cluster_.put(mount, name(elsewhere), options, unknown, nothing)).ok());
  EXPECT_EQ(checks_of_dirs_, 0);
  EXPECT_TRUE(run(cluster_.remove(mount, name(elsewhere), {})).ok());
  // Nobody closes it meanwhile, at any target.
  for (auto& [id, target] : targets_) {
    Context other = alice();
    other.deadline = Deadline::after(std::chrono::milliseconds(30));
    EXPECT_EQ(code(run(target->close_dir(other, kName, "d/"))), Errc::timed_out) << id;
  }
  EXPECT_TRUE(run(cluster_.remove_dir(mount, kName, "d")).ok());  // it may do so itself
}

TEST_F(LocalTargetTest, AFileOrItsDirectoryWinsNeverBoth) {
  const PosixAttrs posix{.mode = 0040755};
  std::size_t removed = 0;
  for (int round = 0; round < 60; ++round) {
    const std::string dir = "d" + std::to_string(round), file = dir + "/f", moved = "m" + dir;
    ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, dir, {.posix = posix})).ok());
    ASSERT_TRUE(put(moved, "1").ok());
    const auto both = [&]() -> Task<std::vector<Status>> {
      std::vector<Task<Status>> tasks;
      if (round % 2 == 0) tasks.push_back(cluster_.remove_dir(alice(), kName, dir));
      tasks.push_back(done(make_seen_task(file)));
      tasks.push_back(
          done(cluster_.rename(alice(), name(moved), name(dir + "/r"), {.has_parent = true})));
      tasks.push_back(done(cluster_.make_dir(alice(), kName, dir + "/s", {.posix = posix})));
      if (round % 2 == 1) tasks.push_back(cluster_.remove_dir(alice(), kName, dir));
      co_return co_await gather(std::move(tasks));
    };
    auto results = run(both());
    const std::size_t last = results.size() - 1;
    if (round % 2 == 0) std::rotate(results.begin(), results.begin() + 1, results.end());
    const bool made = results[0].ok() || results[1].ok() || results[2].ok();
    EXPECT_NE(made, results[last].ok()) << round;
    removed += results[last].ok() ? 1 : 0;
    if (!results[last]) {
      EXPECT_EQ(results[last].error().code(), Errc::not_empty) << round;
    }
  }
  EXPECT_FALSE(maps_.current()->find_bucket(kName)->implied_dirs);
  EXPECT_LT(removed, 60u);
}

TEST_F(LocalTargetTest, WhatIsBelowARemovedMarkerIsStillFound) {
  const PosixAttrs posix{.mode = 0040755};
  ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, "d", {.posix = posix})).ok());
  ASSERT_TRUE(make_seen("d/f").ok());
  ASSERT_TRUE(run(cluster_.remove(alice(), name("d/"), {})).ok());
  EXPECT_EQ(run(cluster_.lookup(alice(), kName, "d"))->kind, LookupReply::Kind::kDirectory);
  EXPECT_EQ(run(cluster_.lookup(alice(), kName, "d/f"))->kind, LookupReply::Kind::kFile);
}

TEST_F(LocalTargetTest, ADirectoryIsRenamedWithAllBelowIt) {
  const PosixAttrs posix{.mode = 0040755};
  ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, "old", {.posix = posix})).ok());
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(put("old/sub/" + std::to_string(i), "file " + std::to_string(i)).ok());
  }
  ASSERT_TRUE(put("older", "stays").ok());
  EXPECT_EQ(run(cluster_.rename_dir(alice(), kName, "old", "old/sub/x", false)).error().code(),
            Errc::invalid_argument);
  EXPECT_EQ(run(cluster_.rename_dir(alice(), kName, "none", "x", false)).error().code(),
            Errc::not_found);
  const Status moved = run(cluster_.rename_dir(alice(), kName, "old", "new", false));
  ASSERT_TRUE(moved.ok()) << moved.error().what();
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(get("new/sub/" + std::to_string(i)).value_or("?"), "file " + std::to_string(i));
  }
  EXPECT_EQ(list().size(), 32u);
  EXPECT_EQ(run(cluster_.lookup(alice(), kName, "old"))->kind, LookupReply::Kind::kNone);
  ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, "third", {.posix = posix})).ok());
  EXPECT_EQ(run(cluster_.rename_dir(alice(), kName, "third", "new", true)).error().code(),
            Errc::already_exists);
  EXPECT_EQ(run(cluster_.rename_dir(alice(), kName, "third", "new", false)).error().code(),
            Errc::not_empty);
  while (settle_all() != 0) {
  }
  EXPECT_EQ(get("new/sub/7").value_or("?"), "file 7");
}

TEST_F(LocalTargetTest, ARenamedDirectoryIsWholeBeforeAnythingHasMoved) {
  const PosixAttrs posix{.mode = 0040755};
  ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, "old", {.posix = posix})).ok());
  std::vector<std::string> wanted{"new/"};
  for (int i = 10; i < 40; ++i) {
    ASSERT_TRUE(put("old/f" + std::to_string(i), std::to_string(i)).ok());
    wanted.push_back("new/f" + std::to_string(i));
  }
  ASSERT_TRUE(run(cluster_.rename_dir(alice(), kName, "old", "new", false)).ok());
  EXPECT_FALSE(maps_.current()->mappings.empty());
  EXPECT_EQ(list(), wanted);
  EXPECT_EQ(get("new/f11").value_or("?"), "11");
  EXPECT_EQ(code(get("old/f11")), Errc::not_found);

  // The old name is free at once, and what is made there is not mixed with what was there.
  ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, "old", {.posix = posix})).ok());
  ASSERT_TRUE(put("old/f11", "another").ok());
  EXPECT_EQ(get("old/f11").value_or("?"), "another");
  EXPECT_EQ(get("new/f11").value_or("?"), "11");

  // Changes of names that have not moved yet.
  const auto changed = put("new/f12", "changed");
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(get("new/f12", changed->content_version).value_or("?"), "changed");
  ASSERT_TRUE(rename("new/f13", "new/g13").ok());
  ASSERT_TRUE(run(cluster_.remove(alice(), name("new/f14"), {})).ok());
  AttrChange change{.mode = 0100600};
  ASSERT_TRUE(run(cluster_.set_attrs(alice(), name("new/f15"), change, {})).ok());
  CopyOptions copy;
  ASSERT_TRUE(run(cluster_.copy(alice(), name("new/f16"), name("copied"), copy)).ok());
  const auto expect_changed = [&] {
    EXPECT_EQ(get("new/f12").value_or("?"), "changed");
    EXPECT_EQ(get("new/g13").value_or("?"), "13");
    EXPECT_EQ(code(get("new/f13")), Errc::not_found);
    EXPECT_EQ(code(get("new/f14")), Errc::not_found);
    EXPECT_EQ(head("new/f15")->posix->mode, 0100600u);
    EXPECT_EQ(get("copied").value_or("?"), "16");
    EXPECT_EQ(get("old/f11").value_or("?"), "another");
    EXPECT_EQ(list().size(), 30u + 1 - 1 + 2 + 1);  // new/ and below, old/ and below, copied
  };
  expect_changed();
  while (settle_all() != 0) {
  }
  EXPECT_TRUE(maps_.current()->mappings.empty());
  expect_changed();
}

TEST_F(LocalTargetTest, ADirectoryIsRenamedAgainAndBack) {
  ASSERT_TRUE(put("a/s/x", "1").ok());
  ASSERT_TRUE(put("a/y", "2").ok());
  const auto rename_dir = [&](const std::string& from, const std::string& to) {
    return run(cluster_.rename_dir(alice(), kName, from, to, false));
  };
  ASSERT_TRUE(rename_dir("a", "b").ok());
  ASSERT_TRUE(rename_dir("b/s", "a").ok());
  EXPECT_EQ(list(), (std::vector<std::string>{"a/x", "b/y"}));
  ASSERT_TRUE(rename_dir("b", "c").ok());
  ASSERT_TRUE(rename_dir("a", "c/s").ok());
  EXPECT_EQ(list(), (std::vector<std::string>{"c/s/x", "c/y"}));
  EXPECT_EQ(rename_dir("c", "c/s/t").error().code(), Errc::invalid_argument);
  const ObjectName elsewhere{native_bucket("none"), "x"};
  EXPECT_EQ(code(run(cluster_.rename(alice(), name("c/y"), elsewhere, {}))), Errc::cross_device);
  EXPECT_EQ(rename_dir("c/s", "c").error().code(), Errc::not_empty);
  ASSERT_TRUE(rename_dir("c", "a").ok());
  while (settle_all() != 0) {
  }
  EXPECT_EQ(list(), (std::vector<std::string>{"a/s/x", "a/y"}));
  EXPECT_EQ(get("a/s/x").value_or("?"), "1");
  EXPECT_TRUE(maps_.current()->mappings.empty());
}

TEST_F(LocalTargetTest, ADirectoryIsRenamedOverAnEmptyOne) {
  const PosixAttrs posix{.mode = 0040755};
  const auto rename_dir = [&](const std::string& from, const std::string& to) {
    return run(cluster_.rename_dir(alice(), kName, from, to, false));
  };
  ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, "a", {.posix = posix})).ok());
  for (int round = 0; round < 3; ++round) {  // each meets the mappings of the ones before
    ASSERT_TRUE(rename_dir("a", "b").ok());
    ASSERT_TRUE(rename_dir("b", "a").ok());
    ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, "b", {.posix = posix})).ok());
    const Status over = rename_dir("a", "b");
    ASSERT_TRUE(over.ok()) << over.error().what();
    EXPECT_EQ(list(), std::vector<std::string>{"b/"});
    ASSERT_TRUE(rename_dir("b", "a").ok());
  }
  ASSERT_TRUE(run(cluster_.remove_dir(alice(), kName, "a")).ok());
  EXPECT_TRUE(list().empty());
}

/// A body during which something happens.
class Interrupted final : public BodySource {
 public:
  Interrupted(std::string bytes, std::function<void()> event)
      : inner_(std::move(bytes)), event_(std::move(event)) {}
  Task<Result<std::size_t>> read(MutableBytes into) override {
    if (event_) std::exchange(event_, {})();
    return inner_.read(into);
  }

 private:
  StringSource inner_;
  std::function<void()> event_;
};

TEST_F(LocalTargetTest, APutThatBeganBeforeItsBucketWentIsRefused) {
  Interrupted body("late", [this] {
    ASSERT_TRUE(maps_
                    .change([&](ClusterMap& map) -> Status {
                      map.buckets.clear();
                      return {};
                    })
                    .ok());
  });
  PutOptions options;
  ExpectedChecksums unknown;
  EXPECT_EQ(code(run(cluster_.put(alice(), name("x"), options, unknown, body))), Errc::not_found);
  for (auto& [id, store] : stores_) EXPECT_TRUE(run(store->list(kId, {}))->entries.empty());
}

TEST_F(LocalTargetTest, AFencedTargetPublishesAndAcknowledgesNothing) {
  Interrupted body("late", [this] { fenced_ = true; });
  PutOptions options;
  ExpectedChecksums unknown;
  auto context = alice();
  context.deadline = Deadline::after(std::chrono::seconds(1));
  EXPECT_EQ(code(run(cluster_.put(context, name("x"), options, unknown, body))), Errc::not_ready);
  EXPECT_EQ(code(run(cluster_.remove(context, name("x"), {.missing_ok = true}))), Errc::not_ready);
  fenced_ = false;
  EXPECT_EQ(code(get("x")), Errc::not_found);
}

TEST_F(LocalTargetTest, APutThatBeganBeforeARenameIsNotPublishedUnderTheOldName) {
  ASSERT_TRUE(put("old/x", "1").ok());
  Interrupted body("late", [this] {
    ASSERT_TRUE(maps_
                    .change([&](ClusterMap& map) {
                      return placement::rename_prefix(map, kId, "old/", "new/",
                                                      placement::hidden_prefix("1"));
                    })
                    .ok());
  });
  PutOptions options;
  ExpectedChecksums unknown;
  EXPECT_EQ(code(run(cluster_.put(alice(), name("old/x"), options, unknown, body))),
            Errc::stale_map);
  EXPECT_EQ(get("new/x").value_or("?"), "1");
  EXPECT_EQ(list(), std::vector<std::string>{"new/x"});
}

}  // namespace
}  // namespace aisfs::target
