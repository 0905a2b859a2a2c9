// SPDX-License-Identifier: MIT
#include "node/target/slicer.h"

#include <algorithm>
#include <map>

#include "common/async/gather.h"
#include "common/client/retry.h"
#include "common/model/version_key.h"
#include "common/obs/log.h"
#include "common/placement/hrw.h"
#include "node/target/copy_time.h"
#include "node/target/name_hash.h"
#include "node/target/tombstones.h"

namespace aisfs::target {
namespace {

constexpr Duration kObjectMax = std::chrono::seconds(30);  // beside the time that its bytes take
constexpr Duration kAskMax = std::chrono::seconds(10);
constexpr std::size_t kSoonMax = 10'000;  // more are found by a look at everything
constexpr std::size_t kDueMax = 100'000;
constexpr std::size_t kSplitAtOnce = 32;
constexpr std::size_t kDamagesMax = 1000;

Duration time_for(std::uint64_t bytes) { return kObjectMax + time_of_copy(bytes); }

bool owns(const ClusterMap& map, const std::string& node, const ObjectName& name) {
  const NodeInfo* owner = placement::owner_of(map, name);
  return owner != nullptr && owner->id == node;
}

}  // namespace

Slicer::Slicer(Deps deps)
    : deps_(deps),
      access_{.node_id = deps.node_id,
              .store = deps.store,
              .maps = deps.maps,
              .peers = deps.peers,
              .compute = compute_},
      room_(compute_.executor(), kSplitAtOnce) {}

Slicer::Progress Slicer::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

/// By the map of now: a change of it that leaves the placement as it is holds up nobody.
Context Slicer::own_context() const {
  Context context{.who = auth::node_identity(deps_.node_id), .trace = "slices"};
  context.epoch = deps_.maps.current()->epoch;
  return context;
}

// --- what goes on -------------------------------------------------------------------------------

Result<Slicer::Plan> Slicer::plan(const Bucket& bucket,
                                  const store::Key& key,
                                  Durability level,
                                  std::uint64_t bytes) {
  const MapSnapshot map = deps_.maps.current();
  const ErasureProps& erasure = bucket.props.erasure;
  Splitting splitting{.key = key,
                      .content = {},
                      .holders = placement::holder_ids(*map, key.name, erasure.slices()),
                      .level = level,
                      .bytes = bytes};
  if (splitting.holders.size() < erasure.slices()) {
    return Error(Errc::not_ready, key.display() + " needs " + std::to_string(erasure.slices()) +
                                      " active targets for its slices, and there are " +
                                      std::to_string(splitting.holders.size()));
  }
  if (splitting.holders[0] != deps_.node_id) return Error(Errc::stale_map, key.display());
  TRY(const Version version, deps_.store.next_version());
  splitting.content = store::sliced(key.key(), {erasure.data, erasure.parity}, version);
  {
    const std::lock_guard lock(mutex_);
    under_way_.insert(version);
  }
  return Plan{std::move(splitting), map->placement.since, Ticket(*this, version)};
}

void Slicer::end(Version version) {
  const std::lock_guard lock(mutex_);
  under_way_.erase(version);
}

bool Slicer::is_under_way(Version version) const {
  const std::lock_guard lock(mutex_);
  return under_way_.contains(version);
}

void Slicer::soon(const store::Key& key, std::string from) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = soon_.find(name_hash(key));
    if (known == soon_.end() && soon_.size() >= kSoonMax) {
      ++looks_asked_;
      ++forgotten_;
    } else {
      Asked& asked = known == soon_.end() ? soon_[name_hash(key)] : known->second;
      asked.key = key;
      asked.at = {};
      if (!from.empty()) asked.also.insert(std::move(from));
    }
  }
  asked_.notify();
}

std::uint64_t Slicer::look_again() {
  std::uint64_t asked = 0;
  {
    const std::lock_guard lock(mutex_);
    asked = ++looks_asked_;
  }
  asked_.notify();
  return asked;
}

bool Slicer::has_looked(std::uint64_t asked) const {
  const std::lock_guard lock(mutex_);
  return looks_done_ >= asked;
}

void Slicer::note_damage(const store::Key& key, const char* why, bool lost) {
  const std::lock_guard lock(mutex_);
  if (damages_.size() >= kDamagesMax && !damages_.contains(name_hash(key))) return;
  DamagedName& damage = damages_[name_hash(key)];
  if (damage.seen_ns == 0) damage.seen_ns = deps_.clock.unix_ns();
  damage.bucket = key.name.bucket;
  damage.key = key.key();
  damage.why = why;
  damage.lost = lost;
}

