// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/fault/cluster/nodes.h"
#include "tests/fault/scale_out/loops.h"
#include "tests/fault/scale_out/report.h"
#include "tests/fault/scale_out/stock.h"
#include "tests/fault/scale_out/storm_clients.h"

namespace aisfs::tests::scale {

struct ScenarioOptions {
  std::size_t targets = 3;  // to begin with: 3, or 5 with erasure coding
  std::size_t objects = 2000;
  Duration step_least = seconds(10);  // each step is under load for so long
  Duration patience = seconds(15);    // one operation waits for no longer
  std::uint64_t seed = 1;
  std::set<std::string> without;  // loops: mount, aws, rclone; renames, of directories in the mount
  std::string dir;                // of the nodes; exists
  bool quiet = false;             // rows are not printed as they come
};

/// A cluster that grows, changes and shrinks by fixed steps while clients work.
class Scenario {
 public:
  explicit Scenario(ScenarioOptions options);
  ~Scenario();

  /// All of it. What is not as it must be is in Report::wrong.
  Report run();

 private:
  struct Step {
    std::string name;
    Status (Scenario::*act)();
    /// Names may move more than placement demands: what is out of reach for a while is made anew.
    bool any_moves = false;
  };

  // scenario.cc: what all steps have in common.
  std::vector<Step> steps() const;
  Status begin();
  Status take(const Step& step);
  Status goes_on(TimePoint least_until);
  void finish();
  void judge(StormClients& clients);
  /// The map that some node has now.
  Result<MapSnapshot> fresh_map();
  Result<Mountpaths> active_mountpaths(User& user, const ClusterMap& map);
  /// Waits until all names are at home on `targets_` targets, and the files say so.
  Status settle();
  Result<bool> is_settled(std::string& why);
  /// What clients did in the step, for its row and the end.
  void take_counts(Row& row);
  void wrong(std::string line) { report_.wrong.push_back(std::move(line)); }

  // steps.cc
  Status grow();
  Status grow_by_one();
  Status attach_mountpath();
  Status detach_mountpath();
  Status kill_gateways();
  Status kill_etcd();
  Status decommission_one();
  Status refuse_decommission();
  Status judge_plain();
  Status pull_mountpath();
  Status kill_for_good();
  struct Said {
    int status = 0;
    std::string text;
  };
  /// The program ais, as an administrator.
  Said ais(Arguments arguments);
  Status must(Arguments arguments);
  storm::Member& target(std::size_t index);
  Status wait_until(const std::string& what, Duration limit, const std::function<bool()>& done);
  bool others_go_on();

  const ScenarioOptions options_;
  const bool erasure_;
  const std::size_t targets_least_;
  storm::Nodes nodes_;
  std::size_t targets_;
  std::string note_;  // of the step under way

  Tally stock_tally_;
  std::unique_ptr<Stock> stock_;
  std::vector<StockBucket> kept_;  // of the stock, as long as they are there
  std::unique_ptr<StormClients> plain_, redundant_;
  std::map<std::string, Tally> loop_tallies_;
  std::vector<std::unique_ptr<Loop>> loops_;
  Spots spots_;    // by placement, after the last step
  Census census_;  // then
  Report report_;
};

}  // namespace aisfs::tests::scale
