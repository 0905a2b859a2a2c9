// SPDX-License-Identifier: MIT
#include "node/front/native/job_routes.h"

#include <boost/json/array.hpp>

#include "common/async/clock.h"
#include "node/front/native/job_json.h"
#include "node/front/native/rebalance_status.h"
#include "node/front/native/reply.h"

namespace aisfs::native {
namespace json = boost::json;
namespace {

/// The bucket of AIStore's {"name", "provider", "namespace"}; name "" when there is none.
BucketName bucket_member(const json::value& value) {
  BucketName name;
  name.name = text_member(value, "name");
  if (const std::string provider = text_member(value, "provider"); !provider.empty()) {
    name.provider = provider;
  }
  if (const json::value* ns = member(value, "namespace")) name.ns = text_member(*ns, "name");
  return name;
}

/// "ID", "Kind", "Bck" or the one of "Buckets".
JobQuery query_of(const json::value& message) {
  JobQuery query;
  query.id = text_member(message, "id");
  query.kind = text_member(message, "kind");
  if (const json::value* bucket = member(message, "bck")) query.bucket = bucket_member(*bucket);
  const json::value* list = member(message, "buckets");
  const bool one = list != nullptr && list->is_array() && list->get_array().size() == 1;
  if (query.bucket.name.empty() && one) query.bucket = bucket_member(list->get_array()[0]);
  query.ended = true;
  if (const json::value* only = member(message, "onlyrunning")) {
    query.ended = !(only->is_bool() && only->get_bool());
  }
  return query;
}

Task<Result<std::string>> start(Call& call, json::value message) {
  JobSpec spec;
  spec.kind = text_member(message, "kind");
  spec.node = text_member(message, "daemonid");
  const JobKind* kind = find_job_kind(spec.kind);
  if (kind == nullptr || !kind->startable) {
    co_return Error(
        Errc::invalid_argument,
        "a job of kind \"" + spec.kind +
            "\" cannot be started so: it is none, or an action of its bucket starts it");
  }
  if (kind->of == JobKind::Of::kNames) spec.bucket = query_of(message).bucket;
  CO_TRY(JobsApi* const jobs, call.jobs());
  co_return co_await jobs->start_job(call.context, std::move(spec), "");
}

Task<Status> stop(Call& call, json::value message) {
  JobQuery query = query_of(message);
  if (query.id.empty() && query.kind.empty()) {
    co_return Error(Errc::invalid_argument, "which job? give its id or its kind");
  }
  CO_TRY(JobsApi* const jobs, call.jobs());
  co_return co_await jobs->stop_jobs(call.context, std::move(query));
}

/// The newest one that is meant: one that runs, if there is one.
Task<Result<Job>> one_job(Call& call, JobQuery query) {
  CO_TRY(JobsApi* const jobs, call.jobs());
  CO_TRY(auto found, co_await jobs->list_jobs(call.context, query));
  if (found.empty()) {
    const std::string what = query.id.empty() ? "of kind \"" + query.kind + "\"" : query.id;
    co_return Error(Errc::not_found, "job " + what + " does not exist");
  }
  for (Job& job : found) {
    if (job.is_running()) co_return std::move(job);
  }
  co_return std::move(found.back());
}

Task<Result<json::value>> status(Call& call, JobQuery query) {
  CO_TRY(const Job job, co_await one_job(call, std::move(query)));
  co_return json::value(job_status_json(job));
}

Task<Result<json::value>> all_status(Call& call, JobQuery query) {
  CO_TRY(JobsApi* const jobs, call.jobs());
  CO_TRY(const auto found, co_await jobs->list_jobs(call.context, std::move(query)));
  json::array all;
  for (const Job& job : found) all.push_back(job_status_json(job));
  co_return json::value(std::move(all));
}

Task<Result<json::value>> running(Call& call, JobQuery query) {
  CO_TRY(JobsApi* const jobs, call.jobs());
  query.ended = true;
  CO_TRY(const auto found, co_await jobs->list_jobs(call.context, std::move(query)));
  const std::int64_t now = RealClock().unix_ns();
  json::array names;
  for (const Job& job : found) {
    if (seems_to_run(job, now)) names.emplace_back(display_of(job));
  }
  co_return json::value(std::move(names));
}

Task<Result<json::value>> snaps(Call& call, JobQuery query) {
  CO_TRY(JobsApi* const jobs, call.jobs());
  CO_TRY(const auto found, co_await jobs->list_jobs(call.context, query));
  if (found.empty() && !query.id.empty()) {
    co_return Error(Errc::not_found, "job " + query.id + " does not exist");
  }
  json::object by_target;
  for (const Job& job : found) add_snaps(by_target, *call.map, job);
  co_return json::value(std::move(by_target));
}

Task<Result<json::value>> own_snaps(Call& call, JobQuery query) {
  CO_TRY(json::value all, co_await snaps(call, std::move(query)));
  const json::value* own = all.get_object().if_contains(call.node_id);
  co_return own == nullptr ? json::value(json::array()) : *own;
}

Task<Result<json::value>> answer(Call& call, const std::string& what, JobQuery query) {
  if (what == "status") return status(call, std::move(query));
  if (what == "status_all") return all_status(call, std::move(query));
  if (what == "running_all") return running(call, std::move(query));
  if (what == "getxstats") return own_snaps(call, std::move(query));
  return snaps(call, std::move(query));
}

}  // namespace

bool is_job_question(std::string_view what) {
  return what == "status" || what == "status_all" || what == "running_all" || what == "qryxstats" ||
         what == "getxstats";
}

Task<void> reply_jobs(Call& call, std::string what) {
  const auto message = co_await read_message(call.body);
  if (!message) co_return co_await reply_error(call, message.error());
  if (is_about_rebalance(*message) && what == "status") {
    co_return co_await reply_rebalance_status(call, *message);
  }
  if (is_about_rebalance(*message) && what == "qryxstats") {
    co_return co_await reply_rebalance_stats(call);
  }
  auto value = co_await answer(call, what, query_of(*message));
  if (!value) co_return co_await reply_error(call, std::move(value).error());
  co_await reply_json(call, *std::move(value));
}

Task<void> serve_job_action(Call& call, ActionMessage message) {
  if (message.action == "stop") {
    Status stopped = co_await stop(call, std::move(message.value));
    co_return co_await reply_status(call, std::move(stopped));
  }
  auto id = co_await start(call, std::move(message.value));
  if (!id) co_return co_await reply_error(call, std::move(id).error());
  co_await reply_text(call, *std::move(id));
}

}  // namespace aisfs::native
