// SPDX-License-Identifier: MIT
#include "tests/fault/cluster/final_look.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <thread>

#include "common/placement/hrw.h"

namespace aisfs::tests::storm {
namespace {

using history::Outcome;

constexpr Duration kConvergedAfter = std::chrono::seconds(120);
constexpr Duration kReadable = std::chrono::seconds(30);
// What a client has given up a node may still be doing for so long.
constexpr Duration kQuietAfter = std::chrono::seconds(45);
constexpr auto kLook = std::chrono::seconds(1);

std::string describe(const ClusterMap& map) {
  std::string text = "epoch " + std::to_string(map.epoch) + ", placement of " +
                     std::to_string(map.placement.since) + ", " +
                     std::to_string(map.placement.past.size()) + " past sets, " +
                     std::to_string(map.placement.next.size()) + " next states";
  for (const auto& [id, node] : map.nodes) {
    text += ", " + id + " " + std::to_string(static_cast<int>(node.state));
  }
  return text;
}

bool is_settled(const ClusterMap& map) {
  if (!map.placement.settled()) return false;
  for (const auto& [_, node] : map.nodes) {
    if (node.state == NodeState::kAway || node.state == NodeState::kJoining) return false;
  }
  return true;
}

std::string wait_until_settled(Doors& doors) {
  const Deadline deadline = Deadline::after(kConvergedAfter);
  MapSnapshot map = doors.straight().current();
  while (!is_settled(*map)) {
    auto next = doors.run(doors.straight().at_least(map->epoch + 1, deadline));
    if (!next) return "names are not at home after 120 s: " + describe(*map);
    map = *std::move(next);
  }
  return {};
}

/// The names that can be read; a line in `wrong` for one of which nobody says whether it is there.
std::set<std::string> read_all_keys(Client& client,
                                    Doors& doors,
                                    std::size_t keys,
                                    std::vector<std::string>& wrong) {
  std::set<std::string> there;
  for (std::size_t i = 0; i < keys; ++i) {
    const std::string key = key_name(i);
    const auto reply = client.get(doors.straight(), key, kReadable);
    if (reply.outcome == Outcome::kOk) there.insert(key);
    if (reply.outcome == Outcome::kFailed) wrong.push_back("at the end nobody answers for " + key);
  }
  return there;
}

std::vector<std::string> all_of(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::vector<std::string> differ;
  std::ranges::set_symmetric_difference(a, b, std::back_inserter(differ));
  return differ;
}

std::string compare_with_list(Client& client, Doors& doors, const std::set<std::string>& there) {
  const auto listed = client.list(doors.straight(), "", 1000, kReadable);
  if (!listed) return "at the end nobody lists";
  const std::set<std::string> names(listed->begin(), listed->end());
  if (names.size() != listed->size()) return "at the end a name is listed twice";
  const auto differ = all_of(names, there);
  if (differ.empty()) return {};
  return "at the end LIST has " + std::to_string(names.size()) + " names and GET " +
         std::to_string(there.size()) + ", among them " + differ.front();
}

/// Each target's disks have the names that it holds, and nothing else.
std::string compare_with_stores(Doors& doors,
                                const BucketName& bucket,
                                const std::set<std::string>& there) {
  const MapSnapshot map = doors.straight().current();
  const std::uint32_t copies = map->find_bucket(bucket)->props.copies;
  std::set<std::string> expected, found;  // "NAME on TARGET"
  for (const std::string& key : there) {
    for (const NodeInfo* holder : placement::holders_of(*map, {bucket, key}, copies)) {
      expected.insert(key + " on " + holder->id);
    }
  }
  for (const auto& [id, node] : map->nodes) {
    if (!node.stores() || node.state == NodeState::kAway) continue;
    RemoteNode disks = doors.alone(node);
    ListOptions all{.limit = 10'000};
    const auto page = doors.run(disks.list(User::within(kReadable), bucket, std::move(all)));
    if (!page) return "the disks of " + id + " cannot be listed: " + page.error().what();
    for (const ListEntry& entry : page->entries) found.insert(entry.key + " on " + id);
  }
  const auto differ = all_of(found, expected);
  if (differ.empty()) return {};
  return std::to_string(differ.size()) + " names lie where they should not, or do not where they " +
         "should, among them " + differ.front();
}

}  // namespace

std::vector<std::string> look_at_the_end(Ledger& ledger, Doors& doors) {
  std::vector<std::string> wrong;
  if (auto why = wait_until_settled(doors); !why.empty()) wrong.push_back(std::move(why));
  Client client(ledger, doors, kLookingClient, 0);
  const Deadline quiet = Deadline::after(kQuietAfter);
  for (;;) {
    std::vector<std::string> now;
    const auto there = read_all_keys(client, doors, ledger.keys(), now);
    if (auto why = compare_with_list(client, doors, there); !why.empty()) now.push_back(why);
    if (auto why = compare_with_stores(doors, ledger.bucket(), there); !why.empty())
      now.push_back(why);
    if (now.empty()) return wrong;
    if (quiet.expired()) {
      wrong.insert(wrong.end(), now.begin(), now.end());
      return wrong;
    }
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace aisfs::tests::storm
