// SPDX-License-Identifier: MIT
// Three targets in one process, which call each other directly.
#include "node/target/local_target.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "common/async/runtime.h"
#include "common/client/placed_objects.h"
#include "common/placement/hrw.h"
#include "common/wire/envelope.h"

namespace aisfs::target {
namespace {

const BucketName kName = native_bucket("b");
const BucketId kId{42};

class FixedMap final : public MapSource {
 public:
  FixedMap() {
    ClusterMap map{.uuid = "c", .epoch = 1};
    for (const char* id : {"t1", "t2", "t3"}) map.nodes[id] = NodeInfo{.id = id};
    map.buckets[kName.uname()] = Bucket{.id = kId, .name = kName, .owner = "alice"};
    map_ = std::make_shared<const ClusterMap>(std::move(map));
  }
  MapSnapshot current() const override { return map_; }
  Task<Result<MapSnapshot>> at_least(Epoch, Deadline) override { co_return map_; }

 private:
  MapSnapshot map_;
};

class LocalTargetTest;

/// Calls the others as if by wire; what a test has cut off is unreachable.
class DirectPeers final : public Peers {
 public:
  explicit DirectPeers(LocalTargetTest& test) : test_(test) {}
  ObjectApi& cluster() override;
  Task<Status> prepare_rename(Context c, std::string node, RenamePrepare r) override;
  Task<Result<ObjectInfo>> finish_rename(Context c,
                                         std::string node,
                                         std::string op,
                                         RenameState state) override;
  Task<Result<RenameState>> rename_state(Context c, std::string node, std::string op) override;
  Task<Result<ObjectStream>> open_content(Context c,
                                          std::string node,
                                          BucketName bucket,
                                          store::Reference content,
                                          ByteRange range) override;
  Task<Status> drop_content(Context c,
                            std::string node,
                            BucketName bucket,
                            store::Reference content) override;

 private:
  LocalTargetTest& test_;
};

class LocalTargetTest : public ::testing::Test {
 public:
  LocalTargetTest() : peers_(*this) {
    char name[] = "/tmp/aisfs-target-test-XXXXXX";
    dir_ = ::mkdtemp(name);
    runtime_.start();
    for (const char* id : {"t1", "t2", "t3"}) {
      const std::string base = dir_ + "/" + id;
      std::filesystem::create_directories(base + "/m1");
      std::filesystem::create_directories(base + "/m2");
      store::StoreOptions options{
          .cluster_uuid = "c", .node_id = id, .mountpaths = {base + "/m1", base + "/m2"}};
      stores_[id] = std::make_unique<store::Store>(std::move(options), clock_);
      EXPECT_TRUE(stores_[id]->open().ok());
      restart(id);
    }
  }
  ~LocalTargetTest() override {
    runtime_.stop();
    targets_.clear();
    stores_.clear();
    std::filesystem::remove_all(dir_);
  }

