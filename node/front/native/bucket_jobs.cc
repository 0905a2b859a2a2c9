// SPDX-License-Identifier: MIT
#include "node/front/native/bucket_jobs.h"

#include <boost/json/array.hpp>

#include "node/front/native/reply.h"

namespace aisfs::native {
namespace json = boost::json;
namespace {

bool is_true(const json::value& value, std::string_view name) {
  const json::value* found = member(value, name);
  return found != nullptr && found->is_bool() && found->get_bool();
}

Status read_names(const json::value& value, JobSpec& spec) {
  spec.name_template = text_member(value, "template");
  const json::value* list = member(value, "objnames");
  if (list == nullptr || list->is_null()) return {};
  if (!list->is_array()) return Error(Errc::invalid_argument, "objnames is a list of names");
  for (const json::value& name : list->get_array()) {
    if (!name.is_string()) return Error(Errc::invalid_argument, "objnames is a list of names");
    spec.names.emplace_back(name.get_string());
  }
  return {};
}

/// What AIStore's copies take, and whether it can be done here.
Status read_copy(const json::value& value, JobSpec& spec) {
  spec.prefix = text_member(value, "prefix");
  spec.prepend = text_member(value, "prepend");
  spec.dry_run = is_true(value, "dry_run");
  if (is_true(value, "synchronize")) {
    return Error(Errc::invalid_argument,
                 "synchronize: a copy removes nothing in its destination; remove it by a list");
  }
  const json::value* extensions = member(value, "ext");
  if (extensions == nullptr || !extensions->is_object()) return {};
  for (const auto& [from, to] : extensions->get_object()) {
    if (!to.is_string()) return Error(Errc::invalid_argument, "ext has texts");
    spec.extensions[std::string(from)] = std::string(to.get_string());
  }
  return {};
}

Result<BucketName> destination_of(const Call& call, const json::value& value) {
  const json::value* to = member(value, "tobck");
  if (to != nullptr && to->is_object()) {
    BucketName name;
    name.name = text_member(*to, "name");
    if (const auto provider = text_member(*to, "provider"); !provider.empty()) {
      name.provider = provider;
    }
    if (const json::value* ns = member(*to, "namespace")) name.ns = text_member(*ns, "name");
    return name;
  }
  TRY(const ObjectName name, parse_uname(call.query("bck_to")));
  return name.bucket;
}

Result<JobSpec> spec_of(const Call& call, BucketName bucket, const ActionMessage& action) {
  JobSpec spec;
  spec.kind = action.action;
  spec.bucket = std::move(bucket);
  if (action.action != "delete-listrange") {
    TRY(spec.to, destination_of(call, action.value));
    CHECK_OK(read_copy(action.value, spec));
  }
  if (action.action.ends_with("-listrange")) CHECK_OK(read_names(action.value, spec));
  return spec;
}

Task<Result<std::string>> start(Call& call, BucketName bucket, ActionMessage action) {
  if (action.action.starts_with("evict-") || action.action.starts_with("prefetch-")) {
    co_return Error(Errc::invalid_argument,
                    action.action + ": \"" + bucket.display() +
                        "\" is a native bucket: its objects are nowhere else");
  }
  CO_TRY(JobSpec spec, spec_of(call, std::move(bucket), action));
  CO_TRY(JobsApi* const jobs, call.jobs());
  co_return co_await jobs->start_job(call.context, std::move(spec), "");
}

}  // namespace

bool is_bucket_job(http::Method method, std::string_view action) {
  if (method == http::Method::kDelete) {
    return action == "delete-listrange" || action == "evict-listrange" ||
           action == "evict-remote-bck";
  }
  return method == http::Method::kPost &&
         (action == "copy-bck" || action == "move-bck" || action == "copy-listrange" ||
          action == "prefetch-listrange");
}

Task<void> serve_bucket_job(Call& call, BucketName bucket, ActionMessage action) {
  auto id = co_await start(call, std::move(bucket), std::move(action));
  if (!id) co_return co_await reply_error(call, std::move(id).error());
  co_await reply_text(call, *std::move(id));
}

}  // namespace aisfs::native
