// SPDX-License-Identifier: MIT
#include "tests/unit/node/target/target_fixture.h"

namespace aisfs::target {
namespace {

TEST_F(LocalTargetTest, AReservationIsAnEmptyObjectForEverybodyElse) {
  const auto made = reserve("x");
  ASSERT_TRUE(made.ok()) << made.error().what();
  EXPECT_EQ(code(reserve("x")), Errc::already_exists);
  EXPECT_EQ(*get("x"), "");
  EXPECT_EQ(list(), std::vector<std::string>{"x"});
  AttrChange change{.xattrs = {{"user.a", std::string(2000, 'v')}}};
  ASSERT_TRUE(run(cluster_.set_attrs(alice(), name("x"), std::move(change), {})).ok());
  EXPECT_EQ(head("x")->xattrs.at("user.a").size(), 2000u);
  EXPECT_EQ(head("x")->ino, made->ino);
}

TEST_F(LocalTargetTest, AReservationIsRenamedBetweenTargetsAndPublishedThere) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to");
  const auto made = reserve(from);
  ASSERT_TRUE(made.ok());
  ASSERT_TRUE(rename(from, to).ok());
  EXPECT_EQ(code(head(from)), Errc::not_found);
  EXPECT_EQ(head(to)->ino, made->ino);
  EXPECT_EQ(*get(to), "");
  ASSERT_TRUE(put(to, "bytes").ok());
  EXPECT_EQ(*get(to), "bytes");
  EXPECT_EQ(list(), std::vector<std::string>{to});
}

TEST_F(LocalTargetTest, OnlyTheOwnerAndAdministratorsMayUseABucket) {
  ASSERT_TRUE(put("a", "1").ok());
  EXPECT_EQ(code(run(cluster_.head(as("bob"), name("a"), {}))), Errc::permission_denied);
  EXPECT_EQ(code(run(cluster_.head({}, name("a"), {}))), Errc::permission_denied);
  EXPECT_TRUE(run(cluster_.head(as("root", true), name("a"), {})).ok());
  ObjectName other{native_bucket("none"), "a"};
  EXPECT_EQ(code(run(cluster_.head(alice(), other, {}))), Errc::not_found);
  EXPECT_EQ(code(head(std::string(1025, 'k'))), Errc::name_too_long);
}

TEST_F(LocalTargetTest, AHotReadIsForThoseWhoMayRead) {
  const GetOptions all;
  const std::string owner = placement::owner_of(*maps_.current(), name("a"))->id;
  const std::string other = owner == "t1" ? "t2" : "t1";
  PlacedObjects here(maps_, at_, std::chrono::seconds(20), Naming::kLogical, owner);
  PlacedObjects elsewhere(maps_, at_, std::chrono::seconds(20), Naming::kLogical, other);
  ASSERT_TRUE(put("a", "1").ok());
  EXPECT_FALSE(here.get_now(alice(), name("a"), all));
  EXPECT_EQ(get("a").value_or("?"), "1");
  auto hot = here.get_now(alice(), name("a"), all);
  ASSERT_TRUE(hot);
  EXPECT_EQ(run(read_all(*hot->body, 10)).value_or("?"), "1");
  EXPECT_EQ(hot->info, *head("a"));
  const auto whole = here.hot(alice(), name("a"));
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->object->content, "1");
  EXPECT_EQ(whole->object->info, *head("a"));
  for (const Context& stranger : {as("bob"), Context{}}) {
    EXPECT_FALSE(here.get_now(stranger, name("a"), all));
    EXPECT_FALSE(here.hot(stranger, name("a")));
  }
  // The others are over the wire, and a gateway has nothing.
  EXPECT_FALSE(elsewhere.get_now(alice(), name("a"), all));
  EXPECT_FALSE(cluster_.get_now(alice(), name("a"), all));
  EXPECT_FALSE(elsewhere.hot(alice(), name("a")));
  EXPECT_FALSE(cluster_.hot(alice(), name("a")));
}

TEST_F(LocalTargetTest, ANameMovesBetweenAnyTwoTargets) {
  for (const char* a : {"t1", "t2", "t3"}) {
    for (const char* b : {"t1", "t2", "t3"}) {
      const std::string from = key_on(a, "from"), to = key_on(b, std::string("to-") + a);
      const std::string body = "bytes of " + from + to;
      const auto before = put(from, body);
      ASSERT_TRUE(before.ok());
      const auto moved = rename(from, to);
      ASSERT_TRUE(moved.ok()) << moved.error().what();
      EXPECT_EQ(code(head(from)), Errc::not_found);
      EXPECT_EQ(get(to).value_or("?"), body);
      EXPECT_EQ(head(to)->ino, before->ino);
      EXPECT_EQ(head(to)->etag, before->etag);
      EXPECT_EQ(code(rename(from, to)), Errc::not_found);
    }
  }
  EXPECT_EQ(list().size(), 9u);
}

TEST_F(LocalTargetTest, ReplacesOrRefusesTo) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to");
  ASSERT_TRUE(put(from, "new").ok());
  ASSERT_TRUE(put(to, "old").ok());
  RenameOptions no_replace{.no_replace = true};
  EXPECT_EQ(code(rename(from, to, no_replace)), Errc::already_exists);
  EXPECT_EQ(get(from).value_or("?"), "new");
  EXPECT_EQ(get(to).value_or("?"), "old");
  RenameOptions wrong;
  wrong.destination_conditions.if_size = 99;
  EXPECT_EQ(code(rename(from, to, wrong)), Errc::precondition_failed);
  ASSERT_TRUE(rename(from, to).ok());
  EXPECT_EQ(get(to).value_or("?"), "new");
  EXPECT_EQ(list(), std::vector<std::string>{to});
}

