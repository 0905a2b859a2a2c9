// SPDX-License-Identifier: MIT
#include "common/model/cluster_map.h"

#include <algorithm>
#include <set>

#include "common/base/text.h"

namespace aisfs {

std::string Endpoint::to_string() const {
  const bool v6 = host.find(':') != host.npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const std::string shown(text);
  if (text.starts_with("http://")) text.remove_prefix(7);
  while (text.ends_with('/')) text.remove_suffix(1);
  const auto colon = text.rfind(':');
  if (colon != text.npos && colon > 0) {
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const auto port = parse_u64(text.substr(colon + 1));
    const bool named = !host.empty() && host.find('/') == host.npos;
    if (named && port && *port > 0 && *port <= 65535) {
      return Endpoint{std::string(host), static_cast<std::uint16_t>(*port)};
    }
  }
  return Error(Errc::invalid_argument, "not an address of the form host:port: " + shown);
}

bool Placement::has_past(const std::string& target) const {
  return std::any_of(past.begin(), past.end(), [&](const PastTargets& set) {
    return std::find(set.targets.begin(), set.targets.end(), target) != set.targets.end();
  });
}

const Bucket* ClusterMap::find_bucket(const BucketName& name) const {
  const auto it = buckets.find(name.uname());
  return it == buckets.end() ? nullptr : &it->second;
}

const Bucket* ClusterMap::find_bucket(BucketId id) const {
  for (const auto& [_, bucket] : buckets) {
    if (bucket.id == id) return &bucket;
  }
  return nullptr;
}

const NodeInfo* ClusterMap::find_node(const std::string& id) const {
  const auto it = nodes.find(id);
  return it == nodes.end() ? nullptr : &it->second;
}

std::uint32_t ClusterMap::least_copies(const Bucket& bucket) const {
  const auto past = placement.copies.find(bucket.id);
  const std::uint32_t now = bucket.props.copies;
  return past == placement.copies.end() ? now : std::min(now, past->second.least);
}

std::uint32_t ClusterMap::most_copies(const Bucket& bucket) const {
  const auto past = placement.copies.find(bucket.id);
  const std::uint32_t now = bucket.props.copies;
  return past == placement.copies.end() ? now : std::max(now, past->second.most);
}

std::vector<NodeInfo> ClusterMap::gateways() const {
  std::vector<NodeInfo> found;
  for (const auto& [id, node] : nodes) {
    if (node.governs()) found.insert(id == store_node ? found.begin() : found.end(), node);
  }
  return found;
}

std::vector<const NodeInfo*> ClusterMap::active_targets() const {
  std::vector<const NodeInfo*> targets;
  for (const auto& [_, node] : nodes) {
    if (node.stores() && node.state == NodeState::kActive) targets.push_back(&node);
  }
  return targets;
}

std::vector<const NodeInfo*> ClusterMap::holding_targets() const {
  std::set<std::string_view> past;
  for (const PastTargets& set : placement.past) past.insert(set.targets.begin(), set.targets.end());
  std::vector<const NodeInfo*> targets;
  for (const auto& [id, node] : nodes) {
    if (node.stores() && (node.state == NodeState::kActive || past.contains(id))) {
      targets.push_back(&node);
    }
  }
  return targets;
}

}  // namespace aisfs
