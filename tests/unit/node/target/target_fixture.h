// SPDX-License-Identifier: MIT
// Three targets in one process, which call each other directly.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "common/async/runtime.h"
#include "common/client/placed_objects.h"
#include "common/placement/hrw.h"
#include "common/placement/prefix_map.h"
#include "common/wire/envelope.h"
#include "node/target/local_target.h"
#include "tests/unit/node/target/direct_slices.h"
#include "tests/unit/node/target/fixed_map.h"

namespace aisfs::target {

class LocalTargetTest;

/// Calls the others as if by wire; what a test has cut off is unreachable.
class DirectPeers final : public Peers {
 public:
  explicit DirectPeers(LocalTargetTest& test) : test_(test) {}
  ObjectApi& cluster() override;
  ObjectApi& places() override;
  SlicePeers& slices() override;
  Task<Status> rename_prefix(Context c, BucketId id, std::string from, std::string to) override;
  Task<Status> end_mapping(Context c, PrefixMapping mapping) override;
  Task<Status> allow_implied_dirs(Context c, BucketId bucket) override;
  Task<Result<Version>> prepare_rename(Context c, std::string node, RenamePrepare r) override;
  Task<Result<ObjectInfo>> finish_rename(Context c,
                                         std::string node,
                                         std::string op,
                                         RenameState state) override;
  Task<Result<RenameState>> rename_state(Context c, std::string node, std::string op) override;
  Task<Status> close_dir(Context c,
                         std::string node,
                         BucketName bucket,
                         std::string marker) override;
  Task<Status> check_dir(Context c,
                         std::string node,
                         BucketName bucket,
                         std::string marker) override;
  Task<Result<ObjectStream>> open_content(Context c,
                                          std::string node,
                                          BucketName bucket,
                                          store::Reference content,
                                          ByteRange range) override;
  Task<Status> drop_content(Context c,
                            std::string node,
                            BucketName bucket,
                            store::Reference content) override;
  Task<Result<std::vector<store::NameState>>> name_states(Context c,
                                                          std::string node,
                                                          BucketName bucket,
                                                          std::string key) override;
  Task<Result<NameThere>> find_name(Context c,
                                    std::string node,
                                    BucketName bucket,
                                    std::string key) override;
  Task<Result<store::ObjectCopy>> fetch_copy(Context c,
                                             std::string node,
                                             BucketName bucket,
                                             store::NameState state) override;
  Task<Status> forget_copies(Context c,
                             std::string node,
                             BucketName bucket,
                             std::vector<store::NameState> states,
                             Durability level) override;
  Task<Result<std::vector<bool>>> offer_names(Context c,
                                              std::string node,
                                              BucketName bucket,
                                              std::vector<store::NameState> states,
                                              Pace pace) override;
  Task<Result<std::vector<bool>>> compare_names(Context c,
                                                std::string node,
                                                BucketName bucket,
                                                std::string from,
                                                std::vector<store::NameState> states) override;
  Task<Result<std::vector<bool>>> lacks_copies(Context c,
                                               std::string node,
                                               BucketName bucket,
                                               std::vector<store::NameState> states,
                                               bool whole) override;
  Task<Status> take_copy(Context c,
                         std::string node,
                         BucketName bucket,
                         store::StoredMeta meta,
                         BodySource& body) override;
  Task<Status> stream_copy(Context c,
                           std::string node,
                           StreamedCopy copy,
                           BodySource& body) override;
  Task<Result<bool>> take_attributes(
      Context c, std::string node, BucketName bucket, std::string key, ObjectInfo info) override;
  Task<Result<std::vector<bool>>> forget_tombstones(Context c,
                                                    std::string node,
                                                    BucketName bucket,
                                                    std::vector<store::NameState> states) override;
  Task<Result<bool>> has_copies_for_me(Context c, std::string node) override;
  Task<Status> sync_copy(Context c, std::string node, BucketName bucket, std::string key) override;

