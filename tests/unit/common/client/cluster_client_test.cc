// SPDX-License-Identifier: MIT
// Every operation from the client over HTTP to the handler to an api in memory, and back.
#include "common/client/cluster_client.h"

#include <gmock/gmock.h>

#include "common/base/hash.h"
#include "common/client/retry.h"
#include "common/placement/hrw.h"
#include "tests/kit/http_cluster.h"

namespace aisfs {
namespace {

using tests::HttpCluster;
using testing::ElementsAre;

class ClientTest : public testing::Test {
 protected:
  explicit ClientTest(std::size_t targets = 1) : cluster_(targets) {
    cluster_.add_bucket("b");
    client_ = cluster_.connect();
  }
  ~ClientTest() override { client_->stop(); }

  static ObjectName name(std::string key) { return {native_bucket("b"), std::move(key)}; }
  template <class T>
  T run(Task<T> task) {
    return cluster_.run(std::move(task));
  }

  Result<ObjectInfo> put(std::string key, std::string bytes, PutOptions options = {}) {
    StringSource body(std::move(bytes));
    return run(client_->put({}, name(std::move(key)), std::move(options), {}, body));
  }
  static Task<Result<std::string>> read_whole(ObjectApi& api, ObjectName name, GetOptions options) {
    Context anyone;
    CO_TRY(ObjectStream stream,
           co_await api.get(std::move(anyone), std::move(name), std::move(options)));
    co_return co_await read_all(*stream.body, 64 << 20);
  }
  static Task<void> drop(ObjectStream stream) {
    stream.body.reset();  // on the shard of its connection
    co_return;
  }
  /// Those that the client tries again until its time is over.
  static bool may_retry_forever(Errc code) { return may_retry(code, Replay::kAmbiguous); }
  Result<std::string> get(std::string key, GetOptions options = {}) {
    return run(read_whole(*client_, name(std::move(key)), std::move(options)));
  }

