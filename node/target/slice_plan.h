// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

#include "node/ec/geometry.h"

namespace aisfs::target {

/// What a target has of the slices of one content.
struct SlicesAt {
  std::string node;
  ec::SliceSet slices;
};

struct SlicePlan {
  struct Move {
    unsigned slice = 0;
    std::string from;  // "": nobody has it, it is made of others
    std::string to;
    bool operator==(const Move&) const = default;
  };
  std::vector<Move> moves;      // to holders that have none
  std::vector<SlicesAt> extra;  // of no use once all has been moved
  ec::SliceSet lacking;         // what no holder is left for

  bool operator==(const SlicePlan&) const = default;
  bool empty() const { return moves.empty() && extra.empty(); }
};

/// How the slices come to lie one at each of the holders, with as few moves as possible: a holder
/// that has any keeps its lowest one that no earlier holder keeps. `there` says of everybody who
/// may have some what he has, holders and others. With fewer holders than slices nothing is extra
/// but what a holder keeps, too. Pure.
SlicePlan plan_slices(ec::Geometry geometry,
                      const std::vector<std::string>& holders,
                      const std::vector<SlicesAt>& there);

}  // namespace aisfs::target