 private:
  LocalTargetTest& test_;
};

class LocalTargetTest : public ::testing::Test {
 public:
  LocalTargetTest() : peers_(*this) {
    char name[] = "/tmp/aisfs-target-test-XXXXXX";
    dir_ = ::mkdtemp(name);
    runtime_.start();
    for (const char* id : {"t1", "t2", "t3"}) make_target(id);
  }
  ~LocalTargetTest() override {
    runtime_.stop();
    targets_.clear();
    stores_.clear();
    std::filesystem::remove_all(dir_);
  }

  void make_target(const std::string& id) {
    const std::string base = dir_ + "/" + id;
    std::filesystem::create_directories(base + "/m1");
    std::filesystem::create_directories(base + "/m2");
    store::StoreOptions options{.cluster_uuid = "c",
                                .node_id = id,
                                .incarnation = static_cast<std::uint32_t>(stores_.size()) + 1,
                                .mountpaths = {base + "/m1", base + "/m2"}};
    stores_[id] = std::make_unique<store::Store>(std::move(options), clock_);
    EXPECT_TRUE(stores_[id]->open().ok());
    restart(id);
  }

  /// A new LocalTarget over what the old one left in its log.
  void restart(const std::string& id) {
    targets_.erase(id);
    LocalTargetOptions options{.node_id = id, .state_dir = dir_ + "/" + id + "/state"};
    options.slice_readers = options.slice_youth = Duration::zero();
    options.may_serve = [this] {
      if (may_serve_) return may_serve_();
      return fenced_ ? Status(Error(Errc::not_ready, "fenced")) : Status();
    };
    auto target = LocalTarget::open(std::move(options), *stores_[id], maps_, peers_, clock_);
    ASSERT_TRUE(target.ok()) << target.error().what();
    targets_[id] = std::move(*target);
  }

  template <class T>
  T run(Task<T> task) {
    return runtime_.run_on(0, std::move(task));
  }
  static Context as(const std::string& user, bool admin = false) {
    return {.who = auth::test_identity(user, admin),
            .deadline = Deadline::after(std::chrono::seconds(20))};
  }
  static Context alice() { return as("alice"); }
  static ObjectName name(const std::string& key) { return {kName, key}; }
  const std::string& owner(const std::string& key) {
    return placement::owner_of(*maps_.current(), name(key))->id;
  }
  /// A key with this beginning that the target owns.
  std::string key_on(const std::string& id, const std::string& begin) {
    for (int i = 0;; ++i) {
      std::string key = begin + std::to_string(i);
      if (owner(key) == id) return key;
    }
  }

