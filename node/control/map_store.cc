// SPDX-License-Identifier: MIT
#include "node/control/map_store.h"

#include <algorithm>
#include <charconv>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/wire/envelope.h"

namespace aisfs::control {
namespace {

constexpr int kRacesMax = 32;
// Answers that were lost: each took seconds.
constexpr int kLostMax = 2;

bool may_have_happened(const Error& error) {
  return !error.never_sent() && (error == Errc::unreachable || error == Errc::timed_out);
}

template <class T>
struct Boxed {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  T value;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(value);
  }
};

template <>
struct Boxed<Bucket> {
  static constexpr std::uint16_t kVersion = 4, kCompat = 1;
  Bucket value;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(value);
    if (version >= 2) value.later(ar);
    if (version >= 3) value.latest(ar);
    if (version >= 4) value.newest(ar);
  }
};

template <>
struct Boxed<Placement> {
  static constexpr std::uint16_t kVersion = 2, kCompat = 1;
  Placement value;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(value);
    if (version >= 2) value.later(ar);
  }
};

template <class T>
Status unbox(std::string_view bytes, T& into) {
  TRY(auto boxed, wire::decode<Boxed<T>>(bytes));
  into = std::move(boxed.value);
  return {};
}

std::string key(std::string_view kind, std::string_view id = {}) {
  return std::string(kMapPrefix) + std::string(kind) + std::string(id);
}

const std::string kMappingsPrefix = key("mappings/");

/// Of the mappings as they are stored, in their order.
using MappingKeys = std::vector<std::string>;

/// Mappings that stay keep their keys, so that a change writes those that come and go alone; what
/// is new comes behind all others.
MappingKeys next_mapping_keys(const ClusterMap& before,
                              const MappingKeys& keys,
                              const ClusterMap& after) {
  MappingKeys next;
  std::size_t at = 0;
  std::uint64_t last = 0;
  if (!keys.empty()) {
    const std::string_view number = std::string_view(keys.back()).substr(kMappingsPrefix.size());
    std::from_chars(number.data(), number.data() + number.size(), last, 16);
  }
  for (const PrefixMapping& mapping : after.mappings) {
    while (at < keys.size() && before.mappings[at] != mapping) ++at;
    const bool stays = at < keys.size();
    next.push_back(stays ? keys[at++] : kMappingsPrefix + to_hex(++last));
  }
  return next;
}

using Steps = std::vector<meta::Step>;

template <class V>
void add_steps(std::string_view kind,
               const SharedMap<V>& before,
               const SharedMap<V>& after,
               Steps& steps) {
  SharedMap<V>::differences(before, after, [&](const auto* old, const auto* now) {
    if (now == nullptr) {
      steps.push_back(meta::remove_step(key(kind, old->first)));
    } else if constexpr (std::is_same_v<V, wire::NodeRecord>) {
      steps.push_back(meta::put_step(key(kind, now->first), wire::encode(now->second)));
    } else {
      steps.push_back(meta::put_step(key(kind, now->first), wire::encode(Boxed<V>{now->second})));
    }
  });
}

/// The mappings whose keys are new or gone.
void add_mapping_steps(const MappingKeys& before,
                       const MappingKeys& after,
                       const std::vector<PrefixMapping>& mappings,
                       Steps& steps) {
  for (const std::string& old : before) {
    const bool stays = std::binary_search(after.begin(), after.end(), old);
    if (!stays) steps.push_back(meta::remove_step(old));
  }
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (std::binary_search(before.begin(), before.end(), after[i])) continue;
    steps.push_back(meta::put_step(after[i], wire::encode(Boxed<PrefixMapping>{mappings[i]})));
  }
}

/// What makes of the one in the store the other, but for the epoch.
Steps steps_between(const MapDraft& before,
                    const MappingKeys& mapping_keys,
                    const MapDraft& after) {
  Steps steps;
  const ClusterMap &old = before.map, &now = after.map;
  if (old.uuid != now.uuid) steps.push_back(meta::put_step(key("uuid"), now.uuid));
  if (old.store_node != now.store_node)
    steps.push_back(meta::put_step(key("store"), now.store_node));
  if (old.placement != now.placement) {
    const bool none = now.placement == Placement{};
    steps.push_back(
        none ? meta::remove_step(key("placement"))
             : meta::put_step(key("placement"), wire::encode(Boxed<Placement>{now.placement})));
  }
  add_steps("nodes/", old.nodes, now.nodes, steps);
  add_steps("buckets/", old.buckets, now.buckets, steps);
  add_steps("users/", old.users, now.users, steps);
  add_steps("records/", before.records, after.records, steps);
  add_mapping_steps(mapping_keys, next_mapping_keys(old, mapping_keys, now), now.mappings, steps);
  return steps;
}

