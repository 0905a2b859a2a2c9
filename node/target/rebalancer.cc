// SPDX-License-Identifier: MIT
#include "node/target/rebalancer.h"

#include "common/async/gather.h"
#include "common/obs/log.h"
#include "common/placement/hrw.h"

namespace aisfs::target {
namespace {

using store::NameState;

constexpr std::size_t kPage = 1024;
// An owner takes a share of an offer at once; the whole is answered within the call's time.
constexpr std::size_t kOfferNames = 256;
constexpr std::uint64_t kOfferBytes = 64_MiB;
constexpr Duration kOfferMax = std::chrono::minutes(2);
constexpr Duration kLookEvery = std::chrono::milliseconds(200);
constexpr Duration kAgain = std::chrono::seconds(1);  // after a walk that left something

}  // namespace

template <class Edit>
void Rebalancer::note(Edit edit) {
  const std::lock_guard lock(mutex_);
  edit(progress_);
}

RebalanceProgress Rebalancer::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

Context Rebalancer::context_of(const ClusterMap& map) const {
  Context context{.who = auth::node_identity(deps_.node_id),
                  .deadline = Deadline::after(kOfferMax),
                  .trace = "rebalance"};
  context.epoch = map.epoch;
  return context;
}

Task<void> Rebalancer::run() {
  Duration pause = kLookEvery;
  while (co_await deps_.clock.sleep(pause)) {
    pause = kLookEvery;
    const MapSnapshot map = deps_.maps.current();
    const Epoch since = map->placement.since;
    if (!map->placement.next.empty() || map->placement.past.empty() || settled() == since) continue;
    auto done = co_await walk(map);
    if (!done) LOG_DEBUG("rebalance interrupted", "why", done.error().what());
    if (done && !*done) pause = kAgain;
    if (!done || !*done) continue;
    settled_ = since;
    LOG_INFO("rebalance settled", "placement", since, "moved", progress().names_moved);
  }
}

Task<Result<bool>> Rebalancer::walk(MapSnapshot map) {
  CO_TRY(const Capacity capacity, deps_.store.capacity());
  note([&](RebalanceProgress& p) {
    const bool resumed = p.placement == map->placement.since;
    const RebalanceProgress before = p;
    p = {.placement = map->placement.since,
         .running = true,
         .started_ns = resumed ? before.started_ns : deps_.clock.unix_ns(),
         .names_total = capacity.objects};
    if (!resumed) return;
    p.names_moved = before.names_moved;
    p.bytes_moved = before.bytes_moved;
  });
  Result<bool> all = true;
  for (std::size_t mountpath = 0; mountpath < deps_.store.mountpath_count(); ++mountpath) {
    for (const auto& known : deps_.store.buckets_on(mountpath)) {
      const Bucket* bucket = map->find_bucket(known.first);
      if (bucket == nullptr) continue;
      auto done = co_await walk_bucket(map, mountpath, *bucket);
      if (!done) co_return done;
      all = *all && *done;
    }
  }
  if (*all) *all = !deps_.is_busy();
  // What has gone may not come back by a power loss once it is said to have gone.
  if (*all) CO_CHECK_OK(co_await deps_.store.sync_all());
  note([&](RebalanceProgress& p) {
    p.running = !*all;
    if (*all) p.ended_ns = deps_.clock.unix_ns();
  });
  co_return all;
}

Task<Result<bool>> Rebalancer::walk_bucket(MapSnapshot map, std::size_t mountpath, Bucket bucket) {
  // Tombstones first: what they have buried is not moved for nothing.
  CO_TRY(const bool tombstones, co_await walk_names(map, mountpath, bucket, true));
  CO_TRY(const bool names, co_await walk_names(map, mountpath, bucket, false));
  co_return tombstones&& names;
}

Task<Result<bool>> Rebalancer::walk_names(MapSnapshot map,
                                          std::size_t mountpath,
                                          const Bucket& bucket,
                                          bool tombstones) {
  bool all = true;
  Offers offers;
  store::Store::NamesOptions options{.limit = kPage, .tombstones = tombstones};
  for (bool more = true; more;) {
    if (deps_.maps.current()->placement != map->placement) {
      co_return Error(Errc::stale_map, "the placement has changed");
    }
    CO_TRY(store::NamePage page, co_await deps_.store.names_on(mountpath, bucket.id, options));
    more = page.more;
    options.after = std::move(page.next);
    for (NameState& state : page.names) {
      const NodeInfo* owner = placement::owner_of(*map, {bucket.name, state.key});
      if (owner == nullptr) co_return Error(Errc::not_ready, "no target is active");
      if (owner->id == deps_.node_id) continue;
      Offer& offer = offers[owner->id];
      offer.bytes += state.size;
      offer.states.push_back(std::move(state));
      if (offer.states.size() < kOfferNames && offer.bytes < kOfferBytes) continue;
      CO_TRY(const bool taken, co_await offer_all(map, bucket, std::exchange(offers, {})));
      all = all && taken;
    }
    note([&](RebalanceProgress& p) { p.names_seen += tombstones ? 0 : page.names.size(); });
  }
  CO_TRY(const bool taken, co_await offer_all(map, bucket, std::move(offers)));
  co_return all&& taken;
}

Task<Result<bool>> Rebalancer::offer_all(MapSnapshot map, const Bucket& bucket, Offers offers) {
  std::vector<Task<Result<bool>>> calls;
  for (auto& [owner, one] : offers) calls.push_back(offer(map, bucket, owner, std::move(one)));
  bool all = true;
  for (const Result<bool>& done : co_await gather(std::move(calls))) {
    if (!done && done.error() == Errc::stale_map) co_return done.error();
    if (!done) LOG_DEBUG("an owner takes nothing", "why", done.error().what());
    all = all && done && *done;
  }
  co_return all;
}

Task<Result<bool>> Rebalancer::offer(MapSnapshot map,
                                     const Bucket& bucket,
                                     std::string owner,
                                     Offer offer) {
  CO_TRY(const auto taken, co_await deps_.peers.offer_names(context_of(*map), std::move(owner),
                                                            bucket.name, offer.states));
  bool all = true;
  std::vector<NameState> gone;
  for (std::size_t i = 0; i < offer.states.size(); ++i) {
    const bool is_taken = i < taken.size() && taken[i];
    all = all && is_taken;
    if (is_taken) gone.push_back(std::move(offer.states[i]));
  }
  note([&](RebalanceProgress& p) {
    for (const NameState& state : gone) {
      if (state.kind == NameState::Kind::kTombstone) continue;
      ++p.names_moved;
      p.bytes_moved += state.size;
    }
    p.names_left += offer.states.size() - gone.size();
  });
  CO_CHECK_OK(co_await deps_.peers.forget_copies(context_of(*map), deps_.node_id, bucket.name,
                                                 std::move(gone)));
  co_return all;
}

}  // namespace aisfs::target
