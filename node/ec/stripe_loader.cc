// SPDX-License-Identifier: MIT
#include "node/ec/stripe_loader.h"

#include <algorithm>
#include <string>

#include "common/base/assert.h"
#include "common/base/block_hashes.h"
#include "common/base/hash.h"

namespace aisfs::ec {
namespace {

enum class Blame : std::uint8_t { kBlock, kLost, kAway };

Blame blame_of(Errc code) {
  switch (code) {
    case Errc::io:
    case Errc::corrupt:
    case Errc::bad_checksum:
    case Errc::out_of_range:
      return Blame::kBlock;
    case Errc::not_found:
    case Errc::precondition_failed:
      return Blame::kLost;
    default:
      return Blame::kAway;
  }
}

/// Adds slices of `from` to `set` until it has `count`, the lowest index first.
void fill_up(SliceSet& set, const SliceSet& from, unsigned count) {
  for (unsigned i = 0; i < kSlicesMax && set.count() < count; ++i) {
    if (from.test(i)) set.set(i);
  }
}

}  // namespace

std::optional<SliceSet> blocks_to_read(const SliceSet& wanted,
                                       const SliceSet& have,
                                       const SliceSet& usable,
                                       unsigned data) {
  if ((wanted & ~usable).none()) return wanted & ~have;
  if (usable.count() < data) return std::nullopt;
  SliceSet chosen = have | (wanted & usable);
  fill_up(chosen, usable, data);
  return chosen & ~have;
}

StripeLoader::StripeLoader(SliceHeader header, std::vector<SliceState> slices, SliceReader& reader)
    : header_(std::move(header)),
      layout_(header_.layout()),
      codec_(Codec::of(header_.geometry)),
      reader_(reader),
      slices_(std::move(slices)) {
  AISFS_ASSERT(slices_.size() == header_.geometry.slices());
  for (unsigned i = 0; i < slices_.size(); ++i) judge(i);
}

/// What may be expected of the slice, by what is known of it before it is read.
void StripeLoader::judge(unsigned slice) {
  const SliceState& state = slices_[slice];
  switch (state.presence) {
    case Presence::kAway:
      away_.set(slice);
      return;
    case Presence::kLost:
      return;
    case Presence::kVerified:
      there_.set(slice);
      return;
    case Presence::kThere:
      break;
  }
  const bool known =
      layout_.stripes() <= 1 || (state.block_hashes.size() == layout_.stripes() &&
                                 root_of(state.block_hashes) == header_.slice_roots[slice]);
  if (known) {
    there_.set(slice);
  } else {
    faults_.push_back({slice, 0, Error(Errc::corrupt, "hashes that are not those in the header")});
  }
}

MutableBytes StripeLoader::memory(unsigned slice) {
  // An object of one stripe needs no more than its blocks.
  if (!memory_[slice])
    memory_[slice] = BlockMemory(std::min<std::size_t>(layout_.unit(), layout_.slice_bytes()));
  return memory_[slice].span().first(block_bytes_);
}

ConstBytes StripeLoader::block(unsigned slice) const {
  return ConstBytes(memory_[slice].span()).first(block_bytes_);
}

Task<Status> StripeLoader::load(std::uint64_t stripe, SliceSet wanted) {
  stripe_ = stripe;
  block_bytes_ = layout_.block_bytes(stripe);
  have_.reset();
  bad_.reset();
  hashes_.fill(std::nullopt);
  for (;;) {
    const auto missing = blocks_to_read(wanted, have_, there_ & ~bad_, header_.geometry.data);
    if (!missing) co_return too_few();
    if (missing->none()) break;
    CO_CHECK_OK(co_await fetch(*missing));
  }
  const SliceSet computed = wanted & ~have_;
  if (computed.none()) co_return Status{};
  std::function<void()> work = [this, computed] { compute_missing(computed); };
  co_await reader_.compute(std::move(work));
  co_return Status{};
}

Task<Status> StripeLoader::fetch(SliceSet slices) {
  std::vector<SliceRead> reads;
  for (unsigned i = 0; i < slices_.size(); ++i) {
    if (!slices.test(i)) continue;
    reads.push_back({.slice = i,
                     .offset = layout_.block_offset(stripe_),
                     .into = memory(i),
                     .outcome = Error(Errc::internal, "was not read")});
  }
  co_await reader_.read(reads);
  std::function<void()> work = [this, &reads] { verify(reads); };
  co_await reader_.compute(std::move(work));
  for (const SliceRead& read : reads) CO_CHECK_OK(take(read));
  co_return Status{};
}

/// Turns the outcome of a read that gave wrong bytes into an error.
void StripeLoader::verify(std::span<SliceRead> reads) {
  for (SliceRead& read : reads) {
    if (!read.outcome || slices_[read.slice].presence == Presence::kVerified) continue;
    const std::uint64_t hash = xxh3_64(read.into);
    if (is_right(read.slice, hash)) {
      hashes_[read.slice] = hash;
    } else {
      read.outcome =
          Error(Errc::corrupt, "the block at " + std::to_string(read.offset) + " has another hash");
    }
  }
}

bool StripeLoader::is_right(unsigned slice, std::uint64_t hash) const {
  if (layout_.stripes() == 1) return root_of({hash}) == header_.slice_roots[slice];
  return slices_[slice].block_hashes[stripe_] == hash;
}

/// Fails only if the whole load must.
Status StripeLoader::take(const SliceRead& read) {
  if (read.outcome) {
    have_.set(read.slice);
    return {};
  }
  if (read.outcome.error() == Errc::cancelled) return read.outcome;
  blame(read.slice, read.outcome.error());
  return {};
}

void StripeLoader::blame(unsigned slice, Error error) {
  const Blame blame = blame_of(error.code());
  if (blame == Blame::kBlock) {
    bad_.set(slice);
  } else {
    there_.reset(slice);
    away_.set(slice, blame == Blame::kAway);
  }
  const auto same = [slice](const SliceFault& fault) { return fault.slice == slice; };
  if (std::ranges::any_of(faults_, same)) return;
  faults_.push_back({slice, stripe_, std::move(error)});
}

void StripeLoader::compute_missing(const SliceSet& missing) {
  if (have_ != repair_from_ || missing != repair_to_) {
    recipe_ = *codec_.repair(have_, missing);
    repair_from_ = have_;
    repair_to_ = missing;
  }
  std::vector<const std::byte*> from;
  for (unsigned i : recipe_.sources()) from.push_back(block(i).data());
  std::vector<std::byte*> to;
  for (unsigned i : recipe_.outputs()) to.push_back(memory(i).data());
  recipe_.apply(from, to, block_bytes_);
}

Error StripeLoader::too_few() const {
  const unsigned data = header_.geometry.data;
  const SliceSet good = there_ & ~bad_;
  std::string what = "stripe " + std::to_string(stripe_) + " of " + header_.geometry.to_string() +
                     " slices: " + std::to_string(data) + " are needed, " +
                     std::to_string(good.count()) + " are good";
  if (away_.any()) what += ", away: " + to_string(away_);
  for (const SliceFault& fault : faults_) {
    what += "; slice " + std::to_string(fault.slice) + ": " +
            std::string(info(fault.error.code()).name) + " " + fault.error.what();
  }
  return Error((good | away_).count() >= data ? Errc::unreachable : Errc::corrupt, std::move(what));
}

}  // namespace aisfs::ec
