// SPDX-License-Identifier: MIT
#include "node/target/tombstones.h"

#include <algorithm>
#include <map>

#include "common/async/gather.h"
#include "common/obs/log.h"
#include "common/placement/hrw.h"

namespace aisfs::target {
namespace {

using store::NameState;

constexpr std::size_t kPage = 1024;
constexpr Duration kLateMax = std::chrono::minutes(10);  // of a request, by far
constexpr Duration kPauseMin = std::chrono::seconds(1), kPauseMax = std::chrono::hours(1);
constexpr Duration kAskMax = std::chrono::seconds(30);
constexpr unsigned kHlcMsShift = 20;  // Version::hlc
constexpr std::int64_t kNsPerMs = 1'000'000;

}  // namespace

bool all_know_all(const ClusterMap& map) {
  if (!map.placement.settled() || map.placement.held || !map.placement.lost.empty()) return false;
  return std::all_of(map.nodes.begin(), map.nodes.end(), [](const auto& entry) {
    return !entry.second.stores() || entry.second.state == NodeState::kActive;
  });
}

Task<void> TombstoneCollector::run() {
  const Duration pause = std::clamp<Duration>(deps_.life / 24, kPauseMin, kPauseMax);
  while (co_await deps_.clock.sleep(pause)) {
    const auto gone = co_await round();
    if (!gone) LOG_DEBUG("tombstones stay", "why", gone.error().what());
    if (gone && *gone > 0) LOG_INFO("tombstones forgotten", "count", *gone);
  }
}

Result<std::uint64_t> TombstoneCollector::horizon() {
  TRY(const Version now, deps_.store.next_version());
  const TimePoint at = deps_.clock.now();
  marks_.push_back({at, now.hlc});
  const TimePoint late = at - std::min(deps_.life, kLateMax);
  while (marks_.size() > 1 && marks_[1].at <= late) marks_.pop_front();
  if (marks_.front().at > late) return std::uint64_t{0};
  const std::int64_t ms = (deps_.clock.unix_ns() - deps_.life.count()) / kNsPerMs;
  const std::uint64_t made = static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 0))
                             << kHlcMsShift;
  return std::min(made, marks_.front().hlc);
}

bool TombstoneCollector::may_forget(const ClusterMap& map) const {
  return all_know_all(map) && !deps_.is_busy() && !deps_.store.lacks_anything() &&
         deps_.store.storage().settled;
}

Task<Result<std::size_t>> TombstoneCollector::round() {
  CO_TRY(const std::uint64_t until, horizon());
  std::size_t gone = 0;
  if (until == 0) co_return gone;
  for (std::size_t mountpath = 0; mountpath < deps_.store.mountpath_count(); ++mountpath) {
    for (const auto& known : deps_.store.buckets_on(mountpath)) {
      const MapSnapshot map = deps_.maps.current();
      const Bucket* bucket = map->find_bucket(known.first);
      if (bucket == nullptr) continue;
      CO_TRY(const std::size_t some, co_await walk_names(mountpath, *bucket, until));
      gone += some;
    }
  }
  co_return gone;
}

Task<Result<std::size_t>> TombstoneCollector::walk_names(std::size_t mountpath,
                                                         const Bucket& bucket,
                                                         std::uint64_t horizon) {
  std::size_t gone = 0;
  store::Store::NamesOptions options{.after = {}, .limit = kPage, .tombstones = true};
  for (bool more = true; more;) {
    const MapSnapshot map = deps_.maps.current();
    if (!may_forget(*map)) co_return gone;
    CO_TRY(store::NamePage page, co_await deps_.store.names_on(mountpath, bucket.id, options));
    more = page.more;
    options.after = std::move(page.next);
    std::erase_if(page.names, [&](const NameState& state) {
      return state.meta_version.hlc >= horizon || is_anothers(*map, bucket, state);
    });
    if (page.names.empty()) continue;
    CO_TRY(const std::size_t some, co_await forget(map, bucket, std::move(page.names)));
    gone += some;
  }
  co_return gone;
}

/// Whether it is the owner's to say when this one goes: this target keeps a copy of it. One that it
/// has from before is in nobody's way.
bool TombstoneCollector::is_anothers(const ClusterMap& map,
                                     const Bucket& bucket,
                                     const NameState& state) const {
  const ObjectName name{bucket.name, state.key};
  const auto holders = placement::holders_of(map, name, bucket.props.copies);
  return holders.empty() || (holders.front()->id != deps_.node_id &&
                             std::any_of(holders.begin(), holders.end(), [this](const auto* one) {
                               return one->id == deps_.node_id;
                             }));
}

Task<Result<std::size_t>> TombstoneCollector::forget(MapSnapshot map,
                                                     const Bucket& bucket,
                                                     std::vector<NameState> states) {
  // No power loss brings back what they bury.
  CO_CHECK_OK(co_await deps_.store.sync_all());
  const std::vector<bool> may = co_await ask_holders(map, bucket, states);
  std::size_t gone = 0;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const store::Key key = store::make_key(bucket.id, {bucket.name, states[i].key});
    if (!may[i] || !deps_.replicator.is_replicated(key)) continue;
    const MapSnapshot now = deps_.maps.current();
    if (now->placement.since != map->placement.since || !may_forget(*now)) co_return gone;
    CO_TRY(const bool one, co_await deps_.store.forget_tombstone(key, states[i].meta_version));
    gone += one ? 1 : 0;
  }
  co_return gone;
}

Task<std::vector<bool>> TombstoneCollector::ask_holders(const MapSnapshot& map,
                                                        const Bucket& bucket,
                                                        const std::vector<NameState>& states) {
  struct Share {
    std::vector<std::size_t> at;  // of states
    std::vector<NameState> states;
  };
  std::map<std::string, Share> shares;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const ObjectName name{bucket.name, states[i].key};
    const auto holders = placement::holders_of(*map, name, bucket.props.copies);
    if (holders.front()->id != deps_.node_id) continue;
    for (const NodeInfo* holder : holders) {
      if (holder->id == deps_.node_id) continue;
      shares[holder->id].at.push_back(i);
      shares[holder->id].states.push_back(states[i]);
    }
  }
  Context context{.who = auth::node_identity(deps_.node_id),
                  .deadline = Deadline::after(kAskMax),
                  .trace = "tombstones"};
  context.epoch = map->epoch;
  std::vector<Task<Result<std::vector<bool>>>> calls;
  for (auto& [holder, share] : shares) {
    calls.push_back(deps_.peers.forget_tombstones(context, holder, bucket.name, share.states));
  }
  const auto replies = co_await gather(std::move(calls));
  std::vector<bool> may(states.size(), true);
  std::size_t reply = 0;
  for (const auto& [holder, share] : shares) {
    const auto& forgotten = replies[reply++];
    for (std::size_t i = 0; i < share.at.size(); ++i) {
      const bool one = forgotten && i < forgotten->size() && (*forgotten)[i];
      may[share.at[i]] = may[share.at[i]] && one;
    }
  }
  co_return may;
}

}  // namespace aisfs::target
