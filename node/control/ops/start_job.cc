// SPDX-License-Identifier: MIT
#include <algorithm>

#include "common/auth/authorize.h"
#include "common/client/jobs_api.h"
#include "common/model/name_template.h"
#include "common/model/object.h"
#include "common/obs/log.h"
#include "node/control/job_rules.h"
#include "node/control/ops/job_ops.h"
#include "node/control/ops/ops.h"
#include "node/control/ops/rights.h"

namespace aisfs::control::ops {
namespace {

using auth::Action;

Error no_bucket(const BucketName& name) {
  return Error(Errc::not_found, "bucket \"" + name.display() + "\" does not exist");
}

/// It is part of keys, and what targets do by themselves has ids of its own.
Status check_id(const std::string& id) {
  constexpr std::size_t kIdMax = 64;
  const bool fits =
      id.size() <= kIdMax && id.starts_with("j-") && std::all_of(id.begin(), id.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-';
      });
  if (fits) return {};
  return Error(Errc::invalid_argument, "the id of a job is j- and letters, digits and '-'");
}

/// What cannot be right whatever the cluster looks like.
Status check_spec(const JobKind& kind, const JobSpec& spec) {
  const auto bad = [&](std::string what) {
    return Error(Errc::invalid_argument, std::string(kind.name) + ": " + std::move(what));
  };
  const bool has_names = !spec.names.empty() || !spec.name_template.empty();
  if (kind.of == JobKind::Of::kTargets) {
    return spec.bucket.name.empty() ? Status{} : bad("it is about targets, not about a bucket");
  }
  if (spec.bucket.name.empty()) return bad("it needs a bucket");
  if (kind.needs_to) CHECK_OK(validate_bucket_name(spec.to.name));
  if (kind.needs_to && spec.to == spec.bucket && spec.prepend.empty()) {
    return bad("source and destination are the same");
  }
  if (!spec.names.empty() && !spec.name_template.empty())
    return bad("a list or a template, not both");
  if (has_names && !kind.needs_names) return bad("it takes no names");
  if (kind.needs_names && !has_names) return bad("it needs a list of names or a template");
  if (spec.prepend.size() > kKeyBytesMax) return bad("what is prepended is too long");
  for (const std::string& name : spec.names) CHECK_OK(validate_key(name));
  if (spec.name_template.empty()) return {};
  TRY([[maybe_unused]] const NameTemplate names, NameTemplate::parse(spec.name_template));
  return {};
}

/// What `who` may do with the buckets as they are now; notes which ones they are.
Status check_buckets(const ClusterMap& map, const auth::Identity& who, Job& job) {
  const JobSpec& spec = job.spec;
  const Bucket* from = map.find_bucket(spec.bucket);
  if (from == nullptr) return no_bucket(spec.bucket);
  const bool moves = spec.kind == "move-bck", copies = spec.kind.starts_with("copy-");
  const Action needed = moves ? Action::kAdministerBucket : copies ? Action::kRead : Action::kWrite;
  CHECK_OK(auth::authorize(who, needed, *from));
  job.bucket_id = from->id;
  if (moves && from->props.versioning != Versioning::kOff) {
    return Error(Errc::unsupported,
                 "bucket \"" + spec.bucket.display() +
                     "\" keeps versions, which would be lost by a move; copy it");
  }
  if (spec.to.name.empty()) return {};
  const Bucket* to = map.find_bucket(spec.to);
  if (to == nullptr) return auth::authorize(who, Action::kCreateBucket);
  if (moves) {
    return Error(Errc::already_exists, "bucket \"" + spec.to.display() + "\" already exists");
  }
  job.to_id = to->id;
  return auth::authorize(who, Action::kWrite, *to);
}

/// A copy is its maker's, and others see it only when he lets them; what was moved stays the
/// owner's, with all that it was.
Task<Result<BucketId>> make_destination(ControlPlane& plane, auth::Identity who, JobSpec spec) {
  CO_TRY(const auto draft, co_await plane.maps().load());
  const Bucket* found = draft.map.find_bucket(spec.bucket);
  if (found == nullptr) co_return no_bucket(spec.bucket);
  const Bucket from = *found;
  const bool moves = spec.kind == "move-bck";
  BucketProps props = from.props;
  if (!moves) {
    props.acl.clear();
    props.cors.clear();
    props.s3.clear();
    props.versioning = Versioning::kOff;
  }
  CO_TRY(const Bucket made, co_await create_bucket(plane, who, spec.to, std::move(props)));
  if (!moves || made.owner == from.owner) co_return made.id;
  const MapStore::Edit give = [name = spec.to, owner = from.owner](MapDraft& edited) -> Status {
    edited.map.buckets.at(name.uname()).owner = owner;
    return {};
  };
  CO_TRY([[maybe_unused]] const auto given, co_await plane.change(give));
  co_return made.id;
}

}  // namespace

