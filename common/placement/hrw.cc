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

std::vector<std::size_t> heaviest(const std::vector<std::uint64_t>& node_digests,
                                  std::uint64_t key_digest,
                                  std::size_t count) {
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  for (std::size_t i = 0; i < node_digests.size(); ++i) {
    order.emplace_back(weight(node_digests[i], key_digest), i);
  }
  std::sort(order.begin(), order.end(), std::greater<>());
  std::vector<std::size_t> first;
  for (const auto& [_, index] : order) {
    if (first.size() < count) first.push_back(index);
  }
  return first;
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

namespace {

struct Candidate {
  std::uint64_t weight;
  std::string_view id, host;
};

/// Moves the first `count` that hold the name to the front.
void pick_holders(std::vector<Candidate>& candidates, std::size_t count) {
  // Of equal weights the later id wins, as in AIStore.
  const auto order = [](const Candidate& a, const Candidate& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.id > b.id;
  };
  std::sort(candidates.begin(), candidates.end(), order);
  std::size_t picked = 0;
  const auto has_host = [&](std::string_view host) {
    return !host.empty() &&
           std::any_of(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(picked),
                       [&](const Candidate& c) { return c.host == host; });
  };
  for (std::size_t i = 0; i < candidates.size() && picked < count; ++i) {
    if (has_host(candidates[i].host)) continue;
    const auto from = candidates.begin() + static_cast<std::ptrdiff_t>(i);
    std::rotate(candidates.begin() + static_cast<std::ptrdiff_t>(picked), from, from + 1);
    ++picked;
  }
}

std::vector<std::string> ids_of(const std::vector<Candidate>& candidates, std::size_t count) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < std::min(count, candidates.size()); ++i) {
    ids.emplace_back(candidates[i].id);
  }
  return ids;
}

bool contains(const std::vector<std::string>& ids, std::string_view id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

/// All that held a name of the key in a past set, in their order.
std::vector<Candidate> past_order(const ClusterMap& map, const PastTargets& past, std::uint64_t key) {
  std::vector<Candidate> candidates;
  for (const std::string& id : past.targets) {
    const auto host = map.placement.hosts.find(id);
    const bool known = host != map.placement.hosts.end();
    candidates.push_back({weight(digest(id), key), id, known ? host->second : std::string_view()});
  }
  return candidates;
}

}  // namespace

std::vector<std::string> holder_ids(const ClusterMap& map,
                                    const ObjectName& name,
                                    std::size_t count) {
  const std::uint64_t key = placement_digest(name);
  std::vector<Candidate> candidates;
  for (const NodeInfo* target : map.active_targets()) {
    candidates.push_back({weight(digest(target->id), key), target->id, target->host_id});
  }
  pick_holders(candidates, count);
  return ids_of(candidates, count);
}

std::vector<const NodeInfo*> holders_of(const ClusterMap& map,
                                        const ObjectName& name,
                                        std::size_t count) {
  std::vector<const NodeInfo*> holders;
  for (const std::string& id : holder_ids(map, name, count)) holders.push_back(map.find_node(id));
  return holders;
}

PastHolders past_holders(const ClusterMap& map,
                         const Bucket& bucket,
                         const ObjectName& name,
                         std::string_view self) {
  PastHolders found;
  if (map.placement.past.empty()) return found;
  const std::uint64_t key = placement_digest(name);
  const std::size_t least = map.least_copies(bucket), most = map.most_copies(bucket);
  for (const PastTargets& past : map.placement.past) {
    if (past.until <= epoch_of(bucket.id)) continue;
    std::vector<Candidate> order = past_order(map, past, key);
    pick_holders(order, most);
    std::vector<std::string> all = ids_of(order, most);
    pick_holders(order, least);
    std::vector<std::string> set = ids_of(order, least);
    for (const std::string& gone : map.placement.lost) {
      std::erase(set, gone);
      std::erase(all, gone);
    }
    if (!set.empty() && !contains(set, self)) found.sets.push_back(std::move(set));
    found.others.insert(found.others.end(), all.begin(), all.end());
  }
  std::sort(found.sets.begin(), found.sets.end());
  found.sets.erase(std::unique(found.sets.begin(), found.sets.end()), found.sets.end());
  if (found.others.empty()) return found;
  std::erase(found.others, self);
  for (const NodeInfo* holder : holders_of(map, name, bucket.props.copies)) {
    std::erase(found.others, holder->id);
  }
  std::sort(found.others.begin(), found.others.end());
  found.others.erase(std::unique(found.others.begin(), found.others.end()), found.others.end());
  return found;
}

std::vector<std::string> may_hold(const ClusterMap& map,
                                  const ObjectName& name,
                                  std::size_t count) {
  std::vector<std::string> ids = holder_ids(map, name, count);
  const std::uint64_t key = placement_digest(name);
  for (const PastTargets& past : map.placement.past) {
    std::vector<Candidate> order = past_order(map, past, key);
    pick_holders(order, count);
    for (std::string& id : ids_of(order, count)) {
      if (!contains(ids, id) && !contains(map.placement.lost, id)) ids.push_back(std::move(id));
    }
  }
  return ids;
}

std::vector<std::string> needed_for_all(const ClusterMap& map, const Bucket& bucket) {
  std::vector<std::string> needed;
  for (const PastTargets& past : map.placement.past) {
    if (past.until <= epoch_of(bucket.id)) continue;
    std::vector<std::string> silent;
    std::size_t lost = 0;  // what these held together with a silent one, that one alone has
    for (const std::string& id : past.targets) {
      const NodeInfo* node = map.find_node(id);
      const bool answers = node != nullptr && node->state != NodeState::kAway &&
                           node->state != NodeState::kJoining;
      if (answers) continue;
      contains(map.placement.lost, id) ? void(++lost) : silent.push_back(id);
    }
    if (silent.size() + lost < std::min<std::size_t>(map.least_copies(bucket), past.targets.size())) {
      continue;
    }
    needed.insert(needed.end(), silent.begin(), silent.end());
  }
  std::sort(needed.begin(), needed.end());
  needed.erase(std::unique(needed.begin(), needed.end()), needed.end());
  return needed;
}

}  // namespace aisfs::placement
