// SPDX-License-Identifier: MIT
#include "node/control/map_store.h"

#include <gmock/gmock.h>

#include "tests/unit/node/control/embedded_maker.h"

namespace aisfs::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;

MapStore::Edit add_user(const std::string& id) {
  return [id](MapDraft& draft) -> Status {
    if (draft.map.users.contains(id)) return Error(Errc::already_exists, id);
    draft.map.users[id] = {.id = id};
    return {};
  };
}

/// A store behind a wire that loses answers, and somebody else who changes the map meanwhile.
class LossyStore final : public MetaStore {
 public:
  explicit LossyStore(MetaStore& store) : store_(store) {}

  enum class Fate : std::uint8_t {
    kAnswerLost,   // it has happened
    kRequestLost,  // it has not
    kLate,         // it happens just before the next one
  };
  std::vector<Fate> fates;             // of the transactions to come; those after them are answered
  std::vector<std::string> meanwhile;  // users that another adds after the next that is lost
  bool knows_history = true;
  bool loses_reads = false;  // from the next transaction that is lost on
  std::size_t keys_read = 0;

  Task<Result<meta::GetReply>> get(meta::GetRequest r) override {
    if (!reads_) co_return Error(Errc::timed_out, "a read");
    CO_TRY(auto reply, co_await store_.get(std::move(r)));
    keys_read += reply.kvs.size();
    co_return reply;
  }
  Task<Result<meta::TxnReply>> txn(meta::TxnRequest r) override {
    if (late_) CO_CHECK_OK(co_await store_.txn(*std::exchange(late_, std::nullopt)));
    if (fates.empty()) co_return co_await store_.txn(std::move(r));
    const Fate fate = fates.front();
    fates.erase(fates.begin());
    if (fate == Fate::kLate) late_ = std::move(r);
    if (fate == Fate::kAnswerLost) CO_CHECK_OK(co_await store_.txn(std::move(r)));
    MapStore other(store_);
    for (const std::string& user : std::exchange(meanwhile, {})) {
      CO_CHECK_OK(co_await other.change(add_user(user)));
    }
    reads_ = !loses_reads;
    co_return Error(Errc::unreachable, "the answer was lost");
  }
  Task<Result<meta::LeaseId>> grant(Duration ttl) override { return store_.grant(ttl); }
  Task<Result<Duration>> keep_alive(meta::LeaseId id) override { return store_.keep_alive(id); }
  Task<Status> revoke(meta::LeaseId id) override { return store_.revoke(id); }
  Task<Result<meta::WatchReply>> watch(meta::WatchRequest r) override {
    if (!knows_history) co_return Error(Errc::out_of_range, "compacted");
    co_return co_await store_.watch(std::move(r));
  }

 private:
  MetaStore& store_;
  std::optional<meta::TxnRequest> late_;
  bool reads_ = true;
};
using Fate = LossyStore::Fate;

class MapStoreTest : public ::testing::Test {
 protected:
  MapStoreTest() {
    EXPECT_TRUE(run(MapStore(maker_.store()).bootstrap("cluster", test_key())).ok());
  }
  ~MapStoreTest() override { maker_.stop(); }

  template <class T>
  T run(Task<T> task) {
    return runtime_.run_on(0, std::move(task));
  }
  Result<MapDraft> add(const std::string& user) { return run(maps_.change(add_user(user))); }
  ClusterMap stored() { return run(MapStore(maker_.store()).load())->map; }

  struct Started : Runtime {
    Started() : Runtime(1) { start(); }
  };
  Started runtime_;
  EmbeddedMaker maker_{runtime_};
  LossyStore lossy_{maker_.store()};
  MapStore maps_{lossy_};
};

TEST_F(MapStoreTest, AChangeWhoseAnswerWasLostHasHappened) {
  lossy_.fates = {Fate::kAnswerLost};
  const auto added = add("mine");
  ASSERT_TRUE(added.ok()) << added.error().what();
  EXPECT_EQ(added->map.epoch, stored().epoch);
  EXPECT_THAT(stored().users, ElementsAre(Key("mine")));
}

TEST_F(MapStoreTest, EvenWhenOthersHaveChangedTheMapSince) {
  lossy_.fates = {Fate::kAnswerLost};
  lossy_.meanwhile = {"a", "b"};
  const auto added = add("mine");
  ASSERT_TRUE(added.ok()) << added.error().what();
  EXPECT_THAT(added->map.users, ElementsAre(Key("mine")));
  EXPECT_THAT(stored().users, ElementsAre(Key("a"), Key("b"), Key("mine")));
  EXPECT_EQ(stored().epoch, added->map.epoch + 2);
}

TEST_F(MapStoreTest, ARequestThatWasLostIsMadeAnew) {
  lossy_.fates = {Fate::kRequestLost, Fate::kRequestLost};
  lossy_.meanwhile = {"a"};
  const auto added = add("mine");
  ASSERT_TRUE(added.ok()) << added.error().what();
  EXPECT_THAT(added->map.users, ElementsAre(Key("a"), Key("mine")));
  EXPECT_EQ(stored().epoch, added->map.epoch);
}

TEST_F(MapStoreTest, OneThatHappensAfterItWasLookedForIsRecognised) {
  lossy_.fates = {Fate::kLate};
  const auto added = add("mine");
  ASSERT_TRUE(added.ok()) << added.error().what();
  EXPECT_EQ(stored().epoch, added->map.epoch) << "once";
  EXPECT_THAT(stored().users, ElementsAre(Key("mine")));
}