  HttpCluster cluster_;
  std::unique_ptr<ClusterClient> client_;
};

TEST_F(ClientTest, PutGetHeadWithAllMetadata) {
  PutOptions options;
  options.content_type = "text/plain";
  options.user = {{"color", "blue \xc3\xa4"}};
  options.xattrs = {{"user.x", std::string("\0\xff", 2)}};
  options.headers = {{"cache-control", "no-cache"}};
  options.posix = PosixAttrs{.mode = 0100640, .uid = 7, .gid = 8, .mtime_ns = 123456789};
  const auto info = put("dir/a b%?#.txt", "hello", options);
  ASSERT_TRUE(info.ok()) << info.error().what();
  EXPECT_EQ(info->size, 5U);
  EXPECT_EQ(get("dir/a b%?#.txt").value_or(""), "hello");
  const auto head = run(client_->head({}, name("dir/a b%?#.txt"), {}));
  ASSERT_TRUE(head.ok()) << head.error().what();
  EXPECT_EQ(*head, *info);
  EXPECT_EQ(*head, *cluster_.disks(0).info_of("b", "dir/a b%?#.txt"));
  EXPECT_EQ(head->xattrs, options.xattrs);
  EXPECT_EQ(head->posix->mtime_ns, 123456789);
}

TEST_F(ClientTest, AwkwardKeysRoundTrip) {
  for (const std::string key : {"a//b", "../x", "./y", "a/./b", "%2F", "dir/", "\xff\xfe", "a+b",
                                "ticket=1", "a&ticket=x", " lead", "x?y=z#f"}) {
    ASSERT_TRUE(put(key, "v:" + key).ok()) << key;
    EXPECT_EQ(get(key).value_or("?"), "v:" + key) << key;
    EXPECT_TRUE(cluster_.disks(0).info_of("b", key)) << key;
  }
}

TEST_F(ClientTest, RangesAndVersions) {
  const auto first = put("k", "0123456789");
  ASSERT_TRUE(first.ok());
  GetOptions part;
  part.range = {3, 4};
  EXPECT_EQ(get("k", part).value_or("?"), "3456");
  GetOptions past;
  past.range = {100, 5};
  EXPECT_EQ(get("k", past).error().code(), Errc::out_of_range);
  GetOptions pinned;
  pinned.version = first->content_version;
  EXPECT_EQ(get("k", pinned).value_or("?"), "0123456789");
}

TEST_F(ClientTest, ConditionsFailWithTheirErrc) {
  ASSERT_TRUE(put("k", "1").ok());
  PutOptions create;
  create.conditions.must_not_exist = true;
  EXPECT_EQ(put("k", "2", create).error().code(), Errc::already_exists);
  PutOptions stale;
  stale.conditions.if_content_version = Version{1, 1, 1};
  EXPECT_EQ(put("k", "2", stale).error().code(), Errc::precondition_failed);
  EXPECT_EQ(get("k").value_or("?"), "1");
  const auto missing = run(client_->head({}, name("nope"), {}));
  EXPECT_EQ(missing.error().code(), Errc::not_found);
  GetOptions unchanged;
  unchanged.conditions.if_none_match = {run(client_->head({}, name("k"), {}))->etag};
  EXPECT_EQ(get("k", unchanged).error().code(), Errc::not_modified);
}

TEST_F(ClientTest, EveryErrcComesBackAsItself) {
  for (std::size_t i = 0; i < kErrcCount; ++i) {
    const auto code = static_cast<Errc>(i);
    if (may_retry_forever(code)) continue;
    cluster_.disks(0).on_call([code](std::string_view op, const std::string&) -> Status {
      if (op != "remove") return {};
      return Error(code, "text with \"quotes\"\nand lines: ais://b/k");
    });
    const auto status = run(client_->remove({}, name("k"), {}));
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code(), code) << info(code).name;
    EXPECT_EQ(status.error().what(), "text with \"quotes\"\nand lines: ais://b/k");
  }
}

TEST_F(ClientTest, BigBodiesStreamBothWays) {
  std::string bytes = random_bytes(1 << 20);
  for (int i = 0; i < 4; ++i) bytes += bytes;  // 16 MiB
  ASSERT_TRUE(put("big", bytes).ok());
  EXPECT_TRUE(get("big").value_or("") == bytes);
}

TEST_F(ClientTest, BeforePublishStopsThePut) {
  ASSERT_TRUE(put("k", "old").ok());
  PutOptions options;
  options.before_publish = [] { return Status(Error(Errc::bad_checksum, "no")); };
  EXPECT_EQ(put("k", "new", options).error().code(), Errc::bad_checksum);
  EXPECT_EQ(get("k").value_or("?"), "old");
  options.before_publish = [] { return Status(); };
  ASSERT_TRUE(put("k", "new", options).ok());
  EXPECT_EQ(get("k").value_or("?"), "new");
}

TEST_F(ClientTest, ExpectedChecksumsAreChecked) {
  ExpectedChecksums expected;
  expected.md5 = std::string(16, 'x');
  StringSource body("hello");
  const auto info = run(client_->put({}, name("k"), {}, expected, body));
  EXPECT_EQ(info.error().code(), Errc::bad_checksum);
}

TEST_F(ClientTest, AttributesPatchRenameCopyRemove) {
  ASSERT_TRUE(put("k", "0123456789").ok());
  AttrChange change;
  change.mode = 0100600;
  change.xattrs["user.a"] = "1";
  change.user_patch["m"] = "v";
  const auto changed = run(client_->set_attrs({}, name("k"), change, {}));
  ASSERT_TRUE(changed.ok()) << changed.error().what();
  EXPECT_EQ(changed->xattrs.at("user.a"), "1");
  PatchOptions patch;
  patch.extents = {{2, 3}};
  patch.truncate_to = 8;
  StringSource bytes("abc");
  const auto patched = run(client_->patch({}, name("k"), patch, bytes));
  ASSERT_TRUE(patched.ok()) << patched.error().what();
  EXPECT_EQ(get("k").value_or("?"), "01abc567");
  const auto renamed = run(client_->rename({}, name("k"), name("k2"), {}));
  ASSERT_TRUE(renamed.ok());
  EXPECT_EQ(renamed->ino, changed->ino);
  const auto copied = run(client_->copy({}, name("k2"), name("k3"), {}));
  ASSERT_TRUE(copied.ok());
  EXPECT_NE(copied->ino, renamed->ino);
  EXPECT_EQ(get("k3").value_or("?"), "01abc567");
  EXPECT_TRUE(run(client_->remove({}, name("k2"), {})).ok());
  EXPECT_EQ(run(client_->remove({}, name("k2"), {})).error().code(), Errc::not_found);
  EXPECT_TRUE(run(client_->remove({}, name("k2"), {.conditions = {}, .missing_ok = true})).ok());
}

TEST_F(ClientTest, Directories) {
  const auto bucket = native_bucket("b");
  ASSERT_TRUE(run(client_->make_dir({}, bucket, "d", {.posix = {.mode = 040755}})).ok());
  EXPECT_EQ(run(client_->make_dir({}, bucket, "d", {})).error().code(), Errc::already_exists);
  ASSERT_TRUE(put("d/f", "x").ok());
  const auto dir = run(client_->lookup({}, bucket, "d"));
  ASSERT_TRUE(dir.ok());
  EXPECT_EQ(dir->kind, LookupReply::Kind::kDirectory);
  EXPECT_TRUE(dir->explicit_dir);
  EXPECT_EQ(run(client_->lookup({}, bucket, "d/f"))->kind, LookupReply::Kind::kFile);
  EXPECT_EQ(run(client_->lookup({}, bucket, "e"))->kind, LookupReply::Kind::kNone);
  EXPECT_EQ(run(client_->remove_dir({}, bucket, "d")).error().code(), Errc::not_empty);
  EXPECT_TRUE(run(client_->rename_dir({}, bucket, "d", "e", false)).ok());
  EXPECT_EQ(get("e/f").value_or("?"), "x");
  ASSERT_TRUE(run(client_->remove({}, name("e/f"), {})).ok());
  EXPECT_TRUE(run(client_->remove_dir({}, bucket, "e")).ok());
}

TEST_F(ClientTest, Uploads) {
  const auto id = run(client_->create_upload({}, name("u"), {}));
  ASSERT_TRUE(id.ok());
  std::vector<CompletedPart> parts;
  for (std::uint32_t n = 1; n <= 2; ++n) {
    StringSource body(std::string(5, static_cast<char>('0' + n)));
    const auto part = run(client_->put_part({}, name("u"), *id, n, {}, body));
    ASSERT_TRUE(part.ok()) << part.error().what();
    parts.push_back({part->number, part->etag});
  }
  EXPECT_EQ(run(client_->list_parts({}, name("u"), *id, 0, 10))->parts.size(), 2U);
  EXPECT_EQ(run(client_->list_uploads({}, native_bucket("b"), "", "", "", 10))->uploads.size(), 1U);
  const auto info = run(client_->complete_upload({}, name("u"), *id, parts, {}));
  ASSERT_TRUE(info.ok()) << info.error().what();
  EXPECT_THAT(info->part_sizes, ElementsAre(5, 5));
  EXPECT_EQ(get("u").value_or("?"), "1111122222");
  const auto other = run(client_->create_upload({}, name("v"), {}));
  EXPECT_TRUE(run(client_->abort_upload({}, name("v"), *other)).ok());
}

TEST_F(ClientTest, InfoThatDoesNotFitInAHeaderComesWhole) {
  AttrChange change;
  for (int i = 0; i < 40; ++i) change.xattrs["user." + std::to_string(i)] = std::string(1000, 'x');
  ASSERT_TRUE(put("k", "v").ok());
  const auto changed = run(client_->set_attrs({}, name("k"), change, {}));
  ASSERT_TRUE(changed.ok());
  GetOptions options;
  auto stream = run(client_->get({}, name("k"), options));
  ASSERT_TRUE(stream.ok()) << stream.error().what();
  EXPECT_EQ(stream->info, *changed);
  run(drop(*std::move(stream)));
}

TEST_F(ClientTest, BucketsAndUsers) {
  const auto made = run(client_->create_bucket({}, native_bucket("new"), {.copies = 1}));
  ASSERT_TRUE(made.ok()) << made.error().what();
  EXPECT_EQ(run(client_->create_bucket({}, native_bucket("new"), {})).error().code(),
            Errc::already_exists);
  BucketProps props;
  props.close_level = Durability::kFull;
  props.disk_copies = 2;
  EXPECT_EQ(run(client_->set_bucket_props({}, native_bucket("new"), props))->props, props);
  EXPECT_EQ(run(client_->find_bucket({}, native_bucket("new")))->props, props);
  EXPECT_EQ(run(client_->list_buckets({}))->size(), 2U);
  EXPECT_TRUE(run(client_->destroy_bucket({}, native_bucket("new"), false)).ok());
  EXPECT_EQ(run(client_->find_bucket({}, native_bucket("new"))).error().code(), Errc::not_found);
  CreateUser user;
  user.id = "bob";
  const auto bob = run(client_->create_user({}, user));
  ASSERT_TRUE(bob.ok());
  EXPECT_FALSE(bob->new_secret_key.empty());
  EXPECT_FALSE(run(client_->list_users({}))->empty());
  EXPECT_TRUE(run(client_->remove_user({}, "bob")).ok());
  EXPECT_TRUE(run(client_->create_token({}, std::chrono::hours(1))).ok());
}

TEST_F(ClientTest, OthersMayNotTouchTheBucket) {
  ASSERT_TRUE(put("k", "secret").ok());
  const auto ann = cluster_.connect("ann");
  const auto denied = run(read_whole(*ann, name("k"), {}));
  EXPECT_EQ(denied.error().code(), Errc::permission_denied);
  StringSource body("x");
  EXPECT_EQ(run(ann->put({}, name("k"), {}, {}, body)).error().code(), Errc::permission_denied);
  EXPECT_EQ(run(ann->list({}, native_bucket("b"), {})).error().code(), Errc::permission_denied);
  EXPECT_EQ(run(ann->destroy_bucket({}, native_bucket("b"), true)).error().code(),
            Errc::permission_denied);
  EXPECT_EQ(run(ann->list_users({})).error().code(), Errc::permission_denied);
  ann->stop();
}

TEST_F(ClientTest, BadKeysAreRefusedAtOnce) {
  ClusterClientOptions options;
  options.endpoints = {cluster_.endpoint(0)};
  options.credentials = {.access_key = "KEYOFroot", .secret_key = "wrong-secret", .token = {}};
  const auto client = run(ClusterClient::connect(cluster_.runtime(), options));
  ASSERT_FALSE(client.ok());
  EXPECT_TRUE(client.error() == Errc::unauthenticated ||
              client.error() == Errc::permission_denied);
}

TEST_F(ClientTest, TokensAreAsGoodAsKeys) {
  ASSERT_TRUE(put("k", "v").ok());
  ClusterClientOptions options;
  options.endpoints = {cluster_.endpoint(0)};
  options.credentials.token = cluster_.token_of("root");
  const auto client = run(ClusterClient::connect(cluster_.runtime(), options));
  ASSERT_TRUE(client.ok()) << client.error().what();
  EXPECT_EQ(run(read_whole(**client, name("k"), {})).value_or("?"), "v");
  (*client)->stop();
}

TEST_F(ClientTest, NoNodeNamesAllThatWereTried) {
  ClusterClientOptions options;
  options.endpoints = {{"127.0.0.1", 1}, {"127.0.0.1", 2}};
  const auto client = run(ClusterClient::connect(cluster_.runtime(), options));
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().code(), Errc::unreachable);
  EXPECT_THAT(client.error().what(), testing::HasSubstr("127.0.0.1:1"));
  EXPECT_THAT(client.error().what(), testing::HasSubstr("127.0.0.1:2"));
}

