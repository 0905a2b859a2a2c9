// SPDX-License-Identifier: MIT
#include <boost/asio/steady_timer.hpp>

#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/commands/job_view.h"
#include "aisfs/cli/units.h"

namespace aisfs::cli {
namespace {

constexpr Duration kPause = std::chrono::milliseconds(200);
constexpr Duration kReadyMax = std::chrono::seconds(60);

struct WaitArguments {
  std::uint64_t targets = 1;
  std::string timeout;
  std::string job;
};

/// Whether the cluster answers, has its targets, and each of them serves.
Task<Status> check_ready(Session& s, std::uint64_t targets) {
  if (!s.link) {
    CO_TRY(s.link, co_await s.connect(s.options));
  }
  const auto active = s.map().current()->active_targets().size();
  if (active < targets) {
    co_return Error(Errc::not_ready,
                    std::to_string(active) + " of " + count_of(targets, "target") + " joined");
  }
  auto capacity = co_await s.objects().capacity(s.context());
  co_return capacity ? Status{} : Status(std::move(capacity).error());
}

/// Waiting does not help against wrong keys or a wrong address.
bool may_come(Errc code) {
  return code != Errc::unauthenticated && code != Errc::permission_denied &&
         code != Errc::invalid_argument;
}

/// Without a limit unless one is given.
Task<Status> wait_for_one(Session& s, const WaitArguments& arguments) {
  Deadline deadline;
  if (!arguments.timeout.empty()) {
    CO_TRY(const Duration timeout, parse_duration(arguments.timeout));
    deadline = Deadline::after(timeout);
  }
  CO_TRY(s.link, co_await s.connect(s.options));
  co_return co_await wait_for_job(s, arguments.job, deadline);
}

Task<Status> run_wait(Session& s, const WaitArguments& arguments) {
  if (!arguments.job.empty()) co_return co_await wait_for_one(s, arguments);
  Duration timeout = kReadyMax;
  if (!arguments.timeout.empty()) {
    CO_TRY(timeout, parse_duration(arguments.timeout));
  }
  const Deadline deadline = Deadline::after(timeout);
  s.options.timeout = std::chrono::seconds(5);  // of one attempt
  std::string shown;
  while (true) {
    Status ready = co_await check_ready(s, arguments.targets);
    if (ready) break;
    if (!may_come(ready.error().code())) co_return ready;
    if (deadline.expired()) {
      co_return Error(Errc::timed_out, "the cluster is not ready: " + ready.error().what());
    }
    if (ready.error().what() != shown) s.out.note("waiting: " + ready.error().what());
    shown = ready.error().what();
    asio::steady_timer pause(co_await asio::this_coro::executor, kPause);
    co_await pause.async_wait(use_ec);
  }
  const std::size_t active = s.map().current()->active_targets().size();
  s.out.done("the cluster is ready: " + count_of(active, "target"),
             {{"ready", true}, {"targets", active}});
  co_return Status{};
}

}  // namespace

void add_wait(Command& root) {
  auto a = std::make_shared<WaitArguments>();
  Command& wait = root.sub("wait", "Wait until the cluster serves, or a job has ended");
  wait.word("job", a->job, Names::kJob, Command::Need::kOptional, "ID; without it the cluster");
  wait.number("--targets", a->targets, "N", "So many targets have joined");
  wait.option("--for", a->timeout, "TIME", "Give up after this (60s; of a job never)");
  wait.examples("  ais wait --targets 3 --for 30s && ais ls\n  ais wait j-0123456789ab");
  wait.action([a](Session& s) { return run_wait(s, *a); }, Command::Cluster::kNotNeeded);
}

}  // namespace aisfs::cli
