// SPDX-License-Identifier: MIT
#include "node/control/map_history.h"

#include <algorithm>

namespace aisfs::control {
namespace {

// A bucket that changes has a few hundred bytes, a placement of 1,000 targets 100 KiB. Nodes follow
// within a second; one that was away for longer takes the whole map.
constexpr std::size_t kBytesMax = 4 << 20;
// A map of 1,000 nodes and 10,000 buckets has 2 MiB.
constexpr std::size_t kAnswerBytesMax = 1 << 20;

}  // namespace

void MapHistory::add(Epoch base, Epoch epoch, std::string delta) {
  if (!steps_.empty() && steps_.back().epoch != base) clear();
  bytes_ += delta.size();
  steps_.push_back({base, epoch, std::move(delta)});
  for (; bytes_ > kBytesMax; steps_.pop_front()) bytes_ -= steps_.front().delta.size();
}

void MapHistory::clear() {
  steps_.clear();
  bytes_ = 0;
}

std::optional<std::vector<std::string>> MapHistory::since(Epoch epoch) const {
  const auto first = std::lower_bound(steps_.begin(), steps_.end(), epoch,
                                      [](const Step& step, Epoch e) { return step.base < e; });
  if (first == steps_.end() || first->base != epoch) return std::nullopt;
  std::vector<std::string> deltas;
  std::size_t bytes = 0;
  for (auto step = first; step != steps_.end(); ++step) {
    bytes += step->delta.size();
    if (bytes > kAnswerBytesMax) return std::nullopt;
    deltas.push_back(step->delta);
  }
  return deltas;
}

}  // namespace aisfs::control