TEST_F(ClientTest, AStaleMapIsRefreshedAndTheRequestSentAgain) {
  const Epoch before = client_->current()->epoch;
  cluster_.maps().bump();
  cluster_.maps().bump();
  ASSERT_TRUE(put("k", "v").ok());
  EXPECT_EQ(client_->current()->epoch, before + 2);
  EXPECT_EQ(cluster_.disks(0).calls("put"), 1U);
}

TEST_F(ClientTest, TheMapIsFollowedWithoutRequests) {
  const Epoch next = client_->current()->epoch + 1;
  cluster_.maps().bump();
  const auto map = run(client_->at_least(next, Deadline::after(std::chrono::seconds(5))));
  ASSERT_TRUE(map.ok()) << map.error().what();
  EXPECT_GE((*map)->epoch, next);
  EXPECT_TRUE((*map)->users.empty());
}

TEST_F(ClientTest, RefusalsAreRetriedWithTheBodyFromItsBeginning) {
  std::atomic<int> refusals = 2;
  cluster_.disks(0).on_call([&](std::string_view op, const std::string&) -> Status {
    if (op == "put" && refusals-- > 0) return Error(Errc::overloaded, "later");
    return {};
  });
  ASSERT_TRUE(put("k", "whole body").ok());
  EXPECT_EQ(get("k").value_or("?"), "whole body");
  cluster_.disks(0).on_call({});
}

