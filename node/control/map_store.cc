// SPDX-License-Identifier: MIT
#include "node/control/map_store.h"

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
  static constexpr std::uint16_t kVersion = 3, kCompat = 1;
  Bucket value;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(value);
    if (version >= 2) value.later(ar);
    if (version >= 3) value.latest(ar);
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

using Keys = std::map<std::string, std::string>;

const std::string kMappingsPrefix = key("mappings/");

/// Of the mappings as they are stored, in their order.
using MappingKeys = std::vector<std::string>;

MappingKeys mapping_keys_of(const std::map<std::string, meta::KeyValue>& kvs) {
  MappingKeys keys;
  for (auto it = kvs.lower_bound(kMappingsPrefix); it != kvs.end(); ++it) {
    if (!it->first.starts_with(kMappingsPrefix)) break;
    keys.push_back(it->first);
  }
  return keys;
}

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

Keys keys_of(const MapDraft& draft, const MappingKeys& mapping_keys) {
  Keys keys;
  keys[key("epoch")] = std::to_string(draft.map.epoch);
  keys[key("uuid")] = draft.map.uuid;
  keys[key("store")] = draft.map.store_node;
  if (draft.map.placement != Placement{}) {
    keys[key("placement")] = wire::encode(Boxed<Placement>{draft.map.placement});
  }
  for (const auto& [id, v] : draft.map.nodes) keys[key("nodes/", id)] = wire::encode(Boxed<NodeInfo>{v});
  for (const auto& [id, v] : draft.map.buckets) keys[key("buckets/", id)] = wire::encode(Boxed<Bucket>{v});
  for (const auto& [id, v] : draft.map.users) keys[key("users/", id)] = wire::encode(Boxed<User>{v});
  for (const auto& [id, v] : draft.records) keys[key("records/", id)] = wire::encode(v);
  for (std::size_t i = 0; i < draft.map.mappings.size(); ++i) {
    keys[mapping_keys[i]] = wire::encode(Boxed<PrefixMapping>{draft.map.mappings[i]});
  }
  return keys;
}

meta::TxnRequest steps_between(const Keys& before, const Keys& after) {
  meta::TxnRequest request;
  for (const auto& [name, value] : after) {
    const auto it = before.find(name);
    if (it == before.end() || it->second != value)
      request.then.push_back(meta::put_step(name, value));
  }
  for (const auto& [name, _] : before) {
    if (!after.contains(name)) request.then.push_back(meta::remove_step(name));
  }
  return request;
}

Status read_key(std::string_view name, const std::string& value, MapDraft& draft) {
  const auto slash = name.find('/');
  const std::string_view kind = name.substr(0, slash);
  const std::string id(slash == name.npos ? "" : name.substr(slash + 1));
  if (kind == "epoch") {
    const auto epoch = parse_u64(value);
    if (!epoch) return Error(Errc::corrupt, "meta store: the epoch is no number");
    draft.map.epoch = static_cast<Epoch>(*epoch);
  }
  if (kind == "uuid") draft.map.uuid = value;
  if (kind == "store") draft.map.store_node = value;
  if (kind == "placement") return unbox(value, draft.map.placement);
  if (kind == "nodes") return unbox(value, draft.map.nodes[id]);
  if (kind == "buckets") return unbox(value, draft.map.buckets[id]);
  if (kind == "users") return unbox(value, draft.map.users[id]);
  if (kind == "mappings") return unbox(value, draft.map.mappings.emplace_back());
  if (kind == "records") {
    TRY(draft.records[id], wire::decode<wire::NodeRecord>(value));
  }
  return {};
}

std::string proof_of(const auth::ClusterKey& key, const std::string& uuid) {
  return to_hex(as_bytes(hmac_sha256(key.join(), "cluster " + uuid)));
}

}  // namespace

Task<Result<MapStore::Loaded>> MapStore::load_all(meta::Revision at) {
  meta::GetRequest all{meta::prefix_range(std::string(kMapPrefix)), at, 0};
  CO_TRY(auto reply, co_await meta_.get(std::move(all)));
  Loaded loaded;
  for (auto& kv : reply.kvs) {
    CO_CHECK_OK(read_key(std::string_view(kv.key).substr(kMapPrefix.size()), kv.value, loaded.draft));
    std::string name = kv.key;
    loaded.kvs[std::move(name)] = std::move(kv);
  }
  co_return loaded;
}

Task<Result<MapDraft>> MapStore::load() {
  CO_TRY(auto loaded, co_await load_all());
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
  MapDraft draft;
  for (const auto& kv : reply.kvs) CO_CHECK_OK(read_key("epoch", kv.value, draft));
  co_return draft.map.epoch;
}

Task<Result<MapDraft>> MapStore::change(Edit edit) {
  Lost lost;
  const auto failed = [&lost](Error why) { return lost.made.empty() ? std::move(why) : *lost.why; };
  for (int race = 0; race < kRacesMax; ++race) {
    auto loaded = co_await load_all();
    if (!loaded) co_return failed(std::move(loaded).error());
    const meta::Revision base = loaded->kvs[std::string(kEpochKey)].mod_revision;
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
    const MappingKeys mapping_keys = mapping_keys_of(loaded->kvs);
    const MappingKeys next_keys = next_mapping_keys(loaded->draft.map, mapping_keys, next.map);
    const Keys before = keys_of(loaded->draft, mapping_keys);
    if (keys_of(next, next_keys) == before) co_return next;
    ++next.map.epoch;
    Keys after = keys_of(next, next_keys);
    meta::TxnRequest request = steps_between(before, after);
    request.compares.push_back({.key = std::string(kEpochKey), .number = base});
    const auto reply = co_await meta_.txn(std::move(request));
    if (reply && reply->succeeded) co_return next;
    if (reply) continue;
    if (!may_have_happened(reply.error())) co_return failed(reply.error());
    lost.base = base;
    ++lost.count;
    if (lost.made.empty()) lost.why = reply.error();
    lost.made.push_back({std::move(next), std::move(after)});
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
  const Keys keys = keys_of(first.draft, mapping_keys_of(first.kvs));
  for (const Lost::Made& made : lost.made) {
    if (made.keys == keys) co_return std::optional(made.draft);
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
  for (const auto& [name, value] : keys_of(first, {}))
    request.then.push_back(meta::put_step(name, value));
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
    const auto known = loaded.kvs.find(std::string(kKeyProofKey));
    if (known != loaded.kvs.end()) {
      if (equal_constant_time(known->second.value, proof)) co_return Status{};
      co_return Error(
          Errc::permission_denied,
          "this store holds the map of a cluster with another key; give this gateway a "
          "copy of the first gateway's cluster.key, or a store of its own (etcd.prefix)");
    }
    meta::TxnRequest request;
    request.compares.push_back({.key = std::string(kKeyProofKey), .number = 0});
    request.compares.push_back(
        {.key = std::string(kEpochKey), .number = loaded.kvs[std::string(kEpochKey)].mod_revision});
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
