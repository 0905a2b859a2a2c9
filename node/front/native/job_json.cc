// SPDX-License-Identifier: MIT
#include "node/front/native/job_json.h"

#include <boost/json/array.hpp>

#include "common/s3/date.h"

namespace aisfs::native {
namespace json = boost::json;
namespace {

constexpr std::string_view kNever = "0001-01-01T00:00:00Z";  // Go's zero time
constexpr std::int64_t kIdleNs = 60ll * 1'000'000'000;

std::string time_text(std::int64_t unix_ns) {
  return unix_ns == 0 ? std::string(kNever) : s3::iso_date(unix_ns);
}

json::object bucket_json(const BucketName& name) {
  return {{"name", name.name},
          {"provider", name.name.empty() ? "" : name.provider},
          {"namespace", {{"uuid", ""}, {"name", name.ns}}}};
}

/// Names that go to other targets count as sent, as in AIStore.
json::object stats_json(const Job& job, const JobCounts& counts) {
  const std::string objects = std::to_string(counts.objects), bytes = std::to_string(counts.bytes);
  const bool sends = job.spec.kind == "rebalance";
  return {{"loc-objs", sends ? "0" : objects},
          {"loc-bytes", sends ? "0" : bytes},
          {"out-objs", sends ? objects : "0"},
          {"out-bytes", sends ? bytes : "0"},
          {"in-objs", "0"},
          {"in-bytes", "0"}};
}

}  // namespace

json::object job_status_json(const Job& job) {
  return {{"kind", job.spec.kind},
          {"uuid", job.id},
          {"err", job.error},
          {"end_time", job.is_running() ? 0 : job.ended_ns},
          {"aborted", job.state == JobState::kStopped}};
}

json::object job_snap_json(const Job& job, const JobProgress& progress) {
  const bool has_to = !job.spec.to.name.empty();
  const bool stopped = job.state == JobState::kStopped;
  const std::int64_t started = progress.started_ns == 0 ? job.started_ns : progress.started_ns;
  return {{"id", job.id},
          {"kind", job.spec.kind},
          {"ctlmsg", progress.waiting},
          {"start-time", time_text(started)},
          {"end-time", time_text(job.is_running() ? 0 : job.ended_ns)},
          {"bck", bucket_json(has_to ? BucketName{} : job.spec.bucket)},
          {"src-bck", bucket_json(has_to ? job.spec.bucket : BucketName{})},
          {"dst-bck", bucket_json(job.spec.to)},
          {"err", progress.error},
          {"abort-err", stopped ? job.error : std::string()},
          {"aborted", stopped},
          {"is_idle", !job.is_running() || progress.done},
          {"glob.id", "0"},
          {"ext", json::object()},
          {"stats", stats_json(job, progress.counts)}};
}

void add_snaps(json::object& by_target, const ClusterMap& map, const Job& job) {
  std::map<std::string, JobProgress> targets = job.targets;
  if (job.is_running()) {
    for (const NodeInfo* target : map.active_targets()) {
      const bool takes_part = job.spec.node.empty() || job.spec.node == target->id;
      if (takes_part) targets.try_emplace(target->id);
    }
  }
  for (const auto& [id, progress] : targets) {
    json::value& snaps = by_target[id];
    if (!snaps.is_array()) snaps = json::array();
    snaps.get_array().push_back(job_snap_json(job, progress));
  }
}

bool seems_to_run(const Job& job, std::int64_t now_ns) {
  if (job.is_running()) return true;
  return job.spec.kind == "copy-listrange" && job.state != JobState::kStopped &&
         now_ns - job.ended_ns < kIdleNs;
}

}  // namespace aisfs::native