  /// A new LocalTarget over what the old one left in its log.
  void restart(const std::string& id) {
    targets_.erase(id);
    LocalTargetOptions options{.node_id = id, .state_dir = dir_ + "/" + id + "/state"};
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
  Result<std::string> get(const std::string& key) {
    const auto read = [](ObjectApi& api, Context c, ObjectName n) -> Task<Result<std::string>> {
      GetOptions options;
      CO_TRY(ObjectStream stream, co_await api.get(std::move(c), std::move(n), std::move(options)));
      co_return co_await read_all(*stream.body, 1 << 20);
    };
    return run(read(cluster_, alice(), name(key)));
  }
  Result<ObjectInfo> head(const std::string& key) {
    return run(cluster_.head(alice(), name(key), {}));
  }
  Result<ObjectInfo> reserve(const std::string& key) {
    StringSource nothing("");
    PutOptions options{.conditions = {.must_not_exist = true}, .size = 0, .reservation = true};
    ExpectedChecksums unknown;
    return run(
        cluster_.put(alice(), name(key), std::move(options), std::move(unknown), nothing));
  }
  Result<ObjectInfo> rename(const std::string& from, const std::string& to,
                            RenameOptions options = {}) {
    return run(cluster_.rename(alice(), name(from), name(to), std::move(options)));
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
  template <class T>
  static Errc code(const Result<T>& r) {
    return r.ok() ? Errc::internal : r.error().code();
  }

  std::string dir_;
  Runtime runtime_{1};
  RealClock clock_;
  FixedMap maps_;
  DirectPeers peers_;
  bool finish_is_lost_ = false;
  std::map<std::string, std::unique_ptr<store::Store>> stores_;
  std::map<std::string, std::unique_ptr<LocalTarget>> targets_;
  PlacedObjects cluster_{maps_,
                         [this](const NodeInfo& node) {
                           return std::shared_ptr<ObjectApi>(std::shared_ptr<void>(),
                                                             targets_.at(node.id).get());
                         },
                         std::chrono::seconds(20)};
};

ObjectApi& DirectPeers::cluster() { return test_.cluster_; }
Task<Status> DirectPeers::prepare_rename(Context c, std::string node, RenamePrepare r) {
  // Over the wire it would be encoded.
  auto copy = wire::decode<RenamePrepare>(wire::encode(r));
  if (!copy) co_return std::move(copy).error();
  co_return co_await test_.targets_.at(node)->prepare_rename(std::move(c), *std::move(copy));
}
Task<Result<ObjectInfo>> DirectPeers::finish_rename(Context c,
                                                    std::string node,
                                                    std::string op,
                                                    RenameState state) {
  if (test_.finish_is_lost_) co_return Error(Errc::unreachable, node);
  co_return co_await test_.targets_.at(node)->finish_rename(std::move(c), std::move(op), state);
}
Task<Result<RenameState>> DirectPeers::rename_state(Context, std::string node, std::string op) {
  co_return test_.targets_.at(node)->rename_state(op);
}
Task<Result<ObjectStream>> DirectPeers::open_content(
    Context c, std::string node, BucketName bucket, store::Reference content, ByteRange range) {
  co_return co_await test_.targets_.at(node)->open_content(std::move(c), std::move(bucket),
                                                           std::move(content), range);
}
Task<Status> DirectPeers::drop_content(Context c,
                                       std::string node,
                                       BucketName bucket,
                                       store::Reference content) {
  co_return co_await test_.targets_.at(node)->drop_content(std::move(c), std::move(bucket),
                                                           std::move(content));
}

TEST_F(LocalTargetTest, AReservationIsAnEmptyObjectForEverybodyElse) {
  const auto made = reserve("x");
  ASSERT_TRUE(made.ok()) << made.error().what();
  EXPECT_EQ(code(reserve("x")), Errc::already_exists);
  EXPECT_EQ(*get("x"), "");
  EXPECT_EQ(list(), std::vector<std::string>{"x"});
  AttrChange change{.xattrs = {{"user.a", std::string(2000, 'v')}}};
  ASSERT_TRUE(run(cluster_.set_attrs(alice(), name("x"), std::move(change), {})).ok());
  EXPECT_EQ(head("x")->xattrs.at("user.a").size(), 2000u);
  EXPECT_EQ(head("x")->ino, made->ino);
}

TEST_F(LocalTargetTest, AReservationIsRenamedBetweenTargetsAndPublishedThere) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to");
  const auto made = reserve(from);
  ASSERT_TRUE(made.ok());
  ASSERT_TRUE(rename(from, to).ok());
  EXPECT_EQ(code(head(from)), Errc::not_found);
  EXPECT_EQ(head(to)->ino, made->ino);
  EXPECT_EQ(*get(to), "");
  ASSERT_TRUE(put(to, "bytes").ok());
  EXPECT_EQ(*get(to), "bytes");
  EXPECT_EQ(list(), std::vector<std::string>{to});
}

TEST_F(LocalTargetTest, OnlyTheOwnerAndAdministratorsMayUseABucket) {
  ASSERT_TRUE(put("a", "1").ok());
  EXPECT_EQ(code(run(cluster_.head(as("bob"), name("a"), {}))), Errc::permission_denied);
  EXPECT_EQ(code(run(cluster_.head({}, name("a"), {}))), Errc::permission_denied);
  EXPECT_TRUE(run(cluster_.head(as("root", true), name("a"), {})).ok());
  ObjectName other{native_bucket("none"), "a"};
  EXPECT_EQ(code(run(cluster_.head(alice(), other, {}))), Errc::not_found);
  EXPECT_EQ(code(head(std::string(1025, 'k'))), Errc::name_too_long);
}

TEST_F(LocalTargetTest, AHotReadIsForThoseWhoMayRead) {
  const GetOptions all;
  ASSERT_TRUE(put("a", "1").ok());
  EXPECT_FALSE(cluster_.get_now(alice(), name("a"), all));
  EXPECT_EQ(get("a").value_or("?"), "1");
  auto hot = cluster_.get_now(alice(), name("a"), all);
  ASSERT_TRUE(hot);
  EXPECT_EQ(run(read_all(*hot->body, 10)).value_or("?"), "1");
  EXPECT_EQ(hot->info, *head("a"));
  EXPECT_FALSE(cluster_.get_now(as("bob"), name("a"), all));
  EXPECT_FALSE(cluster_.get_now({}, name("a"), all));
}

TEST_F(LocalTargetTest, ANameMovesBetweenAnyTwoTargets) {
  for (const char* a : {"t1", "t2", "t3"}) {
    for (const char* b : {"t1", "t2", "t3"}) {
      const std::string from = key_on(a, "from"), to = key_on(b, std::string("to-") + a);
      const std::string body = "bytes of " + from + to;
      const auto before = put(from, body);
      ASSERT_TRUE(before.ok());
      const auto moved = rename(from, to);
      ASSERT_TRUE(moved.ok()) << moved.error().what();
      EXPECT_EQ(code(head(from)), Errc::not_found);
      EXPECT_EQ(get(to).value_or("?"), body);
      EXPECT_EQ(head(to)->ino, before->ino);
      EXPECT_EQ(head(to)->etag, before->etag);
      EXPECT_EQ(code(rename(from, to)), Errc::not_found);
    }
  }
  EXPECT_EQ(list().size(), 9u);
}

TEST_F(LocalTargetTest, ReplacesOrRefusesTo) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to");
  ASSERT_TRUE(put(from, "new").ok());
  ASSERT_TRUE(put(to, "old").ok());
  RenameOptions no_replace{.no_replace = true};
  EXPECT_EQ(code(rename(from, to, no_replace)), Errc::already_exists);
  EXPECT_EQ(get(from).value_or("?"), "new");
  EXPECT_EQ(get(to).value_or("?"), "old");
  RenameOptions wrong;
  wrong.destination_conditions.if_size = 99;
  EXPECT_EQ(code(rename(from, to, wrong)), Errc::precondition_failed);
  ASSERT_TRUE(rename(from, to).ok());
  EXPECT_EQ(get(to).value_or("?"), "new");
  EXPECT_EQ(list(), std::vector<std::string>{to});
}

TEST_F(LocalTargetTest, ReferencesBecomePlainObjects) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to");
  const std::string body(300'000, 'x');
  ASSERT_TRUE(put(from, body).ok());
  ASSERT_TRUE(rename(from, to).ok());
  const store::Key key = store::make_key(kId, name(to));
  EXPECT_TRUE(stores_["t2"]->resolve(key)->has_value());
  EXPECT_EQ(settle_all(), 0u);
  EXPECT_FALSE(stores_["t2"]->resolve(key)->has_value());
  EXPECT_EQ(get(to).value_or("?"), body);
  // The old name is free, and what comes there does not meet the old bytes.
  ASSERT_TRUE(put(from, "another").ok());
  EXPECT_EQ(get(from).value_or("?"), "another");
  EXPECT_EQ(get(to).value_or("?"), body);
}

TEST_F(LocalTargetTest, ACommittedRenameIsSeenWholeThoughItsEndIsLost) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to");
  ASSERT_TRUE(put(from, "new").ok());
  ASSERT_TRUE(put(to, "old").ok());
  finish_is_lost_ = true;
  ASSERT_TRUE(rename(from, to).ok());
  EXPECT_EQ(code(head(from)), Errc::not_found);
  EXPECT_EQ(get(to).value_or("?"), "new");  // the reader's target has asked
  restart("t1");
  restart("t2");
  EXPECT_EQ(code(head(from)), Errc::not_found);
  EXPECT_EQ(get(to).value_or("?"), "new");
  finish_is_lost_ = false;
  EXPECT_EQ(settle_all(), 0u);
  EXPECT_EQ(list(), std::vector<std::string>{to});
  EXPECT_EQ(get(to).value_or("?"), "new");
}

TEST_F(LocalTargetTest, AWriterToTheOldNameComesAfterTheRename) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to");
  ASSERT_TRUE(put(from, "moves").ok());
  finish_is_lost_ = true;
  ASSERT_TRUE(rename(from, to).ok());
  finish_is_lost_ = false;
  ASSERT_TRUE(put(from, "later").ok());
  EXPECT_EQ(settle_all(), 0u);
  EXPECT_EQ(get(from).value_or("?"), "later");
  EXPECT_EQ(get(to).value_or("?"), "moves");
}

