// SPDX-License-Identifier: MIT
#include "common/wire/map_delta.h"

#include <functional>
#include <random>

#include "common/wire/envelope.h"
#include "tests/kit/golden.h"

namespace aisfs::wire {
namespace {

Bucket bucket_of(const std::string& name, std::uint64_t id) {
  Bucket bucket{.id = BucketId{id}, .name = native_bucket(name), .owner = "alice"};
  bucket.props.s3 = {{"location", "here"}};
  bucket.props.erasure = {.data = 4, .parity = 2};
  return bucket;
}

ClusterMap base_map() {
  ClusterMap map;
  map.uuid = "cluster";
  map.epoch = 7;
  for (const char* id : {"g1", "t1", "t2"}) map.nodes[id] = {.id = id, .host_id = "host"};
  for (const char* name : {"a", "b", "c"}) {
    map.buckets[native_bucket(name).uname()] = bucket_of(name, static_cast<std::uint64_t>(name[0]));
  }
  map.users["alice"] = {.id = "alice", .admin = true, .keys = {{"AK", "sealed"}}};
  map.mappings = {{BucketId{97}, "n/", "o/"}, {BucketId{97}, "p/", "q/"}};
  map.store_node = "g1";
  map.placement.since = 5;
  return map;
}

using Edit = std::function<void(ClusterMap&)>;

ClusterMap changed(const ClusterMap& before, const Edit& edit) {
  ClusterMap after = before;
  edit(after);
  ++after.epoch;
  return after;
}

/// What a node that has `before` makes of the bytes that one with both sends.
Result<HashedMap> sent(const ClusterMap& before, const ClusterMap& after) {
  std::uint64_t entries = entries_hash(before);
  const std::string bytes = encode(delta_between(before, after, entries));
  EXPECT_EQ(entries, entries_hash(after));
  TRY(const MapDelta delta, decode<MapDelta>(bytes));
  return apply_delta(before, entries_hash(before), delta);
}

struct Change {
  const char* name;
  Edit edit;
};

class EveryKind : public ::testing::TestWithParam<Change> {};

TEST_P(EveryKind, LeadsToTheWholeMap) {
  const ClusterMap before = base_map();
  const ClusterMap after = changed(before, GetParam().edit);
  const auto made = sent(before, after);
  ASSERT_TRUE(made.ok()) << made.error().what();
  EXPECT_EQ(made->map, after);
  EXPECT_EQ(encode(made->map), encode(after));
  EXPECT_EQ(made->entries, entries_hash(after));
  EXPECT_EQ(before, base_map());
}

INSTANTIATE_TEST_SUITE_P(
    MapDelta,
    EveryKind,
    ::testing::Values(
        Change{"NodeJoins", [](ClusterMap& m) { m.nodes["t3"] = {.id = "t3"}; }},
        Change{"NodeChanges", [](ClusterMap& m) { m.nodes["t2"].state = NodeState::kAway; }},
        Change{"NodeLeaves", [](ClusterMap& m) { m.nodes.erase("t1"); }},
        Change{"BucketIsMade", [](ClusterMap& m) { m.buckets["x"] = bucket_of("x", 9); }},
        Change{"BucketChanges",
               [](ClusterMap& m) { m.buckets.at(native_bucket("b").uname()).props.copies = 3; }},
        Change{"BucketOfLaterFields",
               [](ClusterMap& m) {
                 BucketProps& props = m.buckets.at(native_bucket("b").uname()).props;
                 props.s3["tagging"] = "x=y";
                 props.erasure.data = 8;
                 props.disk_copies = 3;
               }},
        Change{"BucketGoes", [](ClusterMap& m) { m.buckets.erase(native_bucket("c").uname()); }},
        Change{"BucketIsMadeAnew",
               [](ClusterMap& m) { m.buckets[native_bucket("a").uname()] = bucket_of("a", 77); }},
        Change{"UserComes", [](ClusterMap& m) { m.users["bob"] = {.id = "bob"}; }},
        Change{"UserChanges", [](ClusterMap& m) { m.users["alice"].keys["AK"] = "other"; }},
        Change{"UserGoes", [](ClusterMap& m) { m.users.erase("alice"); }},
        Change{"MappingComes",
               [](ClusterMap& m) { m.mappings.push_back({BucketId{98}, "r/", "s/"}); }},
        Change{"MappingGoes", [](ClusterMap& m) { m.mappings.erase(m.mappings.begin()); }},
        Change{"MappingsAreOthers", [](ClusterMap& m) { std::swap(m.mappings[0], m.mappings[1]); }},
        Change{"MappingsAllGo", [](ClusterMap& m) { m.mappings.clear(); }},
        Change{"StoreMoves", [](ClusterMap& m) { m.store_node = ""; }},
        Change{"PlacementChanges",
               [](ClusterMap& m) {
                 m.placement.next = {{"t2", NodeState::kMaintenance}};
                 m.placement.held = true;
                 m.placement.past = {{6, {"t1", "t2"}}};
                 m.placement.copies = {{BucketId{97}, {1, 2}}};
                 m.placement.hosts = {{"t1", "host"}};
                 m.placement.lost = {"t0"};
               }},
        Change{"NothingButTheEpoch", [](ClusterMap&) {}},
        Change{"AllAtOnce",
               [](ClusterMap& m) {
                 m.nodes.erase("t1");
                 m.nodes["t0"] = {.id = "t0"};
                 m.buckets.clear();
                 m.buckets["y"] = bucket_of("y", 3);
                 m.users.clear();
                 m.mappings = {{BucketId{3}, "u/", "v/"}};
                 m.placement.since = 8;
               }}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(MapDelta, ChangesOfAnotherEpochOrClusterAreRefused) {
  const ClusterMap before = base_map();
  const ClusterMap after = changed(before, [](ClusterMap& m) { m.nodes.erase("t1"); });
  std::uint64_t entries = entries_hash(before);
  const MapDelta delta = delta_between(before, after, entries);
  ClusterMap other = before;
  other.epoch = 6;
  EXPECT_EQ(apply_delta(other, entries_hash(other), delta).error().code(), Errc::stale_map);
  EXPECT_EQ(apply_delta(after, entries_hash(after), delta).error().code(), Errc::stale_map);
  other = before;
  other.uuid = "other";
  EXPECT_EQ(apply_delta(other, entries_hash(other), delta).error().code(), Errc::stale_map);
}

/// Two nodes that do not agree on what the map of an epoch is.
TEST(MapDelta, WhoHasAnotherMapOfTheEpochIsTold) {
  const ClusterMap before = base_map();
  const ClusterMap after = changed(before, [](ClusterMap& m) { m.nodes.erase("t1"); });
  std::uint64_t entries = entries_hash(before);
  const MapDelta delta = delta_between(before, after, entries);
  const std::vector<Edit> edits = {
      [](ClusterMap& m) { m.nodes["t2"].incarnation = 5; },
      [](ClusterMap& m) { m.buckets.at(native_bucket("a").uname()).props.erasure.parity = 1; },
      [](ClusterMap& m) { m.buckets.at(native_bucket("a").uname()).props.disk_copies = 2; },
      [](ClusterMap& m) { m.buckets.erase(native_bucket("b").uname()); },
      [](ClusterMap& m) { m.users["eve"] = {.id = "eve"}; },
      [](ClusterMap& m) { m.mappings[0].logical = "z/"; },
      [](ClusterMap& m) { m.placement.lost = {"t9"}; },
      [](ClusterMap& m) { m.store_node = "g2"; },
  };
  for (const Edit& edit : edits) {
    ClusterMap other = before;
    edit(other);
    EXPECT_EQ(apply_delta(other, entries_hash(other), delta).error().code(), Errc::corrupt);
  }
}

TEST(MapDelta, AMappingThatIsNotThereCannotGo) {
  const ClusterMap before = base_map();
  std::uint64_t entries = entries_hash(before);
  MapDelta delta = delta_between(before, changed(before, [](ClusterMap&) {}), entries);
  delta.gone_mappings = {2};
  EXPECT_EQ(apply_delta(before, entries, delta).error().code(), Errc::corrupt);
}

class RandomMap {
 public:
  explicit RandomMap(unsigned seed) : random_(seed) {}

  void change(ClusterMap& map) {
    for (auto edits = random_() % 4; edits > 0; --edits) change_one(map);
    ++map.epoch;
  }

 private:
  std::string some(const char* kind) { return kind + std::to_string(random_() % 150); }

  void change_one(ClusterMap& map) {
    const std::string node = some("t"), bucket = some("b"), user = some("u");
    switch (random_() % 9) {
      case 0:
        map.nodes[node] = {.id = node, .incarnation = static_cast<std::uint32_t>(random_() % 3)};
        break;
      case 1:
        map.nodes.erase(node);
        break;
      case 2:
        map.buckets[bucket] = bucket_of(bucket, random_() % 3);
        break;
      case 3:
        map.buckets.erase(bucket);
        break;
      case 4:
        map.users[user] = {.id = user, .display_name = some("n")};
        break;
      case 5:
        map.users.erase(user);
        break;
      case 6:
        map.mappings.push_back({BucketId{random_() % 9}, some("l") + "/", some("p") + "/"});
        break;
      case 7:
        if (!map.mappings.empty()) {
          map.mappings.erase(map.mappings.begin() +
                             static_cast<std::ptrdiff_t>(random_() % map.mappings.size()));
        }
        break;
      default:
        map.placement.since = map.epoch;
        map.placement.next[node] = NodeState::kAway;
    }
  }

  std::mt19937 random_;
};

TEST(MapDelta, AFollowerOfRandomChangesHasTheMap) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    RandomMap random(seed);
    ClusterMap map = base_map();
    HashedMap follower{map, entries_hash(map)};
    std::uint64_t entries = follower.entries;
    for (int i = 0; i < 300; ++i) {
      ClusterMap next = map;
      // One that was loaded anew shares nothing with the one before.
      if (i % 7 == 0) next = *decode<ClusterMap>(encode(map));
      random.change(next);
      const std::string bytes = encode(delta_between(map, next, entries));
      auto made = apply_delta(follower.map, follower.entries, *decode<MapDelta>(bytes));
      ASSERT_TRUE(made.ok()) << "seed " << seed << ": " << made.error().what();
      follower = *std::move(made);
      map = std::move(next);
      ASSERT_EQ(follower.entries, entries);
    }
    EXPECT_EQ(follower.map, map) << "seed " << seed;
    EXPECT_EQ(entries, entries_hash(map)) << "seed " << seed;
  }
}

/// Of some of everything. The bucket that comes has so many copies on each target.
ClusterMap changed_all_over(const ClusterMap& before, std::uint32_t disk_copies) {
  return changed(before, [=](ClusterMap& m) {
    m.nodes["t3"] = {.id = "t3", .role = NodeRole::kAll, .public_net = {"127.0.0.1", 1}};
    m.nodes.erase("t1");
    m.buckets["x"] = bucket_of("x", 9);
    m.buckets["x"].props.disk_copies = disk_copies;
    m.buckets.erase(native_bucket("b").uname());
    m.users["bob"] = {.id = "bob"};
    m.users.erase("alice");
    m.mappings = {m.mappings[1], {BucketId{1}, "u/", "v/"}};
    m.store_node = "g2";
    m.placement.past = {{6, {"t1", "t2"}}};
    m.placement.hosts = {{"t1", "host"}};
  });
}

/// What it says of the buckets is not all that this release hashes, so the whole map is taken.
TEST(MapDelta, TheFirstVersionIsReadAndLeadsToAnotherMap) {
  const ClusterMap before = base_map();
  std::uint64_t entries = entries_hash(before);
  const MapDelta same = delta_between(before, changed_all_over(before, 1), entries);
  auto old = decode<MapDelta>(golden("map_delta.1", ""));
  ASSERT_TRUE(old.ok()) << old.error().what();
  EXPECT_EQ(apply_delta(before, entries_hash(before), *old).error().code(), Errc::corrupt);
  old->hash = same.hash;
  EXPECT_EQ(*old, same);
}

TEST(MapDelta, TheSecondVersionIsReadAndWritten) {
  const ClusterMap before = base_map();
  const ClusterMap after = changed_all_over(before, 2);
  std::uint64_t entries = entries_hash(before);
  const MapDelta delta = delta_between(before, after, entries);
  const std::string now = encode(delta);
  EXPECT_EQ(golden("map_delta.2", now), now);
  EXPECT_EQ(*decode<MapDelta>(now), delta);
}

}  // namespace
}  // namespace aisfs::wire
