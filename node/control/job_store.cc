// SPDX-License-Identifier: MIT
#include "node/control/job_store.h"

#include <algorithm>

#include "common/obs/log.h"
#include "common/wire/envelope.h"

namespace aisfs::control {
namespace {

constexpr std::string_view kLive = "aisfs/jobs/live/";
constexpr std::string_view kNames = "aisfs/jobs/names/";
constexpr std::string_view kAt = "aisfs/jobs/at/";
constexpr std::string_view kPast = "aisfs/jobs/past/";
constexpr int kRacesMax = 32;
constexpr std::int64_t kPastNs = 3600ll * 1'000'000'000;

std::string key(std::string_view kind, const std::string& id) { return std::string(kind) + id; }

meta::GetRequest all_of(std::string prefix) {
  return {meta::prefix_range(std::move(prefix)), 0, 0};
}

/// What holds only while the job runs.
meta::Compare is_live(const std::string& id) {
  return {.key = key(kLive, id),
          .what = meta::Compare::What::kVersion,
          .is = meta::Compare::Is::kGreater,
          .number = 0};
}

/// One that cannot be read is passed over: it must not keep the others from being seen.
std::vector<Job> jobs_in(const std::vector<meta::KeyValue>& kvs) {
  std::vector<Job> jobs;
  for (const meta::KeyValue& kv : kvs) {
    auto job = wire::decode<Job>(kv.value);
    if (job) jobs.push_back(*std::move(job));
    if (!job)
      LOG_WARN("the record of a job is unreadable", "key", kv.key, "why", job.error().what());
  }
  return jobs;
}

void add_progress(Job& job, const std::vector<meta::KeyValue>& kvs) {
  const std::string prefix = key(kAt, job.id) + "/";
  for (const meta::KeyValue& kv : kvs) {
    if (!kv.key.starts_with(prefix)) continue;
    const auto progress = wire::decode<JobProgress>(kv.value);
    if (progress) job.targets[kv.key.substr(prefix.size())] = *progress;
  }
}

}  // namespace

Task<Status> JobStore::add(Job job, std::vector<std::string> names) {
  const std::string id = job.id;
  const std::string record = wire::encode(job);
  if (record.size() > kJobBytesMax) {
    co_return Error(Errc::too_large, "the description of a job has at most " +
                                         std::to_string(kJobBytesMax) + " bytes");
  }
  meta::TxnRequest txn;
  txn.compares.push_back({.key = key(kLive, id), .number = 0});
  txn.compares.push_back({.key = key(kPast, id), .number = 0});
  txn.then.push_back(meta::put_step(key(kLive, id), record));
  if (!names.empty()) {
    wire::JobNames list{std::move(names)};
    std::string bytes = wire::encode(list);
    if (bytes.size() > kJobNamesBytesMax) {
      co_return Error(Errc::too_large, "the names of one job have at most " +
                                           std::to_string(kJobNamesBytesMax) +
                                           " bytes together; use a template, or several jobs");
    }
    txn.then.push_back(meta::put_step(key(kNames, id), std::move(bytes)));
  }
  CO_TRY([[maybe_unused]] const auto done, co_await meta_.txn(std::move(txn)));
  co_return Status{};
}

Task<Result<std::vector<Job>>> JobStore::live_records() {
  meta::GetRequest records = all_of(std::string(kLive));
  CO_TRY(const auto reply, co_await meta_.get(std::move(records)));
  std::vector<Job> jobs = jobs_in(reply.kvs);
  std::sort(jobs.begin(), jobs.end(),
            [](const Job& a, const Job& b) { return a.started_ns < b.started_ns; });
  co_return jobs;
}

Task<Result<std::vector<Job>>> JobStore::live() {
  CO_TRY(std::vector<Job> jobs, co_await live_records());
  if (jobs.empty()) co_return jobs;
  meta::GetRequest reports = all_of(std::string(kAt));
  CO_TRY(const auto progress, co_await meta_.get(std::move(reports)));
  for (Job& job : jobs) add_progress(job, progress.kvs);
  co_return jobs;
}

Task<Status> JobStore::add_progress_of(std::string node, std::vector<Job>& jobs) {
  for (Job& job : jobs) {
    meta::GetRequest one{{key(kAt, job.id) + "/" + node, {}}, 0, 0};
    CO_TRY(const auto reply, co_await meta_.get(std::move(one)));
    add_progress(job, reply.kvs);
  }
  co_return Status{};
}

Task<Result<std::vector<Job>>> JobStore::past() {
  meta::GetRequest records = all_of(std::string(kPast));
  CO_TRY(const auto reply, co_await meta_.get(std::move(records)));
  std::vector<Job> jobs = jobs_in(reply.kvs);
  std::sort(jobs.begin(), jobs.end(),
            [](const Job& a, const Job& b) { return a.ended_ns < b.ended_ns; });
  co_return jobs;
}

Task<Result<JobStore::Live>> JobStore::load(std::string id) {
  meta::GetRequest one{{key(kLive, id), {}}, 0, 0};
  CO_TRY(const auto reply, co_await meta_.get(std::move(one)));
  if (reply.kvs.empty()) co_return Error(Errc::not_found, "job \"" + id + "\" does not run");
  Live live;
  CO_TRY(live.job, wire::decode<Job>(reply.kvs.front().value));
  live.revision = reply.kvs.front().mod_revision;
  co_return live;
}

Task<Result<Job>> JobStore::find(std::string id) {
  auto live = co_await load(id);
  if (live) {
    meta::GetRequest reports = all_of(key(kAt, id) + "/");
    CO_TRY(const auto progress, co_await meta_.get(std::move(reports)));
    add_progress(live->job, progress.kvs);
    co_return std::move(live->job);
  }
  if (live.error() != Errc::not_found) co_return std::move(live).error();
  meta::GetRequest one{{key(kPast, id), {}}, 0, 0};
  CO_TRY(const auto reply, co_await meta_.get(std::move(one)));
  if (reply.kvs.empty()) co_return Error(Errc::not_found, "job \"" + id + "\" does not exist");
  co_return wire::decode<Job>(reply.kvs.front().value);
}

Task<Result<std::vector<std::string>>> JobStore::names(std::string id) {
  meta::GetRequest one{{key(kNames, id), {}}, 0, 0};
  CO_TRY(const auto reply, co_await meta_.get(std::move(one)));
  if (reply.kvs.empty()) co_return std::vector<std::string>();
  CO_TRY(auto list, wire::decode<wire::JobNames>(reply.kvs.front().value));
  co_return std::move(list.names);
}

Task<Status> JobStore::report(std::string node, wire::JobReport report) {
  meta::TxnRequest txn;
  txn.compares.push_back(is_live(report.id));
  txn.then.push_back(
      meta::put_step(key(kAt, report.id) + "/" + node, wire::encode(report.progress)));
  CO_TRY([[maybe_unused]] const auto done, co_await meta_.txn(std::move(txn)));
  co_return Status{};
}

Task<Status> JobStore::change(std::string id, Edit edit) {
  for (int race = 0; race < kRacesMax; ++race) {
    CO_TRY(Live live, co_await load(id));
    const Job before = live.job;
    CO_CHECK_OK(edit(live.job));
    if (live.job == before) co_return Status{};
    meta::TxnRequest txn;
    txn.compares.push_back({.key = key(kLive, id), .number = live.revision});
    txn.then.push_back(meta::put_step(key(kLive, id), wire::encode(live.job)));
    CO_TRY(const auto done, co_await meta_.txn(std::move(txn)));
    if (done.succeeded) co_return Status{};
  }
  co_return Error(Errc::overloaded, "the job changes too fast; try again");
}

Task<Status> JobStore::end(std::string id, JobState state, std::string error) {
  for (int race = 0; race < kRacesMax; ++race) {
    auto live = co_await load(id);
    if (!live && live.error() == Errc::not_found) co_return Status{};
    if (!live) co_return std::move(live).error();
    meta::GetRequest reports = all_of(key(kAt, id) + "/");
    CO_TRY(const auto progress, co_await meta_.get(std::move(reports)));
    add_progress(live->job, progress.kvs);
    live->job.state = state;
    live->job.error = error;
    live->job.ended_ns = clock_.unix_ns();
    meta::TxnRequest txn;
    txn.compares.push_back({.key = key(kLive, id), .number = live->revision});
    txn.then.push_back(meta::put_step(key(kPast, id), wire::encode(live->job)));
    txn.then.push_back(meta::remove_step(key(kLive, id)));
    txn.then.push_back(meta::remove_step(key(kNames, id)));
    txn.then.push_back({.kind = meta::Step::Kind::kRemove,
                        .range = meta::prefix_range(key(kAt, id) + "/"),
                        .value = {},
                        .lease = 0});
    CO_TRY(const auto done, co_await meta_.txn(std::move(txn)));
    if (!done.succeeded) continue;
    LOG_INFO("job ended", "job", display_of(live->job), "state", to_string(state), "error", error);
    co_return co_await prune();
  }
  co_return Error(Errc::overloaded, "the job changes too fast; try again");
}

Task<Status> JobStore::prune() {
  CO_TRY(const std::vector<Job> jobs, co_await past());
  if (jobs.size() <= kPastJobsKept) co_return Status{};
  const std::int64_t old = clock_.unix_ns() - kPastNs;
  meta::TxnRequest txn;
  for (std::size_t i = 0; i < jobs.size() - kPastJobsKept && txn.then.size() < kJobsMax; ++i) {
    const bool too_many = jobs.size() - i > kPastJobsMax;
    if (too_many || jobs[i].ended_ns < old) {
      txn.then.push_back(meta::remove_step(key(kPast, jobs[i].id)));
    }
  }
  if (txn.then.empty()) co_return Status{};
  CO_TRY([[maybe_unused]] const auto done, co_await meta_.txn(std::move(txn)));
  co_return Status{};
}

}  // namespace aisfs::control