TEST_F(LocalTargetTest, AnUndecidedRenameIsGivenUp) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to");
  ASSERT_TRUE(put(from, "source").ok());
  ASSERT_TRUE(put(to, "old").ok());
  RenamePrepare orphan{.op_id = "t1-died",
                       .source_owner = "t1",
                       .bucket = kName,
                       .bucket_id = kId,
                       .source = from,
                       .destination = to,
                       .content = {from, {1, 2, 3}}};
  ASSERT_TRUE(run(targets_["t2"]->prepare_rename(alice(), orphan)).ok());
  RenamePrepare second = orphan;
  second.op_id = "t3-too";
  EXPECT_EQ(run(targets_["t2"]->prepare_rename(alice(), second)).error().code(), Errc::busy);
  restart("t2");
  ASSERT_TRUE(put(to, "goes on").ok());
  EXPECT_EQ(get(to).value_or("?"), "goes on");
  EXPECT_EQ(get(from).value_or("?"), "source");
  EXPECT_EQ(settle_all(), 0u);
}

TEST_F(LocalTargetTest, Directories) {
  const PosixAttrs posix{.mode = 0040755};
  ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, "d", {.posix = posix})).ok());
  EXPECT_EQ(code(run(cluster_.make_dir(alice(), kName, "d", {.posix = posix}))), Errc::already_exists);
  ASSERT_TRUE(put("d/f", "1").ok());
  ASSERT_TRUE(put("i/f", "1").ok());
  const auto kind = [&](const std::string& path) {
    return run(cluster_.lookup(alice(), kName, path))->kind;
  };
  EXPECT_EQ(kind(""), LookupReply::Kind::kDirectory);
  EXPECT_EQ(kind("d"), LookupReply::Kind::kDirectory);
  EXPECT_EQ(kind("i"), LookupReply::Kind::kDirectory);
  EXPECT_EQ(kind("d/f"), LookupReply::Kind::kFile);
  EXPECT_EQ(kind("x"), LookupReply::Kind::kNone);
  EXPECT_EQ(code(run(cluster_.make_dir(alice(), kName, "d/f", {.posix = posix}))), Errc::already_exists);
  EXPECT_EQ(run(cluster_.remove_dir(alice(), kName, "d")).error().code(), Errc::not_empty);
  EXPECT_EQ(run(cluster_.remove_dir(alice(), kName, "d/f")).error().code(), Errc::not_directory);
  EXPECT_EQ(run(cluster_.remove_dir(alice(), kName, "x")).error().code(), Errc::not_found);
  RemoveOptions plain;
  ASSERT_TRUE(run(cluster_.remove(alice(), name("d/f"), plain)).ok());
  ASSERT_TRUE(run(cluster_.remove_dir(alice(), kName, "d")).ok());
  EXPECT_EQ(kind("d"), LookupReply::Kind::kNone);
}

