// SPDX-License-Identifier: MIT
#include "node/target/restorer.h"

#include <algorithm>

#include "common/async/gather.h"
#include "common/obs/log.h"
#include "common/placement/hrw.h"

namespace aisfs::target {
namespace {

using store::NameState;

constexpr Duration kLookEvery = std::chrono::milliseconds(200);
constexpr Duration kAgain = std::chrono::seconds(1);  // after a look that left something
constexpr Duration kAgainMax = std::chrono::minutes(1);
constexpr Duration kOfferMax = std::chrono::minutes(2);
constexpr std::size_t kPage = 1024;
constexpr std::size_t kShareNames = 256;
constexpr std::uint64_t kShareBytes = 64_MiB;

/// Each is answered within the time of a call.
std::vector<std::vector<NameState>> in_shares(std::vector<NameState> states) {
  std::vector<std::vector<NameState>> shares;
  std::uint64_t bytes = 0;
  for (NameState& state : states) {
    const bool full = shares.empty() || shares.back().size() == kShareNames || bytes >= kShareBytes;
    if (full) {
      shares.emplace_back();
      bytes = 0;
    }
    bytes += state.size;
    shares.back().push_back(std::move(state));
  }
  return shares;
}

}  // namespace

void Restorer::lacks(const std::string& target) {
  if (target == deps_.node_id) return;
  const std::lock_guard lock(mutex_);
  lacking_[target] = ++told_;
}

bool Restorer::has_copies_for(const std::string& target) const {
  const std::lock_guard lock(mutex_);
  return lacking_.contains(target);
}

Task<void> Restorer::run() {
  Duration pause = kLookEvery, again = kAgain;
  while (co_await deps_.clock.sleep(pause)) {
    const auto done = co_await round();
    if (!done) LOG_DEBUG("copies not made again yet", "why", done.error().what());
    const bool all = done && *done;
    pause = all ? kLookEvery : again;
    again = all ? kAgain : std::min(2 * again, kAgainMax);
  }
}

Task<Result<bool>> Restorer::round() {
  std::map<std::string, std::uint64_t> told;
  {
    const std::lock_guard lock(mutex_);
    told = lacking_;
  }
  if (told.empty()) co_return true;
  const MapSnapshot map = deps_.maps.current();
  std::set<std::string> lacking;
  for (const auto& [id, _] : told) {
    if (map->find_node(id) != nullptr) lacking.insert(id);
  }
  bool all = true;
  const std::uint64_t mountpaths = deps_.store.mountpath_turn();
  for (std::size_t mountpath = 0; mountpath < deps_.store.mountpath_count(); ++mountpath) {
    for (const auto& known : deps_.store.buckets_on(mountpath)) {
      // Tombstones first: what they have buried is not sent for nothing.
      for (const bool tombstones : {true, false}) {
        CO_TRY(const bool sent, co_await walk_names(mountpath, known.first, lacking, tombstones));
        all = all && sent;
      }
    }
  }
  if (!all || mountpaths != deps_.store.mountpath_turn()) co_return false;
  for (const std::string& id : lacking) LOG_INFO("copies are made again", "target", id);
  const std::lock_guard lock(mutex_);
  std::erase_if(lacking_, [&](const auto& entry) {
    const auto then = told.find(entry.first);
    return then != told.end() && then->second == entry.second;
  });
  co_return true;
}

Task<Result<bool>> Restorer::walk_names(std::size_t mountpath,
                                        BucketId bucket,
                                        const std::set<std::string>& lacking,
                                        bool tombstones) {
  bool all = true;
  store::Store::NamesOptions options{.after = {}, .limit = kPage, .tombstones = tombstones};
  for (bool more = true; more;) {
    const MapSnapshot map = deps_.maps.current();
    const Bucket* now = map->find_bucket(bucket);
    if (now == nullptr || now->props.copies == 1) co_return all;
    CO_TRY(store::NamePage page, co_await deps_.store.names_on(mountpath, bucket, options));
    more = page.more;
    options.after = std::move(page.next);
    Shares shares;
    for (const NameState& state : page.names) deal(*map, *now, lacking, state, shares);
    CO_TRY(const bool sent, co_await send(map, *now, std::move(shares)));
    all = all && sent;
  }
  co_return all;
}

void Restorer::deal(const ClusterMap& map,
                    const Bucket& bucket,
                    const std::set<std::string>& lacking,
                    const NameState& state,
                    Shares& shares) const {
  const auto holders = placement::holders_of(map, {bucket.name, state.key}, bucket.props.copies);
  const bool holds = std::any_of(holders.begin(), holders.end(),
                                 [this](const auto* one) { return one->id == deps_.node_id; });
  if (!holds) return;  // the rebalance takes it where it belongs
  const std::string& owner = holders.front()->id;
  if (owner != deps_.node_id) {
    if (lacking.contains(owner)) shares.offers[owner].push_back(state);
    return;
  }
  for (const NodeInfo* holder : holders) {
    if (lacking.contains(holder->id)) shares.copies[holder->id].push_back(state);
  }
}

Task<Result<bool>> Restorer::send(const MapSnapshot& map, const Bucket& bucket, Shares shares) {
  std::vector<Task<Result<bool>>> calls;
  for (auto& [holder, states] : shares.copies) {
    calls.push_back(copy(map, bucket, holder, std::move(states)));
  }
  for (auto& [owner, states] : shares.offers) {
    calls.push_back(offer(map, bucket, owner, std::move(states)));
  }
  bool all = true;
  for (const Result<bool>& done : co_await gather(std::move(calls))) {
    if (!done && done.error() == Errc::stale_map) co_return done.error();
    if (!done) LOG_INFO("copies not made again yet", "why", done.error().what());
    all = all && done && *done;
  }
  co_return all;
}

Task<Result<bool>> Restorer::copy(MapSnapshot map,
                                  const Bucket& bucket,
                                  std::string holder,
                                  States states) {
  bool all = true;
  for (States& share : in_shares(std::move(states))) {
    CO_TRY(const bool sent,
           co_await deps_.replicator.send_missing(map, bucket, holder, std::move(share)));
    all = all && sent;
  }
  co_return all;
}

Task<Result<bool>> Restorer::offer(MapSnapshot map,
                                   const Bucket& bucket,
                                   std::string owner,
                                   States states) {
  bool all = true;
  for (States& share : in_shares(std::move(states))) {
    Context context{.who = auth::node_identity(deps_.node_id),
                    .deadline = Deadline::after(kOfferMax),
                    .trace = "restore"};
    context.epoch = map->epoch;
    CO_TRY(const auto taken,
           co_await deps_.peers.offer_names(std::move(context), owner, bucket.name,
                                            std::move(share), Pace::kCourteous));
    all = all && std::all_of(taken.begin(), taken.end(), [](bool one) { return one; });
  }
  co_return all;
}

}  // namespace aisfs::target