void Slicer::note_good(const store::Key& key) {
  const std::lock_guard lock(mutex_);
  damages_.erase(name_hash(key));
}

std::vector<DamagedName> Slicer::damages() const {
  const std::lock_guard lock(mutex_);
  std::vector<DamagedName> all;
  for (const auto& [_, damage] : damages_) all.push_back(damage);
  return all;
}

void Slicer::drop_later(const store::Key& key, store::Reference content) {
  const std::lock_guard lock(mutex_);
  if (due_.size() >= kDueMax) {  // a look finds it
    ++looks_asked_;
    return;
  }
  due_.push_back({key, std::move(content), deps_.clock.now() + deps_.readers});
}

Task<store::KeyLocks::Guard> Slicer::keep_whole(const store::Key& key) {
  return whole_.lock(name_hash(key));
}

Task<Result<std::vector<SliceVerdict>>> Slicer::judge(Context context,
                                                      MapSnapshot map,
                                                      const Bucket& bucket,
                                                      std::string from,
                                                      std::vector<store::HeldSlice> slices) {
  std::vector<SliceVerdict> verdicts;
  for (const store::HeldSlice& slice : slices) {
    const std::string name(store::sliced_key(slice.content));
    const store::Key key = store::make_key(bucket.id, {bucket.name, name});
    if (!owns(*map, deps_.node_id, key.name)) co_return Error(Errc::stale_map, key.display());
    CO_CHECK_OK(co_await deps_.names.settle_name(context, key));
    // Asked first: who ends it has published before.
    const Version version = slice.content.content_version;
    const bool under_way = is_under_way(version);
    auto now = deps_.store.resolve(key);
    if (!now && now.error() != Errc::not_found) co_return std::move(now).error();
    // What it was replaced by has to be as safe as it was.
    CO_CHECK_OK(co_await deps_.names.seen(context, key));
    const bool referred = now && *now && **now == slice.content;
    if (!is_same_placement(*map)) co_return Error(Errc::stale_map, key.display());
    if (referred || under_way) {
      verdicts.push_back(SliceVerdict::kNeeded);
    } else {
      const bool sure = is_old(version) && all_know_all(*map) && !deps_.store.lacks_anything();
      verdicts.push_back(sure ? SliceVerdict::kNeedless : SliceVerdict::kTooYoung);
    }
    if (!referred) continue;
    const auto holders =
        placement::holder_ids(*map, key.name, store::geometry_of(slice.content)->slices());
    // One who is about to leave, or to get another: all of it is brought in order.
    if (std::ranges::find(holders, from) == holders.end()) soon(key, from);
  }
  co_return verdicts;
}

bool Slicer::is_old(Version version) const {
  const std::int64_t now_ms = deps_.clock.unix_ns() / std::int64_t{1'000'000};
  return now_ms - version.unix_ms() >= deps_.young / std::chrono::milliseconds(1);
}

bool Slicer::is_same_placement(const ClusterMap& map) const {
  const Placement& now = deps_.maps.current()->placement;
  return now.since == map.placement.since && now.next == map.placement.next;
}

/// Whether it is known for sure that the name, which is this target's, does not refer to it.
Task<bool> Slicer::is_needless(Context context, store::Key key, store::Reference content) {
  const MapSnapshot map = deps_.maps.current();
  if (!owns(*map, deps_.node_id, key.name)) co_return false;
  const Status here = co_await deps_.names.settle_name(context, key);
  if (!here) co_return false;
  const auto now = deps_.store.resolve(key);
  const bool gone = now ? !*now || **now != content : now.error() == Errc::not_found;
  if (!gone) co_return false;
  const Status seen = co_await deps_.names.seen(std::move(context), key);
  co_return seen.ok() && is_same_placement(*map) && !deps_.store.lacks_anything();
}

// --- one name -----------------------------------------------------------------------------------

Task<Result<bool>> Slicer::take_in(MapSnapshot map,
                                   const Bucket& bucket,
                                   store::Key key,
                                   std::string from) {
  if (is_settled(map->placement.since)) {
    co_return co_await settle_name(std::move(map), bucket, std::move(key), {std::move(from)});
  }
  ++came_;
  soon(key, std::move(from));
  co_return true;
}

