// SPDX-License-Identifier: MIT
// Records of jobs, and who may start and stop them, over a real store.
#include "node/control/job_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/wire/envelope.h"
#include "node/control/job_keeper.h"
#include "node/control/ops/job_ops.h"
#include "node/control/ops/ops.h"
#include "tests/kit/golden.h"
#include "tests/unit/node/control/embedded_maker.h"

namespace aisfs::control {
namespace {

using testing::HasSubstr;

class NobodyThere final : public Transport {
 public:
  Task<Result<http::ClientResponse>> send(NodeInfo, Context, http::ClientRequest) override {
    co_return Error(Errc::unreachable, "no network");
  }
};

/// A clock that a test sets.
class SetClock final : public Clock {
 public:
  TimePoint now() const override { return real_.now(); }
  std::int64_t unix_ns() const override { return at; }
  Task<Status> sleep_until(TimePoint) override { co_return Error(Errc::cancelled); }
  std::int64_t at = 1'700'000'000'000'000'000;

 private:
  RealClock real_;
};

class JobStoreTest : public ::testing::Test {
 protected:
  JobStoreTest() {
    EXPECT_TRUE(run(plane_.maps().bootstrap("cluster", test_key())).ok());
    const MapStore::Edit edit = [](MapDraft& draft) -> Status {
      draft.map.nodes["g1"] = {.id = "g1", .role = NodeRole::kGateway};
      for (const char* id : {"t1", "t2"}) draft.map.nodes[id] = {.id = id};
      add_bucket(draft.map, "a", "ann", 1);
      add_bucket(draft.map, "bobs", "bob", 2);
      return {};
    };
    EXPECT_TRUE(run(plane_.change(edit)).ok());
    meta::TxnRequest alive;
    for (const char* id : {"t1", "t2"}) {
      alive.then.push_back(
          meta::put_step(std::string(kAlivePrefix) + id, wire::encode(wire::AliveRecord{}), 0));
    }
    EXPECT_TRUE(run(maker_.store().txn(std::move(alive))).ok());
  }
  ~JobStoreTest() override { maker_.stop(); }

  static void add_bucket(ClusterMap& map, const std::string& name, std::string owner, unsigned id) {
    map.buckets[native_bucket(name).uname()] = {
        .id = BucketId{id}, .name = native_bucket(name), .owner = std::move(owner)};
  }
  template <class T>
  T run(Task<T> task) {
    return runtime_.run_on(0, std::move(task));
  }
  Result<std::string> start(std::string user, JobSpec spec, std::string id = "") {
    auth::Identity who = auth::test_identity(std::move(user), false);
    return run(ops::start_job(plane_, std::move(who), std::move(spec), std::move(id)));
  }
  static JobSpec copy(std::string from, std::string to) {
    return {.kind = "copy-bck",
            .bucket = native_bucket(std::move(from)),
            .to = native_bucket(std::move(to))};
  }
  /// As both targets would.
  void say_done(const std::string& id) {
    const Epoch since = run(plane_.maps().load())->map.placement.since;
    for (const char* node : {"t1", "t2"}) {
      wire::ReportJobsRequest request{.node = node, .reports = {}};
      request.reports.push_back({id, {.placement = since, .done = true, .counts = {.objects = 3}}});
      EXPECT_TRUE(run(keeper_.report(std::move(request))).ok());
    }
  }
  Job job(const std::string& id) {
    auto found = run(store_.find(id));
    EXPECT_TRUE(found.ok());
    return found ? *found : Job{};
  }
  const Bucket* bucket(const std::string& name) {
    map_ = run(plane_.maps().load())->map;
    return map_.find_bucket(native_bucket(name));
  }

