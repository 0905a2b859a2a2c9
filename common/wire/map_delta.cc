// SPDX-License-Identifier: MIT
#include "common/wire/map_delta.h"

#include <algorithm>

#include "common/base/hash.h"
#include "common/wire/envelope.h"

namespace aisfs::wire {
namespace {

enum Kind : std::uint64_t { kNodes = 1, kBuckets = 2, kUsers = 3, kRest = 4 };

/// Of entries of a kind; the buffer is used again and again.
class Hasher {
 public:
  std::uint64_t operator()(const std::pair<const std::string, NodeInfo>& entry) {
    return hash(kNodes, [&](Writer& ar) { ar(entry.first, entry.second); });
  }
  std::uint64_t operator()(const std::pair<const std::string, Bucket>& entry) {
    return hash(kBuckets, [&](Writer& ar) {
      ar(entry.first, entry.second);
      Bucket& bucket = const_cast<Bucket&>(entry.second);
      bucket.later(ar);
      bucket.latest(ar);
      bucket.newest(ar);
    });
  }
  std::uint64_t operator()(const std::pair<const std::string, User>& entry) {
    return hash(kUsers, [&](Writer& ar) { ar(entry.first, entry.second); });
  }
  std::uint64_t rest(const ClusterMap& map, std::uint64_t entries) {
    return hash(kRest, [&](Writer& ar) {
      ar(map.uuid, map.epoch, entries, map.mappings, map.store_node, map.placement);
      const_cast<Placement&>(map.placement).later(ar);
    });
  }

 private:
  template <class Write>
  std::uint64_t hash(Kind kind, Write write) {
    bytes_.clear();
    Writer ar(bytes_);
    write(ar);
    return xxh64(as_bytes(bytes_), kind);
  }

  std::string bytes_;
};

template <class V>
void compare(const SharedMap<V>& before,
             const SharedMap<V>& after,
             SharedMap<V>& changed,
             std::vector<std::string>& gone,
             std::uint64_t& entries) {
  Hasher hash;
  SharedMap<V>::differences(before, after, [&](const auto* old, const auto* now) {
    if (old != nullptr) entries -= hash(*old);
    if (now != nullptr) entries += hash(*now);
    if (now != nullptr) changed.insert_or_assign(now->first, now->second);
    if (now == nullptr) gone.push_back(old->first);
  });
}

template <class V>
void change(SharedMap<V>& map,
            const SharedMap<V>& changed,
            const std::vector<std::string>& gone,
            std::uint64_t& entries) {
  Hasher hash;
  const auto forget = [&](const std::string& key) {
    const auto old = std::as_const(map).find(key);
    if (old != std::as_const(map).end()) entries -= hash(*old);
  };
  for (const std::string& key : gone) {
    forget(key);
    map.erase(key);
  }
  for (const auto& entry : changed) {
    forget(entry.first);
    entries += hash(entry);
    map.insert_or_assign(entry.first, entry.second);
  }
}

/// Mappings go from anywhere and come at the end, as a rule; what breaks it is sent anew.
void compare_mappings(const std::vector<PrefixMapping>& before,
                      const std::vector<PrefixMapping>& after,
                      MapDelta& delta) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (kept < after.size() && before[i] == after[kept]) {
      ++kept;
    } else {
      delta.gone_mappings.push_back(static_cast<std::uint32_t>(i));
    }
  }
  delta.new_mappings.assign(after.begin() + static_cast<std::ptrdiff_t>(kept), after.end());
}

Status change_mappings(std::vector<PrefixMapping>& mappings, const MapDelta& delta) {
  std::vector<PrefixMapping> kept;
  auto gone = delta.gone_mappings.begin();
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    if (gone != delta.gone_mappings.end() && *gone == i) {
      ++gone;
    } else {
      kept.push_back(std::move(mappings[i]));
    }
  }
  if (gone != delta.gone_mappings.end()) {
    return Error(Errc::corrupt, "a change of the map takes out a mapping that is not there");
  }
  kept.insert(kept.end(), delta.new_mappings.begin(), delta.new_mappings.end());
  mappings = std::move(kept);
  return {};
}

}  // namespace

std::uint64_t entries_hash(const ClusterMap& map) {
  Hasher hash;
  std::uint64_t sum = 0;
  for (const auto& node : map.nodes) sum += hash(node);
  for (const auto& bucket : map.buckets) sum += hash(bucket);
  for (const auto& user : map.users) sum += hash(user);
  return sum;
}

std::uint64_t map_hash(const ClusterMap& map, std::uint64_t entries) {
  return Hasher().rest(map, entries);
}

MapDelta delta_between(const ClusterMap& before, const ClusterMap& after, std::uint64_t& entries) {
  MapDelta delta;
  delta.uuid = after.uuid;
  delta.base = before.epoch;
  delta.epoch = after.epoch;
  compare(before.nodes, after.nodes, delta.nodes, delta.gone_nodes, entries);
  compare(before.buckets, after.buckets, delta.buckets, delta.gone_buckets, entries);
  compare(before.users, after.users, delta.users, delta.gone_users, entries);
  compare_mappings(before.mappings, after.mappings, delta);
  if (before.store_node != after.store_node) delta.store_node = after.store_node;
  if (before.placement != after.placement) delta.placement = after.placement;
  delta.hash = map_hash(after, entries);
  return delta;
}

Result<HashedMap> apply_delta(const ClusterMap& before,
                              std::uint64_t entries,
                              const MapDelta& delta) {
  if (delta.uuid != before.uuid || delta.base != before.epoch) {
    return Error(Errc::stale_map, "a change of the map of epoch " + std::to_string(delta.base) +
                                      " is none of epoch " + std::to_string(before.epoch));
  }
  HashedMap after{before, entries};
  after.map.epoch = delta.epoch;
  change(after.map.nodes, delta.nodes, delta.gone_nodes, after.entries);
  change(after.map.buckets, delta.buckets, delta.gone_buckets, after.entries);
  change(after.map.users, delta.users, delta.gone_users, after.entries);
  if (!delta.gone_mappings.empty() || !delta.new_mappings.empty()) {
    CHECK_OK(change_mappings(after.map.mappings, delta));
  }
  if (delta.store_node) after.map.store_node = *delta.store_node;
  if (delta.placement) after.map.placement = *delta.placement;
  if (map_hash(after.map, after.entries) != delta.hash) {
    return Error(Errc::corrupt, "a change of the map to epoch " + std::to_string(delta.epoch) +
                                    " makes another map here than where it came from");
  }
  return after;
}

}  // namespace aisfs::wire
