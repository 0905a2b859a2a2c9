// SPDX-License-Identifier: MIT
#include "node/jobs/kinds.h"

#include <map>

namespace aisfs::jobs {

const Kind* find_kind(std::string_view name) {
  static const std::map<std::string_view, const Kind*> kinds = {
      {"copy-bck", &copy_names()},       {"copy-listrange", &copy_names()},
      {"move-bck", &move_names()},       {"delete-listrange", &remove_names()},
      {"rebalance", &start_rebalance()}, {"resilver", &start_resilver()},
      {"scrub", &start_scrub()},         {"cleanup-store", &start_cleanup()},
      {"ec-encode", &start_encode()},    {"make-n-copies", &start_rebalance()},
  };
  const auto found = kinds.find(name);
  return found == kinds.end() ? nullptr : found->second;
}

bool JobRun::is_repeated() const {
  return progress.runs > 1 || job.round > 0 || progress.placement != job.placement;
}

Context JobRun::context(std::uint64_t bytes) const {
  // A disk or a network that does less than this is as good as gone.
  constexpr std::uint64_t kBytesPerSecond = 1 << 20;
  const Duration time = std::chrono::seconds(30 + bytes / kBytesPerSecond);
  return {
      .who = auth::node_identity(deps.node_id), .deadline = Deadline::after(time), .trace = job.id};
}

void JobRun::note_error(const Error& error) {
  constexpr std::size_t kTextMax = 300;  // the record of a job has one a target
  ++progress.counts.errors;
  progress.error = error.what().substr(0, kTextMax);
}

}  // namespace aisfs::jobs
