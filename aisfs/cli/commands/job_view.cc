// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/job_view.h"

#include <boost/asio/steady_timer.hpp>

#include "aisfs/cli/progress.h"
#include "aisfs/cli/units.h"
#include "common/base/text.h"
#include "common/client/jobs_api.h"

namespace aisfs::cli {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(250);

std::string bucket_text(const BucketName& name) { return name.name.empty() ? "-" : name.display(); }

std::string state_text(const Job& job) {
  if (job.is_running() && job.stopping) return "stopping";
  return std::string(to_string(job.state));
}

std::string_view state_of(const Job& job, const JobProgress& p) {
  if (p.fatal) return "failed";
  if (p.stopped) return "stopped";
  if (p.done) return "done";
  if (!job.is_running()) return "left";  // it went, and others took over its names
  return p.started_ns == 0 ? "waiting" : "running";
}

/// Of all targets; of a list or a template also what no target has come to yet.
std::uint64_t total_of(const Job& job, const JobProgress& sum) {
  return job.names_count != 0 ? job.names_count : sum.total;
}

std::uint64_t looked_at(const JobCounts& counts) {
  return counts.objects + counts.skipped + counts.errors;
}

void put_counts(JsonObject& into, const JobProgress& p) {
  into["objects"] = p.counts.objects;
  into["bytes"] = p.counts.bytes;
  into["skipped"] = p.counts.skipped;
  into["errors"] = p.counts.errors;
  if (!p.error.empty()) into["last_error"] = p.error;
  if (!p.waiting.empty()) into["waiting"] = p.waiting;
}

Status outcome_of(const Job& job) {
  if (job.state == JobState::kFinished) return {};
  const std::string text = display_of(job) + ": " + job.error;
  if (job.state == JobState::kStopped) return Error(Errc::cancelled, text);
  return Error(Errc::io, text);
}

/// not_found when there is none.
Task<Result<Job>> find_job(JobsApi& jobs, const Context& context, std::string id) {
  JobQuery query{.id = id};
  CO_TRY(auto found, co_await jobs.list_jobs(context, std::move(query)));
  if (!found.empty()) co_return std::move(found.front());
  co_return Error(Errc::not_found, "job \"" + id + "\" does not exist");
}

}  // namespace

Table job_table(const std::vector<Job>& jobs) {
  Table table({{"ID"},
               {"KIND"},
               {"BUCKET"},
               {"TO"},
               {"STATE"},
               {"OBJECTS", Align::kRight},
               {"OF", Align::kRight},
               {"BYTES", Align::kRight},
               {"ERRORS", Align::kRight},
               {"STARTED"},
               {"ENDED"}});
  for (const Job& job : jobs) {
    const JobProgress sum = sum_of(job);
    const std::uint64_t total = total_of(job, sum);
    table.add_row({job.id, job.spec.kind, bucket_text(job.spec.bucket), bucket_text(job.spec.to),
                   state_text(job), std::to_string(sum.counts.objects),
                   total == 0 ? "-" : std::to_string(total), human_size(sum.counts.bytes),
                   std::to_string(sum.counts.errors), local_time(job.started_ns),
                   local_time(job.ended_ns)});
  }
  return table;
}

Table target_table(const Job& job) {
  Table table({{"NODE"},
               {"STATE"},
               {"OBJECTS", Align::kRight},
               {"OF", Align::kRight},
               {"SKIPPED", Align::kRight},
               {"BYTES", Align::kRight},
               {"ERRORS", Align::kRight},
               {"REMARK"}});
  for (const auto& [id, p] : job.targets) {
    table.add_row({id, std::string(state_of(job, p)), std::to_string(p.counts.objects),
                   p.total == 0 ? "-" : std::to_string(p.total), std::to_string(p.counts.skipped),
                   human_size(p.counts.bytes), std::to_string(p.counts.errors),
                   printable(p.waiting.empty() ? p.error : "waits: " + p.waiting)});
  }
  return table;
}

JsonObject job_json(const Job& job) {
  const JobProgress sum = sum_of(job);
  JsonObject out{{"id", job.id}, {"kind", job.spec.kind}, {"state", state_text(job)}};
  if (!job.spec.bucket.name.empty()) out["bucket"] = job.spec.bucket.display();
  if (!job.spec.to.name.empty()) out["to"] = job.spec.to.display();
  if (!job.owner.empty()) out["owner"] = job.owner;
  if (job.spec.dry_run) out["dry_run"] = true;
  put_counts(out, sum);
  if (const auto total = total_of(job, sum); total != 0) out["total"] = total;
  if (!job.error.empty()) out["error"] = job.error;
  if (job.started_ns != 0) out["started"] = iso_time(job.started_ns);
  if (job.ended_ns != 0) out["ended"] = iso_time(job.ended_ns);
  JsonArray targets;
  for (const auto& [id, p] : job.targets) {
    JsonObject target{{"id", id}, {"state", state_of(job, p)}};
    put_counts(target, p);
    targets.push_back(std::move(target));
  }
  out["targets"] = std::move(targets);
  return out;
}

std::string job_line(const Job& job, std::uint64_t bytes_per_second, std::size_t width) {
  const JobProgress sum = sum_of(job);
  const std::uint64_t done = looked_at(sum.counts), total = total_of(job, sum);
  std::string line = total != 0 ? names_bar(done, total) : std::to_string(done) + " names";
  line += "  " + human_size(sum.counts.bytes) + "  " + human_size(bytes_per_second) + "/s";
  if (!sum.waiting.empty()) line += "  waits: " + printable(sum.waiting);
  return line.substr(0, width);
}

Task<Status> wait_for_job(Session& s, std::string id, Deadline deadline) {
  RateMeter rate;
  while (true) {
    CO_TRY(const Job job, co_await find_job(s.jobs(), s.context(), id));
    if (!job.is_running()) {
      s.out.clear_progress();
      CO_CHECK_OK(outcome_of(job));
      const JobProgress sum = sum_of(job);
      s.out.done(display_of(job) + " finished: " + count_of(sum.counts.objects, "object") + ", " +
                     human_size(sum.counts.bytes),
                 job_json(job));
      co_return Status{};
    }
    if (deadline.expired()) {
      co_return Error(Errc::timed_out,
                      display_of(job) + " still runs, and goes on doing so: ais show job " + id);
    }
    rate.record(std::chrono::steady_clock::now(), sum_of(job).counts.bytes);
    s.out.progress(job_line(job, rate.bytes_per_second(), s.out.options().columns));
    asio::steady_timer pause(co_await asio::this_coro::executor, kLookEvery);
    co_await pause.async_wait(use_ec);
  }
}

Task<Status> follow_started(Session& s, std::string id, std::string what, bool wait) {
  if (wait) co_return co_await wait_for_job(s, std::move(id), Deadline());
  s.out.done(what + ". To monitor the progress, run 'ais show job " + id + "'", {{"job", id}});
  co_return Status{};
}

}  // namespace aisfs::cli