Task<Result<std::string>> start_job(ControlPlane& plane,
                                    auth::Identity who,
                                    JobSpec spec,
                                    std::string id) {
  CO_CHECK_OK(need_user(who));
  if (id.empty()) id = make_job_id();
  CO_CHECK_OK(check_id(id));
  const JobKind* kind = find_job_kind(spec.kind);
  if (kind == nullptr) {
    co_return Error(Errc::invalid_argument, "there is no job of kind \"" + spec.kind + "\"");
  }
  spec.kind = kind->name;
  if (kind->of == JobKind::Of::kTargets) {
    CO_CHECK_OK(auth::authorize(who, Action::kManageNodes));
  }
  CO_CHECK_OK(check_spec(*kind, spec));
  JobStore jobs(plane.meta(), plane.clock());
  CO_TRY(const std::vector<Job> live, co_await jobs.live());
  for (const Job& other : live) {
    if (other.id == id && other.owner == who.user()) co_return id;  // it was sent twice
    if (other.id == id) co_return Error(Errc::already_exists, "job \"" + id + "\" already exists");
    if (is_same_work(spec, other)) co_return other.id;
    CO_CHECK_OK(check_beside(spec, other));
  }
  if (live.size() >= kJobsMax) {
    co_return Error(Errc::overloaded, "too many jobs run; see ais show job");
  }
  Job job{.id = id, .spec = std::move(spec), .owner = who.user()};
  std::vector<std::string> names = std::exchange(job.spec.names, {});
  job.names_count = names.size();
  CO_TRY(const auto draft, co_await plane.maps().load());
  if (kind->of == JobKind::Of::kNames) CO_CHECK_OK(check_buckets(draft.map, who, job));
  if (!job.spec.node.empty() && draft.map.find_node(job.spec.node) == nullptr) {
    co_return Error(Errc::not_found, "the cluster has no node " + job.spec.node);
  }
  const bool makes = kind->needs_to && job.to_id == BucketId{} && !job.spec.dry_run;
  if (makes) {
    CO_TRY(job.to_id, co_await make_destination(plane, who, job.spec));
  }
  job.placement = draft.map.placement.since;
  job.started_ns = plane.clock().unix_ns();
  LOG_INFO("job started", "job", display_of(job), "by", job.owner);
  CO_CHECK_OK(co_await jobs.add(std::move(job), std::move(names)));
  co_return id;
}

Task<Status> stop_jobs(ControlPlane& plane, auth::Identity who, JobQuery query) {
  CO_CHECK_OK(need_user(who));
  if (query.id.empty() && query.kind.empty()) {
    co_return Error(Errc::invalid_argument, "which job? give its id or its kind");
  }
  JobStore jobs(plane.meta(), plane.clock());
  std::vector<Job> meant;
  if (!query.id.empty()) {
    CO_TRY(Job job, co_await jobs.find(query.id));
    meant.push_back(std::move(job));
  } else {
    CO_TRY(meant, co_await jobs.live());
  }
  std::erase_if(meant,
                [&](const Job& job) { return !query.matches(job) || !may_see_job(who, job); });
  if (meant.empty()) co_return Error(Errc::not_found, "no such job runs");
  const JobStore::Edit stop = [](Job& job) -> Status {
    job.stopping = true;
    return {};
  };
  for (const Job& job : meant) {
    if (!job.is_running()) continue;
    CO_CHECK_OK(may_stop_job(who, job));
    const Status told = co_await jobs.change(job.id, stop);
    if (!told && told.error() != Errc::not_found) co_return told;
    LOG_INFO("job is to stop", "job", display_of(job), "by", who.user());
  }
  co_return Status{};
}

bool may_see_job(const auth::Identity& who, const Job& job) {
  if (who.is_anonymous()) return false;
  const JobKind* kind = find_job_kind(job.spec.kind);
  const bool of_targets = kind != nullptr && kind->of == JobKind::Of::kTargets;
  return of_targets || who.is_admin() || job.owner == who.user();
}

Status may_stop_job(const auth::Identity& who, const Job& job) {
  const JobKind* kind = find_job_kind(job.spec.kind);
  if (kind != nullptr && !kind->stoppable) {
    return Error(Errc::unsupported, "a " + job.spec.kind +
                                        " cannot be stopped: until it is done objects are not "
                                        "where they belong");
  }
  if (who.is_admin() || (!who.is_anonymous() && job.owner == who.user())) return {};
  return Error(Errc::permission_denied, "job " + display_of(job) + " was started by another user");
}

}  // namespace aisfs::control::ops