meta::Step epoch_step(Epoch epoch) {
  return meta::put_step(std::string(kEpochKey), std::to_string(epoch));
}

/// "buckets" and "ais/@#/b/" of "buckets/ais/@#/b/".
struct Name {
  explicit Name(std::string_view name)
      : kind(name.substr(0, name.find('/'))),
        id(name.substr(std::min(name.size(), kind.size() + 1))) {}

  std::string_view kind, id;
};

std::string_view below_prefix(const std::string& name) {
  return std::string_view(name).substr(kMapPrefix.size());
}

Result<Epoch> epoch_of(const std::string& value) {
  const auto epoch = parse_u64(value);
  if (!epoch) return Error(Errc::corrupt, "meta store: the epoch is no number");
  return static_cast<Epoch>(*epoch);
}

std::string proof_of(const auth::ClusterKey& key, const std::string& uuid) {
  return to_hex(as_bytes(hmac_sha256(key.join(), "cluster " + uuid)));
}

}  // namespace

Status MapStore::put(std::string_view name, const std::string& value, Loaded& loaded) {
  const auto [kind, id] = Name(name);
  ClusterMap& map = loaded.draft.map;
  if (kind == "uuid") map.uuid = value;
  if (kind == "store") map.store_node = value;
  if (kind == "key_proof") loaded.key_proof = value;
  if (kind == "placement") return unbox(value, map.placement);
  if (kind == "nodes") return unbox(value, map.nodes[id]);
  if (kind == "buckets") return unbox(value, map.buckets[id]);
  if (kind == "users") return unbox(value, map.users[id]);
  if (kind == "epoch") {
    TRY(map.epoch, epoch_of(value));
  }
  if (kind == "records") {
    TRY(loaded.draft.records[id], wire::decode<wire::NodeRecord>(value));
  }
  if (kind == "mappings") {
    std::string at = key(name);
    if (!loaded.mapping_keys.empty() && loaded.mapping_keys.back() >= at) {
      return Error(Errc::corrupt, "meta store: a mapping is not behind those before it");
    }
    loaded.mapping_keys.push_back(std::move(at));
    return unbox(value, map.mappings.emplace_back());
  }
  return {};
}

void MapStore::remove(std::string_view name, Loaded& loaded) {
  const auto [kind, id] = Name(name);
  ClusterMap& map = loaded.draft.map;
  if (kind == "placement") map.placement = {};
  if (kind == "nodes") map.nodes.erase(id);
  if (kind == "buckets") map.buckets.erase(id);
  if (kind == "users") map.users.erase(id);
  if (kind == "records") loaded.draft.records.erase(id);
  if (kind == "mappings") {
    auto& keys = loaded.mapping_keys;
    const auto at = std::find(keys.begin(), keys.end(), key(name));
    if (at == keys.end()) return;
    map.mappings.erase(map.mappings.begin() + (at - keys.begin()));
    keys.erase(at);
  }
}

Task<Result<MapStore::Loaded>> MapStore::load_all(meta::Revision at) {
  meta::GetRequest all{meta::prefix_range(std::string(kMapPrefix)), at, 0};
  CO_TRY(const auto reply, co_await meta_.get(std::move(all)));
  Loaded loaded;
  for (const auto& kv : reply.kvs) {
    CO_CHECK_OK(put(below_prefix(kv.key), kv.value, loaded));
    if (kv.key == kEpochKey) loaded.epoch_at = kv.mod_revision;
  }
  co_return loaded;
}

