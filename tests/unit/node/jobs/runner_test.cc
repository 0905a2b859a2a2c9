// SPDX-License-Identifier: MIT
// What a target tells gateways of its jobs, and what it does with their answers.
#include "node/jobs/runner.h"

#include <condition_variable>
#include <mutex>

#include "tests/unit/node/jobs/jobs_fixture.h"

namespace aisfs::jobs {
namespace {

/// A gateway that knows one job.
class RunnerTest : public JobsFixture {
 protected:
  void begin(Job record) {
    record_ = std::move(record);
    JobRunner::Deps runner{
        .work = deps("t1"),
        .report =
            [this](wire::ReportJobsRequest request) { return answer(*this, std::move(request)); },
        .names = [this](std::string) { return names(*this); },
        .report_every = std::chrono::milliseconds(2)};
    runner_ = std::make_unique<JobRunner>(std::move(runner));
    runtime_.run_on(0, spawn(*this));
  }
  void end() {
    if (scope_) runtime_.run_on(0, finish(*this));
  }
  ~RunnerTest() override { end(); }

  static Task<int> spawn(RunnerTest& self) {
    self.scope_ = std::make_unique<TaskScope>(co_await asio::this_coro::executor);
    self.scope_->spawn(self.runner_->run());
    co_return 0;
  }
  static Task<int> finish(RunnerTest& self) {
    self.scope_->cancel();
    try {
      co_await self.scope_->join();
    } catch (const boost::system::system_error&) {  // cancelled in a wait
    }
    self.scope_.reset();
    co_return 0;
  }
  static Task<Result<wire::JobsReply>> answer(RunnerTest& self, wire::ReportJobsRequest request) {
    const std::lock_guard lock(self.mutex_);
    ++self.answers_;
    self.changed_.notify_all();
    if (self.silent_) co_return Error(Errc::unreachable, "no gateway");
    for (const wire::JobReport& report : request.reports) {
      self.reports_.push_back(report.progress);
      self.record_.targets["t1"] = report.progress;
    }
    wire::JobsReply reply;
    if (self.record_.is_running()) reply.jobs.push_back(self.record_);
    co_return reply;
  }
  static Task<Result<wire::JobNames>> names(RunnerTest& self) {
    co_return wire::JobNames{self.record_.spec.names};
  }
  /// Waits until a report fits.
  template <class Is>
  bool reported(Is is) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20),
                             [&] { return std::any_of(reports_.begin(), reports_.end(), is); });
  }
  bool reported_done() {
    const std::lock_guard lock(mutex_);
    return std::any_of(reports_.begin(), reports_.end(),
                       [](const JobProgress& p) { return p.done; });
  }
  /// Waits for so many questions more.
  bool answered(int more) {
    std::unique_lock lock(mutex_);
    const int enough = answers_ + more;
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return answers_ >= enough; });
  }
  template <class Edit>
  void edit(Edit change) {
    const std::lock_guard lock(mutex_);
    change();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  Job record_;
  std::vector<JobProgress> reports_;
  bool silent_ = false;
  int answers_ = 0;

  std::unique_ptr<JobRunner> runner_;
  std::unique_ptr<TaskScope> scope_;
};

TEST_F(RunnerTest, ItSaysThatItBeginsBeforeItDoes) {
  begin(job(copying()));
  ASSERT_TRUE(reported([](const JobProgress& p) { return p.done; }));
  end();
  EXPECT_EQ(reports_.front().runs, 1u);
  EXPECT_EQ(reports_.front().counts.objects, 0u);
  EXPECT_GT(copies_there(), 0);
}

TEST_F(RunnerTest, ARestartIsANewRunThatGoesOn) {
  Job record = job(copying());
  record.targets["t1"] = {.runs = 3, .placement = record.placement, .cursor = key(kObjects)};
  begin(std::move(record));
  ASSERT_TRUE(reported([](const JobProgress& p) { return p.done; }));
  end();
  EXPECT_EQ(reports_.front().runs, 4u);
  EXPECT_EQ(copies_there(), 0);  // all was behind the cursor
}

TEST_F(RunnerTest, WhatIsDoneIsBegunAgainInAnotherRound) {
  begin(job(copying()));
  ASSERT_TRUE(reported([](const JobProgress& p) { return p.done; }));
  edit([this] { record_.round = 1; });
  EXPECT_TRUE(reported([](const JobProgress& p) { return p.done && p.round == 1; }));
}

TEST_F(RunnerTest, WhatIsDoneIsBegunAgainInAnotherPlacement) {
  begin(job(copying()));
  ASSERT_TRUE(reported([](const JobProgress& p) { return p.done; }));
  cluster_.edit_placement([](Placement& placement) { ++placement.since; });
  const Epoch since = cluster_.current()->placement.since;
  EXPECT_TRUE(reported([since](const JobProgress& p) { return p.done && p.placement == since; }));
}

TEST_F(RunnerTest, OneThatIsToStopStopsAndSaysSo) {
  cluster_.on_call([](std::string_view operation, const std::string&) -> Status {
    return operation == "copy" ? Status(Error(Errc::unreachable, "away")) : Status{};
  });
  begin(job(copying()));
  ASSERT_TRUE(reported([](const JobProgress& p) { return !p.waiting.empty(); }));
  edit([this] { record_.stopping = true; });
  EXPECT_TRUE(reported([](const JobProgress& p) { return p.stopped && !p.done; }));
}

TEST_F(RunnerTest, OneThatIsToStopBeforeItHasBegunDoesNot) {
  Job record = job(copying());
  record.stopping = true;
  begin(std::move(record));
  ASSERT_TRUE(reported([](const JobProgress& p) { return p.stopped; }));
  EXPECT_EQ(cluster_.calls("copy"), 0u);
}

TEST_F(RunnerTest, WhatGatewaysDoNotHearIsToldLater) {
  cluster_.hold("copy");
  begin(job(copying()));
  ASSERT_TRUE(reported([](const JobProgress& p) { return p.runs == 1; }));
  edit([this] { silent_ = true; });
  cluster_.let_go();
  EXPECT_TRUE(answered(5));
  EXPECT_FALSE(reported_done());
  edit([this] { silent_ = false; });
  EXPECT_TRUE(reported([](const JobProgress& p) { return p.done; }));
}

TEST_F(RunnerTest, OneThatSeemedToHaveEndedGoesOn) {
  cluster_.hold("copy");
  begin(job(copying()));
  ASSERT_TRUE(reported([](const JobProgress& p) { return p.runs == 1; }));
  edit([this] { record_.state = JobState::kFinished; });
  EXPECT_TRUE(answered(3));
  edit([this] { record_.state = JobState::kRunning; });
  EXPECT_TRUE(answered(3));
  cluster_.let_go();
  EXPECT_TRUE(reported([](const JobProgress& p) { return p.done && !p.stopped; }));
}

TEST_F(RunnerTest, AKindThatItDoesNotKnowEndsTheJob) {
  begin(job({.kind = "of-a-later-release"}));
  EXPECT_TRUE(reported([](const JobProgress& p) { return p.fatal; }));
}

TEST_F(RunnerTest, AJobOfAnotherTargetIsNotItsOwn) {
  Job record = job(copying());
  record.spec.node = "t2";
  begin(std::move(record));
  EXPECT_TRUE(answered(3));
  end();
  EXPECT_TRUE(reports_.empty());
  EXPECT_EQ(cluster_.calls("copy"), 0u);
}

}  // namespace
}  // namespace aisfs::jobs
