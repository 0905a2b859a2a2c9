// SPDX-License-Identifier: MIT
#include "common/placement/prefix_map.h"

#include <algorithm>
#include <set>

namespace aisfs::placement {
namespace {

constexpr std::string_view kHidden = "%renamed-";

bool is_hidden(const PrefixMapping& m) { return m.physical.starts_with(kHidden); }

/// The hidden place itself, of a mapping to it or to a part of it.
std::string hidden_root(const PrefixMapping& m) {
  return m.physical.substr(0, m.physical.find('/') + 1);
}

/// The longest prefix of the name that is mapped; null when none is.
const std::string* rule_of(const ClusterMap& map, BucketId bucket, std::string_view key) {
  const std::string* best = nullptr;
  for (const PrefixMapping& m : map.mappings) {
    if (m.bucket != bucket || !key.starts_with(m.logical)) continue;
    if (best == nullptr || m.logical.size() > best->size()) best = &m.logical;
  }
  return best;
}

bool in_hidden_place(const ClusterMap& map, BucketId bucket, std::string_view key) {
  return std::any_of(map.mappings.begin(), map.mappings.end(), [&](const PrefixMapping& m) {
    return m.bucket == bucket && is_hidden(m) && key.starts_with(hidden_root(m));
  });
}

/// Of names that lie under themselves, in a place that is else another's.
bool is_own(const PrefixMapping& m, std::string_view place) {
  return m.logical == m.physical && m.logical == place;
}

/// Whether a rule of its own, below `above`, keeps the names at a place away from it.
bool is_shielded(const ClusterMap& map,
                 BucketId bucket,
                 std::string_view place,
                 std::string_view above) {
  return std::any_of(map.mappings.begin(), map.mappings.end(), [&](const PrefixMapping& m) {
    return m.bucket == bucket && m.logical.size() > above.size() && place.starts_with(m.logical);
  });
}

/// What lies there, or in a part of it, belongs to somebody else until it has been moved away.
bool is_taken(const ClusterMap& map, BucketId bucket, std::string_view place) {
  return std::any_of(map.mappings.begin(), map.mappings.end(), [&](const PrefixMapping& m) {
    if (m.bucket != bucket || is_own(m, place)) return false;
    return place.starts_with(m.physical) ||
           (m.physical.starts_with(place) && !is_shielded(map, bucket, m.physical, place));
  });
}

std::vector<std::string> regions_of(const Places& places) {
  std::vector<std::string> regions = places.sources;
  if (!places.home.empty()) regions.push_back(places.home);
  return regions;
}

/// The first name behind all with this prefix, which ends in '/'.
std::string behind(std::string prefix) {
  prefix.back() = '/' + 1;
  return prefix;
}

/// Of all rules at or below `from` and `to`, what is behind those; "" for themselves.
std::set<std::string> tails_of(const ClusterMap& map,
                               BucketId bucket,
                               const std::string& from,
                               const std::string& to) {
  std::set<std::string> tails{""};
  for (const PrefixMapping& m : map.mappings) {
    if (m.bucket != bucket) continue;
    if (m.logical.starts_with(from)) tails.insert(m.logical.substr(from.size()));
    if (m.logical.starts_with(to)) tails.insert(m.logical.substr(to.size()));
  }
  return tails;
}

}  // namespace

bool has_mappings(const ClusterMap& map, BucketId bucket) {
  return std::any_of(map.mappings.begin(), map.mappings.end(),
                     [&](const PrefixMapping& m) { return m.bucket == bucket; });
}

bool is_plain(const ClusterMap& map, BucketId bucket, std::string_view prefix) {
  const auto meet = [&](std::string_view other) {
    return prefix.starts_with(other) || other.starts_with(prefix);
  };
  return std::none_of(map.mappings.begin(), map.mappings.end(), [&](const PrefixMapping& m) {
    return m.bucket == bucket && (meet(m.logical) || (is_hidden(m) && meet(hidden_root(m))));
  });
}

Places places_of(const ClusterMap& map, BucketId bucket, std::string_view key) {
  Places places;
  const std::string* rule = rule_of(map, bucket, key);
  if (rule == nullptr) {
    if (!in_hidden_place(map, bucket, key)) places.home = key;
    return places;
  }
  const std::string_view tail = key.substr(rule->size());
  for (const PrefixMapping& m : map.mappings) {
    if (m.bucket == bucket && m.logical == *rule) {
      places.sources.push_back(m.physical + std::string(tail));
    }
  }
  if (is_taken(map, bucket, *rule)) {  // the last one is the home until its own place is free
    places.home = std::move(places.sources.back());
    places.sources.pop_back();
  } else {
    places.home = key;
  }
  return places;
}

ObjectName home_of(const ClusterMap& map, ObjectName name) {
  if (map.mappings.empty()) return name;
  const Bucket* bucket = map.find_bucket(name.bucket);
  if (bucket != nullptr) name.key = places_of(map, bucket->id, name.key).home;
  return name;
}

const PrefixMapping* mapping_at(const ClusterMap& map, BucketId bucket, std::string_view place) {
  const PrefixMapping* best = nullptr;
  for (const PrefixMapping& m : map.mappings) {
    if (m.bucket != bucket || !place.starts_with(m.physical)) continue;
    if (best == nullptr || m.physical.size() > best->physical.size()) best = &m;
  }
  return best;
}

Interval interval_at(const ClusterMap& map, BucketId bucket, std::string_view from) {
  Interval interval;
  const auto ends_before = [&](std::string border) {
    if (border > from && (interval.end.empty() || border < interval.end)) {
      interval.end = std::move(border);
    }
  };
  const std::string* rule = rule_of(map, bucket, from);
  for (const PrefixMapping& m : map.mappings) {
    if (m.bucket != bucket) continue;
    ends_before(m.logical);
    if (!is_hidden(m)) continue;
    ends_before(hidden_root(m));
    if (rule == nullptr && from.starts_with(hidden_root(m))) interval.prefix = hidden_root(m);
  }
  if (rule != nullptr) interval.prefix = *rule;
  if (interval.prefix.empty()) {
    interval.regions.emplace_back();
    return interval;
  }
  ends_before(behind(interval.prefix));
  if (rule != nullptr) interval.regions = regions_of(places_of(map, bucket, *rule));
  return interval;
}

std::string hidden_prefix(std::string_view id) {
  return std::string(kHidden) + std::string(id) + "/";
}

Status rename_prefix(ClusterMap& map,
                     BucketId bucket,
                     const std::string& from,
                     const std::string& to,
                     const std::string& hidden) {
  std::vector<PrefixMapping> added;
  for (const std::string& tail : tails_of(map, bucket, from, to)) {
    const std::string logical = to + tail;
    for (std::string& region : regions_of(places_of(map, bucket, from + tail))) {
      added.push_back({bucket, logical, std::move(region)});
    }
    std::string home = places_of(map, bucket, logical).home;
    if (home != logical) added.push_back({bucket, logical, std::move(home)});
  }
  added.push_back({bucket, from, hidden});
  auto kept = map.mappings;
  std::erase_if(kept, [&](const PrefixMapping& m) {
    return m.bucket == bucket && (m.logical.starts_with(from) || m.logical.starts_with(to));
  });
  if (kept.size() + added.size() > kMappingsMax) {
    return Error(Errc::overloaded, "too many renamed directories are still being rewritten");
  }
  std::move(added.begin(), added.end(), std::back_inserter(kept));
  map.mappings = std::move(kept);
  // Renamed back to where they lie: no mapping, unless the place around it is another's.
  std::vector<PrefixMapping> idle;
  for (const PrefixMapping& m : map.mappings) {
    if (m.bucket == bucket && is_own(m, m.logical) && !is_taken(map, bucket, m.logical)) {
      idle.push_back(m);
    }
  }
  for (const PrefixMapping& m : idle) std::erase(map.mappings, m);
  return {};
}

bool end_mapping(ClusterMap& map, const PrefixMapping& mapping) {
  const auto it = std::find(map.mappings.begin(), map.mappings.end(), mapping);
  if (it == map.mappings.end()) return true;
  const std::string home = places_of(map, mapping.bucket, mapping.logical).home;
  const bool own = is_own(mapping, mapping.logical);
  if (own ? home != mapping.physical : home == mapping.physical) return false;
  ClusterMap next = map;
  next.mappings.erase(next.mappings.begin() + (it - map.mappings.begin()));
  const std::string* rule = rule_of(next, mapping.bucket, mapping.logical);
  if (rule == nullptr || *rule != mapping.logical) {
    // Its names would be looked for where the prefix above it lies: they must be there, and nobody
    // else's.
    const Places above = places_of(next, mapping.bucket, mapping.logical);
    if (above.home != home) return false;
    for (const std::string& region : regions_of(above)) {
      for (const PrefixMapping& m : next.mappings) {
        if (m.bucket != mapping.bucket || !m.physical.starts_with(region)) continue;
        const std::string name = mapping.logical + m.physical.substr(region.size());
        if (!is_shielded(next, mapping.bucket, name, mapping.logical)) return false;
      }
    }
  }
  map.mappings = std::move(next.mappings);
  return true;
}

}  // namespace aisfs::placement
