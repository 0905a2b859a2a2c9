// SPDX-License-Identifier: MIT
#include "node/target/handover.h"

#include <algorithm>
#include <map>
#include <set>

#include "common/async/gather.h"
#include "common/base/hash.h"
#include "common/model/version_key.h"
#include "node/store/conditions.h"
#include "node/store/upload.h"

namespace aisfs::target {
namespace {

using store::Key;
using store::NameState;

/// All that is kept of a name comes with it.
Key plain_of(const Key& key) {
  if (!is_version_key(key.key())) return key;
  Key plain = key;
  plain.name.key = plain_key(key.key());
  return plain;
}

bool contains(const std::vector<std::string>& ids, const std::string& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// Older than whatever anybody has: if a disk that is out of reach has something after all, which
// nobody was told of, that counts when it is back.
constexpr Version kNeverWritten{.hlc = 1};

bool may_answer(const ClusterMap& map, const std::string& id) {
  const NodeInfo* node = map.find_node(id);
  return node != nullptr && node->state != NodeState::kAway;
}

Error missing(const Key& key, const std::vector<std::string>& nodes) {
  std::string ids;
  for (const std::string& id : nodes) ids += (ids.empty() ? "" : ", ") + id;
  return Error(Errc::not_ready,
               key.display() + " may lie on target " + ids + ", which does not answer");
}

Task<Result<NameThere>> ask_one(
    Peers& peers, Context context, std::string node, const Key& plain, bool with_copy) {
  const BucketName& bucket = plain.name.bucket;
  if (with_copy) {
    co_return co_await peers.find_name(std::move(context), std::move(node), bucket, plain.key());
  }
  NameThere there;
  CO_TRY(there.states,
         co_await peers.name_states(std::move(context), std::move(node), bucket, plain.key()));
  co_return there;
}

}  // namespace

Handover::NameId Handover::id_of(const Key& key) {
  return {key.bucket.value * 0x9E3779B97F4A7C15ull ^ key.digest, xxh3_64(as_bytes(key.key()))};
}

bool Handover::knows(Epoch since, NameId id) const {
  const std::lock_guard lock(mutex_);
  return since_ == since && home_.contains(id);
}

void Handover::remember(Epoch since,
                        NameId id,
                        std::vector<Found> leftovers,
                        const std::vector<std::string>& others) {
  std::erase_if(leftovers, [&](const Found& found) {  // those who hold it now need what they have
    return std::find(others.begin(), others.end(), found.node) == others.end();
  });
  for (Found& found : leftovers) {
    found.copy.reset();
    std::erase_if(found.states, [](const NameState& state) {
      return state.kind == NameState::Kind::kTombstone;  // nobody sees it
    });
  }
  std::erase_if(leftovers, [](const Found& found) { return found.states.empty(); });
  const std::lock_guard lock(mutex_);
  if (since < since_) return;
  if (since > since_ || home_.size() >= kNamesMax) home_.clear();
  since_ = since;
  home_[id] = std::move(leftovers);
}

Result<bool> Handover::is_newest(const ClusterMap& map, const Key& plain) const {
  TRY(const auto states, store_.states_of(plain));
  return !states.empty() && states[0].meta_version.epoch >= map.placement.since;
}

bool Handover::is_home(const ClusterMap& map, const Bucket& bucket, const Key& key) const {
  if (map.placement.past.empty()) return true;
  const Key plain = plain_of(key);
  if (knows(map.placement.since, id_of(plain))) return true;
  return placement::past_holders(map, bucket, plain.name, node_id_).sets.empty();
}

bool Handover::is_known(const ClusterMap& map, const Bucket& bucket, const Key& key) const {
  if (map.placement.past.empty()) return true;
  const Key plain = plain_of(key);
  if (knows(map.placement.since, id_of(plain))) return true;
  return placement::past_holders(map, bucket, plain.name, node_id_).empty();
}

Result<bool> Handover::is_gone(const Key& key) const {
  const Key plain = plain_of(key);
  TRY(const auto states, known_here(plain));
  return std::any_of(states.begin(), states.end(), [&](const NameState& state) {
    return state.key == plain.key() && state.kind == NameState::Kind::kTombstone;
  });
}

bool Handover::is_forgotten(const ClusterMap& map, const Bucket& bucket, const Key& plain) const {
  return map.least_copies(bucket) > 1 && store_.may_lack(plain);
}

placement::PastHolders Handover::past_holders(const ClusterMap& map,
                                              const Bucket& bucket,
                                              const Key& plain,
                                              bool forgotten) const {
  if (!forgotten) return placement::past_holders(map, bucket, plain.name, node_id_);
  // That this target was among the holders is of no use now, but each of the others had to have it.
  auto past = placement::past_holders(map, bucket, plain.name, "");
  std::erase(past.others, node_id_);
  past.sets.push_back(placement::holder_ids(map, plain.name, map.least_copies(bucket)));
  return past;
}

Task<Status> Handover::bring_home(Context context,
                                  MapSnapshot map,
                                  const Bucket& bucket,
                                  const Key& key,
                                  Need need,
                                  Courtesy::Turn* turn) {
  const Key plain = plain_of(key);
  bool forgotten = is_forgotten(*map, bucket, plain);
  if (map->placement.past.empty() && !forgotten) co_return Status{};
  const NodeInfo* owner = placement::owner_of(*map, key.name);
  if (owner == nullptr || owner->id != node_id_) co_return Status{};
  const NameId id = id_of(plain);
  const Epoch since = map->placement.since;
  if (knows(since, id) && !forgotten) {
    co_return co_await hide_leftovers(std::move(context), *map, plain, need);
  }
  auto past = past_holders(*map, bucket, plain, forgotten);
  if (past.empty()) co_return Status{};
  CO_TRY(const bool gone, is_gone(plain));  // what others have of it shows in listings
  if (need == Need::kRead && !forgotten && !gone) {
    if (past.sets.empty()) co_return Status{};
    CO_TRY(const bool newest, is_newest(*map, plain));
    if (newest) co_return Status{};
  }
  const auto guard = co_await locks_.lock(id.key);
  forgotten = forgotten && is_forgotten(*map, bucket, plain);
  if (knows(since, id) && !forgotten) {
    co_return co_await hide_leftovers(std::move(context), *map, plain, need);
  }
  context.epoch = map->epoch;
  const std::vector<std::string> others = past.others;
  // What is here already has most likely been brought home before a restart.
  CO_TRY(const auto here, known_here(plain));
  const Along along = here.empty() ? Along::kCopy : Along::kNothing;
  CO_TRY(Asked asked, co_await ask(context, *map, plain, std::move(past), along));
  if (need != Need::kRead && !asked.silent.empty()) co_return missing(plain, asked.silent);
  if (!asked.missing.empty() && forgotten) co_return missing(plain, asked.missing);
  if (!asked.missing.empty()) {
    CO_TRY(const bool newest, is_newest(*map, plain));
    // Who is away drops what is older before it counts again.
    const bool away = std::none_of(asked.missing.begin(), asked.missing.end(),
                                   [&](const auto& node) { return may_answer(*map, node); });
    const bool replaces = need == Need::kReplace && key.versioning == Versioning::kOff && away;
    if (!newest && !replaces) co_return missing(plain, asked.missing);
  }
  CO_CHECK_OK(co_await take_newest(context, bucket, plain, asked.found, since, turn));
  if (forgotten) store_.confirm(plain, newest_of(plain, asked.found));
  if (forgotten && store_.may_lack(plain)) {  // nobody has ever had it
    CO_TRY([[maybe_unused]] const bool taken,
           co_await store_.adopt_tombstone(plain, kNeverWritten, Durability::kNone));
  }
  if (asked.missing.empty() && asked.silent.empty()) {
    remember(since, id, std::move(asked.found), others);
    co_return co_await hide_leftovers(std::move(context), *map, plain, need);
  }
  co_return Status{};
}

Task<std::optional<Result<ObjectStream>>> Handover::read_elsewhere(
    Context context, MapSnapshot map, const Bucket& bucket, const Key& key, GetOptions options) {
  if (map->most_copies(bucket) > 1 || bucket.props.disk_copies > 1) co_return std::nullopt;
  const NodeInfo* owner = placement::owner_of(*map, key.name);
  const bool own = owner != nullptr && owner->id == node_id_;
  if (!own || is_version_key(key.key())) co_return std::nullopt;
  // What comes from a file here is compared with its hashes each time.
  if (bucket.props.verify_read == VerifyRead::kAlways) co_return std::nullopt;
  if (is_home(*map, bucket, key)) co_return std::nullopt;
  context.epoch = map->epoch;
  const auto asked =
      co_await ask(context, *map, key, past_holders(*map, bucket, key, false), Along::kCopy);
  if (!asked || !asked->missing.empty()) co_return std::nullopt;
  // After they were asked: what was acknowledged before this reader came is seen.
  const auto newest = newest_elsewhere(key, *asked);
  if (!newest || !*newest) co_return std::nullopt;
  const NameState& state = (*newest)->state;
  const ByteRange range = options.range.within(state.size);
  const bool whole = options.range.offset == 0 && range.length == state.size;
  const bool wanted = !options.version || *options.version == state.content_version;
  if (!whole || !wanted) co_return std::nullopt;
  auto copy = co_await fetch(std::move(context), bucket, **newest);
  if (!copy || copy->meta.reference) co_return std::nullopt;
  ObjectInfo& info = copy->meta.info;
  Status may = store::check_conditions(options.conditions, &info, store::Access::kRead);
  if (!may) co_return std::move(may).error();
  co_return ObjectStream{std::move(info), range, std::move(copy->body)};
}

Result<std::optional<Handover::Lying>> Handover::newest_elsewhere(const Key& plain,
                                                                  const Asked& asked) const {
  std::optional<Lying> newest;
  Version version;
  TRY(const auto here, store_.states_of(plain));  // an error when a disk that is out may have it
  for (const NameState& state : here) {
    if (state.key == plain.key()) version = std::max(version, state.meta_version);
  }
  for (const Found& found : asked.found) {
    for (const NameState& state : found.states) {
      if (state.key != plain.key() || state.meta_version <= version) continue;
      version = state.meta_version;
      newest = {found.node, state, found.copy ? &*found.copy : nullptr};
    }
  }
  if (newest && newest->state.kind != NameState::Kind::kObject) newest.reset();
  return newest;
}

/// Who hears that the name is gone must not see in a listing what others still have of it. Changes
/// see to that themselves before they are acknowledged; one that was not may have left it so.
Task<Status> Handover::hide_leftovers(Context context,
                                      const ClusterMap& map,
                                      const Key& plain,
                                      Need need) {
  if (need != Need::kRead) co_return Status{};
  CO_TRY(const bool gone, is_gone(plain));
  if (!gone) co_return Status{};
  co_return co_await drop_leftovers(std::move(context), map, plain);
}

Task<Result<Handover::Asked>> Handover::ask(Context context,
                                            const ClusterMap& map,
                                            const Key& plain,
                                            placement::PastHolders past,
                                            Along along) {
  std::set<std::string> nodes(past.others.begin(), past.others.end());
  for (const auto& holders : past.sets) nodes.insert(holders.begin(), holders.end());
  std::vector<std::string> asked;
  for (const std::string& node : nodes) {
    if (node != node_id_ && may_answer(map, node)) asked.push_back(node);
  }
  std::vector<Task<Result<NameThere>>> calls;
  // Of several, all but one would send it for nothing.
  const bool with_copy = along == Along::kCopy && asked.size() == 1;
  for (const std::string& node : asked) {
    calls.push_back(ask_one(peers_, context, node, plain, with_copy));
  }
  auto replies = co_await gather(std::move(calls));
  Asked result;
  std::set<std::string> answered;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    if (replies[i]) {
      answered.insert(asked[i]);
      result.found.push_back(
          {asked[i], std::move(replies[i]->states), std::move(replies[i]->copy)});
    } else if (replies[i].error() == Errc::stale_map) {
      co_return std::move(replies[i]).error();
    }
  }
  // Who is away compares what it has before anybody asks it again.
  for (const std::string& node : asked) {
    if (!answered.contains(node) && contains(past.others, node)) result.silent.push_back(node);
  }
  for (auto& holders : past.sets) {
    const bool known = std::any_of(holders.begin(), holders.end(),
                                   [&](const auto& node) { return answered.contains(node); });
    if (!known) result.missing.insert(result.missing.end(), holders.begin(), holders.end());
  }
  co_return result;
}

/// What is known here of the name and its versions.
Result<std::vector<NameState>> Handover::known_here(const Key& plain) const {
  if (store_.may_lack(plain)) return std::vector<NameState>{};
  return store_.states_of(plain);
}

Version Handover::newest_of(const Key& plain, const std::vector<Found>& found) {
  Version newest;
  for (const Found& other : found) {
    for (const NameState& state : other.states) {
      if (state.key == plain.key()) newest = std::max(newest, state.meta_version);
    }
  }
  return newest;
}

Task<Status> Handover::take_newest(Context context,
                                   const Bucket& bucket,
                                   const Key& plain,
                                   const std::vector<Found>& found,
                                   Epoch since,
                                   Courtesy::Turn* turn) {
  CO_TRY(const auto here, store_.states_here(plain));
  std::map<std::string, Version> known;
  for (const NameState& state : here) known[state.key] = state.meta_version;
  std::map<std::string, Lying> newer;
  for (const Found& other : found) {
    for (const NameState& state : other.states) {
      if (state.meta_version <= known[state.key]) continue;
      known[state.key] = state.meta_version;
      newer[state.key] = {other.node, state, other.copy ? &*other.copy : nullptr};
    }
  }
  // The oldest first, so that at no time the current version is here without those before it.
  for (auto it = newer.rbegin(); it != newer.rend(); ++it) {
    const bool last = std::next(it) == newer.rend();
    CO_CHECK_OK(co_await pull(context, bucket, it->second, since, last ? turn : nullptr));
  }
  co_return Status{};
}

Task<Result<store::ObjectCopy>> Handover::fetch(Context context, const Bucket& bucket, Lying from) {
  if (from.copy != nullptr && from.copy->meta.info.meta_version == from.state.meta_version) {
    co_return store::ObjectCopy{from.copy->meta, std::make_unique<StringSource>(from.copy->bytes)};
  }
  co_return co_await peers_.fetch_copy(std::move(context), std::move(from.node), bucket.name,
                                       std::move(from.state));
}

Task<Status> Handover::pull(
    Context context, const Bucket& bucket, Lying from, Epoch since, Courtesy::Turn* turn) {
  const NameState& state = from.state;
  const Key key = store::make_key(bucket.id, {bucket.name, state.key});
  if (state.kind == NameState::Kind::kTombstone) {
    CO_TRY(const auto ticket, admit(key, since));
    auto taken = co_await store_.adopt_tombstone(key, state.meta_version, bucket.props.write_level);
    co_return taken ? Status{} : Status(std::move(taken).error());
  }
  CO_TRY(store::ObjectCopy copy, co_await fetch(std::move(context), bucket, from));
  PutOptions options{.level = copy.meta.level, .size = copy.meta.info.size};
  const auto upload = store_.begin_put(key, std::move(options));
  if (!copy.meta.reference) CO_CHECK_OK(co_await upload->write_from(*copy.body));
  if (turn != nullptr && !copy.meta.reference) turn->bytes_are_here();
  // The bytes may have been long on their way.
  CO_TRY(const auto ticket, admit(key, since));
  Result<bool> taken = false;
  if (copy.meta.reference) {
    taken = co_await store_.adopt_reference(key, std::move(copy.meta));
  } else {
    taken = co_await upload->adopt(std::move(copy.meta));
  }
  co_return taken ? Status{} : Status(std::move(taken).error());
}

/// What comes when this target has nothing to do with the name any more would stay, and be listed.
Result<ChangesUnderWay::Ticket> Handover::admit(const Key& key, Epoch since) {
  auto ticket = copying_.begin(maps_.current()->epoch);
  if (maps_.current()->placement.since == since) return ticket;
  return Error(Errc::stale_map, key.display() + ": targets have changed meanwhile");
}

Task<Result<bool>> Handover::is_superseded(
    Context context, MapSnapshot map, const Bucket& bucket, std::string from, NameState state) {
  const Key key = store::make_key(bucket.id, {bucket.name, state.key});
  const Key plain = plain_of(key);
  const auto is_newer = [&state](const std::vector<NameState>& states) {
    return std::any_of(states.begin(), states.end(), [&](const NameState& other) {
      return other.key == state.key && other.meta_version > state.meta_version;
    });
  };
  CO_TRY(const auto here, store_.states_of(plain));
  if (is_newer(here)) co_return true;
  auto past = placement::past_holders(*map, bucket, plain.name, node_id_);
  std::erase(past.others, from);
  // Those who held it together with the one that was away may have got something since.
  for (const auto& holders : past.sets) {
    if (!contains(holders, from)) continue;
    for (const std::string& node : holders) {
      if (node != from && !contains(past.others, node)) past.others.push_back(node);
    }
  }
  std::erase_if(past.sets, [&](const auto& holders) { return contains(holders, from); });
  context.epoch = map->epoch;
  CO_TRY(const Asked asked,
         co_await ask(std::move(context), *map, plain, std::move(past), Along::kNothing));
  if (!asked.missing.empty()) co_return missing(plain, asked.missing);
  co_return std::any_of(asked.found.begin(), asked.found.end(),
                        [&](const Found& found) { return is_newer(found.states); });
}

void Handover::doubt(const Key& key) {
  const std::lock_guard lock(mutex_);
  home_.erase(id_of(plain_of(key)));
}

void Handover::end() {
  const std::lock_guard lock(mutex_);
  if (!home_.empty()) home_ = {};  // with its memory
}

Task<Status> Handover::drop_leftovers(Context context, const ClusterMap& map, const Key& key) {
  const NameId id = id_of(plain_of(key));
  std::vector<Found> leftovers;
  {
    const std::lock_guard lock(mutex_);
    const auto it = home_.find(id);
    if (it == home_.end() || it->second.empty()) co_return Status{};
    leftovers = it->second;
  }
  const Bucket* bucket = map.find_bucket(key.bucket);
  const Durability level = bucket != nullptr ? bucket->props.write_level : Durability::kNone;
  context.epoch = 0;  // they are not needed, whatever the map is by now
  for (Found& left : leftovers) {
    CO_CHECK_OK(co_await peers_.forget_copies(context, left.node, key.name.bucket,
                                              std::move(left.states), level));
  }
  const std::lock_guard lock(mutex_);
  if (const auto it = home_.find(id); it != home_.end()) it->second.clear();
  co_return Status{};
}

}  // namespace aisfs::target
