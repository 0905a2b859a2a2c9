// SPDX-License-Identifier: MIT
#include "node/control/node_maps.h"

#include "common/obs/log.h"
#include "common/wire/envelope.h"
#include "node/control/small_file.h"

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

Result<Epoch> NodeMapSource::install(ClusterMap map) {
  auto next = std::make_shared<const ClusterMap>(std::move(map));
  {
    std::lock_guard lock(mutex_);
    if (!map_->uuid.empty() && map_->uuid != next->uuid) {
      return Error(Errc::permission_denied, "a map of cluster " + next->uuid +
                                                ", but this node belongs to " + map_->uuid);
    }
    if (next->epoch <= map_->epoch) return map_->epoch;
    map_ = next;
    serial_.store(++g_installs, std::memory_order_release);
  }
  LOG_INFO("map installed", "epoch", next->epoch, "nodes", next->nodes.size(), "buckets",
           next->buckets.size());
  installed_.notify();
  return next->epoch;
}

Status save_map(const std::string& file, const ClusterMap& map) {
  return write_private_file(file, wire::encode(map));
}

Result<ClusterMap> load_map(const std::string& file) {
  TRY(const auto bytes, read_private_file(file));
  return wire::decode<ClusterMap>(bytes);
}

}  // namespace aisfs::control
