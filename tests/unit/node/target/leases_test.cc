// SPDX-License-Identifier: MIT
#include "node/target/leases.h"

#include <future>

#include "tests/unit/node/target/target_fixture.h"

namespace aisfs::target {
namespace {

constexpr std::uint64_t kFirst = 11, kSecond = 12;

class SetClock final : public Clock {
 public:
  TimePoint now() const override { return TimePoint() + Duration(now_.load()); }
  std::int64_t unix_ns() const override { return 0; }
  Task<Status> sleep_until(TimePoint) override { co_return Status{}; }
  void pass(Duration time) { now_ += time.count(); }

 private:
  std::atomic<Duration::rep> now_ = Duration(std::chrono::hours(1)).count();
};

class LeasesTest : public ::testing::Test {
 protected:
  LeasesTest() {
    char name[] = "/tmp/aisfs-leases-test-XXXXXX";
    dir_ = ::mkdtemp(name);
    runtime_.start();
    open();
  }
  ~LeasesTest() override {
    runtime_.stop();
    leases_.reset();
    std::filesystem::remove_all(dir_);
  }
  void open(std::size_t names_max = 1000) {
    leases_.reset();
    auto leases = Leases::open({.state_dir = dir_, .names_max = names_max}, maps_, clock_);
    ASSERT_TRUE(leases.ok()) << leases.error().what();
    leases_ = *std::move(leases);
  }

  static Context as(std::uint64_t session) {
    return {.who = auth::test_identity("alice", false),
            .deadline = Deadline::after(std::chrono::seconds(20)),
            .session = session};
  }
  Result<wire::LeasePollReply> poll(std::uint64_t session) {
    wire::LeasePollRequest request{.session = session,
                                   .instance = instance_[session],
                                   .epoch = epoch_,
                                   .heard = heard_[session]};
    auto reply = runtime_.run_on(0, leases_->poll("alice", std::move(request)));
    if (!reply) return reply;
    instance_[session] = reply->instance;
    heard_[session] = reply->last;
    return reply;
  }
  /// Two polls: the second tells the target that the first was heard.
  void begin(std::uint64_t session) {
    ASSERT_TRUE(poll(session).ok());
    ASSERT_TRUE(poll(session).ok());
  }
  static Task<Status> change(Leases& leases, Context context, std::string path) {
    Leases::Change change(leases, context, kId, path);
    CO_CHECK_OK(co_await change.alone());
    co_return co_await change.told();
  }
  std::future<Status> reading(std::uint64_t session, Leases::Concerns concerns) {
    return std::async(std::launch::async, [this, session, concerns] {
      return runtime_.run_on(1, leases_->recall(as(session), kId, concerns));
    });
  }
  std::future<Status> changing(std::uint64_t session, const std::string& path) {
    return std::async(std::launch::async, [this, session, path] {
      return runtime_.run_on(1, change(*leases_, as(session), path));
    });
  }
  static bool is_done(std::future<Status>& change) {
    return change.wait_for(std::chrono::milliseconds(50)) == std::future_status::ready;
  }

