// SPDX-License-Identifier: MIT
#pragma once
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "common/model/cluster_map.h"

namespace aisfs::control {

/// The last changes of the map, as they are handed on: envelopes of wire::MapDelta without a gap
/// between them, bounded in bytes. Not thread-safe.
class MapHistory {
 public:
  /// What is not a change of the newest epoch begins the history anew.
  void add(Epoch base, Epoch epoch, std::string delta);
  void clear();

  /// What leads from this epoch to the newest; nothing when some of it is not known any more, or
  /// is more than a whole map may have.
  std::optional<std::vector<std::string>> since(Epoch epoch) const;

 private:
  struct Step {
    Epoch base, epoch;
    std::string delta;
  };
  std::deque<Step> steps_;
  std::size_t bytes_ = 0;  // of all deltas
};

}  // namespace aisfs::control