TEST_F(ClientTest, ARestartedNodeIsWaitedFor) {
  ASSERT_TRUE(put("k", "v").ok());
  cluster_.stop_node(0);
  std::thread later([this] { cluster_.start_node(0); });
  EXPECT_EQ(get("k").value_or("?"), "v");
  const auto made = run(client_->make_dir({}, native_bucket("b"), "d", {}));
  EXPECT_TRUE(made.ok()) << made.error().what();
  later.join();
}

TEST_F(ClientTest, ADeadNodeIsUnreachableWithinTheBudget) {
  const auto impatient = cluster_.connect("root", std::chrono::milliseconds(300));
  cluster_.stop_node(0);
  const auto begun = std::chrono::steady_clock::now();
  const auto head = run(impatient->head({}, name("k"), {}));
  const auto took = std::chrono::steady_clock::now() - begun;
  ASSERT_FALSE(head.ok());
  EXPECT_TRUE(head.error() == Errc::unreachable || head.error() == Errc::timed_out);
  EXPECT_LT(took, std::chrono::seconds(5));
  impatient->stop();
}

class ThreeTargets : public ClientTest {
 protected:
  ThreeTargets() : ClientTest(3) {}
};

TEST_F(ThreeTargets, NamesLieAtTheirOwnersAndListingsMergeThem) {
  constexpr int kCount = 60;
  for (int i = 0; i < kCount; ++i) {
    ASSERT_TRUE(put("d" + std::to_string(i % 7) + "/k" + std::to_string(100 + i), "v").ok());
  }
  for (std::size_t i = 0; i < 3; ++i) EXPECT_GT(cluster_.disks(i).calls("put"), 0U);
  std::vector<std::string> keys;
  ListOptions options;
  options.limit = 7;
  for (;;) {
    const auto page = run(client_->list({}, native_bucket("b"), options));
    ASSERT_TRUE(page.ok()) << page.error().what();
    EXPECT_LE(page->entries.size(), 7U);
    for (const auto& entry : page->entries) keys.push_back(entry.key);
    if (!page->more) break;
    options.after = page->next;
  }
  EXPECT_EQ(keys.size(), static_cast<std::size_t>(kCount));
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

TEST_F(ThreeTargets, CommonPrefixesAreListedOnceOverPages) {
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(put("d" + std::to_string(i % 5) + "/k" + std::to_string(i), "v").ok());
  }
  std::vector<std::string> keys;
  ListOptions options;
  options.delimiter = "/";
  options.limit = 2;
  for (;;) {
    const auto page = run(client_->list({}, native_bucket("b"), options));
    ASSERT_TRUE(page.ok()) << page.error().what();
    for (const auto& entry : page->entries) keys.push_back(entry.key);
    if (!page->more) break;
    options.after = page->next;
  }
  EXPECT_THAT(keys, ElementsAre("d0/", "d1/", "d2/", "d3/", "d4/"));
}

