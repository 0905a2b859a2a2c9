// SPDX-License-Identifier: MIT
#include "node/control/node_maps.h"

#include "common/obs/log.h"
#include "common/wire/envelope.h"

namespace aisfs::control {

namespace {
// Of all sources, so that a number names one map of one of them.
std::atomic<std::uint64_t> g_installs{0};
}  // namespace

NodeMapSource::NodeMapSource() : map_(std::make_shared<ClusterMap>()), serial_(++g_installs) {}

MapSnapshot NodeMapSource::current() const {
  // Asked several times in a request: a thread has references, and a counter of them, of its own, so
  // that threads do not pass one cache line to and fro.
  struct Seen {
    std::uint64_t serial = 0;
    MapSnapshot map;
  };
  thread_local Seen seen;
  if (seen.serial == serial_.load(std::memory_order_acquire)) return seen.map;
  std::lock_guard lock(mutex_);
  const auto mine = std::make_shared<const MapSnapshot>(map_);
  seen = {serial_.load(std::memory_order_relaxed), MapSnapshot(mine, mine->get())};
  return seen.map;
}

Task<Result<MapSnapshot>> NodeMapSource::at_least(Epoch epoch, Deadline deadline) {
  while (true) {
    const auto seen = installed_.count();
    auto map = current();
    if (map->epoch >= epoch) co_return map;
    if (closed_) co_return Error(Errc::not_ready, "this node is stopping");
    if (deadline.expired()) {
      co_return Error(Errc::not_ready, "no cluster map of epoch " + std::to_string(epoch) +
                                           " could be had; is a gateway reachable?");
    }
    wanted_.notify();
    co_await installed_.wait(seen, deadline);
  }
}

void NodeMapSource::close() {
  closed_ = true;
  installed_.notify();
}

Status NodeMapSource::check_uuid(const std::string& uuid) const {
  if (map_->uuid.empty() || map_->uuid == uuid) return {};
  return Error(Errc::permission_denied,
               "a map of cluster " + uuid + ", but this node belongs to " + map_->uuid);
}

Result<Epoch> NodeMapSource::install(ClusterMap map) {
  const std::lock_guard installing(installing_);
  CHECK_OK(check_uuid(map.uuid));
  if (map.epoch <= map_->epoch) return map_->epoch;
  std::vector<Step> steps;
  if (map_->epoch == 0) {
    entries_.reset();
  } else {
    if (!entries_) entries_ = wire::entries_hash(*map_);
    const wire::MapDelta delta = wire::delta_between(*map_, map, *entries_);
    steps.push_back({delta.base, delta.epoch, wire::encode(delta)});
  }
  return put(std::move(map), std::move(steps));
}

Result<Epoch> NodeMapSource::apply(const wire::MapUpdate& update) {
  if (!update.whole.empty()) {
    TRY(auto map, wire::decode<ClusterMap>(update.whole));
    return install(std::move(map));
  }
  const std::lock_guard installing(installing_);
  if (update.epoch <= map_->epoch) return map_->epoch;
  if (!entries_) entries_ = wire::entries_hash(*map_);
  wire::HashedMap newest{*map_, *entries_};
  std::vector<Step> steps;
  for (const std::string& bytes : update.deltas) {
    TRY(const auto delta, wire::decode<wire::MapDelta>(bytes));
    CHECK_OK(check_uuid(delta.uuid));
    if (delta.epoch <= newest.map.epoch) continue;
    TRY(newest, wire::apply_delta(newest.map, newest.entries, delta));
    steps.push_back({delta.base, delta.epoch, bytes});
  }
  if (steps.empty()) return Error(Errc::stale_map, "an update of the map that leads nowhere");
  entries_ = newest.entries;
  return put(std::move(newest.map), std::move(steps));
}

Epoch NodeMapSource::put(ClusterMap map, std::vector<Step> steps) {
  const auto next = std::make_shared<const ClusterMap>(std::move(map));
  {
    const std::lock_guard lock(mutex_);
    map_ = next;
    if (steps.empty()) history_.clear();
    for (Step& step : steps) history_.add(step.base, step.epoch, std::move(step.delta));
    serial_.store(++g_installs, std::memory_order_release);
  }
  LOG_INFO("map installed", "epoch", next->epoch, "nodes", next->nodes.size(), "buckets",
           next->buckets.size());
  installed_.notify();
  return next->epoch;
}

wire::MapUpdate NodeMapSource::update_since(Epoch known, MapNeed need) const {
  wire::MapUpdate update;
  MapSnapshot map;
  {
    const std::lock_guard lock(mutex_);
    map = map_;
    update.epoch = map->epoch;
    if (map->epoch <= known) return update;
    if (need != MapNeed::kWhole) {
      if (auto steps = history_.since(known)) update.deltas = *std::move(steps);
    }
  }
  if (update.deltas.empty() && need != MapNeed::kChanges) update.whole = wire::encode(*map);
  return update;
}

}  // namespace aisfs::control