Task<Result<bool>> Slicer::settle_name(MapSnapshot map,
                                       const Bucket& bucket,
                                       store::Key key,
                                       std::set<std::string> also) {
  if (is_version_key(key.key()) || !owns(*map, deps_.node_id, key.name)) co_return true;
  const auto turn = co_await turns_.lock(name_hash(key));
  Context context = own_context();
  context.deadline = Deadline::after(kAskMax);
  CO_CHECK_OK(co_await deps_.names.settle_name(context, key));
  const auto found = deps_.store.resolve(key);
  if (!found || !*found) note_good(key);
  if (!found && found.error() == Errc::not_found) co_return true;
  if (!found) co_return found.error();
  const ErasureProps& erasure = bucket.props.erasure;
  const ec::Geometry wanted{erasure.data, erasure.parity};
  if (!*found) co_return co_await encode(bucket, std::move(key));
  const auto geometry = store::geometry_of(**found);
  // A reservation; or renamed, with its content where it was.
  if (!geometry && ((*found)->is_empty() || !erasure.enabled())) co_return true;
  if (geometry && erasure.enabled() && *geometry == wanted) {
    CO_TRY(const ObjectInfo info, co_await deps_.store.head(key));
    const auto done = co_await repair(std::move(map), key, **found, info.size, std::move(also));
    // Nothing that comes back would mend it: it is told of, and holds up nobody.
    const bool corrupt = !done && done.error() == Errc::corrupt;
    if (!done && !corrupt) co_return done.error();
    const Repaired repaired = corrupt ? Repaired::kLost : *done;
    if (repaired == Repaired::kLost) {
      note([](Progress& p) { ++p.lost; });
      note_damage(key, "too many of its slices are gone", true);
      LOG_ERROR("an object is lost: too many of its slices are gone", "object", key.display());
    } else if (repaired == Repaired::kNotYet) {
      note_damage(key, "targets with slices of it do not answer", false);
    } else {
      note_good(key);
    }
    // What there are too few targets for waits for one that comes.
    if (repaired == Repaired::kLacking) note([](Progress& p) { ++p.left; });
    co_return repaired != Repaired::kNotYet;
  }
  CO_TRY(const ObjectInfo info, co_await deps_.store.head(key));
  context.deadline = Deadline::after(time_for(info.size));
  CO_CHECK_OK(co_await deps_.names.become_whole(std::move(context), key));
  co_return co_await encode(bucket, std::move(key));
}

Task<Result<bool>> Slicer::encode(const Bucket& bucket, store::Key key) {
  const ErasureProps& erasure = bucket.props.erasure;
  if (!erasure.enabled()) co_return true;
  CO_TRY(ObjectInfo info, co_await deps_.store.head(key));
  if (info.size < std::max<std::uint64_t>(erasure.least_bytes, 1)) co_return true;
  auto planned = plan(bucket, key, Durability::kFull, info.size);
  // Too few targets: as many copies as it would have slices to lose are there meanwhile.
  if (!planned && planned.error() == Errc::not_ready) co_return true;
  if (!planned) co_return std::move(planned).error();
  store::StoredMeta meta{
      .bucket = key.bucket, .key = key.key(), .info = info, .level = bucket.props.write_level};
  std::string packed = store::pack_meta(meta);
  if (packed.size() > ec::kSliceMetaBytesMax) co_return true;  // its attributes are too long
  GetOptions all{.version = info.content_version};
  const auto permit = room();
  if (!permit) co_return Error(Errc::overloaded, key.display() + ": many objects are being split");
  auto stream = co_await deps_.names.open_whole(key, std::move(all));
  if (!stream && stream.error() == Errc::corrupt) co_return true;  // it is among the damages
  if (!stream) co_return std::move(stream).error();
  Context context = own_context();
  context.deadline = Deadline::after(time_for(info.size));
  const auto describe = [&packed](const ec::EncodedObject&) -> Result<std::string> {
    return packed;
  };
  const Splitting& splitting = planned->splitting;
  const auto missing =
      co_await split(access_, context, splitting, *stream->body, nullptr, describe);
  Status done;
  if (!missing) done = missing.error();
  if (missing && missing->any()) {
    done = Error(Errc::not_ready, "a target takes no slice of " + key.display());
  }
  if (done) {
    const auto alone = co_await keep_whole(key);
    context.epoch = deps_.maps.current()->epoch;
    done = co_await deps_.names.become_sliced(context, key, std::move(info), splitting.content,
                                              planned->since);
    if (done) note([](Progress& p) { ++p.split; });
  }
  if (done) co_return true;
  // Who may have refused may have accepted as well: then they are needed.
  const bool needless = co_await is_needless(context, key, splitting.content);
  // What is not reached is found by its holder's look.
  if (needless) (void)co_await drop_everywhere(std::move(context), key, splitting.content);
  if (done.error() == Errc::precondition_failed) {  // it has changed meanwhile
    soon(key);
    co_return true;
  }
  co_return std::move(done).error();
}