TEST_F(ThreeTargets, ImpliedDirectoriesAreFoundWhereverTheirChildrenLie) {
  ASSERT_TRUE(put("only/one/file", "v").ok());
  const auto found = run(client_->lookup({}, native_bucket("b"), "only/one"));
  ASSERT_TRUE(found.ok()) << found.error().what();
  EXPECT_EQ(found->kind, LookupReply::Kind::kDirectory);
  EXPECT_FALSE(found->explicit_dir);
}

TEST_F(ThreeTargets, ANodeIsAskedHowFarItIsAndEnded) {
  cluster_.disks(0).add_target("t1");
  const RebalanceProgress said{.placement = 7, .running = true, .names_moved = 5};
  cluster_.disks(0).set_rebalance("t1", said);
  const auto heard = run(client_->rebalance({}, "t1"));
  ASSERT_TRUE(heard.ok()) << heard.error().what();
  EXPECT_EQ(*heard, said);
  EXPECT_EQ(run(client_->rebalance({}, "t9")).error().code(), Errc::not_found);
  EXPECT_EQ(run(client_->shut_down_node({}, "t1")).error().code(), Errc::precondition_failed);
  cluster_.disks(0).set_state("t1", NodeState::kMaintenance);
  const auto ann = cluster_.connect("ann");
  EXPECT_EQ(run(ann->shut_down_node({}, "t1")).error().code(), Errc::permission_denied);
  EXPECT_TRUE(run(ann->rebalance({}, "t1")).ok());
  ann->stop();
  EXPECT_TRUE(run(client_->shut_down_node({}, "t1")).ok());
  EXPECT_TRUE(cluster_.disks(0).has_ended("t1"));
}

TEST_F(ThreeTargets, CapacityIsTheSum) {
  const auto one = run(cluster_.disks(0).capacity({}));
  const auto all = run(client_->capacity({}));
  ASSERT_TRUE(all.ok()) << all.error().what();
  EXPECT_EQ(all->total_bytes, 3 * one->total_bytes);
}

TEST_F(ThreeTargets, AListingIsNeverShort) {
  ASSERT_TRUE(put("k", "v").ok());
  const auto impatient = cluster_.connect("root", std::chrono::milliseconds(300));
  cluster_.stop_node(1);
  const auto page = run(impatient->list({}, native_bucket("b"), {}));
  EXPECT_FALSE(page.ok());
  impatient->stop();
}

}  // namespace
}  // namespace aisfs