  Result<ObjectInfo> put(const std::string& key, const std::string& body) {
    StringSource source(body);
    PutOptions options;
    ExpectedChecksums expected;
    return run(cluster_.put(alice(), name(key), std::move(options), std::move(expected), source));
  }
  Result<std::string> get(const std::string& key, std::optional<Version> version = {}) {
    const auto read = [](ObjectApi& api, Context c, ObjectName n,
                         GetOptions options) -> Task<Result<std::string>> {
      CO_TRY(ObjectStream stream, co_await api.get(std::move(c), std::move(n), std::move(options)));
      co_return co_await read_all(*stream.body, 4 << 20);
    };
    GetOptions options{.version = version};
    return run(read(cluster_, alice(), name(key), std::move(options)));
  }
  Result<ObjectInfo> head(const std::string& key) {
    return run(cluster_.head(alice(), name(key), {}));
  }
  Result<ObjectInfo> reserve(const std::string& key) {
    StringSource nothing("");
    PutOptions options{.conditions = {.must_not_exist = true}, .size = 0, .reservation = true};
    ExpectedChecksums unknown;
    return run(cluster_.put(alice(), name(key), std::move(options), std::move(unknown), nothing));
  }
  /// As a mount makes a file: it has just seen the directory.
  Task<Result<ObjectInfo>> make_seen_task(std::string key) {
    StringSource nothing("");
    PutOptions options{
        .conditions = {.must_not_exist = true}, .size = 0, .reservation = true, .has_parent = true};
    ExpectedChecksums unknown;
    co_return co_await cluster_.put(alice(), name(key), std::move(options), std::move(unknown),
                                    nothing);
  }
  Result<ObjectInfo> make_seen(const std::string& key) { return run(make_seen_task(key)); }
  template <class T>
  static Task<Status> done(Task<Result<T>> task) {
    auto result = co_await std::move(task);
    co_return result ? Status{} : Status(std::move(result).error());
  }
  Result<ObjectInfo> rename(const std::string& from,
                            const std::string& to,
                            RenameOptions options = {}) {
    return run(cluster_.rename(alice(), name(from), name(to), std::move(options)));
  }
  Result<ObjectInfo> rename_within(Duration time, const std::string& from, const std::string& to) {
    Context context = alice();
    context.deadline = Deadline::after(time);
    RenameOptions options;
    return run(cluster_.rename(std::move(context), name(from), name(to), std::move(options)));
  }
  std::vector<std::string> list() {
    std::vector<std::string> keys;
    ListOptions options;
    const auto page = run(cluster_.list(alice(), kName, std::move(options)));
    EXPECT_TRUE(page.ok());
    for (const ListEntry& entry : page->entries) keys.push_back(entry.key);
    return keys;
  }
  std::size_t settle_all() {
    std::size_t left = 0;
    for (auto& [id, target] : targets_) {
      left += *run(target->settle_all(as("node", true)));
    }
    return left;
  }
  Status check_reachable(const std::string& node) const {
    return node == cut_off_ ? Status(Error(Errc::unreachable, node)) : Status();
  }
  template <class T>
  static Errc code(const Result<T>& r) {
    return r.ok() ? Errc::internal : r.error().code();
  }

