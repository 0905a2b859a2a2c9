// SPDX-License-Identifier: MIT
// Three targets and a bucket that keeps two copies.
#pragma once
#include "node/target/rebalancer.h"
#include "tests/unit/node/target/target_fixture.h"

namespace aisfs::target {

class MirrorFixture : public LocalTargetTest {
 protected:
  MirrorFixture() {
    keep(2);
    look_back();
  }

  void keep(std::uint32_t copies) {
    change([&](ClusterMap& map) { map.buckets.at(kName.uname()).props.copies = copies; });
  }
  template <class Edit>
  void change(Edit edit) {
    const Status changed = maps_.change([&](ClusterMap& map) -> Status {
      edit(map);
      return {};
    });
    EXPECT_TRUE(changed.ok());
  }
  /// The target's lease is over: names are placed on the others.
  void lose(const std::string& id) {
    cut_off_ = id;
    place(id, NodeState::kAway);
  }
  void place(const std::string& id, NodeState state) {
    change([&](ClusterMap& map) {
      PastTargets past{.until = map.epoch + 1};
      for (const NodeInfo* target : map.active_targets()) past.targets.push_back(target->id);
      map.placement.past.push_back(std::move(past));
      map.placement.since = map.epoch + 1;
      map.nodes[id].id = id;
      map.nodes[id].state = state;
    });
  }
  void settled() {
    change([](ClusterMap& map) { map.placement.past.clear(); });
  }
  std::vector<std::string> holders(const std::string& key) {
    std::vector<std::string> ids;
    for (const NodeInfo* holder : placement::holders_of(*maps_.current(), name(key), 2)) {
      ids.push_back(holder->id);
    }
    return ids;
  }
  /// What lies on that target's disks, whoever owns it.
  Result<std::string> stored(const std::string& id, const std::string& key) {
    const auto read = [](store::Store& store, store::Key at) -> Task<Result<std::string>> {
      GetOptions all;
      CO_TRY(ObjectStream stream,
             co_await store.open_object(std::move(at), std::move(all), VerifyRead::kAlways));
      co_return co_await read_all(*stream.body, 4 << 20);
    };
    return run(read(*stores_[id], store::make_key(kId, name(key))));
  }
  Result<ObjectInfo> stored_info(const std::string& id, const std::string& key) {
    return run(stores_[id]->head(store::make_key(kId, name(key))));
  }
  Status remove(const std::string& key) {
    return run(cluster_.remove(alice(), name(key), RemoveOptions{}));
  }
  /// Long enough for a slow disk to publish what then cannot reach the other holder.
  static constexpr Duration kSoon = std::chrono::seconds(1);
  static Context soon() {
    Context context = alice();
    context.deadline = Deadline::after(kSoon);
    return context;
  }
  Result<ObjectInfo> put_soon(const std::string& key, const std::string& body) {
    StringSource source(body);
    PutOptions options;
    ExpectedChecksums expected;
    return run(targets_.at(owner(key))
                   ->put(soon(), name(key), std::move(options), std::move(expected), source));
  }
  Result<ObjectInfo> head_soon(const std::string& key) {
    return run(targets_.at(owner(key))->head(soon(), name(key), {}));
  }
  /// The background work of a start: what is not known to have its copies is compared.
  void look_back() {
    for (auto& [id, target] : targets_) EXPECT_TRUE(run(target->replicator().look_back()).ok());
  }
  std::size_t settle(const std::string& id) { return run(targets_.at(id)->replicator().settle()); }
  bool walk() {
    bool all = true;
    for (auto& [id, target] : targets_) {
      if (id == cut_off_) continue;
      Rebalancer rebalancer({.node_id = id,
                             .store = *stores_[id],
                             .maps = maps_,
                             .peers = peers_,
                             .clock = clock_,
                             .is_busy = [] { return false; },
                             .replicator = target->replicator()});
      const auto done = run(rebalancer.walk(maps_.current()));
      all = all && done && *done;
    }
    return all;
  }
};

}  // namespace aisfs::target
