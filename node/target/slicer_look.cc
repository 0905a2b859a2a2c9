// SPDX-License-Identifier: MIT
// Slicer: its look at everything that this target owns and holds.
#include <algorithm>
#include <map>

#include "common/async/gather.h"
#include "common/client/retry.h"
#include "common/obs/log.h"
#include "common/placement/hrw.h"
#include "node/target/name_hash.h"
#include "node/target/slicer.h"

namespace aisfs::target {
namespace {

constexpr Duration kRound = std::chrono::seconds(1);
constexpr Duration kLookEvery = std::chrono::hours(1);
constexpr Duration kAskMax = std::chrono::seconds(10);
constexpr Duration kAgain = std::chrono::seconds(5);  // what has failed
constexpr std::size_t kPage = 256;
constexpr std::size_t kAtOnce = 4;  // objects that are split or repaired

}  // namespace

Task<void> Slicer::run() {
  std::optional<TimePoint> looked;
  for (;;) {
    const auto seen = asked_.count();
    co_await tell_of_lost_mountpaths();
    (void)co_await settle_some();
    const Epoch since = deps_.maps.current()->placement.since;
    if (has_other_codes()) look_again();
    std::uint64_t asked = 0;
    bool again = false;
    {
      const std::lock_guard lock(mutex_);
      asked = looks_asked_;
      again = asked > looks_done_;
    }
    const bool due = !looked || deps_.clock.now() - *looked >= kLookEvery;
    if (due || again || !is_settled(since)) {
      const auto done = co_await settle();
      if (!done) LOG_DEBUG("the look at slices ended early", "why", done.error().what());
      if (done && *done) {
        looked = deps_.clock.now();
        const std::lock_guard lock(mutex_);
        looks_done_ = asked;
      }
    }
    co_await asked_.wait(seen, Deadline::after(kRound));
  }
}

bool Slicer::has_other_codes() {
  std::map<BucketId, ErasureProps> now;
  for (const auto& [_, bucket] : deps_.maps.current()->buckets) {
    if (bucket.props.erasure.enabled() || codes_.contains(bucket.id)) {
      now[bucket.id] = bucket.props.erasure;
    }
  }
  const bool other = now != codes_;
  codes_ = std::move(now);
  return other;
}

/// Slices that lay on one that has failed or was taken out are missing now, and nobody else can
/// know.
Task<void> Slicer::tell_of_lost_mountpaths() {
  std::set<std::string> now, lacking;
  for (const MountpathInfo& info : deps_.store.storage().mountpaths) {
    if (info.is_open()) now.insert(info.path);
    if (info.lacking) lacking.insert(info.path);
  }
  const bool first = mountpaths_.empty();
  const bool lacks_more =
      !std::ranges::includes(first ? std::set<std::string>() : lacking_, lacking);
  const bool gone = lacks_more || !std::ranges::includes(now, mountpaths_);
  mountpaths_ = std::move(now);
  lacking_ = std::move(lacking);
  const MapSnapshot map = deps_.maps.current();
  if (gone) {
    for (const NodeInfo* target : map->active_targets()) to_tell_.insert(target->id);
  }
  for (auto it = to_tell_.begin(); it != to_tell_.end();) {
    Context context = own_context();
    context.deadline = Deadline::after(kAskMax);
    std::vector<std::string> everything;
    const BucketName none;
    const bool there = map->find_node(*it) != nullptr;
    Status told;
    if (there) {
      told = co_await deps_.peers.slices().miss_slices(std::move(context), *it, none,
                                                       std::move(everything));
    }
    it = told ? to_tell_.erase(it) : std::next(it);
  }
  if (!to_tell_.empty()) co_return;
  const std::lock_guard lock(mutex_);
  told_of_ = lacking_;
}

bool Slicer::has_told_of(const std::string& mountpath) const {
  const std::lock_guard lock(mutex_);
  return told_of_.contains(mountpath);
}

Task<void> Slicer::drop_due() {
  std::vector<Due> due;
  {
    const std::lock_guard lock(mutex_);
    while (!due_.empty() && due_.front().at <= deps_.clock.now()) {
      due.push_back(std::move(due_.front()));
      due_.pop_front();
    }
  }
  for (Due& one : due) {
    // A PUT that was sent twice has made what its second attempt then found. What cannot be told
    // now its holders ask for.
    Context context = own_context();
    context.deadline = Deadline::after(kAskMax);
    const bool needless = co_await is_needless(std::move(context), one.key, one.content);
    if (!needless) continue;
    // What is not reached is found by its holder's look.
    (void)co_await drop_everywhere(own_context(), std::move(one.key), std::move(one.content));
  }
}

Task<std::size_t> Slicer::settle_some() {
  co_await drop_due();
  std::vector<Asked> names;
  std::size_t left = 0;
  {
    const std::lock_guard lock(mutex_);
    for (auto it = soon_.begin(); it != soon_.end();) {
      const bool is_due = it->second.at <= deps_.clock.now();
      if (!is_due) ++left;
      if (is_due) names.push_back(std::move(it->second));
      it = is_due ? soon_.erase(it) : std::next(it);
    }
  }
  for (std::size_t at = 0; at < names.size(); at += kAtOnce) {
    const MapSnapshot map = deps_.maps.current();
    std::vector<Asked*> asked;
    std::vector<Task<Result<bool>>> calls;
    for (std::size_t i = at; i < std::min(at + kAtOnce, names.size()); ++i) {
      const Bucket* bucket = map->find_bucket(names[i].key.bucket);
      if (bucket == nullptr) continue;
      asked.push_back(&names[i]);
      calls.push_back(settle_name(map, *bucket, names[i].key, names[i].also));
    }
    const auto done = co_await gather(std::move(calls));
    for (std::size_t i = 0; i < done.size(); ++i) {
      if (done[i] && *done[i]) continue;
      ++left;
      if (!done[i]) {
        LOG_DEBUG("an object is not in slices as it should be", "object", asked[i]->key.display(),
                  "why", done[i].error().what());
      }
      const bool by_old_map = !done[i] && done[i].error() == Errc::stale_map;
      asked[i]->at = deps_.clock.now() + (by_old_map ? kRound : kAgain);
      const std::uint64_t hash = name_hash(asked[i]->key);
      const std::lock_guard lock(mutex_);
      soon_.emplace(hash, std::move(*asked[i]));
    }
  }
  co_return left;
}

Task<Result<bool>> Slicer::settle() {
  const MapSnapshot map = deps_.maps.current();
  if (!map->placement.next.empty()) co_return false;
  const Epoch since = map->placement.since;
  const std::uint64_t mountpaths = deps_.store.mountpath_turn(), forgotten = forgotten_;
  note([](Progress& p) {
    p.running = true;
    p.names_seen = p.left = p.lost = 0;
  });
  bool all = true;
  for (std::size_t mountpath = 0; mountpath < deps_.store.mountpath_count(); ++mountpath) {
    for (const auto& known : deps_.store.buckets_on(mountpath)) {
      const Bucket* bucket = map->find_bucket(known.first);
      if (bucket == nullptr) continue;
      CO_TRY(const bool names, co_await settle_names(map, mountpath, *bucket));
      CO_TRY(const bool slices, co_await settle_slices(map, mountpath, *bucket));
      all = all && names && slices;
    }
  }
  // What has come meanwhile may have been passed by. Where names come and go all the time, a look
  // that none came into would never be.
  std::uint64_t came = 0;
  do {
    came = came_;
    const std::size_t left = co_await settle_some();
    all = all && left == 0;
  } while (all && came != came_);
  all = all && forgotten == forgotten_ && mountpaths == deps_.store.mountpath_turn();
  note([all](Progress& p) { p.running = !all; });
  if (all) settled_ = since;
  co_return all;
}

Task<Result<bool>> Slicer::settle_names(MapSnapshot map,
                                        std::size_t mountpath,
                                        const Bucket& bucket) {
  store::Store::NamesOptions options{.after = {}, .limit = kPage};
  bool all = true;
  for (bool more = true; more;) {
    if (deps_.maps.current()->placement != map->placement) {
      co_return Error(Errc::stale_map, "the placement has changed");
    }
    co_await drop_due();
    CO_TRY(store::NamePage page, co_await deps_.store.names_on(mountpath, bucket.id, options));
    more = page.more;
    options.after = std::move(page.next);
    std::vector<Task<Result<bool>>> calls;
    for (std::size_t i = 0; i < page.names.size(); ++i) {
      const store::NameState& state = page.names[i];
      const bool splits =
          bucket.props.erasure.enabled() && state.size >= bucket.props.erasure.least_bytes;
      const bool refers = state.kind == store::NameState::Kind::kReference && state.size > 0;
      if (splits || refers) {
        const store::Key key = store::make_key(bucket.id, {bucket.name, state.key});
        calls.push_back(settle_name(map, bucket, key));
      }
      if (calls.size() < kAtOnce && i + 1 < page.names.size()) continue;
      for (const auto& done : co_await gather(std::exchange(calls, {}))) {
        if (!done) LOG_INFO("slices of an object are left as they are", "why", done.error().what());
        if (!done || !*done) note([](Progress& p) { ++p.left; });
        all = all && done && *done;
      }
    }
    note([&page](Progress& p) { p.names_seen += page.names.size(); });
  }
  co_return all;
}

Task<Result<bool>> Slicer::settle_slices(MapSnapshot map,
                                         std::size_t mountpath,
                                         const Bucket& bucket) {
  std::string after;
  std::size_t left = 0;
  for (bool more = true; more;) {
    CO_TRY(store::SlicePage page,
           co_await deps_.store.slices_on(mountpath, bucket.id, after, kPage));
    more = page.more;
    after = std::move(page.next);
    std::map<std::string, std::vector<store::HeldSlice>> by_owner;
    for (store::HeldSlice& slice : page.slices) {
      const ObjectName name{bucket.name, std::string(store::sliced_key(slice.content))};
      const NodeInfo* owner = placement::owner_of(*map, name);
      if (owner == nullptr) co_return Error(Errc::not_ready, "no target is active");
      const auto geometry = store::geometry_of(slice.content);
      const auto holders = placement::holder_ids(*map, name, geometry->slices());
      if (std::ranges::find(holders, deps_.node_id) == holders.end()) ++left;
      by_owner[owner->id].push_back(std::move(slice));
    }
    for (auto& [owner, slices] : by_owner) {
      CO_TRY(const std::size_t gone, co_await ask_owner(map, bucket, owner, std::move(slices)));
      left -= std::min(left, gone);
    }
  }
  co_return left == 0;
}

/// Drops what the owner says is of no use; of those that do not belong here, how many need not be
/// waited for.
Task<Result<std::size_t>> Slicer::ask_owner(MapSnapshot map,
                                            const Bucket& bucket,
                                            std::string owner,
                                            std::vector<store::HeldSlice> slices) {
  const Deadline deadline = Deadline::after(kAskMax);
  Result<std::vector<SliceVerdict>> verdicts(Errc::internal);
  Backoff backoff;
  for (;;) {
    Context context = own_context();
    context.deadline = deadline;
    verdicts = co_await deps_.peers.slices().judge_slices(std::move(context), owner, bucket.name,
                                                          deps_.node_id, slices);
    const bool by_old_map = !verdicts && verdicts.error() == Errc::stale_map;
    if (!by_old_map || !is_same_placement(*map)) break;
    const bool waits = co_await backoff.wait(deadline);
    if (!waits) break;
  }
  if (!verdicts) co_return std::move(verdicts).error();
  std::size_t gone = 0;
  for (std::size_t i = 0; i < std::min(slices.size(), verdicts->size()); ++i) {
    const SliceVerdict verdict = (*verdicts)[i];
    if (verdict == SliceVerdict::kNeeded) continue;
    const store::Reference& content = slices[i].content;
    const ObjectName name{bucket.name, std::string(store::sliced_key(content))};
    const auto holders = placement::holder_ids(*map, name, store::geometry_of(content)->slices());
    if (std::ranges::find(holders, deps_.node_id) == holders.end()) ++gone;
    if (verdict == SliceVerdict::kTooYoung) continue;
    ec::SliceSet one;
    one.set(slices[i].index);
    CO_CHECK_OK(co_await deps_.store.drop_slices(bucket.id, bucket.name, content, one));
  }
  co_return gone;
}

}  // namespace aisfs::target
