// SPDX-License-Identifier: MIT
#include "node/ec/rebuild.h"

#include <algorithm>
#include <string>

#include "common/base/assert.h"
#include "common/base/hash.h"

namespace aisfs::ec {
namespace {

std::vector<SliceState> without(std::vector<SliceState> slices, const SliceSet& wanted) {
  for (unsigned i = 0; i < slices.size(); ++i) {
    if (wanted.test(i)) slices[i].presence = Presence::kLost;
  }
  return slices;
}

}  // namespace

Rebuild::Rebuild(SliceHeader header,
                 std::vector<SliceState> slices,
                 SliceReader& reader,
                 SliceSet wanted)
    : reader_(reader),
      loader_(std::move(header), without(std::move(slices), wanted), reader),
      wanted_(indices(wanted)),
      hashes_(wanted_.size()) {
  AISFS_ASSERT(wanted_.empty() || wanted_.back() < loader_.header().geometry.slices());
}

Task<Result<Stripe>> Rebuild::next() {
  Stripe stripe{.index = stripe_, .blocks = {}};
  if (stripe_ == loader_.layout().stripes()) co_return stripe;
  SliceSet wanted;
  for (unsigned i : wanted_) wanted.set(i);
  CO_CHECK_OK(co_await loader_.load(stripe_, wanted));
  for (unsigned i : wanted_) stripe.blocks.push_back(loader_.block(i));
  std::function<void()> work = [this, &stripe] { hash(stripe); };
  co_await reader_.compute(std::move(work));
  ++stripe_;
  if (stripe_ == loader_.layout().stripes()) CO_CHECK_OK(check_roots());
  co_return stripe;
}

void Rebuild::hash(const Stripe& stripe) {
  for (std::size_t i = 0; i < wanted_.size(); ++i) hashes_[i].push_back(xxh3_64(stripe.blocks[i]));
}

Status Rebuild::check_roots() const {
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (root_of(hashes_[i]) == loader_.header().slice_roots[wanted_[i]]) continue;
    return Error(Errc::corrupt,
                 "slice " + std::to_string(wanted_[i]) +
                     " was rebuilt of slices that are right by their hashes, and is not");
  }
  return {};
}

BlockHashes Rebuild::hashes(unsigned slice) const {
  const auto at = std::ranges::find(wanted_, slice);
  AISFS_ASSERT(at != wanted_.end());
  return {.root = loader_.header().slice_roots[slice],
          .blocks = hashes_[static_cast<std::size_t>(at - wanted_.begin())]};
}

SliceHeader Rebuild::header(unsigned slice) const {
  SliceHeader out = loader_.header();
  out.index = static_cast<std::uint8_t>(slice);
  return out;
}

}  // namespace aisfs::ec
