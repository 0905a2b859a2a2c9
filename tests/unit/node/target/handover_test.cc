// SPDX-License-Identifier: MIT
// Names that get another target: what was acknowledged before is what everybody sees afterwards.
#include <future>

#include "tests/unit/node/target/handover_fixture.h"

namespace aisfs::target {
namespace {

/// A body before whose first byte something happens, once.
class LateBody final : public BodySource {
 public:
  LateBody(std::string text, std::function<Task<void>()> before)
      : text_(std::move(text)), before_(std::move(before)) {}

  Task<Result<std::size_t>> read(MutableBytes into) override {
    if (const auto before = std::exchange(before_, nullptr)) co_await before();
    co_return co_await text_.read(into);
  }
  std::optional<std::uint64_t> remaining() const override { return text_.remaining(); }
  bool rewind() override { return text_.rewind(); }

 private:
  StringSource text_;
  std::function<Task<void>()> before_;
};

TEST_F(HandoverTest, ARenamedNameIsReadWhenItsContentHasAnotherOwner) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to");
  ASSERT_TRUE(put(from, "text").ok());
  ASSERT_TRUE(rename(from, to).ok());
  place_on({"t2", "t3"});
  EXPECT_EQ(*get(to), "text");
  while (settle_all() > 0) {
  }
  EXPECT_EQ(*get(to), "text");
  EXPECT_EQ(code(get(from)), Errc::not_found);
}

TEST_F(HandoverTest, ARenamedNameComesAndGoesWhereItsContentHasBeenRead) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to");
  ASSERT_TRUE(put(from, "text").ok());
  ASSERT_EQ(*get(from), "text");  // the file stays open
  ASSERT_TRUE(rename(from, to).ok());
  while (settle_all() > 0) {
  }
  place_on({"t1"});
  EXPECT_EQ(*get(to), "text");
  place_on({"t2", "t3"});
  EXPECT_EQ(*get(to), "text");
}

/// A change that an older map let in, and that waits before it is published.
class LateChange {
 public:
  LateChange(LocalTargetTest& test, const std::string& owner, std::string key)
      : thread_([this, &test, owner, key = std::move(key)] {
          PutOptions options{.before_publish = [this]() -> Status {
            began_.set_value();
            go_on_.get_future().wait();
            return {};
          }};
          StringSource body("late");
          ExpectedChecksums expected;
          (void)test.run(
              test.targets_.at(owner)->put(LocalTargetTest::alice(), LocalTargetTest::name(key),
                                           std::move(options), std::move(expected), body));
        }) {
    began_.get_future().wait();
  }
  void end() {
    go_on_.set_value();
    thread_.join();
  }

 private:
  std::promise<void> began_, go_on_;
  std::thread thread_;
};

