// SPDX-License-Identifier: MIT
#include "node/target/slice_plan.h"

#include <algorithm>
#include <map>

namespace aisfs::target {
namespace {

ec::SliceSet slices_of(const std::vector<SlicesAt>& there, const std::string& node) {
  const auto at = std::ranges::find(there, node, &SlicesAt::node);
  return at == there.end() ? ec::SliceSet() : at->slices;
}

}  // namespace

SlicePlan plan_slices(ec::Geometry geometry,
                      const std::vector<std::string>& holders,
                      const std::vector<SlicesAt>& there) {
  std::map<std::string, unsigned> kept;  // by holder
  ec::SliceSet placed;
  for (const std::string& holder : holders) {
    const ec::SliceSet own = slices_of(there, holder) & ~placed;
    if (own.none()) continue;
    const unsigned lowest = ec::indices(own).front();
    kept[holder] = lowest;
    placed.set(lowest);
  }
  SlicePlan plan;
  auto free = holders.begin();
  for (unsigned slice = 0; slice < geometry.slices(); ++slice) {
    if (placed.test(slice)) continue;
    while (free != holders.end() && kept.contains(*free)) ++free;
    if (free == holders.end()) {
      plan.lacking.set(slice);
      continue;
    }
    const auto source =
        std::ranges::find_if(there, [slice](const SlicesAt& at) { return at.slices.test(slice); });
    plan.moves.push_back({.slice = slice,
                          .from = source == there.end() ? std::string() : source->node,
                          .to = *free});
    kept[*free] = slice;
    placed.set(slice);
  }
  for (const SlicesAt& at : there) {
    ec::SliceSet extra = at.slices & placed;
    if (const auto own = kept.find(at.node); own != kept.end()) extra.reset(own->second);
    if (extra.any()) plan.extra.push_back({at.node, extra});
  }
  return plan;
}

}  // namespace aisfs::target