  struct Started : Runtime {
    Started() : Runtime(1) { start(); }
  };
  Started runtime_;
  EmbeddedMaker maker_{runtime_};
  SetClock clock_;
  NobodyThere peers_;
  NodeMapSource maps_;
  ControlPlane plane_{maker_.store(), clock_, test_key(), peers_, maps_, "g1", {}};
  JobStore store_{maker_.store(), clock_};
  bool empty_ = true;
  JobKeeper keeper_{{.plane = plane_,
                     .clock = clock_,
                     .bucket_is_empty = [this](Context, BucketName) { return answer(empty_); }}};
  static Task<Result<bool>> answer(bool empty) { co_return empty; }
  ClusterMap map_;
};

TEST_F(JobStoreTest, RunsEndsAndIsKnownAfterwards) {
  const auto id = start("ann", copy("a", "b"));
  ASSERT_TRUE(id.ok()) << id.error().what();
  EXPECT_EQ(run(store_.live())->size(), 1u);
  say_done(*id);
  clock_.at += 5;
  ASSERT_TRUE(run(keeper_.look()).ok());
  EXPECT_TRUE(run(store_.live())->empty());
  const Job ended = job(*id);
  EXPECT_EQ(ended.state, JobState::kFinished);
  EXPECT_EQ(ended.ended_ns, clock_.at);
  EXPECT_EQ(ended.targets.size(), 2u);
  EXPECT_EQ(sum_of(ended).counts.objects, 6u);
  EXPECT_EQ(run(store_.past())->size(), 1u);
  EXPECT_TRUE(run(store_.end(*id, JobState::kFailed, "late")).ok());
  EXPECT_EQ(job(*id).state, JobState::kFinished);
}

TEST_F(JobStoreTest, TheDestinationIsMadeAndBelongsToTheCaller) {
  ASSERT_TRUE(start("ann", copy("a", "b")).ok());
  ASSERT_NE(bucket("b"), nullptr);
  EXPECT_EQ(bucket("b")->owner, "ann");
}

TEST_F(JobStoreTest, OneMayCopyOnlyWhatOneMayReadIntoWhatOneMayWrite) {
  EXPECT_EQ(start("ann", copy("bobs", "mine")).error(), Errc::permission_denied);
  EXPECT_EQ(start("ann", copy("a", "bobs")).error(), Errc::permission_denied);
  EXPECT_EQ(
      start("ann",
            {.kind = "move-bck", .bucket = native_bucket("bobs"), .to = native_bucket("mine")})
          .error(),
      Errc::permission_denied);
  EXPECT_EQ(
      start("ann", {.kind = "delete-listrange", .bucket = native_bucket("bobs"), .names = {"x"}})
          .error(),
      Errc::permission_denied);
  EXPECT_EQ(start("ann", {.kind = "scrub"}).error(), Errc::permission_denied);
  EXPECT_EQ(run(ops::start_job(plane_, {}, copy("a", "b"), "")).error(), Errc::unauthenticated);
  EXPECT_TRUE(run(store_.live())->empty());
  EXPECT_EQ(bucket("mine"), nullptr);
}

TEST_F(JobStoreTest, OthersNeitherSeeNorStopIt) {
  const auto id = start("ann", copy("a", "b"));
  ASSERT_TRUE(id.ok());
  const auto bob = auth::test_identity("bob", false), root = auth::test_identity("root", true);
  EXPECT_FALSE(ops::may_see_job(bob, job(*id)));
  EXPECT_TRUE(ops::may_see_job(root, job(*id)));
  JobQuery query{.id = *id};
  EXPECT_EQ(run(ops::stop_jobs(plane_, bob, query)).error(), Errc::not_found);
  EXPECT_TRUE(run(ops::stop_jobs(plane_, root, query)).ok());
  EXPECT_TRUE(job(*id).stopping);
}

TEST_F(JobStoreTest, WhatMakesNoSenseIsRefused) {
  EXPECT_EQ(start("ann", {.kind = "lru"}).error(), Errc::invalid_argument);
  EXPECT_EQ(start("ann", copy("a", "a")).error(), Errc::invalid_argument);
  EXPECT_EQ(start("ann", copy("nothere", "b")).error(), Errc::not_found);
  EXPECT_EQ(start("ann", {.kind = "delete-listrange", .bucket = native_bucket("a")}).error(),
            Errc::invalid_argument);
  EXPECT_EQ(
      start("ann",
            {.kind = "delete-listrange", .bucket = native_bucket("a"), .name_template = "{2..1}"})
          .error(),
      Errc::invalid_argument);
  EXPECT_EQ(run(ops::stop_jobs(plane_, auth::test_identity("ann", false), {})).error(),
            Errc::invalid_argument);
  JobQuery unknown{.id = "nothere"};
  EXPECT_EQ(run(ops::stop_jobs(plane_, auth::test_identity("ann", false), unknown)).error(),
            Errc::not_found);
}

TEST_F(JobStoreTest, SentTwiceItIsOneJob) {
  ASSERT_TRUE(start("ann", copy("a", "b"), "j-1").ok());
  const auto again = start("ann", copy("a", "b"), "j-1");
  ASSERT_TRUE(again.ok()) << again.error().what();
  EXPECT_EQ(*again, "j-1");
  EXPECT_EQ(run(store_.live())->size(), 1u);
}

TEST_F(JobStoreTest, AnIdIsItsMakersAndNothingElse) {
  for (const char* bad : {"x", "j-a/b", "g7", "j-\n"}) {
    EXPECT_EQ(start("ann", copy("a", "b"), bad).error(), Errc::invalid_argument) << bad;
  }
  ASSERT_TRUE(start("ann", copy("a", "b"), "j-1").ok());
  EXPECT_EQ(start("bob", copy("bobs", "c"), "j-1").error(), Errc::already_exists);
}

TEST_F(JobStoreTest, ALongListTravelsByItself) {
  JobSpec spec{.kind = "delete-listrange", .bucket = native_bucket("a"), .names = {"x", "y"}};
  const auto id = start("ann", std::move(spec));
  ASSERT_TRUE(id.ok());
  EXPECT_TRUE(job(*id).spec.names.empty());
  EXPECT_EQ(job(*id).names_count, 2u);
  EXPECT_EQ(*run(store_.names(*id)), (std::vector<std::string>{"x", "y"}));
  JobSpec huge{.kind = "delete-listrange", .bucket = native_bucket("a")};
  for (int i = 0; i < 1000; ++i) huge.names.push_back(std::string(1000, 'x') + std::to_string(i));
  EXPECT_EQ(start("ann", std::move(huge)).error(), Errc::too_large);
}

TEST_F(JobStoreTest, AMovedBucketKeepsItsOwnerAndGoesWhenItIsEmpty) {
  auth::Identity root = auth::test_identity("root", true);
  JobSpec spec{.kind = "move-bck", .bucket = native_bucket("a"), .to = native_bucket("new")};
  const auto id = run(ops::start_job(plane_, root, spec, ""));
  ASSERT_TRUE(id.ok()) << id.error().what();
  EXPECT_EQ(bucket("new")->owner, "ann");
  EXPECT_EQ(start("ann", copy("a", "b")).error(), Errc::busy);
  empty_ = false;
  say_done(*id);
  ASSERT_TRUE(run(keeper_.look()).ok());
  EXPECT_EQ(job(*id).round, 1u);  // somebody has put something there
  ASSERT_NE(bucket("a"), nullptr);
  empty_ = true;
  const Epoch since = map_.placement.since;
  for (const char* node : {"t1", "t2"}) {
    wire::ReportJobsRequest request{.node = node, .reports = {}};
    request.reports.push_back({*id, {.round = 1, .placement = since, .done = true}});
    ASSERT_TRUE(run(keeper_.report(std::move(request))).ok());
  }
  ASSERT_TRUE(run(keeper_.look()).ok());
  EXPECT_EQ(job(*id).state, JobState::kFinished);
  EXPECT_EQ(bucket("a"), nullptr);
}

TEST_F(JobStoreTest, ATargetHearsOfItselfAlone) {
  const auto id = start("ann", copy("a", "b"));
  say_done(*id);
  wire::ReportJobsRequest request{.node = "t1", .reports = {}};
  const auto reply = run(keeper_.report(std::move(request)));
  ASSERT_TRUE(reply.ok());
  ASSERT_EQ(reply->jobs.size(), 1u);
  EXPECT_EQ(reply->jobs[0].targets.size(), 1u);
  EXPECT_TRUE(reply->jobs[0].targets.contains("t1"));
}

TEST_F(JobStoreTest, TheOldestAreForgottenAfterAnHour) {
  for (std::size_t i = 0; i < kPastJobsKept + 10; ++i) {
    Job one{.id = "j" + std::to_string(i), .spec = copy("a", "b")};
    ASSERT_TRUE(run(store_.add(one, {})).ok());
    ++clock_.at;
    ASSERT_TRUE(run(store_.end(one.id, JobState::kFinished, "")).ok());
  }
  EXPECT_EQ(run(store_.past())->size(), kPastJobsKept + 10);
  clock_.at += 3600ll * 1'000'000'000 + 1'000'000;
  Job last{.id = "last", .spec = copy("a", "b")};
  ASSERT_TRUE(run(store_.add(last, {})).ok());
  ASSERT_TRUE(run(store_.end("last", JobState::kFinished, "")).ok());
  const auto past = *run(store_.past());
  EXPECT_EQ(past.size(), kPastJobsKept);
  EXPECT_EQ(past.back().id, "last");
}

TEST_F(JobStoreTest, NoMoreThanSoManyAtATime) {
  for (std::size_t i = 0; i < kJobsMax; ++i) {
    Job one{.id = "j" + std::to_string(i), .spec = copy("a", "b")};
    ASSERT_TRUE(run(store_.add(one, {})).ok());
  }
  EXPECT_EQ(start("ann", copy("a", "b")).error(), Errc::overloaded);
}

TEST(JobRecord, IsReadForEver) {
  Job job{.id = "j-1",
          .spec = {.kind = "copy-bck",
                   .bucket = native_bucket("a"),
                   .to = native_bucket("b"),
                   .prefix = "p",
                   .prepend = "q",
                   .extensions = {{"jpg", "png"}},
                   .names = {"n"},
                   .name_template = "t{1..2}",
                   .node = "t1",
                   .dry_run = true,
                   .options = {{"k", "v"}}},
          .names_count = 1,
          .owner = "ann",
          .bucket_id = BucketId{2},
          .to_id = BucketId{3},
          .placement = 4,
          .started_ns = 5,
          .ended_ns = 6,
          .state = JobState::kFailed,
          .stopping = true,
          .round = 7,
          .error = "e"};
  job.targets["t1"] = {.runs = 1,
                       .round = 2,
                       .placement = 3,
                       .done = true,
                       .stopped = true,
                       .fatal = true,
                       .counts = {.objects = 4, .bytes = 5, .skipped = 6, .errors = 7},
                       .cursor = "c",
                       .at_cursor = {.objects = 8},
                       .total = 9,
                       .error = "x",
                       .waiting = "w",
                       .started_ns = 10,
                       .updated_ns = 11};
  const auto read = wire::decode<Job>(golden("job.1", wire::encode(job)));
  ASSERT_TRUE(read.ok()) << read.error().what();
  EXPECT_EQ(*read, job);
  const JobProgress& progress = job.targets["t1"];
  const auto told = wire::decode<JobProgress>(golden("job_progress.1", wire::encode(progress)));
  ASSERT_TRUE(told.ok()) << told.error().what();
  EXPECT_EQ(*told, progress);
}

}  // namespace
}  // namespace aisfs::control
