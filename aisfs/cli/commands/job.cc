// SPDX-License-Identifier: MIT
#include <boost/asio/steady_timer.hpp>

#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/commands/job_view.h"
#include "aisfs/cli/location.h"
#include "aisfs/cli/units.h"
#include "common/async/clock.h"

namespace aisfs::cli {
namespace {

constexpr Duration kRefreshMin = std::chrono::milliseconds(100);

/// A word that is the name of a kind means all jobs of it, any other one job.
JobQuery query_of(const std::string& word) {
  if (find_job_kind(word) != nullptr) return {.kind = word};
  return {.id = word};
}

// --- start, stop --------------------------------------------------------------------------------

struct StartArguments {
  std::string kind, bucket, node;
  bool wait = false;
};

std::string startable_kinds() {
  std::string text;
  for (const JobKind& kind : job_kinds()) {
    if (kind.startable) text += (text.empty() ? "" : ", ") + std::string(kind.shown);
  }
  return text;
}

Task<Status> start(Session& s, const StartArguments& arguments) {
  const JobKind* kind = find_job_kind(arguments.kind);
  if (kind == nullptr || !kind->startable) {
    co_return Error(Errc::invalid_argument,
                    "a job of kind \"" + arguments.kind + "\" is not started so; what can be: " +
                        startable_kinds() + "; see also ais bucket cp, ais bucket mv, ais rm");
  }
  JobSpec spec;
  spec.kind = kind->name;
  spec.node = arguments.node;
  if (!arguments.bucket.empty()) {
    CO_TRY(spec.bucket, parse_bucket(arguments.bucket));
  }
  CO_TRY(std::string id, co_await s.jobs().start_job(s.context(), std::move(spec), ""));
  std::string what = "Started " + std::string(kind->shown);
  co_return co_await follow_started(s, std::move(id), std::move(what), arguments.wait);
}

Task<Status> stop(Session& s, const std::string& which) {
  JobQuery query = query_of(which);
  CO_CHECK_OK(co_await s.jobs().stop_jobs(s.context(), std::move(query)));
  s.out.done("Told to stop: " + which, {{"stopping", which}});
  co_return Status{};
}

// --- show ---------------------------------------------------------------------------------------

struct ShowArguments {
  std::string which, refresh;
  std::uint64_t count = 0;
  bool all = false;
};

void print_one(Session& s, const Job& job) {
  Table one = job_table({job});
  s.out.table(one);
  if (!job.error.empty()) s.out.line("\nError: " + printable(job.error));
  if (job.targets.empty()) return;
  s.out.line("");
  Table targets = target_table(job);
  s.out.table(targets);
}

Task<Status> show_once(Session& s, const ShowArguments& arguments) {
  JobQuery query = arguments.which.empty() ? JobQuery{} : query_of(arguments.which);
  const std::string id = query.id;
  query.ended = arguments.all;
  CO_TRY(const std::vector<Job> jobs, co_await s.jobs().list_jobs(s.context(), std::move(query)));
  if (!id.empty() && jobs.empty()) {
    co_return Error(Errc::not_found, "job \"" + id + "\" does not exist; see ais show job --all");
  }
  if (s.out.json()) {
    JsonArray all;
    for (const Job& job : jobs) all.push_back(job_json(job));
    s.out.json_line(JsonObject{{"jobs", std::move(all)}});
  } else if (jobs.empty()) {
    s.out.line(arguments.all ? "There are no jobs." : "No job runs; see ais show job --all.");
  } else if (!id.empty()) {
    print_one(s, jobs.front());
  } else {
    Table table = job_table(jobs);
    s.out.table(table);
  }
  co_return Status{};
}

Task<Status> show(Session& s, const ShowArguments& arguments) {
  if (arguments.refresh.empty()) co_return co_await show_once(s, arguments);
  CO_TRY(const Duration refresh, parse_duration(arguments.refresh));
  for (std::uint64_t shown = 1;; ++shown) {
    CO_CHECK_OK(co_await show_once(s, arguments));
    if (shown == arguments.count) co_return Status{};
    asio::steady_timer pause(co_await asio::this_coro::executor, std::max(refresh, kRefreshMin));
    co_await pause.async_wait(use_ec);
    if (!s.out.json()) s.out.line("--- " + local_time(RealClock().unix_ns()) + " ---");
  }
}

void declare_start(Command& start_command) {
  auto a = std::make_shared<StartArguments>();
  start_command.word("kind", a->kind, Names::kJobKind, Command::Need::kRequired, startable_kinds());
  start_command.word("bucket", a->bucket, Names::kBucket, Command::Need::kOptional,
                     "BUCKET, for kinds that are about one");
  start_command.option("--node", a->node, "TARGET", "This target alone");
  start_command.flag("--wait", a->wait, "Until it has ended; the exit status says how");
  start_command.examples("  ais start scrub\n  ais start rebalance --wait");
  start_command.action([a](Session& s) { return start(s, *a); });
}

void declare_stop(Command& stop_command) {
  auto which = std::make_shared<std::string>();
  stop_command.word("job", *which, Names::kJob, Command::Need::kRequired, "ID or KIND");
  stop_command.examples("  ais stop j-0123456789ab\n  ais stop copy-bucket");
  stop_command.action([which](Session& s) { return stop(s, *which); });
}

}  // namespace

void add_show_job(Command& show_command) {
  auto a = std::make_shared<ShowArguments>();
  Command& job = show_command.sub("job", "Jobs that run, or have");
  job.word("job", a->which, Names::kJob, Command::Need::kOptional, "ID or KIND");
  job.flag("-a,--all", a->all, "Those that have ended, too");
  job.option("--refresh", a->refresh, "TIME", "Again and again, until interrupted");
  job.number("--count", a->count, "N", "With --refresh: so many times (0: without end)");
  job.examples(
      "  ais show job\n"
      "  ais show job copy-bucket --all\n"
      "  ais show job j-0123456789ab --json | jq .jobs[0].targets");
  job.action([a](Session& s) { return show(s, *a); });
}

void add_start(Command& root) { declare_start(root.sub("start", "Start a job")); }
void add_stop(Command& root) { declare_stop(root.sub("stop", "Stop a job")); }

void add_job(Command& root) {
  Command& job = root.sub("job", "The same as ais start, stop, wait and show job");
  declare_start(job.sub("start", "Start a job"));
  declare_stop(job.sub("stop", "Stop a job"));
  auto a = std::make_shared<std::string>();
  Command& wait = job.sub("wait", "Wait until a job has ended");
  wait.word("job", *a, Names::kJob, Command::Need::kRequired, "ID");
  wait.action([a](Session& s) { return wait_for_job(s, *a, Deadline()); });
  auto shown = std::make_shared<ShowArguments>();
  Command& show_command = job.sub("show", "Jobs that run, or have");
  show_command.word("job", shown->which, Names::kJob, Command::Need::kOptional, "ID or KIND");
  show_command.flag("-a,--all", shown->all, "Those that have ended, too");
  show_command.action([shown](Session& s) { return show(s, *shown); });
}

}  // namespace aisfs::cli
