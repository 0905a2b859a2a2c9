// SPDX-License-Identifier: MIT
// Targets of which one more, or others, get the names.
#pragma once
#include "common/model/version_key.h"
#include "node/target/rebalancer.h"
#include "tests/unit/node/target/target_fixture.h"

namespace aisfs::target {

class HandoverTest : public LocalTargetTest {
 protected:
  /// As the control plane ends a change of the placement.
  void place_on(const std::vector<std::string>& active) {
    const Status changed = maps_.change([&](ClusterMap& map) -> Status {
      PastTargets past{.until = map.epoch + 1};
      for (const NodeInfo* target : map.active_targets()) past.targets.push_back(target->id);
      map.placement.past.push_back(std::move(past));
      map.placement.since = map.epoch + 1;
      for (const std::string& id : active) map.nodes[id].id = id;
      for (auto& [id, node] : map.nodes) {
        const bool takes_part = std::find(active.begin(), active.end(), id) != active.end();
        node.state = takes_part ? NodeState::kActive : NodeState::kMaintenance;
      }
      return {};
    });
    EXPECT_TRUE(changed.ok());
  }
  void set_state(const std::string& id, NodeState state) {
    const Status changed = maps_.change([&](ClusterMap& map) -> Status {
      map.nodes[id].state = state;
      return {};
    });
    EXPECT_TRUE(changed.ok());
  }
  void add_t4() {
    make_target("t4");
    place_on({"t1", "t2", "t3", "t4"});
  }
  void end_move() {
    const Status changed = maps_.change([](ClusterMap& map) -> Status {
      map.placement.past.clear();
      return {};
    });
    EXPECT_TRUE(changed.ok());
  }

  /// One walk at every target; whether nothing is left.
  bool walk() {
    bool all = true;
    for (auto& [id, target] : targets_) {
      Rebalancer rebalancer({.node_id = id,
                             .store = *stores_[id],
                             .maps = maps_,
                             .peers = peers_,
                             .clock = clock_,
                             .is_busy = [&target] { return target->has_open_renames(); },
                             .replicator = target->replicator()});
      const auto done = run(rebalancer.walk(maps_.current()));
      all = all && done && *done;
      moved_ += rebalancer.progress().names_moved;
    }
    return all;
  }

  std::vector<std::string> on_disk(const std::string& id) {
    std::vector<std::string> keys;
    const auto page = run(stores_[id]->list(kId, {.limit = 10'000, .versions = true}));
    for (const ListEntry& entry : page->entries) keys.push_back(entry.key);
    return keys;
  }
  /// Keys that t4 takes over from others.
  std::string moving_key(const std::string& begin, const std::string& from = "") {
    ClusterMap later = *maps_.current();
    later.nodes["t4"] = NodeInfo{.id = "t4"};
    for (int i = 0;; ++i) {
      std::string key = begin + std::to_string(i);
      const bool moves = placement::owner_of(later, name(key))->id == "t4";
      if (moves && (from.empty() || owner(key) == from)) return key;
    }
  }
  Status remove(const std::string& key) {
    return run(cluster_.remove(alice(), name(key), RemoveOptions{}));
  }
  Task<Result<ObjectInfo>> put_if(std::string key, std::string body, Conditions conditions) {
    StringSource source(std::move(body));
    PutOptions options{.conditions = std::move(conditions)};
    ExpectedChecksums unknown;
    co_return co_await cluster_.put(alice(), name(key), std::move(options), std::move(unknown),
                                    source);
  }
  void keep_versions() {
    const Status changed = maps_.change([](ClusterMap& map) -> Status {
      map.buckets.at(kName.uname()).props.versioning = Versioning::kEnabled;
      return {};
    });
    EXPECT_TRUE(changed.ok());
  }

  std::uint64_t moved_ = 0;
};

}  // namespace aisfs::target
