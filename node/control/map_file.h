// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

#include "common/model/cluster_map.h"

namespace aisfs::control {

/// The last map on disk, so that a node starts while no gateway answers: the file itself, and
/// beside it, as <file>.changes, what has changed since it was written. So a change of a large map
/// is written without all the rest of it. Blocking; not thread-safe.
class MapFile {
 public:
  explicit MapFile(std::string file) : file_(std::move(file)) {}

  /// Of the map that was saved last; 0 before the first.
  Epoch saved() const { return saved_; }

  /// `deltas`: envelopes of wire::MapDelta that lead from the map of saved() to this one or beyond,
  /// if they are known; else all of it is written.
  Status save(const ClusterMap& map, const std::vector<std::string>& deltas);

  /// not_found when there is none. Changes that are cut off end the reading.
  static Result<ClusterMap> load(const std::string& file);

 private:
  Status append(const std::vector<std::string>& deltas);

  const std::string file_;
  Epoch saved_ = 0;
  std::size_t whole_bytes_ = 0, change_bytes_ = 0;
};

}  // namespace aisfs::control