TEST_F(LocalTargetTest, ReferencesBecomePlainObjects) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to");
  const std::string body(300'000, 'x');
  ASSERT_TRUE(put(from, body).ok());
  ASSERT_TRUE(rename(from, to).ok());
  const store::Key key = store::make_key(kId, name(to));
  EXPECT_TRUE(stores_["t2"]->resolve(key)->has_value());
  EXPECT_EQ(settle_all(), 0u);
  EXPECT_FALSE(stores_["t2"]->resolve(key)->has_value());
  EXPECT_EQ(get(to).value_or("?"), body);
  // The old name is free, and what comes there does not meet the old bytes.
  ASSERT_TRUE(put(from, "another").ok());
  EXPECT_EQ(get(from).value_or("?"), "another");
  EXPECT_EQ(get(to).value_or("?"), body);
}

TEST_F(LocalTargetTest, ACommittedRenameIsSeenWholeThoughItsEndIsLost) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to");
  const auto before = put(from, "new");
  ASSERT_TRUE(before.ok());
  ASSERT_TRUE(put(to, "old").ok());
  finish_is_lost_ = true;
  // Not answered as done before both names say so.
  EXPECT_EQ(code(rename_within(std::chrono::seconds(1), from, to)), Errc::timed_out);
  EXPECT_EQ(code(head(from)), Errc::not_found);
  EXPECT_EQ(code(get(from)), Errc::not_found);
  Conditions other{.if_none_match = {before->etag}};
  EXPECT_EQ(code(run(cluster_.head(alice(), name(from), std::move(other)))), Errc::not_found);
  EXPECT_EQ(get(from, before->content_version).value_or("?"), "new") << "who has it open";
  const auto at_once = targets_["t1"]->get_now(alice(), name(from), {});
  EXPECT_FALSE(at_once.has_value());
  EXPECT_EQ(get(to).value_or("?"), "new");  // the reader's target has asked
  restart("t1");
  restart("t2");
  EXPECT_EQ(code(head(from)), Errc::not_found);
  EXPECT_EQ(get(to).value_or("?"), "new");
  finish_is_lost_ = false;
  EXPECT_EQ(settle_all(), 0u);
  EXPECT_EQ(list(), std::vector<std::string>{to});
  EXPECT_EQ(get(to).value_or("?"), "new");
}

TEST_F(LocalTargetTest, AWriterToTheOldNameComesAfterTheRename) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to");
  ASSERT_TRUE(put(from, "moves").ok());
  finish_is_lost_ = true;
  // Not answered as done before both names say so.
  EXPECT_EQ(code(rename_within(std::chrono::seconds(1), from, to)), Errc::timed_out);
  finish_is_lost_ = false;
  ASSERT_TRUE(put(from, "later").ok());
  EXPECT_EQ(settle_all(), 0u);
  EXPECT_EQ(get(from).value_or("?"), "later");
  EXPECT_EQ(get(to).value_or("?"), "moves");
}

TEST_F(LocalTargetTest, ARenameBackBeforeTheFirstHasEndedKeepsTheObject) {
  const std::string first = key_on("t1", "first"), second = key_on("t2", "second");
  ASSERT_TRUE(put(first, "bytes").ok());
  finish_is_lost_ = true;
  EXPECT_FALSE(rename_within(std::chrono::milliseconds(200), first, second).ok());
  EXPECT_EQ(get(second).value_or("?"), "bytes") << "published by who asks";
  finish_is_lost_ = false;
  ASSERT_TRUE(rename(second, first).ok());
  EXPECT_EQ(settle_all(), 0u);
  EXPECT_EQ(get(first).value_or("?"), "bytes");
  EXPECT_EQ(list(), std::vector<std::string>{first});
}

TEST_F(LocalTargetTest, AnUndecidedRenameIsGivenUp) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to");
  ASSERT_TRUE(put(from, "source").ok());
  ASSERT_TRUE(put(to, "old").ok());
  RenamePrepare orphan{.op_id = "t1-died",
                       .source_owner = "t1",
                       .bucket = kName,
                       .bucket_id = kId,
                       .source = from,
                       .destination = to,
                       .content = {from, {1, 2, 3}}};
  ASSERT_TRUE(run(targets_["t2"]->prepare_rename(alice(), orphan)).ok());
  RenamePrepare second = orphan;
  second.op_id = "t3-too";
  EXPECT_EQ(run(targets_["t2"]->prepare_rename(alice(), second)).error().code(), Errc::busy);
  restart("t2");
  ASSERT_TRUE(put(to, "goes on").ok());
  EXPECT_EQ(get(to).value_or("?"), "goes on");
  EXPECT_EQ(get(from).value_or("?"), "source");
  EXPECT_EQ(settle_all(), 0u);
}

TEST_F(LocalTargetTest, CopiesBetweenTargetsWithTheMetadata) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to"), near = key_on("t1", "n");
  ASSERT_TRUE(put(from, "bytes").ok());
  AttrChange change;
  change.user = std::map<std::string, std::string>{{"k", "v"}};
  ASSERT_TRUE(run(cluster_.set_attrs(alice(), name(from), change, {})).ok());
  for (const std::string& target : {to, near}) {
    CopyOptions options;
    ASSERT_TRUE(run(cluster_.copy(alice(), name(from), name(target), options)).ok());
    EXPECT_EQ(get(target).value_or("?"), "bytes");
    EXPECT_EQ(head(target)->user, *change.user);
  }
  EXPECT_NE(head(to)->ino, head(from)->ino);
}

}  // namespace
}  // namespace aisfs::target
