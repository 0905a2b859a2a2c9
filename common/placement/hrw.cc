// SPDX-License-Identifier: MIT
#include "common/placement/hrw.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "common/base/hash.h"
#include "common/model/version_key.h"

namespace aisfs::placement {
namespace {

constexpr std::uint64_t kSeed = 1103515245;  // AIStore's cos.MLCG32
constexpr std::size_t kRsyncSuffix = 7;      // ".AbC123"

std::uint64_t splitmix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  return (z ^ (z >> 27)) * 0x94d049bb133111ebull;
}

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// The name that an rsync temporary will get, or the component itself.
std::string_view final_component(std::string_view component) {
  if (component.size() < kRsyncSuffix + 2 || component.front() != '.') return component;
  const auto suffix = component.substr(component.size() - kRsyncSuffix);
  if (suffix.front() != '.' || !std::all_of(suffix.begin() + 1, suffix.end(), is_alnum)) {
    return component;
  }
  return component.substr(1, component.size() - kRsyncSuffix - 1);
}

std::uint64_t weight(std::uint64_t node, std::uint64_t key) { return mix(node ^ key); }

}  // namespace

bool is_rsync_temporary(std::string_view component) {
  return final_component(component).size() != component.size();
}

std::uint64_t digest(std::string_view text) { return xxh64(as_bytes(text), kSeed); }

std::uint64_t mix(std::uint64_t seed) {
  std::uint64_t z = splitmix(seed + 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 31)) + 0x9e3779b97f4a7c15ull;
  z = splitmix(z);
  z = (z ^ (z >> 31)) * 5;
  return std::rotl(z, 7) * 9;
}

std::uint64_t placement_digest(const ObjectName& name) {
  std::string_view key = plain_key(name.key);
  if (key.size() > 1 && key.back() == '/') key.remove_suffix(1);
  const auto slash = key.rfind('/');
  const auto begin = slash == std::string_view::npos ? 0 : slash + 1;
  std::string hashed = name.bucket.uname();
  hashed.append(key.substr(0, begin)).append(final_component(key.substr(begin)));
  return digest(hashed);
}

std::size_t heaviest(const std::vector<std::uint64_t>& node_digests, std::uint64_t key_digest) {
  std::size_t best = 0;
  std::uint64_t best_weight = 0;
  for (std::size_t i = 0; i < node_digests.size(); ++i) {
    const std::uint64_t w = weight(node_digests[i], key_digest);
    if (w >= best_weight) {
      best = i;
      best_weight = w;
    }
  }
  return best;
}

namespace {

/// The heaviest of the nodes that take part. Without sorting the others: asked with every request.
template <class TakesPart>
const NodeInfo* heaviest_of(const ClusterMap& map, std::uint64_t key, TakesPart takes_part) {
  const NodeInfo* owner = nullptr;
  std::uint64_t most = 0;
  for (const auto& [id, node] : map.nodes) {
    if (!node.stores() || !takes_part(node)) continue;
    const std::uint64_t w = weight(digest(id), key);
    if (owner != nullptr && w < most) continue;  // of equal weights the later id wins
    owner = &node;
    most = w;
  }
  return owner;
}

const NodeInfo* owner_now(const ClusterMap& map, std::uint64_t key) {
  return heaviest_of(map, key,
                     [](const NodeInfo& node) { return node.state == NodeState::kActive; });
}

const NodeInfo* owner_next(const ClusterMap& map, std::uint64_t key) {
  return heaviest_of(map, key, [&map](const NodeInfo& node) {
    const auto next = map.placement.next.find(node.id);
    const NodeState state = next == map.placement.next.end() ? node.state : next->second;
    return state == NodeState::kActive;
  });
}

}  // namespace

const NodeInfo* owner_of(const ClusterMap& map, const ObjectName& name) {
  const std::uint64_t key = placement_digest(name);
  const NodeInfo* owner = owner_now(map, key);
  if (!map.placement.held || owner == owner_next(map, key)) return owner;
  return nullptr;
}

bool is_handed_over(const ClusterMap& map, const ObjectName& name) {
  if (!map.placement.held) return false;
  const std::uint64_t key = placement_digest(name);
  return owner_now(map, key) != owner_next(map, key);
}

std::vector<std::vector<std::string>> past_holders(const ClusterMap& map,
                                                   BucketId bucket,
                                                   const ObjectName& name,
                                                   std::size_t copies,
                                                   std::string_view self) {
  std::vector<std::vector<std::string>> sets;
  if (map.placement.past.empty()) return sets;
  const std::uint64_t key = placement_digest(name);
  for (const PastTargets& past : map.placement.past) {
    if (past.until <= epoch_of(bucket)) continue;
    std::vector<std::pair<std::uint64_t, std::string_view>> weighted;
    for (const std::string& id : past.targets) weighted.emplace_back(weight(digest(id), key), id);
    const std::size_t count = std::min(copies, weighted.size());
    const auto end = weighted.begin() + static_cast<std::ptrdiff_t>(count);
    std::partial_sort(weighted.begin(), end, weighted.end(), std::greater<>());
    std::vector<std::string> holders;
    for (auto it = weighted.begin(); it != end; ++it) holders.emplace_back(it->second);
    const bool held = std::find(holders.begin(), holders.end(), self) != holders.end();
    if (!held && !holders.empty()) sets.push_back(std::move(holders));
  }
  std::sort(sets.begin(), sets.end());
  sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
  return sets;
}

std::vector<const NodeInfo*> holders_of(const ClusterMap& map,
                                        const ObjectName& name,
                                        std::size_t count) {
  const std::uint64_t key = placement_digest(name);
  std::vector<std::pair<std::uint64_t, const NodeInfo*>> weighted;
  for (const NodeInfo* target : map.active_targets()) {
    weighted.emplace_back(weight(digest(target->id), key), target);
  }
  // Of equal weights the later id wins, as in AIStore.
  std::sort(weighted.begin(), weighted.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second->id > b.second->id;
  });
  std::vector<const NodeInfo*> holders;
  for (std::size_t i = 0; i < std::min(count, weighted.size()); ++i) {
    holders.push_back(weighted[i].second);
  }
  return holders;
}

}  // namespace aisfs::placement