Task<Result<Slicer::Repaired>> Slicer::repair(MapSnapshot map,
                                              store::Key key,
                                              store::Reference content,
                                              std::uint64_t bytes,
                                              std::set<std::string> also) {
  const ec::Geometry geometry = *store::geometry_of(content);
  Context context = own_context();
  context.deadline = Deadline::after(kAskMax);
  const SliceSights sights = co_await find_slices(access_, context, key, content, std::move(also));
  const auto holders = placement::holder_ids(*map, key.name, geometry.slices());
  const bool all_told = std::ranges::none_of(holders, [&](const std::string& holder) {
    return std::ranges::find(sights.silent, holder) != sights.silent.end();
  });
  if (!all_told) co_return Repaired::kNotYet;
  std::map<std::string, ec::SliceSet> by_node;
  ec::SliceSet seen;
  for (unsigned slice = 0; slice < sights.at.size(); ++slice) {
    for (const std::string& node : sights.at[slice]) by_node[node].set(slice);
    seen.set(slice, !sights.at[slice].empty());
  }
  std::vector<SlicesAt> there;
  for (const auto& [node, slices] : by_node) there.push_back({node, slices});
  const SlicePlan plan = plan_slices(geometry, holders, there);
  const Repaired order = plan.lacking.any() ? Repaired::kLacking : Repaired::kWhole;
  if (plan.empty()) co_return order;
  if (seen.count() < geometry.data) {
    // Who is silent may have what is missing.
    co_return sights.silent.empty() ? Repaired::kLost : Repaired::kNotYet;
  }
  context.deadline = Deadline::after(time_for(bytes));
  CO_CHECK_OK(co_await carry_out(access_, context, key, content, plan));
  note([&plan](Progress& p) { p.repaired += plan.moves.size(); });
  // Not what a newer owner may have arranged otherwise.
  const MapSnapshot now = deps_.maps.current();
  if (now->placement.since != map->placement.since) {
    co_return Error(Errc::stale_map, key.display() + ": targets have changed meanwhile");
  }
  for (const SlicesAt& extra : plan.extra) {
    const bool gone = std::ranges::find(holders, extra.node) == holders.end() &&
                      now->find_node(extra.node) == nullptr;
    if (gone) continue;
    CO_CHECK_OK(co_await deps_.peers.slices().drop_slices(context, extra.node, key.name.bucket,
                                                          content, extra.slices));
    note([&extra](Progress& p) { p.dropped += extra.slices.count(); });
  }
  co_return order;
}

Task<Status> Slicer::complete(Context context, Plan& plan) {
  const Splitting& splitting = plan.splitting;
  const Deadline deadline = context.deadline.earlier(Deadline::after(time_for(splitting.bytes)));
  const std::set<std::string> also(splitting.holders.begin(), splitting.holders.end());
  Backoff backoff;
  for (;;) {
    const MapSnapshot map = deps_.maps.current();
    if (!owns(*map, deps_.node_id, splitting.key.name)) {
      co_return Error(Errc::stale_map, splitting.key.display() + " has another owner by now");
    }
    const auto repaired =
        co_await repair(map, splitting.key, splitting.content, splitting.bytes, also);
    if (repaired && *repaired == Repaired::kWhole) {
      plan.since = map->placement.since;
      co_return Status{};
    }
    const bool waits = co_await backoff.wait(deadline);
    if (!waits) break;
  }
  co_return Error(Errc::not_ready,
                  splitting.key.display() + " has not all its slices: a target does not answer");
}

Task<Status> Slicer::drop_everywhere(Context context, store::Key key, store::Reference content) {
  const MapSnapshot map = deps_.maps.current();
  const auto geometry = store::geometry_of(content);
  ec::SliceSet all;
  for (unsigned i = 0; i < geometry->slices(); ++i) all.set(i);
  context.epoch = 0;  // nobody needs them, whatever the map is by now
  context.deadline = Deadline::after(kAskMax);
  std::vector<Task<Status>> calls;
  for (const std::string& node : placement::may_hold(*map, key.name, geometry->slices())) {
    calls.push_back(deps_.peers.slices().drop_slices(context, node, key.name.bucket, content, all));
  }
  for (Status& one : co_await gather(std::move(calls))) CO_CHECK_OK(std::move(one));
  co_return Status{};
}

}  // namespace aisfs::target