Task<Result<MapStore::Loaded>> MapStore::load_newest() {
  std::shared_ptr<const Loaded> known;
  {
    const std::lock_guard lock(mutex_);
    known = known_;
  }
  Result<Loaded> loaded(Errc::not_found);
  if (known) {
    meta::GetRequest one{{std::string(kEpochKey), {}}, 0, 0};
    CO_TRY(const auto epoch, co_await meta_.get(std::move(one)));
    const meta::Revision written = epoch.kvs.empty() ? 0 : epoch.kvs.front().mod_revision;
    if (written == known->epoch_at) co_return *known;
    Loaded before = *known;
    if (written > known->epoch_at) loaded = co_await catch_up(std::move(before), written);
  }
  if (!loaded) loaded = co_await load_all();
  if (!loaded) co_return std::move(loaded).error();
  const std::lock_guard lock(mutex_);
  known_.reset();
  if (loaded->epoch_at != 0) known_ = std::make_shared<const Loaded>(*loaded);
  co_return loaded;
}

Task<Result<MapStore::Loaded>> MapStore::catch_up(Loaded known, meta::Revision epoch_at) {
  meta::WatchRequest since{meta::prefix_range(std::string(kMapPrefix)), known.epoch_at + 1, 0};
  while (since.from <= epoch_at) {
    meta::WatchRequest request = since;
    CO_TRY(const auto history, co_await meta_.watch(std::move(request)));
    if (history.events.empty()) co_return Error(Errc::out_of_range, "not all changes are known");
    since.from = history.next;
    for (const meta::Event& event : history.events) {
      if (event.kv.mod_revision > epoch_at) break;
      CO_CHECK_OK(apply(event, known));
    }
  }
  if (known.epoch_at != epoch_at) co_return Error(Errc::out_of_range, "not all changes are known");
  co_return known;
}

Status MapStore::apply(const meta::Event& event, Loaded& loaded) {
  const std::string_view name = below_prefix(event.kv.key);
  if (event.removed) {
    remove(name, loaded);
    return {};
  }
  if (event.kv.key == kEpochKey) loaded.epoch_at = event.kv.mod_revision;
  return put(name, event.kv.value, loaded);
}

Task<Result<MapDraft>> MapStore::load() {
  CO_TRY(auto loaded, co_await load_newest());
  if (loaded.draft.map.epoch == 0) co_return co_await no_cluster();
  co_return std::move(loaded.draft);
}

Task<Error> MapStore::no_cluster() {
  meta::GetRequest one{{std::string(kMovedKey), {}}, 0, 0};
  const auto moved = co_await meta_.get(std::move(one));
  if (!moved) co_return moved.error();
  if (moved->kvs.empty()) {
    co_return Error(Errc::not_found,
                    "there is no cluster in this store; make one with --bootstrap");
  }
  co_return Error(Errc::not_found, "the map of this cluster was moved to " + moved->kvs[0].value +
                                       "; start the gateway with that, or move it back");
}

Task<Result<Epoch>> MapStore::epoch() {
  meta::GetRequest one{{std::string(kEpochKey), {}}, 0, 0};
  CO_TRY(const auto reply, co_await meta_.get(std::move(one)));
  if (reply.kvs.empty()) co_return Epoch{0};
  co_return epoch_of(reply.kvs.front().value);
}

Task<Result<MapDraft>> MapStore::change(Edit edit) {
  Lost lost;
  const auto failed = [&lost](Error why) { return lost.made.empty() ? std::move(why) : *lost.why; };
  for (int race = 0; race < kRacesMax; ++race) {
    auto loaded = co_await load_newest();
    if (!loaded) co_return failed(std::move(loaded).error());
    const meta::Revision base = loaded->epoch_at;
    if (!lost.made.empty() && lost.base != base) {
      auto happened = co_await find_happened(lost);
      if (!happened) co_return failed(std::move(happened).error());
      if (*happened) co_return **std::move(happened);
      lost.made.clear();
    }
    if (lost.count > kLostMax) co_return *lost.why;
    MapDraft next = loaded->draft;
    Status edited = edit(next);
    if (!edited) co_return failed(std::move(edited).error());
    meta::TxnRequest request;
    request.then = steps_between(loaded->draft, loaded->mapping_keys, next);
    if (request.then.empty()) co_return next;
    request.then.push_back(epoch_step(++next.map.epoch));
    request.compares.push_back({.key = std::string(kEpochKey), .number = base});
    const auto reply = co_await meta_.txn(std::move(request));
    if (reply && reply->succeeded) co_return next;
    if (reply) continue;
    if (!may_have_happened(reply.error())) co_return failed(reply.error());
    lost.base = base;
    ++lost.count;
    if (lost.made.empty()) lost.why = reply.error();
    lost.made.push_back(std::move(next));
  }
  co_return failed(Error(Errc::overloaded, "the cluster map changes too fast; try again"));
}

