// SPDX-License-Identifier: MIT
#include "node/target/healer.h"

#include <algorithm>

#include "common/base/hash.h"
#include "common/model/version_key.h"
#include "common/obs/log.h"
#include "common/placement/hrw.h"
#include "node/target/copy_time.h"

namespace aisfs::target {
namespace {

using store::Key;
using store::NameState;
using store::ScrubFinding;

constexpr Duration kRound = std::chrono::seconds(1);
constexpr int kRoundsAgain = 60;  // then those that somebody may still have are looked for again
constexpr Duration kCallMax = std::chrono::seconds(10);

bool is_good(const ScrubFinding& found) {
  return found.state == ScrubFinding::State::kGood || found.state == ScrubFinding::State::kNone;
}

/// Whether the error says that this holder has no good copy, rather than that it cannot be asked.
bool has_none(const Error& error) {
  return is_damage(error) || error == Errc::not_found || error == Errc::bad_checksum;
}

void add(std::vector<std::string>& ids, const std::vector<std::string>& more) {
  for (const std::string& id : more) {
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
}

}  // namespace

/// Those that hold it by the map, and those that held it before and may not have given it away.
std::vector<std::string> Healer::other_holders(const ClusterMap& map,
                                               const Bucket& bucket,
                                               const ObjectName& name) const {
  std::vector<std::string> ids;
  for (const NodeInfo* holder : placement::holders_of(map, name, bucket.props.copies)) {
    ids.push_back(holder->id);
  }
  const ObjectName plain{name.bucket, std::string(plain_key(name.key))};
  const auto past = placement::past_holders(map, bucket, plain, deps_.node_id);
  add(ids, past.others);
  for (const auto& holders : past.sets) add(ids, holders);
  std::erase(ids, deps_.node_id);
  return ids;
}

Task<Result<Healer::Checked>> Healer::check(Key key, store::Store::Pace pace) {
  CO_TRY(ScrubFinding found, co_await deps_.store.scrub(key, std::move(pace)));
  Checked checked{.verdict = Verdict::kGood, .bytes = found.bytes};
  if (!is_good(found)) {
    const auto guard = co_await locks_.lock(xxh3_64(as_bytes(key.key())) ^ key.bucket.value);
    CO_TRY(found, co_await deps_.store.scrub(key));  // somebody may have healed it meanwhile
    if (!is_good(found)) checked.verdict = co_await heal(key, found);
  }
  note(key, found, checked.verdict);
  co_return checked;
}

Result<std::optional<NameState>> Healer::state_of(const Key& key) const {
  Key plain = key;
  plain.name.key = plain_key(key.key());
  TRY(const auto states, deps_.store.states_of(plain));
  for (const NameState& state : states) {
    if (state.key == key.key()) return std::optional(state);
  }
  return std::optional<NameState>();
}

Task<Healer::Verdict> Healer::heal(const Key& key, const ScrubFinding& found) {
  const MapSnapshot map = deps_.maps.current();
  const Bucket* bucket = map->find_bucket(key.bucket);
  if (bucket == nullptr) co_return Verdict::kGood;
  const auto state = state_of(key);
  if (!state) co_return Verdict::kDamaged;
  const bool is_same = *state && (*state)->meta_version == found.meta_version;
  if (!is_same) co_return Verdict::kGood;  // it was replaced, or removed
  const auto here = co_await deps_.store.heal_from_disks(key, found.meta_version);
  if (here && *here) co_return Verdict::kHealed;
  bool all_answered = true;
  for (const std::string& holder : other_holders(*map, *bucket, key.name)) {
    Result<bool> taken = false;
    auto copy = co_await fetch(holder, *bucket, **state);
    if (copy) {
      taken = co_await deps_.store.replace_damaged(key, std::move(copy->meta), *copy->body);
    } else {
      taken = std::move(copy).error();
    }
    if (taken) co_return *taken ? Verdict::kHealed : Verdict::kGood;
    all_answered = all_answered && has_none(taken.error());
    LOG_INFO("no good copy here", "object", key.display(), "target", holder, "why",
             taken.error().what());
  }
  co_return all_answered ? Verdict::kLost : Verdict::kDamaged;
}

Task<Result<store::ObjectCopy>> Healer::fetch(std::string node,
                                              const Bucket& bucket,
                                              NameState state) {
  const Duration seconds = time_of_copy(state.size);
  const Context context{.who = auth::node_identity(deps_.node_id),
                        .deadline = Deadline::after(kCallMax + seconds),
                        .trace = "heal"};
  return deps_.peers.fetch_copy(context, std::move(node), bucket.name, std::move(state));
}

Task<Result<bool>> Healer::bring_back(const Bucket& bucket, NameState state) {
  const Key key = store::make_key(bucket.id, {bucket.name, state.key});
  CO_TRY(const auto known, deps_.store.states_of(key));
  const MapSnapshot map = deps_.maps.current();
  // A tombstone is a state, too; of the versions that are kept it is not.
  const bool plain = !is_version_key(state.key) && state.kind != NameState::Kind::kTombstone;
  const bool newer = known.empty() || known.front().meta_version < state.meta_version;
  if (!newer || !plain || !map->placement.settled()) co_return false;
  for (const std::string& holder : other_holders(*map, bucket, key.name)) {
    auto copy = co_await fetch(holder, bucket, state);
    if (!copy) continue;
    LOG_WARN("a lost object comes back", "object", key.display(), "target", holder);
    if (copy->meta.reference) {
      co_return co_await deps_.store.adopt_reference(key, std::move(copy->meta));
    }
    co_return co_await deps_.store.adopt(key, std::move(copy->meta), *copy->body);
  }
  co_return false;
}

void Healer::note(const Key& key, const ScrubFinding& found, Verdict verdict) {
  const Name name{key.bucket, key.key()};
  const bool bad = verdict == Verdict::kDamaged || verdict == Verdict::kLost;
  bool is_new = false;
  {
    const std::lock_guard lock(mutex_);
    const auto known = damages_.find(name);
    is_new = known == damages_.end();
    if (!bad && !is_new) damages_.erase(known);
    if (bad && (!is_new || damages_.size() < kDamagesMax)) {
      DamagedName told{key.name.bucket, key.key(), verdict == Verdict::kLost, found.why,
                       deps_.clock.unix_ns()};
      damages_[name] = {key, found.meta_version, std::move(told)};
    }
  }
  if (verdict == Verdict::kHealed) {
    LOG_WARN("a damaged copy was replaced", "object", key.display(), "why", found.why);
  } else if (bad && is_new) {
    LOG_ERROR(verdict == Verdict::kLost ? "an object is lost" : "an object is damaged", "object",
              key.display(), "why", found.why);
  }
}

void Healer::suspect(const Key& key) {
  const std::lock_guard lock(mutex_);
  if (suspects_.size() < kSuspectsMax) suspects_.emplace(Name{key.bucket, key.key()}, key);
}

/// Of those who have others to ask a mirrored bucket's are brought back, or it turns out that there
/// was nothing.
void Healer::add_lost_names(std::vector<DamagedName>& to) const {
  const MapSnapshot map = deps_.maps.current();
  for (auto& [id, key] : deps_.store.lost_names()) {
    const Bucket* bucket = map->find_bucket(id);
    if (bucket == nullptr || to.size() >= kDamagesMax) continue;
    to.push_back({bucket->name, std::move(key), bucket->props.copies == 1,
                  "its metadata cannot be read", deps_.clock.unix_ns()});
  }
}

std::vector<DamagedName> Healer::damages() {
  const std::lock_guard lock(mutex_);
  std::vector<DamagedName> all;
  for (auto it = damages_.begin(); it != damages_.end();) {
    const Damage& damage = it->second;
    const auto now = state_of(damage.key);
    const bool is_gone = now && (!*now || (*now)->meta_version != damage.meta_version);
    if (!is_gone) all.push_back(damage.told);
    it = is_gone ? damages_.erase(it) : std::next(it);
  }
  add_lost_names(all);
  return all;
}

Task<void> Healer::run() {
  for (int round = 1; co_await deps_.clock.sleep(kRound); ++round) {
    if (round % kRoundsAgain == 0) suspect_damages();
    co_await settle();
  }
}

/// Who did not answer before may do so now.
void Healer::suspect_damages() {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, damage] : damages_) {
    if (damage.told.lost || suspects_.size() >= kSuspectsMax) continue;
    suspects_.emplace(name, damage.key);
  }
}

Task<void> Healer::settle() {
  std::map<Name, Key> suspects;
  {
    const std::lock_guard lock(mutex_);
    suspects.swap(suspects_);
  }
  for (auto& [_, key] : suspects) {
    const auto checked = co_await check(std::move(key));
    if (!checked) LOG_INFO("not checked", "why", checked.error().what());
  }
}

}  // namespace aisfs::target
