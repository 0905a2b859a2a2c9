// SPDX-License-Identifier: MIT
#include "node/target/rebalancer.h"

#include "common/async/gather.h"
#include "common/client/retry.h"
#include "common/obs/log.h"
#include "common/placement/hrw.h"

namespace aisfs::target {
namespace {

using store::NameState;

constexpr std::size_t kPage = 1024;
// An owner takes a share of an offer at once; the whole is answered within the call's time.
constexpr std::size_t kOfferNames = 128;
constexpr std::uint64_t kOfferBytes = 32_MiB;
// While the last names of one are taken, or forgotten here, the next is under way.
constexpr std::size_t kOffersAtOnce = 3;
constexpr Duration kOfferMax = std::chrono::minutes(2);
constexpr Duration kMapMax = std::chrono::seconds(10);  // until both know a new map
constexpr Duration kLookEvery = std::chrono::milliseconds(200);
constexpr Duration kAgain = std::chrono::seconds(1);  // after a walk that left something

bool keeps_copies(const ClusterMap& map) {
  return std::any_of(map.buckets.begin(), map.buckets.end(),
                     [](const auto& entry) { return entry.second.props.copies > 1; });
}

Error moved_on() { return Error(Errc::stale_map, "the placement has changed"); }

}  // namespace

Rebalancer::Sending::Sending(TaskScope& tasks, MapSnapshot by, const Bucket& of)
    : scope(tasks),
      map(std::move(by)),
      bucket(of),
      copies(map->most_copies(of)),
      room(tasks.executor(), kOffersAtOnce) {}

void Rebalancer::Sending::note(Result<bool> done) {
  if (!all.ok() || (done.ok() && *done)) return;
  all = std::move(done);
}

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

bool Rebalancer::is_joining(const ClusterMap& map) const {
  const NodeInfo* self = map.find_node(deps_.node_id);
  return self != nullptr && self->state == NodeState::kJoining;
}

Task<void> Rebalancer::run() {
  Duration pause = kLookEvery;
  while (co_await deps_.clock.sleep(pause)) {
    pause = kLookEvery;
    const MapSnapshot map = deps_.maps.current();
    const Epoch since = map->placement.since;
    if (!map->placement.next.empty()) continue;
    if (is_joining(*map) && compared() != since) {
      const Status compared = co_await compare(map);
      if (!compared) LOG_INFO("not compared yet", "why", compared.error().what());
      compared ? compared_.store(since) : void(pause = kAgain);
      continue;
    }
    const bool asked = wants_walk();
    if (is_joining(*map) || (settled() == since && !asked)) continue;
    Result<bool> done = true;
    const bool moved = !map->placement.past.empty() || keeps_copies(*map);
    if (moved || asked) done = co_await walk(map);
    if (!done) LOG_DEBUG("rebalance interrupted", "why", done.error().what());
    if (done && !*done) pause = kAgain;
    if (!done || !*done) continue;
    settled_ = since;
    if (asked) asked_ = false;
    if (map->placement.past.empty()) continue;
    LOG_INFO("rebalance settled", "placement", since, "moved", progress().names_moved);
  }
}

Task<Status> Rebalancer::compare(MapSnapshot map) {
  CO_TRY(const bool all, co_await walk_all(map, &Rebalancer::compare_share, false));
  if (!all) co_return Error(Errc::not_ready, "not every owner has answered");
  co_return co_await deps_.store.sync_all();
}

Task<Result<bool>> Rebalancer::walk(MapSnapshot map) {
  if (deps_.has_older_changes && deps_.has_older_changes(map->epoch)) co_return false;
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
  const std::uint64_t mountpaths = deps_.store.mountpath_turn();
  // Tombstones first: what they have buried is not moved for nothing.
  CO_TRY(const bool tombstones, co_await walk_all(map, &Rebalancer::offer, true));
  CO_TRY(const bool names, co_await walk_all(map, &Rebalancer::offer, false));
  // What is out of reach may hold names of others, too.
  const bool all = tombstones && names && !deps_.is_busy() && !deps_.store.lacks_anything() &&
                   mountpaths == deps_.store.mountpath_turn() && deps_.replicator.has_told_owners();
  // What has gone may not come back by a power loss once it is said to have gone.
  if (all) CO_CHECK_OK(co_await deps_.store.sync_all());
  note([&](RebalanceProgress& p) {
    p.running = !all;
    if (all) p.ended_ns = deps_.clock.unix_ns();
  });
  co_return all;
}

Task<Result<bool>> Rebalancer::walk_all(MapSnapshot map, Send send, bool tombstones) {
  bool all = true;
  for (std::size_t mountpath = 0; mountpath < deps_.store.mountpath_count(); ++mountpath) {
    for (const auto& known : deps_.store.buckets_on(mountpath)) {
      const Bucket* bucket = map->find_bucket(known.first);
      if (bucket == nullptr) continue;
      CO_TRY(const bool done, co_await walk_names(map, mountpath, *bucket, send, tombstones));
      all = all && done;
    }
  }
  co_return all;
}

Task<Result<bool>> Rebalancer::walk_names(
    MapSnapshot map, std::size_t mountpath, const Bucket& bucket, Send send, bool tombstones) {
  TaskScope scope(co_await asio::this_coro::executor);
  Sending sending(scope, std::move(map), bucket);
  scope.spawn(send_names(sending, mountpath, send, tombstones));
  co_await scope.join();
  co_return std::move(sending.all);
}

Task<void> Rebalancer::send_names(Sending& sending,
                                  std::size_t mountpath,
                                  Send send,
                                  bool tombstones) {
  AllShares shares{.others = {.send = send, .offers = {}},
                   .copies = {.send = &Rebalancer::replicate, .offers = {}},
                   .kept = {.send = &Rebalancer::tell, .offers = {}}};
  store::Store::NamesOptions options{.after = {}, .limit = kPage, .tombstones = tombstones};
  for (bool more = true; more && sending.all.ok();) {
    if (deps_.maps.current()->placement != sending.map->placement)
      co_return sending.note(moved_on());
    auto page = co_await deps_.store.names_on(mountpath, sending.bucket.id, options);
    if (!page) co_return sending.note(std::move(page).error());
    more = page->more;
    options.after = std::move(page->next);
    note([&](RebalanceProgress& p) { p.names_seen += tombstones ? 0 : page->names.size(); });
    for (NameState& state : page->names) {
      Status shared = share(sending, std::move(state), shares);
      if (!shared) co_return sending.note(std::move(shared).error());
      for (Shares* some : {&shares.others, &shares.copies, &shares.kept}) {
        if (some->is_full()) co_await start(sending, *some);
      }
    }
  }
  for (Shares* some : {&shares.others, &shares.copies, &shares.kept}) {
    co_await start(sending, *some);
  }
}

/// To whom a name here is sent: to its owner, or by its owner to those who keep copies. And to its
/// owner by another holder, too, where one change of the placement came before the last was over:
/// it became the owner by the first, and the second may have made a holder again of the only one
/// who could have sent it the name.
Status Rebalancer::share(const Sending& sending, NameState state, AllShares& shares) {
  const ObjectName name{sending.bucket.name, state.key};
  if (sending.copies == 1) {
    const NodeInfo* owner = placement::owner_of(*sending.map, name);
    if (owner == nullptr) return Error(Errc::not_ready, "no target is active");
    if (owner->id != deps_.node_id) shares.others.offers[owner->id].add(std::move(state));
    return {};
  }
  const auto holders = placement::holders_of(*sending.map, name, sending.bucket.props.copies);
  if (holders.empty()) return Error(Errc::not_ready, "no target is active");
  const bool holds = std::any_of(holders.begin(), holders.end(), [this](const auto* holder) {
    return holder->id == deps_.node_id;
  });
  if (holders[0]->id != deps_.node_id) {
    const bool overlap = sending.map->placement.past.size() > 1;
    if (holds && overlap) shares.kept.offers[holders[0]->id].add(std::move(state));
    if (!holds) shares.others.offers[holders[0]->id].add(std::move(state));
    return {};
  }
  for (std::size_t i = 1; i < holders.size(); ++i) shares.copies.offers[holders[i]->id].add(state);
  return {};
}

bool Rebalancer::Shares::is_full() const {
  return std::any_of(offers.begin(), offers.end(), [](const auto& entry) {
    return entry.second.states.size() >= kOfferNames || entry.second.bytes >= kOfferBytes;
  });
}

Task<void> Rebalancer::start(Sending& sending, Shares& shares) {
  if (shares.offers.empty()) co_return;
  auto room = co_await sending.room.acquire();
  if (!sending.all.ok()) co_return;
  sending.scope.spawn(
      send_all(sending, shares.send, std::exchange(shares.offers, {}), std::move(room)));
}

Task<Result<bool>> Rebalancer::replicate(MapSnapshot map,
                                         const Bucket& bucket,
                                         std::string holder,
                                         Offer offer) {
  return deps_.replicator.send_missing(std::move(map), bucket, std::move(holder),
                                       std::move(offer.states));
}

Task<void> Rebalancer::send_all(Sending& sending, Send send, Offers offers, Limiter::Permit) {
  std::vector<Task<Result<bool>>> calls;
  for (auto& [owner, one] : offers) {
    calls.push_back(send_one(sending.map, sending.bucket, send, owner, std::move(one)));
  }
  for (Result<bool>& done : co_await gather(std::move(calls))) {
    if (!done && done.error() != Errc::stale_map) {
      LOG_INFO("an owner does not answer", "why", done.error().what());
      done = false;
    }
    sending.note(std::move(done));
  }
}

/// By the map of now: one that leaves names where they are interrupts nothing. A walk may take
/// hours.
Task<Result<bool>> Rebalancer::send_one(
    MapSnapshot map, const Bucket& bucket, Send send, std::string to, Offer offer) {
  const Deadline deadline = Deadline::after(kMapMax);
  Backoff backoff;
  for (;;) {
    MapSnapshot now = deps_.maps.current();
    if (now->placement != map->placement) co_return moved_on();
    auto done = co_await (this->*send)(std::move(now), bucket, to, offer);
    if (done || done.error() != Errc::stale_map) co_return done;
    const bool waits = co_await backoff.wait(deadline);
    if (!waits) co_return done;
  }
}

Task<Result<bool>> Rebalancer::offer(MapSnapshot map,
                                     const Bucket& bucket,
                                     std::string owner,
                                     Offer offer) {
  CO_TRY(const auto taken,
         co_await deps_.peers.offer_names(context_of(*map), std::move(owner), bucket.name,
                                          offer.states, Pace::kCourteous));
  std::vector<NameState> gone;
  for (std::size_t i = 0; i < std::min(offer.states.size(), taken.size()); ++i) {
    if (taken[i]) gone.push_back(offer.states[i]);
  }
  CO_CHECK_OK(co_await deps_.peers.forget_copies(context_of(*map), deps_.node_id, bucket.name, gone,
                                                 Durability::kNone));
  const std::size_t left = offer.states.size() - gone.size();
  note([&](RebalanceProgress& p) {
    for (const NameState& state : gone) {
      if (state.kind == NameState::Kind::kTombstone) continue;
      ++p.names_moved;
      p.bytes_moved += state.size;
    }
    p.names_left += left;
  });
  co_return left == 0;
}

Task<Result<bool>> Rebalancer::tell(MapSnapshot map,
                                    const Bucket& bucket,
                                    std::string owner,
                                    Offer offer) {
  const auto told = static_cast<std::ptrdiff_t>(offer.states.size());
  CO_TRY(const auto taken,
         co_await deps_.peers.offer_names(context_of(*map), std::move(owner), bucket.name,
                                          std::move(offer.states), Pace::kCourteous));
  co_return std::count(taken.begin(), taken.end(), true) == told;
}

Task<Result<bool>> Rebalancer::compare_share(MapSnapshot map,
                                             const Bucket& bucket,
                                             std::string owner,
                                             Offer offer) {
  CO_TRY(const auto older,
         co_await deps_.peers.compare_names(context_of(*map), std::move(owner), bucket.name,
                                            deps_.node_id, offer.states));
  std::vector<NameState> gone;
  for (std::size_t i = 0; i < std::min(offer.states.size(), older.size()); ++i) {
    if (older[i]) gone.push_back(std::move(offer.states[i]));
  }
  CO_CHECK_OK(co_await deps_.peers.forget_copies(context_of(*map), deps_.node_id, bucket.name,
                                                 std::move(gone), Durability::kNone));
  co_return older.size() == offer.states.size();
}

}  // namespace aisfs::target