/// It has made the first epoch after that one; what is newest may be somebody else's.
Task<Result<std::optional<MapDraft>>> MapStore::find_happened(const Lost& lost) {
  meta::WatchRequest since{{std::string(kEpochKey), {}}, lost.base + 1, 0};
  CO_TRY(const auto history, co_await meta_.watch(std::move(since)));
  if (history.events.empty()) {
    co_return Error(Errc::unreachable, "the store does not know yet what has become of the epoch");
  }
  CO_TRY(const auto first, co_await load_all(history.events.front().kv.mod_revision));
  for (const MapDraft& made : lost.made) {
    if (made == first.draft) co_return std::optional(made);
  }
  co_return std::optional<MapDraft>();
}

Task<Status> MapStore::bootstrap(std::string uuid, auth::ClusterKey key) {
  MapDraft first;
  first.map.uuid = std::move(uuid);
  first.map.epoch = 1;
  meta::TxnRequest request;
  request.then.push_back(meta::put_step(std::string(kKeyProofKey), proof_of(key, first.map.uuid)));
  for (const std::string_view absent : {kEpochKey, kMovedKey}) {
    request.compares.push_back({.key = std::string(absent), .number = 0});
  }
  for (meta::Step& step : steps_between({}, {}, first)) request.then.push_back(std::move(step));
  request.then.push_back(meta::put_step(std::string(kMapPrefix) + "store", ""));
  request.then.push_back(epoch_step(first.map.epoch));
  CO_TRY(const auto reply, co_await meta_.txn(std::move(request)));
  static_cast<void>(reply);  // lost: there is a cluster already, which is as good
  co_return Status{};
}

Task<Status> MapStore::check_key(auth::ClusterKey key) {
  int lost = 0;
  for (int race = 0; race < kRacesMax; ++race) {
    CO_TRY(auto loaded, co_await load_all());
    if (loaded.draft.map.epoch == 0) co_return co_await no_cluster();
    const std::string proof = proof_of(key, loaded.draft.map.uuid);
    if (loaded.key_proof) {
      if (equal_constant_time(*loaded.key_proof, proof)) co_return Status{};
      co_return Error(
          Errc::permission_denied,
          "this store holds the map of a cluster with another key; give this gateway a "
          "copy of the first gateway's cluster.key, or a store of its own (etcd.prefix)");
    }
    meta::TxnRequest request;
    request.compares.push_back({.key = std::string(kKeyProofKey), .number = 0});
    request.compares.push_back({.key = std::string(kEpochKey), .number = loaded.epoch_at});
    request.then.push_back(meta::put_step(std::string(kKeyProofKey), proof));
    const auto reply = co_await meta_.txn(std::move(request));
    const bool may_be_there = reply || may_have_happened(reply.error());
    if (!may_be_there || (!reply && ++lost > kLostMax)) co_return reply.error();
  }
  co_return Error(Errc::overloaded, "the cluster map changes too fast; try again");
}

Task<Result<std::map<std::string, wire::AliveRecord>>> MapStore::alive() {
  meta::GetRequest all{meta::prefix_range(std::string(kAlivePrefix)), 0, 0};
  CO_TRY(const auto reply, co_await meta_.get(std::move(all)));
  std::map<std::string, wire::AliveRecord> nodes;
  for (const auto& kv : reply.kvs) {
    // Earlier releases wrote the incarnation as text: it lives, more is not known.
    auto record = wire::decode<wire::AliveRecord>(kv.value);
    nodes[kv.key.substr(kAlivePrefix.size())] = record ? *record : wire::AliveRecord{};
  }
  co_return nodes;
}

meta::Step ceiling_step(const std::string& node, std::uint64_t ceiling) {
  return meta::put_step(std::string(kCeilingPrefix) + node, std::to_string(ceiling));
}

Task<Result<std::uint64_t>> MapStore::ceiling_of(std::string node) {
  meta::GetRequest one{{std::string(kCeilingPrefix) + node, ""}, 0, 0};
  CO_TRY(const auto reply, co_await meta_.get(std::move(one)));
  co_return reply.kvs.empty() ? 0 : parse_u64(reply.kvs.front().value).value_or(0);
}

}  // namespace aisfs::control