  std::string dir_;
  Runtime runtime_{1};
  RealClock clock_;
  FixedMap maps_;
  DirectPeers peers_;
  DirectSlices slices_{[this](const std::string& node) -> Result<LocalTarget*> {
    CHECK_OK(check_reachable(node));
    return targets_.at(node).get();
  }};
  bool finish_is_lost_ = false;
  bool fenced_ = false;
  std::function<Status()> may_serve_;  // decides instead, if there is one
  std::string cut_off_;                // a target's id
  int checks_of_dirs_ = 0;
  bool streams_fail_ = false;         // after some bytes
  int streamed_ = 0;                  // copies that were taken while they arrived
  int refused_forgets_ = 0;           // so many more
  std::function<void()> when_asked_;  // once, before a target says what it has of a name
  std::function<Task<void>(const std::string& key)> while_asked_;  // the only one who may have it
  std::function<void()> before_copies_;  // called once, when a holder is about to be asked
  std::map<std::string, std::unique_ptr<store::Store>> stores_;
  std::map<std::string, std::unique_ptr<LocalTarget>> targets_;
  ApiOfNode at_ = [this](const NodeInfo& node) {
    return std::shared_ptr<ObjectApi>(std::shared_ptr<void>(), targets_.at(node.id).get());
  };
  PlacedObjects cluster_{maps_, at_, std::chrono::seconds(20)};
  PlacedObjects places_{maps_, at_, std::chrono::seconds(20), Naming::kPhysical};
};

inline ObjectApi& DirectPeers::cluster() { return test_.cluster_; }
inline ObjectApi& DirectPeers::places() { return test_.places_; }
inline SlicePeers& DirectPeers::slices() { return test_.slices_; }
inline Task<Status> DirectPeers::rename_prefix(Context c,
                                               BucketId id,
                                               std::string from,
                                               std::string to) {
  co_return test_.maps_.change([&](ClusterMap& map) -> Status {
    if (map.epoch != c.epoch) return Error(Errc::stale_map, "old");
    const std::string hidden = placement::hidden_prefix(std::to_string(map.epoch));
    return placement::rename_prefix(map, id, from, to, hidden);
  });
}
inline Task<Status> DirectPeers::allow_implied_dirs(Context, BucketId) {
  co_return test_.maps_.change([&](ClusterMap& map) -> Status {
    map.buckets.at(kName.uname()).implied_dirs = true;
    return {};
  });
}
inline Task<Status> DirectPeers::end_mapping(Context, PrefixMapping mapping) {
  co_return test_.maps_.change([&](ClusterMap& map) -> Status {
    placement::end_mapping(map, mapping);
    return {};
  });
}
inline Task<Result<Version>> DirectPeers::prepare_rename(Context c,
                                                         std::string node,
                                                         RenamePrepare r) {
  // Over the wire it would be encoded.
  auto copy = wire::decode<RenamePrepare>(wire::encode(r));
  if (!copy) co_return std::move(copy).error();
  co_return co_await test_.targets_.at(node)->prepare_rename(std::move(c), *std::move(copy));
}
inline Task<Result<ObjectInfo>> DirectPeers::finish_rename(Context c,
                                                           std::string node,
                                                           std::string op,
                                                           RenameState state) {
  if (test_.finish_is_lost_) co_return Error(Errc::unreachable, node);
  co_return co_await test_.targets_.at(node)->finish_rename(std::move(c), std::move(op), state);
}
inline Task<Result<RenameState>> DirectPeers::rename_state(Context,
                                                           std::string node,
                                                           std::string op) {
  co_return test_.targets_.at(node)->rename_state(op);
}
inline Task<Status> DirectPeers::close_dir(Context c,
                                           std::string node,
                                           BucketName bucket,
                                           std::string marker) {
  co_return co_await test_.targets_.at(node)->close_dir(std::move(c), std::move(bucket),
                                                        std::move(marker));
}
inline Task<Status> DirectPeers::check_dir(Context c,
                                           std::string node,
                                           BucketName bucket,
                                           std::string marker) {
  ++test_.checks_of_dirs_;
  co_return co_await test_.targets_.at(node)->check_dir(std::move(c), std::move(bucket),
                                                        std::move(marker));
}
inline Task<Result<ObjectStream>> DirectPeers::open_content(
    Context c, std::string node, BucketName bucket, store::Reference content, ByteRange range) {
  co_return co_await test_.targets_.at(node)->open_content(std::move(c), std::move(bucket),
                                                           std::move(content), range);
}
inline Task<Status> DirectPeers::drop_content(Context c,
                                              std::string node,
                                              BucketName bucket,
                                              store::Reference content) {
  co_return co_await test_.targets_.at(node)->drop_content(std::move(c), std::move(bucket),
                                                           std::move(content));
}

inline Task<Result<std::vector<store::NameState>>> DirectPeers::name_states(Context c,
                                                                            std::string node,
                                                                            BucketName bucket,
                                                                            std::string key) {
  if (const auto first = std::exchange(test_.when_asked_, nullptr)) first();
  CO_CHECK_OK(test_.check_reachable(node));
  co_return co_await test_.targets_.at(node)->name_states(std::move(c), std::move(bucket),
                                                          std::move(key));
}
inline Task<Result<NameThere>> DirectPeers::find_name(Context c,
                                                      std::string node,
                                                      BucketName bucket,
                                                      std::string key) {
  if (const auto first = std::exchange(test_.when_asked_, nullptr)) first();
  if (test_.while_asked_) co_await test_.while_asked_(key);
  CO_CHECK_OK(test_.check_reachable(node));
  co_return co_await test_.targets_.at(node)->find_name(std::move(c), std::move(bucket),
                                                        std::move(key));
}
inline Task<Result<store::ObjectCopy>> DirectPeers::fetch_copy(Context c,
                                                               std::string node,
                                                               BucketName bucket,
                                                               store::NameState state) {
  CO_CHECK_OK(test_.check_reachable(node));
  co_return co_await test_.targets_.at(node)->fetch_copy(std::move(c), std::move(bucket),
                                                         std::move(state));
}
inline Task<Status> DirectPeers::forget_copies(Context c,
                                               std::string node,
                                               BucketName bucket,
                                               std::vector<store::NameState> states,
                                               Durability level) {
  CO_CHECK_OK(test_.check_reachable(node));
  if (test_.refused_forgets_ > 0) {
    --test_.refused_forgets_;
    co_return Error(Errc::stale_map, node + " is about to get other names");
  }
  co_return co_await test_.targets_.at(node)->forget_copies(std::move(c), std::move(bucket),
                                                            std::move(states), level);
}
inline Task<Result<std::vector<bool>>> DirectPeers::offer_names(
    Context c,
    std::string node,
    BucketName bucket,
    std::vector<store::NameState> states,
    Pace pace) {
  CO_CHECK_OK(test_.check_reachable(node));
  co_return co_await test_.targets_.at(node)->offer_names(std::move(c), std::move(bucket),
                                                          std::move(states), pace);
}

inline Task<Result<std::vector<bool>>> DirectPeers::compare_names(
    Context c,
    std::string node,
    BucketName bucket,
    std::string from,
    std::vector<store::NameState> states) {
  CO_CHECK_OK(test_.check_reachable(node));
  co_return co_await test_.targets_.at(node)->compare_names(std::move(c), std::move(bucket),
                                                            std::move(from), std::move(states));
}

// Only the owner of a name sends copies of it.
inline Task<Result<std::vector<bool>>> DirectPeers::lacks_copies(
    Context c,
    std::string node,
    BucketName bucket,
    std::vector<store::NameState> states,
    bool whole) {
  if (const auto now = std::exchange(test_.before_copies_, nullptr)) now();
  CO_CHECK_OK(test_.check_reachable(node));
  std::string from = test_.owner(states.front().key);
  co_return co_await test_.targets_.at(node)->lacks_copies(
      std::move(c), std::move(from), std::move(bucket), std::move(states), whole);
}
inline Task<Status> DirectPeers::stream_copy(Context c,
                                             std::string node,
                                             StreamedCopy copy,
                                             BodySource& body) {
  CO_CHECK_OK(test_.check_reachable(node));
  if (test_.streams_fail_) {
    std::byte some[1000];
    CO_CHECK_OK(co_await body.read(some));
    co_return Error(Errc::unreachable, node);
  }
  std::string from = test_.owner(copy.key);
  const Status taken = co_await test_.targets_.at(node)->take_streamed(
      std::move(c), std::move(from), std::move(copy), body);
  if (taken) ++test_.streamed_;
  co_return taken;
}
inline Task<Status> DirectPeers::take_copy(
    Context c, std::string node, BucketName bucket, store::StoredMeta meta, BodySource& body) {
  CO_CHECK_OK(test_.check_reachable(node));
  std::string from = test_.owner(meta.key);
  co_return co_await test_.targets_.at(node)->take_copy(std::move(c), std::move(from),
                                                        std::move(bucket), std::move(meta), body);
}
inline Task<Result<bool>> DirectPeers::take_attributes(
    Context c, std::string node, BucketName bucket, std::string key, ObjectInfo info) {
  CO_CHECK_OK(test_.check_reachable(node));
  std::string from = test_.owner(key);
  co_return co_await test_.targets_.at(node)->take_attributes(
      std::move(c), std::move(from), std::move(bucket), std::move(key), std::move(info));
}
inline Task<Result<std::vector<bool>>> DirectPeers::forget_tombstones(
    Context c, std::string node, BucketName bucket, std::vector<store::NameState> states) {
  CO_CHECK_OK(test_.check_reachable(node));
  std::string from = test_.owner(states.front().key);
  co_return co_await test_.targets_.at(node)->forget_tombstones(
      std::move(c), std::move(from), std::move(bucket), std::move(states));
}
inline Task<Result<bool>> DirectPeers::has_copies_for_me(Context c, std::string node) {
  CO_CHECK_OK(test_.check_reachable(node));
  co_return test_.targets_.at(node)->restorer().has_copies_for(c.who.user());
}
inline Task<Status> DirectPeers::sync_copy(Context c,
                                           std::string node,
                                           BucketName bucket,
                                           std::string key) {
  CO_CHECK_OK(test_.check_reachable(node));
  co_return co_await test_.targets_.at(node)->sync_copy(std::move(c), std::move(bucket),
                                                        std::move(key));
}

}  // namespace aisfs::target