TEST_F(HandoverTest, WhatAnOlderMapLetInIsWaitedForByThoseWhoAsk) {
  const std::string key = key_on("t1", "k");
  LateChange late(*this, "t1", key);
  EXPECT_FALSE(targets_.at("t1")->has_older_changes(maps_.current()->epoch));
  place_on({"t1", "t2", "t3"});
  EXPECT_TRUE(targets_.at("t1")->has_older_changes(maps_.current()->epoch));
  Context context = as("node", true);
  context.epoch = maps_.current()->epoch;
  auto asked = std::async(std::launch::async, [&] {
    const auto states = run(targets_.at("t1")->name_states(context, kName, key));
    return states ? states->size() : 0;
  });
  EXPECT_EQ(asked.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  late.end();
  EXPECT_EQ(asked.get(), 1u) << "it is published, and known";
  EXPECT_FALSE(targets_.at("t1")->has_older_changes(maps_.current()->epoch));
}

TEST_F(HandoverTest, WhatOthersHoldIsReadAtTheNewOwner) {
  std::map<std::string, ObjectInfo> before;
  for (int i = 0; i < 60; ++i) {
    const std::string key = "k" + std::to_string(i);
    before[key] = *put(key, "body of " + key);
  }
  add_t4();
  EXPECT_EQ(list().size(), before.size()) << "each once, wherever it lies";
  for (const auto& [key, info] : before) {
    EXPECT_EQ(*get(key), "body of " + key);
    const auto now = head(key);
    ASSERT_TRUE(now.ok());
    EXPECT_EQ(now->ino, info.ino);
    EXPECT_EQ(now->content_version, info.content_version);
    EXPECT_EQ(now->modified_ns, info.modified_ns);
    EXPECT_EQ(now->etag, info.etag);
  }
  EXPECT_EQ(list().size(), before.size()) << "while two targets have some of them";
}

TEST_F(HandoverTest, AReaderDoesNotWaitUntilANameIsHere) {
  const std::string key = moving_key("k", "t1");
  const auto made = put(key, "body");
  ASSERT_TRUE(made.ok());
  add_t4();
  EXPECT_EQ(*get(key), "body");
  EXPECT_TRUE(on_disk("t4").empty()) << "it is read where it lies";
  EXPECT_EQ(*get(key, made->content_version), "body");
  EXPECT_TRUE(on_disk("t4").empty());
  GetOptions known{.conditions = {.if_none_match = {made->etag}}};
  EXPECT_EQ(code(run(cluster_.get(alice(), name(key), known))), Errc::not_modified);
  EXPECT_TRUE(on_disk("t4").empty());
  ASSERT_TRUE(put(key, "newer").ok());
  EXPECT_EQ(*get(key), "newer");
  ASSERT_TRUE(remove(key).ok());
  EXPECT_EQ(code(get(key)), Errc::not_found);
}

TEST_F(HandoverTest, WhoIsNoOwnerAnyMoreDoesNotSayThatANameIsGone) {
  const std::string key = moving_key("k", "t1");
  ASSERT_TRUE(put(key, "body").ok());
  add_t4();
  when_asked_ = [this] { place_on({"t1", "t2", "t3"}); };
  EXPECT_EQ(code(run(targets_["t4"]->get(alice(), name(key), {}))), Errc::stale_map);
}

TEST_F(HandoverTest, AChangeAtTheNewOwnerLeavesNothingOldBehind) {
  const std::string changed = moving_key("c"), gone = moving_key("g"), made = moving_key("m");
  ASSERT_TRUE(put(changed, "old").ok());
  ASSERT_TRUE(put(gone, "old").ok());
  add_t4();
  ASSERT_TRUE(put(changed, "new").ok());
  ASSERT_TRUE(remove(gone).ok());
  ASSERT_TRUE(put(made, "made").ok());
  EXPECT_EQ(*get(changed), "new");
  EXPECT_EQ(code(get(gone)), Errc::not_found);
  std::vector<std::string> expected{changed, made};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(list(), expected);
  for (const char* id : {"t1", "t2", "t3"}) EXPECT_TRUE(on_disk(id).empty()) << id;
  EXPECT_TRUE(walk());
  end_move();
  EXPECT_EQ(list(), expected);
  EXPECT_EQ(code(get(gone)), Errc::not_found);
}

TEST_F(HandoverTest, WhatFailsAfterAChangeIsNoRefusal) {
  const std::string changed = moving_key("c"), gone = moving_key("g");
  const auto old = put(changed, "old");
  ASSERT_TRUE(old.ok() && put(gone, "old").ok());
  add_t4();
  refused_forgets_ = 1;
  Conditions unchanged{.if_content_version = old->content_version};
  EXPECT_EQ(code(run(put_if(changed, "new", std::move(unchanged)))), Errc::timed_out);
  EXPECT_EQ(*get(changed), "new");
  refused_forgets_ = 1;
  EXPECT_EQ(code(remove(gone)), Errc::timed_out);
  EXPECT_EQ(code(get(gone)), Errc::not_found);
}

TEST_F(HandoverTest, ANameThatWasElsewhereWhileItsBodyCameIsLookedForAgain) {
  make_target("t4");
  const std::string key = moving_key("k", "t1");
  const auto meanwhile = [&]() -> Task<void> {
    place_on({"t1", "t2", "t3", "t4"});
    const auto made = co_await put_if(key, "first", {});
    EXPECT_TRUE(made.ok());
    place_on({"t1", "t2", "t3"});
  };
  LateBody body("second", meanwhile);
  PutOptions options{.conditions = {.must_not_exist = true}};
  ExpectedChecksums unknown;
  const auto late =
      run(cluster_.put(alice(), name(key), std::move(options), std::move(unknown), body));
  EXPECT_EQ(code(late), Errc::already_exists);
  EXPECT_EQ(*get(key), "first");
}

TEST_F(HandoverTest, ANameComesBackBeforeABarrierHasPassed) {
  const std::string key = moving_key("k", "t1");
  ASSERT_TRUE(put(key, "body").ok());
  const auto had = stores_["t1"]->states_of(store::make_key(kId, name(key)));
  add_t4();
  EXPECT_TRUE(head(key).ok());
  EXPECT_EQ(*get(key), "body");
  ASSERT_TRUE(had.ok() &&
              run(targets_["t1"]->forget_copies(alice(), kName, *had, Durability::kNone)).ok());
  place_on({"t1", "t2", "t3"});
  EXPECT_EQ(*get(key), "body");
  EXPECT_TRUE(run(stores_["t1"]->sync_all()).ok());
  EXPECT_EQ(*get(key), "body");
}

TEST_F(HandoverTest, WhoDoesNotAnswerIsNotTakenForOneWhoHasNothing) {
  const std::string key = moving_key("k", "t1"), other = moving_key("o", "t2");
  const std::string replaced = moving_key("r", "t1");
  for (const std::string& each : {key, other, replaced}) ASSERT_TRUE(put(each, "old").ok());
  add_t4();
  cut_off_ = "t1";
  set_state("t1", NodeState::kAway);
  const auto at_owner = [&](const std::string& name_of) {  // without trying again for long
    Context context = alice();
    context.deadline = Deadline::after(std::chrono::milliseconds(50));
    return run(cluster_.head(std::move(context), name(name_of), {}));
  };
  EXPECT_EQ(*get(other), "old");
  const auto refused = at_owner(key);
  EXPECT_EQ(code(refused), Errc::not_ready);
  EXPECT_NE(refused.error().what().find("t1"), std::string::npos) << refused.error().what();
  ASSERT_TRUE(put(replaced, "new").ok()) << "nothing older matters to it";
  EXPECT_EQ(*get(replaced), "new");
  EXPECT_FALSE(walk());

  cut_off_.clear();
  set_state("t1", NodeState::kMaintenance);
  EXPECT_EQ(*get(key), "old");
  EXPECT_EQ(*get(replaced), "new");
  EXPECT_TRUE(walk());
  end_move();
  EXPECT_EQ(*get(replaced), "new");
  EXPECT_EQ(list().size(), 3u);
}

TEST_F(HandoverTest, NobodyAnswersForANameThatIsBeingHandedOver) {
  const std::string moves = moving_key("m");
  ASSERT_TRUE(put(moves, "old").ok());
  make_target("t4");
  const Status prepared = maps_.change([](ClusterMap& map) -> Status {
    map.nodes["t4"] = NodeInfo{.id = "t4", .state = NodeState::kJoining};
    map.placement.next["t4"] = NodeState::kActive;
    map.placement.held = true;
    return {};
  });
  ASSERT_TRUE(prepared.ok());
  Context context = alice();
  context.deadline = Deadline::after(std::chrono::milliseconds(20));
  EXPECT_EQ(code(run(cluster_.head(std::move(context), name(moves), {}))), Errc::stale_map);
  const std::string stays = [&] {
    for (int i = 0;; ++i) {
      std::string key = "s" + std::to_string(i);
      if (placement::owner_of(*maps_.current(), name(key)) != nullptr) return key;
    }
  }();
  ASSERT_TRUE(put(stays, "here").ok());
  EXPECT_EQ(*get(stays), "here");
}

TEST_F(HandoverTest, WhatMayHaveHappenedAtOneWhoIsAwayIsNotDoneElsewhere) {
  const std::string key = moving_key("k", "t1");
  ASSERT_TRUE(put(key, "old").ok());
  add_t4();
  cut_off_ = "t1";
  set_state("t1", NodeState::kAway);
  Context again = alice();
  again.deadline = Deadline::after(std::chrono::milliseconds(50));
  again.unless_newer = stores_.at("t1")->last_version();
  StringSource body("mine");
  PutOptions options;
  ExpectedChecksums unknown;
  const auto refused =
      run(cluster_.put(std::move(again), name(key), std::move(options), std::move(unknown), body));
  EXPECT_EQ(code(refused), Errc::not_ready) << "others may have changed it there since";
  EXPECT_TRUE(put(key, "new").ok());
}

TEST_F(HandoverTest, ADeletedNameStaysDeletedWhenAnOlderCopyReturns) {
  const std::string key = moving_key("k", "t1");
  ASSERT_TRUE(put(key, "old").ok());
  place_on({"t2", "t3"});
  set_state("t1", NodeState::kAway);
  cut_off_ = "t1";
  ASSERT_TRUE(put(key, "new").ok());
  ASSERT_TRUE(remove(key).ok());
  make_target("t4");
  place_on({"t2", "t3", "t4"});
  set_state("t1", NodeState::kMaintenance);
  cut_off_.clear();
  EXPECT_EQ(code(get(key)), Errc::not_found);
  EXPECT_TRUE(walk());
  end_move();
  EXPECT_EQ(code(get(key)), Errc::not_found);
  EXPECT_TRUE(list().empty());
}

TEST_F(HandoverTest, VersionsMoveWithTheirName) {
  keep_versions();
  const std::string key = moving_key("v");
  const std::string first = version_id(*put(key, "one"));
  ASSERT_TRUE(put(key, "two").ok());
  add_t4();
  EXPECT_EQ(*get(key), "two");
  EXPECT_EQ(*get(version_key(key, first)), "one");
  EXPECT_TRUE(walk());
  end_move();
  EXPECT_EQ(*get(version_key(key, first)), "one");
  ASSERT_TRUE(remove(key).ok());
  EXPECT_EQ(*get(version_key(key, first)), "one");
}

TEST_F(HandoverTest, AReservedNameMoves) {
  const std::string key = moving_key("n");
  const auto reserved = reserve(key);
  ASSERT_TRUE(reserved.ok());
  add_t4();
  EXPECT_EQ(code(reserve(key)), Errc::already_exists);
  EXPECT_EQ(head(key)->ino, reserved->ino);
  EXPECT_TRUE(walk());
  end_move();
  EXPECT_EQ(head(key)->ino, reserved->ino);
}

TEST_F(HandoverTest, ARenamedNameMovesWithItsContent) {
  const std::string to = moving_key("to", "t2"), from = key_on("t1", "from");
  ASSERT_TRUE(put(from, "content").ok());
  ASSERT_TRUE(rename(from, to).ok());
  add_t4();
  EXPECT_EQ(*get(to), "content");
  EXPECT_EQ(code(get(from)), Errc::not_found);
  EXPECT_FALSE(walk());  // t2 makes nothing of a name that t4 owns, and is not done before it goes
  EXPECT_EQ(settle_all(), 0u);
  EXPECT_TRUE(walk());
  end_move();
  EXPECT_EQ(*get(to), "content");
  EXPECT_EQ(list(), std::vector<std::string>{to});
}

TEST_F(HandoverTest, AnUploadGoesOnWhereItBegan) {
  const std::string key = moving_key("u");
  const auto part = [&](const std::string& upload, std::uint32_t number, const std::string& body) {
    StringSource source(body);
    ExpectedChecksums unknown;
    return run(cluster_.put_part(alice(), name(key), upload, number, std::move(unknown), source));
  };
  const auto upload = run(cluster_.create_upload(alice(), name(key), PutOptions{}));
  ASSERT_TRUE(upload.ok());
  ASSERT_TRUE(part(*upload, 1, "first ").ok());
  add_t4();
  ASSERT_TRUE(part(*upload, 2, "second").ok());
  EXPECT_EQ(run(cluster_.list_uploads(alice(), kName, "", "", "", 10))->uploads[0].id, *upload);
  const auto complete = [&] {
    return run(cluster_.complete_upload(alice(), name(key), *upload, {{1, ""}, {2, ""}}, {}));
  };
  const auto done = complete();
  ASSERT_TRUE(done.ok()) << done.error().what();
  EXPECT_EQ(done->part_sizes, (std::vector<std::uint64_t>{6, 6}));
  EXPECT_TRUE(done->etag.ends_with("-2")) << done->etag;
  EXPECT_EQ(*get(key), "first second");
  EXPECT_EQ(complete()->content_version, done->content_version) << "again";
  EXPECT_EQ(on_disk("t4"), std::vector<std::string>{key});
  EXPECT_TRUE(walk());
}

}  // namespace
}  // namespace aisfs::target