  std::string dir_;
  SetClock clock_;
  FixedMap maps_;
  Epoch epoch_ = 1;
  Runtime runtime_{2};
  std::unique_ptr<Leases> leases_;
  std::map<std::uint64_t, std::string> instance_;
  std::map<std::uint64_t, std::uint64_t> heard_;
};

TEST_F(LeasesTest, AChangeWaitsUntilWhoeverBelievesTheNameHasHeard) {
  begin(kFirst);
  leases_->grant(as(kFirst), kId, "a/b");
  EXPECT_TRUE(changing(0, "a/c").get().ok());
  auto change = changing(0, "a/b");
  EXPECT_FALSE(is_done(change));
  const auto told = poll(kFirst);
  ASSERT_TRUE(told.ok());
  ASSERT_EQ(told->changes.size(), 1u);
  EXPECT_EQ(told->changes[0].path, "a/b");
  EXPECT_FALSE(is_done(change));  // told, but not known to have heard
  ASSERT_TRUE(poll(kFirst).ok());
  EXPECT_TRUE(change.get().ok());
  EXPECT_TRUE(changing(0, "a/b").get().ok());  // believed by nobody any more
}

TEST_F(LeasesTest, WhoeverChangesANameIsNotToldAndGoesOnBelieving) {
  begin(kFirst);
  begin(kSecond);
  leases_->grant(as(kFirst), kId, "a");
  EXPECT_TRUE(changing(kFirst, "a").get().ok());
  // Another user's request does not pass for the session's own.
  Context forged = as(kFirst);
  forged.who = auth::test_identity("mallory", false);
  auto change = std::async(std::launch::async, [&] {
    return runtime_.run_on(1, LeasesTest::change(*leases_, forged, "a"));
  });
  EXPECT_FALSE(is_done(change));
  ASSERT_TRUE(poll(kFirst).ok());
  ASSERT_TRUE(poll(kFirst).ok());
  EXPECT_TRUE(change.get().ok());
}

TEST_F(LeasesTest, AMountThatIsGoneHoldsAChangeUpForALease) {
  begin(kFirst);
  leases_->grant(as(kFirst), kId, "a");
  auto change = changing(0, "a");
  EXPECT_FALSE(is_done(change));
  clock_.pass(wire::kLeaseLength + std::chrono::seconds(1));
  EXPECT_TRUE(change.get().ok());
  const auto back = poll(kFirst);
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(back->all);
}

TEST_F(LeasesTest, AfterARestartNothingIsAcknowledgedBeforeOldMountsKnow) {
  begin(kFirst);
  leases_->grant(as(kFirst), kId, "a");
  open();
  auto change = changing(0, "a");
  EXPECT_FALSE(is_done(change));
  const auto first = poll(kFirst);
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(first->all);
  EXPECT_FALSE(is_done(change));
  ASSERT_TRUE(poll(kFirst).ok());
  EXPECT_TRUE(change.get().ok());

  open();
  auto later = changing(0, "a");
  EXPECT_FALSE(is_done(later));
  clock_.pass(wire::kLeaseLength + std::chrono::seconds(1));
  EXPECT_TRUE(later.get().ok());
}

TEST_F(LeasesTest, ANewMapCountsWhenNobodyGoesByAnOlderOne) {
  begin(kFirst);
  ASSERT_TRUE(maps_.change([](ClusterMap&) { return Status{}; }).ok());
  auto wait = std::async(std::launch::async, [&] {
    const Deadline deadline = Deadline::after(std::chrono::seconds(20));
    return runtime_.run_on(1, leases_->wait_for_epoch(2, deadline));
  });
  EXPECT_EQ(wait.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  const auto told = poll(kFirst);
  ASSERT_TRUE(told.ok());
  EXPECT_EQ(told->epoch, 2u);
  epoch_ = 2;
  ASSERT_TRUE(poll(kFirst).ok());
  EXPECT_TRUE(wait.get());
}

TEST_F(LeasesTest, BeyondTheLimitAMountIsToldToBelieveNothing) {
  open(3);
  begin(kFirst);
  begin(kSecond);
  for (const char* name : {"a", "b", "c", "d"}) leases_->grant(as(kFirst), kId, name);
  leases_->grant(as(kSecond), kId, "e");
  auto change = changing(kSecond, "a");
  EXPECT_FALSE(is_done(change));
  const auto told = poll(kFirst);
  ASSERT_TRUE(told.ok());
  EXPECT_TRUE(told->all);
  ASSERT_TRUE(poll(kFirst).ok());
  EXPECT_TRUE(change.get().ok());
}

TEST_F(LeasesTest, NamesOfAListingAreNotBelievedIfSomethingChangedMeanwhile) {
  begin(kFirst);
  const std::vector<ListEntry> page{{.key = "a"}, {.key = "b"}};
  const std::uint64_t before = leases_->changes();
  EXPECT_TRUE(leases_->grant(as(kFirst), kId, page, before));
  EXPECT_TRUE(changing(0, "x").get().ok());
  EXPECT_FALSE(leases_->grant(as(kFirst), kId, page, before));
  auto change = changing(0, "b");
  EXPECT_FALSE(is_done(change));
  ASSERT_TRUE(poll(kFirst).ok());
  ASSERT_TRUE(poll(kFirst).ok());
  EXPECT_TRUE(change.get().ok());
}

TEST_F(LeasesTest, ASessionIsItsUsers) {
  begin(kFirst);
  wire::LeasePollRequest request{.session = kFirst, .instance = instance_[kFirst]};
  const auto stolen = runtime_.run_on(0, leases_->poll("mallory", std::move(request)));
  EXPECT_EQ(stolen.error().code(), Errc::permission_denied);
}

TEST_F(LeasesTest, ADelegatedDirectoryIsLeftAloneUntilItIsGivenBack) {
  begin(kFirst);
  ASSERT_TRUE(leases_->delegate(as(kFirst), 1, kId, "d").ok());
  EXPECT_TRUE(changing(kFirst, "d/x").get().ok());
  EXPECT_TRUE(changing(0, "dx").get().ok());
  auto change = changing(0, "d/x");
  auto read = reading(kSecond, Leases::below("d/e/f"));
  EXPECT_FALSE(is_done(change));
  const auto told = poll(kFirst);
  ASSERT_TRUE(told.ok());
  ASSERT_EQ(told->recalls.size(), 1u);
  EXPECT_EQ(told->recalls[0].path, "d");
  ASSERT_TRUE(poll(kFirst).ok());
  EXPECT_FALSE(is_done(change));  // heard, but what it owes is not here yet
  EXPECT_FALSE(is_done(read));
  leases_->give_back(as(kFirst), 1);
  EXPECT_TRUE(change.get().ok());
  EXPECT_TRUE(read.get().ok());
  EXPECT_FALSE(leases_->delegates());
}

TEST_F(LeasesTest, ADelegatedDirectoryDoesNotChangeUnheard) {
  begin(kFirst);
  ASSERT_TRUE(leases_->delegate(as(kFirst), 1, kId, "d").ok());
  for (const char* path : {"d", "d/e"}) {
    EXPECT_TRUE(leases_->has(as(kFirst), kId, path)) << path;
    EXPECT_FALSE(leases_->has(as(kSecond), kId, path)) << path;
  }
  EXPECT_FALSE(leases_->has(as(kFirst), kId, "dx"));
  auto change = changing(0, "d");
  EXPECT_FALSE(is_done(change));
  leases_->give_back(as(kFirst), 1);
  EXPECT_TRUE(change.get().ok());
  EXPECT_FALSE(leases_->has(as(kFirst), kId, "d"));
  const Context other = as(0);
  const Leases::Change removal(*leases_, other, kId, "d");
  EXPECT_EQ(leases_->delegate(as(kFirst), 2, kId, "d").error().code(), Errc::busy);
}

TEST_F(LeasesTest, WhatIsUnderWayKeepsADirectoryFromBeingDelegated) {
  begin(kFirst);
  const Context other = as(0);
  {
    const Leases::Change change(*leases_, other, kId, "d/x");
    EXPECT_EQ(leases_->delegate(as(kFirst), 1, kId, "d").error().code(), Errc::busy);
    EXPECT_TRUE(leases_->delegate(as(kFirst), 1, kId, "e").ok());
  }
  EXPECT_TRUE(leases_->delegate(as(kFirst), 1, kId, "d").ok());
}

TEST_F(LeasesTest, ADirectoryIsDelegatedToOneMount) {
  begin(kFirst);
  begin(kSecond);
  ASSERT_TRUE(leases_->delegate(as(kFirst), 1, kId, "d/e").ok());
  for (const char* path : {"d", "d/e", "d/e/f"}) {
    EXPECT_EQ(leases_->delegate(as(kSecond), 1, kId, path).error().code(), Errc::busy) << path;
  }
  EXPECT_TRUE(leases_->delegate(as(kSecond), 1, kId, "d/f").ok());
  Context forged = as(kFirst);
  forged.who = auth::test_identity("mallory", false);
  leases_->give_back(forged, 1);
  EXPECT_TRUE(leases_->is_delegated(as(0), kId, "d/e/x"));
  EXPECT_FALSE(leases_->delegate(as(0), 1, kId, "g").ok());  // no session
}

TEST_F(LeasesTest, RequestsForADirectoryMayOvertakeEachOther) {
  begin(kFirst);
  ASSERT_TRUE(leases_->delegate(as(kFirst), 5, kId, "d").ok());
  EXPECT_EQ(leases_->delegate(as(kFirst), 4, kId, "d").error().code(), Errc::busy);
  ASSERT_TRUE(leases_->delegate(as(kFirst), 6, kId, "d").ok());
  leases_->give_back(as(kFirst), 5);  // late
  auto change = changing(0, "d/x");
  EXPECT_FALSE(is_done(change));
  const auto told = poll(kFirst);
  ASSERT_TRUE(told.ok());
  ASSERT_EQ(told->recalls.size(), 1u);
  EXPECT_EQ(told->recalls[0].id, 6u);
  leases_->give_back(as(kFirst), 6);
  EXPECT_TRUE(change.get().ok());
}

TEST_F(LeasesTest, WhoeverIsGoneOrDoesNotAnswerLosesItsDirectories) {
  begin(kFirst);
  ASSERT_TRUE(leases_->delegate(as(kFirst), 1, kId, "d").ok());
  auto change = changing(0, "d/x");
  EXPECT_FALSE(is_done(change));
  clock_.pass(wire::kLeaseLength + std::chrono::seconds(1));
  EXPECT_TRUE(change.get().ok());

  begin(kFirst);
  ASSERT_TRUE(leases_->delegate(as(kFirst), 1, kId, "d").ok());
  auto later = changing(0, "d/x");
  EXPECT_FALSE(is_done(later));
  begin(kFirst);  // it has heard, and lives on without giving it back
  clock_.pass(wire::kLeaseLength / 2);
  begin(kFirst);
  EXPECT_FALSE(is_done(later));
  clock_.pass(wire::kLeaseLength / 2 + std::chrono::seconds(1));
  begin(kFirst);
  EXPECT_TRUE(later.get().ok());
}

TEST_F(LeasesTest, AListingConcernsWhatItShows) {
  struct Case {
    const char *prefix, *delimiter, *directory;
    bool concerns;
  };
  for (const Case& one :
       {Case{"", "", "d", true}, Case{"", "/", "d", false}, Case{"d/", "/", "d", true},
        Case{"d/e/", "/", "d", true}, Case{"d", "/", "d", false}, Case{"d/", "/", "d/e", false},
        Case{"d/", "", "d/e", true}, Case{"x", "", "d", false}, Case{"", "/", "", true},
        Case{"d", "-", "d", true}}) {
    const ListOptions options{.prefix = one.prefix, .delimiter = one.delimiter};
    EXPECT_EQ(Leases::listing(options)(one.directory), one.concerns)
        << one.prefix << " " << one.delimiter << " " << one.directory;
  }
}

}  // namespace
}  // namespace aisfs::target
