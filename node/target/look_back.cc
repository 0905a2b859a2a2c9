// SPDX-License-Identifier: MIT
// Replicator: changes of which nobody here knows any more whether they have their copies.
#include <map>

#include "common/async/gather.h"
#include "common/placement/hrw.h"
#include "node/target/mirrored.h"
#include "node/target/replicator.h"

namespace aisfs::target {
namespace {

using store::Key;
using store::NameState;

constexpr std::size_t kPage = 1024;
// Names of it that are looked at at once, as listings wait for all; fewer where they are large.
constexpr std::size_t kNamesAtOnce = 32;
constexpr std::uint64_t kBytesAtOnce = 64_MiB;

/// Each with what all its versions have. One call for a name looks after all of them.
using Doubted = std::map<std::string, std::uint64_t>;

/// Takes the first few.
Doubted take_some(Doubted& from) {
  Doubted some;
  std::uint64_t bytes = 0;
  while (!from.empty() && some.size() < kNamesAtOnce && bytes < kBytesAtOnce) {
    bytes += from.begin()->second;
    some.insert(from.extract(from.begin()));
  }
  return some;
}

}  // namespace

void Replicator::look_back_from(std::uint64_t until) {
  const std::uint64_t now = deps_.store.last_version().hlc;
  const std::lock_guard lock(mutex_);
  ++asked_;
  noted_seq_ = 0;  // the state file is to say it, for a restart
  known_ = std::min<std::uint64_t>(known_, until);
  told_for_ = 0;
  if (!looked_back_.exchange(false)) return;
  doubted_until_ = now;
  open_.fetch_add(1, std::memory_order_acq_rel);
}

bool Replicator::is_doubted(const NameState& state) const {
  const std::uint64_t clock = state.meta_version.hlc;
  return clock > known_ && clock <= doubted_until_;
}

/// Of a name that others have held, too, the owner has asked one of them. He takes what is newer
/// here, though it was never acknowledged: it is here, and shows in listings.
Task<Status> Replicator::tell_owner(Key plain) {
  const MapSnapshot map = deps_.maps.current();
  const Bucket* bucket = map->find_bucket(plain.bucket);
  if (bucket == nullptr) co_return Status{};
  const NodeInfo* owner = placement::owner_of(*map, plain.name);
  if (owner == nullptr || owner->id == deps_.node_id) co_return not_there_yet(plain.display());
  CO_TRY(std::vector<NameState> states, deps_.store.states_of(plain));
  if (states.empty()) co_return Status{};
  Context context = context_of(*map, Deadline::after(time_of_call(bytes_of(states))));
  CO_TRY(const auto taken,
         co_await deps_.peers.offer_names(std::move(context), owner->id, bucket->name,
                                          std::move(states), Pace::kAtOnce));
  const bool all = std::all_of(taken.begin(), taken.end(), [](bool one) { return one; });
  co_return all ? Status{} : Status(not_there_yet(plain.display()));
}

Task<Status> Replicator::look_back() {
  LookedBack all;
  const MapSnapshot map = deps_.maps.current();
  const std::uint64_t mountpaths = deps_.store.mountpath_turn();
  const std::uint64_t now = deps_.store.last_version().hlc;
  std::uint64_t asked = 0;
  {
    const std::lock_guard lock(mutex_);
    asked = asked_;
  }
  // While names move between mountpaths one may be passed by once, but not twice.
  for (int pass = deps_.store.storage().settled ? 1 : 2; pass > 0; --pass) {
    CO_TRY(const LookedBack one, co_await look_back_everywhere(map));
    all.copied = all.copied && one.copied;
    all.told = all.told && one.told;
  }
  all.copied = all.copied && mountpaths == deps_.store.mountpath_turn();
  {
    const std::lock_guard lock(mutex_);
    if (asked != asked_) co_return not_there_yet("what a mountpath has brought back");
    told_for_ = all.told ? map->placement.since : 0;
    if (!all.told || !all.copied) co_return not_there_yet("what was changed before a restart");
    known_ = std::max<std::uint64_t>(known_, now);
    if (!looked_back_.exchange(true)) open_.fetch_sub(1, std::memory_order_acq_rel);
  }
  ended_.notify();
  co_return Status{};
}

Task<Result<Replicator::LookedBack>> Replicator::look_back_everywhere(const MapSnapshot& map) {
  LookedBack all;
  for (std::size_t mountpath = 0; mountpath < deps_.store.mountpath_count(); ++mountpath) {
    for (const auto& known : deps_.store.buckets_on(mountpath)) {
      const Bucket* bucket = map->find_bucket(known.first);
      if (!is_mirrored(deps_.store, bucket)) continue;
      for (const bool tombstones : {true, false}) {
        CO_TRY(const LookedBack one, co_await look_back_at(map, mountpath, *bucket, tombstones));
        all.copied = all.copied && one.copied;
        all.told = all.told && one.told;
      }
    }
  }
  co_return all;
}

Task<Result<Replicator::LookedBack>> Replicator::look_back_at(const MapSnapshot& map,
                                                              std::size_t mountpath,
                                                              const Bucket& bucket,
                                                              bool tombstones) {
  LookedBack all;
  store::Store::NamesOptions options{.after = {}, .limit = kPage, .tombstones = tombstones};
  for (bool more = true; more;) {
    CO_TRY(store::NamePage page, co_await deps_.store.names_on(mountpath, bucket.id, options));
    more = page.more;
    options.after = std::move(page.next);
    Doubted doubted;
    for (NameState& state : page.names) {
      if (!is_doubted(state)) continue;
      Key key = store::make_key(bucket.id, {bucket.name, std::move(state.key)});
      doubted[plain_of(std::move(key)).key()] += state.size;
    }
    while (!doubted.empty()) {
      std::vector<Task<Result<LookedBack>>> calls;
      for (const auto& [name, bytes] : take_some(doubted)) {
        Key plain = store::make_key(bucket.id, {bucket.name, name});
        calls.push_back(look_back_on(map, bucket, std::move(plain), bytes));
      }
      for (Result<LookedBack>& looked : co_await gather(std::move(calls))) {
        CO_TRY(const LookedBack one, std::move(looked));
        all.copied = all.copied && one.copied;
        all.told = all.told && one.told;
      }
    }
  }
  co_return all;
}

Task<Result<Replicator::LookedBack>> Replicator::look_back_on(const MapSnapshot& map,
                                                              const Bucket& bucket,
                                                              Key plain,
                                                              std::uint64_t bytes) {
  LookedBack looked;
  // Of another's name, too: this target has one of its copies, on one disk perhaps.
  const auto here = co_await deps_.store.copy_to_disks(plain);
  looked.copied = here.ok();
  const NodeInfo* owner = placement::owner_of(*map, plain.name);
  if (owner == nullptr) co_return Error(Errc::not_ready, "no target is active");
  if (owner->id != deps_.node_id) {
    if (bucket.props.copies == 1) co_return looked;  // the rebalance's
    const Status told = co_await tell_owner(std::move(plain));
    looked.told = told.ok();
    co_return looked;
  }
  Context context = context_of(*map, Deadline::after(time_of_call(bytes)));
  const Status sent = co_await replicate(std::move(context), std::move(plain), Kind::kOther);
  looked.copied = looked.copied && sent.ok();
  // Its new owner may have asked others.
  if (!sent && sent.error() == Errc::stale_map) looked.told = false;
  co_return looked;
}

}  // namespace aisfs::target
