// SPDX-License-Identifier: MIT
// The cluster map as it is stored and sent: what earlier releases wrote is read for ever.
#include "common/wire/envelope.h"
#include "node/control/map_store.h"
#include "tests/kit/golden.h"
#include "tests/unit/node/control/embedded_maker.h"

namespace aisfs::control {
namespace {

/// A value in every field that releases before the second version of the envelopes had.
Bucket first_bucket() {
  return {.id = BucketId{0x1122334455667788},
          .name = native_bucket("box"),
          .owner = "alice",
          .created_ns = 1'700'000'000'123'456'789,
          .props = {.copies = 1,
                    .write_level = Durability::kData,
                    .close_level = Durability::kFull,
                    .verify_read = VerifyRead::kAlways,
                    .versioning = Versioning::kSuspended,
                    .access = 0x0102030405060708,
                    .acl = "READ *",
                    .cors = "<CORSConfiguration/>"},
          .implied_dirs = true};
}

ClusterMap first_map() {
  ClusterMap map;
  map.uuid = "cluster";
  map.epoch = 7;
  map.nodes["t1"] = {.id = "t1",
                     .role = NodeRole::kAll,
                     .state = NodeState::kMaintenance,
                     .incarnation = 3,
                     .public_net = {"127.0.0.1", 1},
                     .s3_net = {"127.0.0.1", 2},
                     .control_net = {"::1", 3},
                     .data_net = {"::1", 4},
                     .host_id = "host"};
  map.buckets[native_bucket("box").uname()] = first_bucket();
  map.buckets[native_bucket("plain").uname()] = {.id = BucketId{9}, .name = native_bucket("plain")};
  map.users["alice"] = {
      .id = "alice", .display_name = "Alice", .admin = true, .keys = {{"AK", "sealed"}}};
  map.mappings = {{.bucket = BucketId{9}, .logical = "a/", .physical = "b/"}};
  map.store_node = "g1";
  return map;
}

/// With what came with the second version.
Bucket second_bucket() {
  Bucket bucket = first_bucket();
  bucket.props.s3 = {{"location", "here"}, {"tagging", "a=b"}};
  return bucket;
}

ClusterMap second_map() {
  ClusterMap map = first_map();
  map.buckets[native_bucket("box").uname()] = second_bucket();
  return map;
}

/// With what came with the third version.
ClusterMap third_map() {
  ClusterMap map = second_map();
  map.nodes["t2"] = {.id = "t2", .state = NodeState::kJoining};
  map.placement = {
      .since = 5, .next = {{"t2", NodeState::kActive}}, .held = true, .past = {{4, {"t0", "t1"}}}};
  return map;
}

/// With what came with the fourth version.
ClusterMap fourth_map() {
  ClusterMap map = third_map();
  map.placement.copies = {{BucketId{9}, {.least = 1, .most = 2}}};
  map.placement.hosts = {{"t0", "host"}, {"t1", "other"}};
  map.placement.lost = {"t0"};
  return map;
}

/// With what came with the fifth version.
Bucket third_bucket() {
  Bucket bucket = second_bucket();
  bucket.props.erasure = {.data = 4, .parity = 2, .later = true, .least_bytes = 1 << 20};
  return bucket;
}

ClusterMap fifth_map() {
  ClusterMap map = fourth_map();
  map.buckets[native_bucket("box").uname()] = third_bucket();
  return map;
}

/// With what came with the sixth version.
Bucket fourth_bucket() {
  Bucket bucket = third_bucket();
  bucket.props.disk_copies = 2;
  return bucket;
}

ClusterMap sixth_map() {
  ClusterMap map = fifth_map();
  map.buckets[native_bucket("box").uname()] = fourth_bucket();
  return map;
}

TEST(ClusterMapFormat, TheFirstVersionIsRead) {
  const auto map = wire::decode<ClusterMap>(golden("cluster_map.1", ""));
  ASSERT_TRUE(map.ok()) << map.error().what();
  EXPECT_EQ(*map, first_map());
}

TEST(ClusterMapFormat, TheSecondVersionIsRead) {
  const auto map = wire::decode<ClusterMap>(golden("cluster_map.2", ""));
  ASSERT_TRUE(map.ok()) << map.error().what();
  EXPECT_EQ(*map, second_map());
}

TEST(ClusterMapFormat, TheThirdVersionIsRead) {
  const auto map = wire::decode<ClusterMap>(golden("cluster_map.3", ""));
  ASSERT_TRUE(map.ok()) << map.error().what();
  EXPECT_EQ(*map, third_map());
}

TEST(ClusterMapFormat, TheFourthVersionIsRead) {
  const auto map = wire::decode<ClusterMap>(golden("cluster_map.4", ""));
  ASSERT_TRUE(map.ok()) << map.error().what();
  EXPECT_EQ(*map, fourth_map());
}

TEST(ClusterMapFormat, TheFifthVersionIsRead) {
  const auto map = wire::decode<ClusterMap>(golden("cluster_map.5", ""));
  ASSERT_TRUE(map.ok()) << map.error().what();
  EXPECT_EQ(*map, fifth_map());
}

TEST(ClusterMapFormat, TheSixthVersionIsReadAndWritten) {
  const std::string now = wire::encode(sixth_map());
  EXPECT_EQ(golden("cluster_map.6", now), now);
  EXPECT_EQ(*wire::decode<ClusterMap>(now), sixth_map());
}

/// As earlier releases read: what is behind their last field is not looked at.
TEST(ClusterMapFormat, EachVersionBeginsWithTheOneBefore) {
  const std::size_t header = wire::kEnvelopeHeaderBytes;
  const auto begins_with = [&](const std::string& now, const std::string& old) {
    ASSERT_GE(now.size(), old.size());
    EXPECT_EQ(now.substr(header, old.size() - header), old.substr(header));
  };
  begins_with(wire::encode(first_map()), golden("cluster_map.1", ""));
  begins_with(wire::encode(second_map()), golden("cluster_map.2", ""));
  begins_with(wire::encode(third_map()), golden("cluster_map.3", ""));
  begins_with(wire::encode(fourth_map()), golden("cluster_map.4", ""));
  begins_with(wire::encode(fifth_map()), golden("cluster_map.5", ""));
}

class StoredMapTest : public ::testing::Test {
 protected:
  ~StoredMapTest() override { maker_.stop(); }

