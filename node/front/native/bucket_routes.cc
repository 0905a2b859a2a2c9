// SPDX-License-Identifier: MIT
#include "node/front/native/bucket_routes.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "common/auth/authorize.h"
#include "common/base/hash.h"
#include "common/base/text.h"
#include "node/front/native/bprops.h"
#include "node/front/native/bucket_jobs.h"
#include "node/front/native/listing.h"
#include "node/front/native/reply.h"
#include "node/front/native/rpc_admin.h"

namespace aisfs::native {
namespace json = boost::json;
namespace {

/// A bucket that the caller may see.
Task<Result<Bucket>> visible_bucket(Call& call, BucketName name) {
  CO_TRY(Bucket bucket, co_await call.admin.find_bucket(call.context, std::move(name)));
  CO_CHECK_OK(auth::authorize(call.context.who, auth::Action::kRead, bucket));
  co_return bucket;
}

json::object bucket_json(const BucketName& name) {
  return {{"name", name.name},
          {"provider", name.provider},
          {"namespace", {{"uuid", ""}, {"name", name.ns}}}};
}

Task<void> list_buckets(Call& call) {
  if (auto provider = bucket_of(call, "any"); !provider) {
    co_return co_await reply_error(call, std::move(provider).error());
  }
  if (auto may = auth::authorize(call.context.who, auth::Action::kListBuckets); !may) {
    co_return co_await reply_error(call, std::move(may).error());
  }
  auto buckets = co_await call.admin.list_buckets(call.context);
  if (!buckets) co_return co_await reply_error(call, std::move(buckets).error());
  json::array names;
  for (const Bucket& bucket : *buckets) names.push_back(bucket_json(bucket.name));
  co_await reply_json(call, std::move(names));
}

// --- summaries ----------------------------------------------------------------------------------
// AIStore starts a job and is polled for its end. Ours is done when it is asked for again: the
// first answer is the id of a job, the second its result.

json::object summary_json(const Bucket& bucket, const BucketSummary& sum, const Capacity& disks) {
  json::object out = bucket_json(bucket.name);
  out["ObjCount"] = {{"obj_count_present", std::to_string(sum.objects)},
                     {"obj_count_remote", "0"}};
  out["ObjSize"] = {{"obj_min_size", sum.min_size},
                    {"obj_avg_size", sum.objects == 0 ? 0 : sum.bytes / sum.objects},
                    {"obj_max_size", sum.max_size}};
  out["TotalSize"] = {{"size_on_disk", std::to_string(sum.bytes)},
                      {"size_all_present_objs", std::to_string(sum.bytes)},
                      {"size_all_remote_objs", "0"},
                      {"total_disks_size", std::to_string(disks.total_bytes)}};
  out["used_pct"] = disks.total_bytes == 0 ? 0 : sum.bytes * 100 / disks.total_bytes;
  out["is_present"] = true;
  return out;
}

Task<Result<json::object>> make_summary(Call& call, BucketName name, std::string prefix) {
  CO_TRY(const Bucket bucket, co_await visible_bucket(call, name));
  CO_TRY(const BucketSummary sum, co_await summarize(call, std::move(name), std::move(prefix)));
  CO_TRY(const Capacity disks, co_await call.objects.capacity(call.context));
  co_return summary_json(bucket, sum, disks);
}

std::string new_job_id() { return "sum-" + to_hex(as_bytes(random_bytes(6))); }

Task<void> reply_summary(Call& call, BucketName name, json::value message) {
  if (text_member(message, "uuid").empty()) {
    auto bucket = co_await visible_bucket(call, std::move(name));
    if (!bucket) co_return co_await reply_error(call, std::move(bucket).error());
    co_return co_await reply_text(call, new_job_id(), 202);
  }
  auto summary = co_await make_summary(call, std::move(name), text_member(message, "prefix"));
  if (!summary) co_return co_await reply_error(call, std::move(summary).error());
  json::array one{*std::move(summary)};
  co_await reply_json(call, std::move(one));
}

Task<void> head_bucket(Call& call, BucketName name) {
  auto bucket = co_await visible_bucket(call, name);
  if (!bucket) co_return co_await reply_error(call, std::move(bucket).error());
  http::ResponseHead head;
  head.fields.set("Ais-Bucket-Props", json::serialize(bprops_json(*bucket)));
  if (call.target().has("bsumm_remote") && !call.target().has("uuid")) {
    head.status = 202;
    head.fields.set("Ais-Xaction-Id", new_job_id());
  } else if (call.target().has("bsumm_remote")) {
    auto summary = co_await make_summary(call, std::move(name), "");
    if (!summary) co_return co_await reply_error(call, std::move(summary).error());
    head.fields.set("Ais-Bucket-Summ", json::serialize(*summary));
  }
  (void)co_await call.exchange.respond(std::move(head), std::string());
}

// --- changes ------------------------------------------------------------------------------------

Task<Status> create(Call& call, BucketName name, json::value value) {
  CO_CHECK_OK(auth::authorize(call.context.who, auth::Action::kCreateBucket));
  CO_CHECK_OK(validate_bucket_name(name.name));
  CO_TRY(const BucketProps props, apply_bprops({.copies = BucketProps::kAutoCopies}, value));
  CO_TRY([[maybe_unused]] const Bucket bucket,
         co_await call.admin.create_bucket(call.context, std::move(name), props));
  co_return Status{};
}

Task<Status> destroy(Call& call, BucketName name) {
  CO_CHECK_OK(co_await may_administer(call, name));
  // AIStore destroys a bucket with all that is in it.
  co_return co_await call.admin.destroy_bucket(call.context, std::move(name), true);
}

/// The job that does to what is there what the properties say of what comes; "" for none. For one who
/// may start none the targets do it by themselves, soon.
Task<std::string> follow(Call& call, const BucketProps& before, const BucketProps& now) {
  const bool split = before.erasure != now.erasure;
  if (!split && before.copies == now.copies) co_return std::string();
  const auto jobs = call.jobs();
  if (!jobs) co_return std::string();
  JobSpec spec{.kind = split ? "ec-encode" : "make-n-copies"};
  auto id = co_await (*jobs)->start_job(call.context, std::move(spec), "");
  co_return id ? *std::move(id) : std::string();
}

Task<Result<std::string>> set_props(Call& call, BucketName name, json::value value) {
  CO_CHECK_OK(co_await may_administer(call, name));
  CO_TRY(const Bucket bucket, co_await call.admin.find_bucket(call.context, name));
  CO_TRY(const BucketProps props, apply_bprops(bucket.props, value));
  CO_TRY(const Bucket changed,
         co_await call.admin.set_bucket_props(call.context, std::move(name), props));
  co_return co_await follow(call, bucket.props, changed.props);
}

/// AIStore's ec-encode: `value` is what set-bprops has as "ec".
Task<Result<std::string>> encode(Call& call, BucketName name, json::value value) {
  json::object erasure;
  if (value.is_object()) erasure = value.get_object();
  erasure["enabled"] = true;
  json::object props;
  props["ec"] = std::move(erasure);
  CO_TRY(std::string id, co_await set_props(call, std::move(name), std::move(props)));
  if (!id.empty()) co_return id;
  CO_TRY(JobsApi* const jobs, call.jobs());
  JobSpec spec{.kind = "ec-encode"};
  co_return co_await jobs->start_job(call.context, std::move(spec), "");
}

Task<Status> reset_props(Call& call, BucketName name) {
  CO_CHECK_OK(co_await may_administer(call, name));
  CO_TRY([[maybe_unused]] const Bucket changed,
         co_await call.admin.set_bucket_props(call.context, std::move(name), BucketProps{}));
  co_return Status{};
}

Task<void> serve_action(Call& call, BucketName name, ActionMessage action) {
  const http::Method method = call.method();
  const bool sets = method == http::Method::kPatch && action.action == "set-bprops";
  const bool encodes = method == http::Method::kPost && action.action == "ec-encode";
  if (sets || encodes) {
    auto change = sets ? set_props : encode;
    auto id = co_await change(call, std::move(name), std::move(action.value));
    if (!id) co_return co_await reply_error(call, std::move(id).error());
    co_return co_await reply_text(call, *std::move(id));
  }
  Status done = Error(Errc::unsupported,
                      "action \"" + action.action + "\" is not supported for buckets");
  if (method == http::Method::kPost && action.action == "create-bck") {
    done = co_await create(call, std::move(name), std::move(action.value));
  } else if (method == http::Method::kDelete && action.action == "destroy-bck") {
    done = co_await destroy(call, std::move(name));
  } else if (method == http::Method::kPatch && action.action == "reset-bprops") {
    done = co_await reset_props(call, std::move(name));
  }
  co_await reply_status(call, std::move(done));
}

Task<void> serve_get(Call& call, BucketName name, ActionMessage action) {
  if (action.action == "summary-bck") {
    return reply_summary(call, std::move(name), std::move(action.value));
  }
  if (action.action != "list" && !action.action.empty()) {
    return reply_error(call, Error(Errc::unsupported,
                                   "action \"" + action.action + "\" is not supported"));
  }
  if (name.name.empty()) return list_buckets(call);
  return serve_list(call, std::move(name), std::move(action.value));
}

}  // namespace

Task<void> serve_buckets(Call& call) {
  PathTail tail = tail_of(call.target(), "buckets");
  auto action = co_await read_action(call.body);
  if (!action) co_return co_await reply_error(call, std::move(action).error());
  auto name = bucket_of(call, tail.first);
  if (!name) co_return co_await reply_error(call, std::move(name).error());
  if (!tail.rest.empty() && call.method() != http::Method::kHead) {
    Error error(Errc::invalid_argument,
                "bucket name \"" + tail.first + "/" + tail.rest + "\" is invalid");
    co_return co_await reply_error(call, std::move(error));
  }
  if (call.method() == http::Method::kGet) {
    co_return co_await serve_get(call, *std::move(name), *std::move(action));
  }
  if (call.method() == http::Method::kHead) {
    co_return co_await head_bucket(call, *std::move(name));
  }
  if (is_bucket_job(call.method(), action->action)) {
    co_return co_await serve_bucket_job(call, *std::move(name), *std::move(action));
  }
  co_await serve_action(call, *std::move(name), *std::move(action));
}

}  // namespace aisfs::native
