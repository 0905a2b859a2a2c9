// SPDX-License-Identifier: MIT
#pragma once
#include <gtest/gtest.h>

#include <string>

#include "common/async/runtime.h"
#include "node/jobs/kind.h"
#include "tests/kit/fake_cluster.h"

namespace aisfs::jobs {

/// Who sleeps wakes at once, after the others have had their turn.
class QuickClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  std::int64_t unix_ns() const override { return real_.unix_ns(); }
  Task<Status> sleep_until(TimePoint at) override {
    now_ = std::max(now_, at);
    ++sleeps;
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_return Status{};
  }
  int sleeps = 0;

 private:
  RealClock real_;
  TimePoint now_ = real_.now();
};

/// Two targets with a bucket "a" of some objects, in memory; jobs run as on one of them.
class JobsFixture : public ::testing::Test {
 protected:
  static constexpr int kObjects = 40;

  JobsFixture() {
    for (const char* id : {"t1", "t2"}) cluster_.add_target(id);
    from_ = cluster_.add_bucket("a");
    to_ = cluster_.add_bucket("b");
    for (int i = 0; i < kObjects; ++i) cluster_.store("a", key(i), body(i));
    runtime_.start();
  }
  ~JobsFixture() override { runtime_.stop(); }

  static std::string key(int i) { return "k" + std::to_string(1000 + i); }
  static std::string body(int i) { return "body " + std::to_string(i); }

  JobDeps deps(std::string id) {
    return {.node_id = std::move(id),
            .maps = cluster_,
            .clock = clock_,
            .cluster = cluster_,
            .here = cluster_};
  }
  Job job(JobSpec spec) {
    Job made{.id = "j1", .spec = std::move(spec)};
    made.bucket_id = from_.id;
    made.to_id = made.spec.to.name.empty() ? BucketId{} : to_.id;
    made.placement = cluster_.current()->placement.since;
    made.started_ns = clock_.unix_ns();
    return made;
  }
  static JobSpec copying() {
    return {.kind = "copy-bck", .bucket = native_bucket("a"), .to = native_bucket("b")};
  }
  Status work(JobRun& run) { return runtime_.run_on(0, find_kind(run.job.spec.kind)->run(run)); }
  int copies_there() {
    int found = 0;
    for (int i = 0; i < kObjects; ++i) {
      const auto bytes = cluster_.bytes_of("b", key(i));
      if (!bytes) continue;
      EXPECT_EQ(*bytes, body(i));
      ++found;
    }
    return found;
  }

  tests::FakeCluster cluster_;
  QuickClock clock_;
  Runtime runtime_{1};
  Bucket from_, to_;
};

}  // namespace aisfs::jobs