  void put(const std::string& key, const std::string& value) {
    meta::TxnRequest request{{}, {meta::put_step(key, value, 0)}, {}};
    ASSERT_TRUE(runtime_.run_on(0, maker_.store().txn(std::move(request))).ok());
  }
  std::string get(const std::string& key) {
    meta::GetRequest request{{key, {}}, 0, 0};
    const auto reply = runtime_.run_on(0, maker_.store().get(std::move(request)));
    return reply && !reply->kvs.empty() ? reply->kvs[0].value : std::string();
  }
  Bucket loaded_box() {
    const auto draft = runtime_.run_on(0, maps_.load());
    EXPECT_TRUE(draft.ok());
    const Bucket* box = draft ? draft->map.find_bucket(native_bucket("box")) : nullptr;
    return box != nullptr ? *box : Bucket{};
  }

  const std::string key_ = std::string(kMapPrefix) + "buckets/" + native_bucket("box").uname();
  struct Started : Runtime {
    Started() : Runtime(1) { start(); }
  };
  Started runtime_;
  EmbeddedMaker maker_{runtime_};
  MapStore maps_{maker_.store()};
};

TEST_F(StoredMapTest, BucketsOfTheFirstVersionAreReadAndLeftAsTheyAre) {
  const std::string stored = golden("bucket.1", "");
  ASSERT_TRUE(runtime_.run_on(0, maps_.bootstrap("cluster", test_key())).ok());
  put(key_, stored);
  EXPECT_EQ(loaded_box(), first_bucket());

  const MapStore::Edit other = [](MapDraft& draft) -> Status {
    draft.map.store_node = "g1";
    return {};
  };
  ASSERT_TRUE(runtime_.run_on(0, maps_.change(other)).ok());
  EXPECT_EQ(get(key_), stored);
}

TEST_F(StoredMapTest, BucketsOfTheSecondVersionAreRead) {
  ASSERT_TRUE(runtime_.run_on(0, maps_.bootstrap("cluster", test_key())).ok());
  put(key_, golden("bucket.2", ""));
  EXPECT_EQ(loaded_box(), second_bucket());
}

TEST_F(StoredMapTest, BucketsOfTheThirdVersionAreRead) {
  ASSERT_TRUE(runtime_.run_on(0, maps_.bootstrap("cluster", test_key())).ok());
  put(key_, golden("bucket.3", ""));
  EXPECT_EQ(loaded_box(), third_bucket());
}

TEST_F(StoredMapTest, AChangedBucketIsOfTheFourthVersion) {
  ASSERT_TRUE(runtime_.run_on(0, maps_.bootstrap("cluster", test_key())).ok());
  put(key_, golden("bucket.1", ""));
  const MapStore::Edit configure = [](MapDraft& draft) -> Status {
    draft.map.buckets.at(native_bucket("box").uname()) = fourth_bucket();
    return {};
  };
  ASSERT_TRUE(runtime_.run_on(0, maps_.change(configure)).ok());
  const std::string now = get(key_);
  EXPECT_EQ(golden("bucket.4", now), now);
  EXPECT_EQ(loaded_box(), fourth_bucket());
}

TEST_F(StoredMapTest, AMappingThatGoesLeavesTheKeysOfTheOthersAlone) {
  ASSERT_TRUE(runtime_.run_on(0, maps_.bootstrap("cluster", test_key())).ok());
  const auto change = [&](const MapStore::Edit& edit) {
    const auto changed = runtime_.run_on(0, maps_.change(edit));
    EXPECT_TRUE(changed.ok());
    return changed->map.mappings;
  };
  const auto add = [](int count) -> MapStore::Edit {
    return [count](MapDraft& draft) -> Status {
      for (int i = 0; i < count; ++i) {
        draft.map.mappings.push_back(
            {BucketId{1}, "a/", "p" + std::to_string(draft.map.mappings.size()) + "/"});
      }
      return {};
    };
  };
  change(add(200));
  const meta::GetRequest all{meta::prefix_range(std::string(kMapPrefix)), 0, 0};
  const auto before = runtime_.run_on(0, maker_.store().get(all));
  const MapStore::Edit remove_some = [](MapDraft& draft) -> Status {
    draft.map.mappings.erase(draft.map.mappings.begin());
    draft.map.mappings.erase(draft.map.mappings.begin() + 100);
    draft.map.mappings.push_back({BucketId{1}, "a/", "last/"});
    return {};
  };
  const auto expected = change(remove_some);
  const auto after = runtime_.run_on(0, maker_.store().get(all));
  std::size_t written = 0;
  for (const auto& kv : after->kvs) written += kv.mod_revision > before->revision ? 1 : 0;
  EXPECT_EQ(written, 2u) << "the epoch and the new one";
  EXPECT_EQ(after->kvs.size(), before->kvs.size() - 1);
  EXPECT_EQ(runtime_.run_on(0, maps_.load())->map.mappings, expected) << "in their order";
}

}  // namespace
}  // namespace aisfs::control
