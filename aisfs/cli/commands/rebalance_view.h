// SPDX-License-Identifier: MIT
// How far targets are with names that belong to others, as people and programs read it.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "aisfs/cli/progress.h"
#include "aisfs/cli/session.h"

namespace aisfs::cli {

/// A target and what it said of itself, or why it said nothing.
struct TargetProgress {
  NodeInfo node;
  Result<RebalanceProgress> says;
};

/// Asks these targets at once; one that does not answer within 5 s has said nothing.
Task<std::vector<TargetProgress>> ask_progress(Session& s, std::vector<NodeInfo> targets);

/// "away", "no answer", "idle" (nothing is to move), "running", or "settled": this target has moved
/// all that it had to, and others have not.
std::string_view rebalance_state(const ClusterMap& map, const TargetProgress& target);

/// Names that it has not looked at yet, or whose owner could not take them.
std::uint64_t names_left(const RebalanceProgress& progress);

/// How fast a target moves names: of the last seconds when it was asked before, else since it
/// began.
class MoveRate {
 public:
  void record(TimePoint now, std::int64_t unix_ns, const RebalanceProgress& progress);

  std::uint64_t bytes_per_second() const { return bytes_per_second_; }
  std::uint64_t names_per_second() const { return names_per_second_; }  // looked at

 private:
  RebalanceProgress last_;
  RateMeter bytes_, names_;
  std::uint64_t bytes_per_second_ = 0, names_per_second_ = 0;
};
using MoveRates = std::map<std::string, MoveRate>;  // by node

Table rebalance_table(const ClusterMap& map,
                      const std::vector<TargetProgress>& targets,
                      const MoveRates& rates);
JsonObject rebalance_json(const ClusterMap& map,
                          const std::vector<TargetProgress>& targets,
                          const MoveRates& rates);

}  // namespace aisfs::cli