TEST_F(LocalTargetTest, ADirectoryIsRenamedWithAllBelowIt) {
  const PosixAttrs posix{.mode = 0040755};
  ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, "old", {.posix = posix})).ok());
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(put("old/sub/" + std::to_string(i), "file " + std::to_string(i)).ok());
  }
  ASSERT_TRUE(put("older", "stays").ok());
  EXPECT_EQ(run(cluster_.rename_dir(alice(), kName, "old", "old/sub/x", false)).error().code(),
            Errc::invalid_argument);
  EXPECT_EQ(run(cluster_.rename_dir(alice(), kName, "none", "x", false)).error().code(),
            Errc::not_found);
  const Status moved = run(cluster_.rename_dir(alice(), kName, "old", "new", false));
  ASSERT_TRUE(moved.ok()) << moved.error().what();
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(get("new/sub/" + std::to_string(i)).value_or("?"), "file " + std::to_string(i));
  }
  EXPECT_EQ(list().size(), 32u);
  EXPECT_EQ(run(cluster_.lookup(alice(), kName, "old"))->kind, LookupReply::Kind::kNone);
  ASSERT_TRUE(run(cluster_.make_dir(alice(), kName, "third", {.posix = posix})).ok());
  EXPECT_EQ(run(cluster_.rename_dir(alice(), kName, "third", "new", true)).error().code(),
            Errc::already_exists);
  EXPECT_EQ(run(cluster_.rename_dir(alice(), kName, "third", "new", false)).error().code(),
            Errc::not_empty);
  EXPECT_EQ(settle_all(), 0u);
  EXPECT_EQ(get("new/sub/7").value_or("?"), "file 7");
}

TEST_F(LocalTargetTest, CopiesBetweenTargetsWithTheMetadata) {
  const std::string from = key_on("t1", "from"), to = key_on("t2", "to"), near = key_on("t1", "n");
  ASSERT_TRUE(put(from, "bytes").ok());
  AttrChange change;
  change.user = std::map<std::string, std::string>{{"k", "v"}};
  ASSERT_TRUE(run(cluster_.set_attrs(alice(), name(from), change, {})).ok());
  for (const std::string& target : {to, near}) {
    CopyOptions options;
    ASSERT_TRUE(run(cluster_.copy(alice(), name(from), name(target), options)).ok());
    EXPECT_EQ(get(target).value_or("?"), "bytes");
    EXPECT_EQ(head(target)->user, *change.user);
  }
  EXPECT_NE(head(to)->ino, head(from)->ino);
}

}  // namespace
}  // namespace aisfs::target