TEST_F(MapStoreTest, TooManyLostAnswersAreAnError) {
  lossy_.fates = std::vector(5, Fate::kRequestLost);
  const auto added = add("mine");
  ASSERT_FALSE(added.ok());
  EXPECT_EQ(added.error().what(), "the answer was lost");
  EXPECT_EQ(lossy_.fates.size(), 2u);
}

TEST_F(MapStoreTest, WithoutAHistoryTheErrorIsThatOfTheChange) {
  lossy_.fates = {Fate::kAnswerLost};
  lossy_.meanwhile = {"a"};
  lossy_.knows_history = false;
  const auto added = add("mine");
  ASSERT_FALSE(added.ok());
  EXPECT_EQ(added.error().what(), "the answer was lost");
}

TEST_F(MapStoreTest, AndSoItIsWhenTheStoreCannotBeRead) {
  lossy_.fates = {Fate::kAnswerLost};
  lossy_.loses_reads = true;
  const auto added = add("mine");
  ASSERT_FALSE(added.ok());
  EXPECT_EQ(added.error(), Errc::unreachable);
  EXPECT_EQ(added.error().what(), "the answer was lost");
}

TEST_F(MapStoreTest, OnlyWhoHasTheKeyOfTheClusterOpensIt) {
  EXPECT_TRUE(run(maps_.check_key(test_key())).ok());
  const auto other = run(maps_.check_key(test_key('b')));
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error(), Errc::permission_denied);
  EXPECT_THAT(other.error().what(), HasSubstr("copy of the first gateway's cluster.key"));
  ASSERT_TRUE(add("a change of the map").ok());
  EXPECT_FALSE(run(maps_.check_key(test_key('b'))).ok());
}

TEST_F(MapStoreTest, AClusterThatDoesNotKnowItsKeyTakesTheFirst) {
  const meta::TxnRequest forget{{}, {meta::remove_step(std::string(kKeyProofKey))}, {}};
  ASSERT_TRUE(run(maker_.store().txn(forget)).ok());
  lossy_.fates = {Fate::kRequestLost, Fate::kAnswerLost};
  EXPECT_TRUE(run(maps_.check_key(test_key('b'))).ok());
  EXPECT_TRUE(run(maps_.check_key(test_key('b'))).ok());
  EXPECT_EQ(run(maps_.check_key(test_key())).error(), Errc::permission_denied);
}

/// One of each kind, by `number`.
void edit_somehow(MapDraft& draft, unsigned number) {
  ClusterMap& map = draft.map;
  const std::string id = "x" + std::to_string(number % 7);
  switch (number % 11) {
    case 0:
      map.nodes[id] = {.id = id, .incarnation = number};
      draft.records[id] = {.identity = id, .incarnation = number};
      break;
    case 1:
      map.nodes.erase(id);
      draft.records.erase(id);
      break;
    case 2:
      map.buckets[native_bucket(id).uname()] = {.id = BucketId{number}, .name = native_bucket(id)};
      break;
    case 3:
      map.buckets.erase(native_bucket(id).uname());
      break;
    case 4:
      map.users[id] = {.id = id, .display_name = std::to_string(number)};
      break;
    case 5:
      map.users.erase(id);
      break;
    case 6:
    case 7:
      map.mappings.push_back({BucketId{1}, id + std::to_string(number) + "/", "p/"});
      break;
    case 8:
      if (!map.mappings.empty())
        map.mappings.erase(map.mappings.begin() + number % map.mappings.size());
      break;
    case 9:
      map.placement.since = map.epoch;
      map.placement.past = {{map.epoch, {"t1", id}}};
      break;
    default:
      map.placement = {};
      map.store_node = id;
  }
}

TEST_F(MapStoreTest, WhoHasReadBeforeReadsWhatHasChangedSince) {
  ASSERT_TRUE(run(maps_.load()).ok());
  MapStore other(maker_.store());
  for (unsigned i = 0; i < 400; ++i) {
    const unsigned first = i * 7919 % 1000, second = i * 104729 % 1000;
    const MapStore::Edit edit = [&](MapDraft& draft) -> Status {
      edit_somehow(draft, first);
      if (i % 3 == 0) edit_somehow(draft, second);
      return {};
    };
    ASSERT_TRUE(run(i % 5 == 0 ? maps_.change(edit) : other.change(edit)).ok());
    if (i % 4 == 0) continue;
    lossy_.knows_history = i % 9 != 0;
    const auto kept = run(maps_.load());
    ASSERT_TRUE(kept.ok()) << kept.error().what();
    ASSERT_EQ(*kept, *run(MapStore(maker_.store()).load())) << i;
  }
}

TEST_F(MapStoreTest, AndNotAllTheRest) {
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(add("u" + std::to_string(i)).ok());
  ASSERT_TRUE(run(maps_.load()).ok());
  lossy_.keys_read = 0;
  ASSERT_TRUE(run(MapStore(maker_.store()).change(add_user("another"))).ok());
  EXPECT_TRUE(run(maps_.load())->map.users.contains("another"));
  ASSERT_TRUE(add("mine").ok());
  EXPECT_LT(lossy_.keys_read, 5U);
}

}  // namespace
}  // namespace aisfs::control
