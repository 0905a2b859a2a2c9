// SPDX-License-Identifier: MIT
#include <algorithm>
#include <fstream>

#include "common/async/gather.h"
#include "common/base/hash.h"
#include "common/base/text.h"
#include "tests/unit/node/store/store_fixture.h"

namespace aisfs::store {
namespace {

std::string pattern(std::size_t size, unsigned seed) {
  std::string s(size, '\0');
  std::uint64_t x = seed * 2654435761u + 1;
  for (auto& c : s) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    c = static_cast<char>(x >> 56);
  }
  return s;
}

TEST_F(StoreTest, WhatWasPutIsReadBack) {
  for (const std::size_t size : {0ul, 1ul, 4096ul, 1ul << 20, (1ul << 20) + 1, 5'000'000ul}) {
    const std::string body = pattern(size, 1);
    ASSERT_TRUE(put("a/b", body).ok());
    EXPECT_EQ(*get("a/b"), body);
    EXPECT_EQ(head("a/b")->size, size);
  }
}

TEST_F(StoreTest, RangesAndKeepsInoOnOverwrite) {
  const std::string body = pattern(3'000'000, 2);
  const auto first = put("x", body);
  GetOptions range{.range = {1'048'570, 100}};
  EXPECT_EQ(*get("x", range), body.substr(1'048'570, 100));
  const auto second = put("x", "new");
  EXPECT_EQ(first->ino, second->ino);
  EXPECT_LT(first->content_version, second->content_version);
}

TEST_F(StoreTest, AReaderOfRangesKeepsItsVersion) {
  const auto first = put("x", "old content");
  EXPECT_EQ(*get("x"), "old content");
  ASSERT_TRUE(put("x", "new").ok());
  GetOptions pinned{.version = first->content_version};
  EXPECT_EQ(*get("x", pinned), "old content");
  GetOptions unknown{.version = Version{1, 2, 3}};
  EXPECT_EQ(code(get("x", unknown)), Errc::precondition_failed);
}

TEST_F(StoreTest, ConditionsAreCheckedUnderTheLock) {
  PutOptions create{.conditions = {.must_not_exist = true}};
  const auto made = put("x", "1", create);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(code(put("x", "2", create)), Errc::already_exists);
  PutOptions match{.conditions = {.if_content_version = made->content_version}};
  EXPECT_TRUE(put("x", "3", match).ok());
  EXPECT_EQ(code(put("x", "4", match)), Errc::precondition_failed);
  EXPECT_EQ(*get("x"), "3");
}

TEST_F(StoreTest, ABodyThatIsNotThePromisedOneChangesNothing) {
  ASSERT_TRUE(put("x", "old").ok());
  StringSource body("new");
  ExpectedChecksums wrong{.md5 = std::string(16, 'x')};
  PutOptions options{.level = Durability::kNone};
  EXPECT_EQ(code(run(store_->put(key("x"), options, wrong, body))), Errc::bad_checksum);
  PutOptions size{.size = 2};
  EXPECT_EQ(code(put("x", "new", size)), Errc::invalid_argument);
  EXPECT_EQ(*get("x"), "old");
}

TEST_F(StoreTest, AnUploadThatIsDroppedLeavesNothing) {
  {
    auto upload = store_->begin_put(key("x"), {});
    const std::string body = pattern(3'000'000, 1);
    ASSERT_TRUE(run(upload->write(as_bytes(body))).ok());
  }
  restart_cleanly();
  EXPECT_EQ(code(get("x")), Errc::not_found);
  EXPECT_TRUE(std::filesystem::is_empty(dir_ + "/m1/%wk"));
  EXPECT_TRUE(std::filesystem::is_empty(dir_ + "/m2/%wk"));
}

TEST_F(StoreTest, NamesThatAFileSystemCannotHoldSideBySide) {
  const std::vector<std::string> names = {"a", "a/", "a/b", "a//b", "../x", "/", std::string(900, 'n'),
                                          "a/b/", "%ob", "\x01\xff"};
  for (const auto& name : names) ASSERT_TRUE(put(name, "body of " + name).ok()) << name;
  const auto check = [&] {
    for (const auto& name : names) EXPECT_EQ(*get(name), "body of " + name);
    auto sorted = names;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(list(), sorted);
  };
  check();
  restart_without_index();
  check();
}

TEST_F(StoreTest, AReservedNameIsThereWithoutAFileUntilItsFirstPublish) {
  const auto files = [&] {
    std::size_t count = 0;
    for (const char* mountpath : {"/m1", "/m2"}) {
      const std::string objects = dir_ + mountpath + "/@ais/b/%ob";
      if (!std::filesystem::exists(objects)) continue;
      for (const auto& entry : std::filesystem::recursive_directory_iterator(objects)) {
        count += entry.is_regular_file() ? 1 : 0;
      }
    }
    return count;
  };
  const auto reserved = run(store_->reserve(key("x"), PutOptions{.posix = PosixAttrs{.mode = 0100644}}));
  ASSERT_TRUE(reserved.ok()) << reserved.error().what();
  EXPECT_EQ(code(run(store_->reserve(key("x"), PutOptions{}))), Errc::already_exists);
  EXPECT_EQ(files(), 0u);
  store_.reset();  // as kill -9: without a clean close
  ASSERT_TRUE(start().ok());
  restart_without_index();
  const auto there = head("x");
  ASSERT_TRUE(there.ok()) << there.error().what();
  EXPECT_EQ(there->ino, reserved->ino);
  EXPECT_EQ(there->size, 0u);
  EXPECT_EQ(list(), std::vector<std::string>{"x"});
  PutOptions first{.conditions = {.if_ino = reserved->ino}, .keep_attrs = true};
  ASSERT_TRUE(put("x", "bytes", std::move(first)).ok());
  EXPECT_EQ(files(), 1u);
  restart_without_index();
  EXPECT_EQ(*get("x"), "bytes");
  EXPECT_EQ(head("x")->ino, reserved->ino);
  EXPECT_EQ(head("x")->posix->mode, 0100644u);
}

TEST_F(StoreTest, AReservationThatIsRemovedStaysRemoved) {
  ASSERT_TRUE(run(store_->reserve(key("x"), PutOptions{})).ok());
  ASSERT_TRUE(remove("x").ok());
  restart_without_index();
  EXPECT_EQ(code(head("x")), Errc::not_found);
}

TEST_F(StoreTest, DeletedStaysDeletedAlsoWhenTheFileComesBack) {
  ASSERT_TRUE(put("x", "old").ok());
  const std::string m1 = dir_ + "/m1/@ais/b/%ob/x", m2 = dir_ + "/m2/@ais/b/%ob/x";
  const std::string file = std::filesystem::exists(m1) ? m1 : m2;
  ASSERT_EQ(std::system(("cp -a --preserve=xattr " + file + " " + dir_ + "/kept").c_str()), 0);
  ASSERT_TRUE(remove("x").ok());
  EXPECT_EQ(code(remove("x")), Errc::not_found);
  store_->close();
  store_.reset();
  std::filesystem::create_directories(std::filesystem::path(file).parent_path());
  ASSERT_EQ(std::system(("cp -a --preserve=xattr " + dir_ + "/kept " + file).c_str()), 0);
  ASSERT_TRUE(start().ok());
  restart_without_index();
  EXPECT_EQ(code(get("x")), Errc::not_found);
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(StoreTest, RottenBytesDoNotLeave) {
  ASSERT_TRUE(put("x", pattern(5000, 1)).ok());
  const std::string m1 = dir_ + "/m1/@ais/b/%ob/x", m2 = dir_ + "/m2/@ais/b/%ob/x";
  restart_cleanly();
  {
    std::fstream file(std::filesystem::exists(m1) ? m1 : m2, std::ios::in | std::ios::out);
    file.seekp(100);
    file.put('!');
  }
  EXPECT_EQ(code(get("x")), Errc::corrupt);
}

TEST_F(StoreTest, ASmallObjectThatIsReadStaysInMemoryAsLongAsItIsTheObject) {
  const auto hot = [&](const std::string& name, VerifyRead verify = VerifyRead::kFirst) {
    const auto found = store_->hot(key(name), verify);
    return found && !found->body ? found->object->content : "(not in memory)";
  };
  ASSERT_TRUE(put("x", "old").ok());
  EXPECT_EQ(hot("x"), "(not in memory)");  // nobody has read and verified it
  ASSERT_EQ(*get("x"), "old");
  EXPECT_EQ(hot("x"), "old");
  EXPECT_EQ(hot("x", VerifyRead::kAlways), "(not in memory)");
  const auto kept = store_->hot(key("x"), VerifyRead::kFirst);
  ASSERT_TRUE(put("x", "new").ok());
  EXPECT_EQ(hot("x"), "(not in memory)");
  ASSERT_EQ(*get("x"), "new");
  EXPECT_EQ(hot("x"), "new");
  EXPECT_EQ(kept->object->content, "old");  // for whoever still sends it
  AttrChange change{.mode = 0100600};
  ASSERT_TRUE(run(store_->set_attrs(key("x"), change, {}, Durability::kNone)).ok());
  EXPECT_EQ(hot("x"), "(not in memory)");
  ASSERT_TRUE(remove("x").ok());
  EXPECT_EQ(hot("x"), "(not in memory)");
  const std::string large = pattern(4097, 1);
  ASSERT_TRUE(put("large", large).ok());
  ASSERT_EQ(*get("large"), large);
  EXPECT_EQ(hot("large"), "(not in memory)");
  auto found = store_->hot(key("large"), VerifyRead::kFirst);
  ASSERT_TRUE(found && found->body);
  EXPECT_EQ(*run(read_all(*found->body, 1_MiB)), large);
}

TEST_F(StoreTest, AttributesChangeWithoutTheContent) {
  const auto made = put("x", "body");
  AttrChange change{.mode = 0100600, .xattrs = {{"user.k", "v"}}};
  const auto changed = run(store_->set_attrs(key("x"), change, {}, Durability::kFull));
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(changed->content_version, made->content_version);
  EXPECT_GT(changed->meta_version, made->meta_version);
  restart_without_index();
  EXPECT_EQ(head("x")->xattrs.at("user.k"), "v");
  EXPECT_EQ(head("x")->posix->mode, 0100600u);
  AttrChange create{.xattrs = {{"user.k", "w"}}, .xattr_must_not_exist = "user.k"};
  EXPECT_EQ(code(run(store_->set_attrs(key("x"), create, {}, level_))), Errc::already_exists);
}

TEST_F(StoreTest, LongMetadataSurvive) {
  PutOptions options{.user = {{"long", pattern(30'000, 3)}}};
  ASSERT_TRUE(put("x", "body", options).ok());
  EXPECT_EQ(head("x")->user, options.user);
  restart_without_index();
  EXPECT_EQ(head("x")->user, options.user);
  EXPECT_EQ(*get("x"), "body");
}

TEST_F(StoreTest, RenameOnAndBetweenMountpaths) {
  for (int i = 0; i < 12; ++i) {  // both kinds among them
    const std::string from = "from" + std::to_string(i), to = "dir/to" + std::to_string(i);
    const auto made = put(from, "body" + std::to_string(i));
    const auto renamed = run(store_->rename_local(key(from), key(to), {}, Durability::kNone));
    ASSERT_TRUE(renamed.ok()) << renamed.error().what();
    EXPECT_EQ(renamed->ino, made->ino);
    EXPECT_EQ(renamed->content_version, made->content_version);
  }
  const auto check = [&] {
    for (int i = 0; i < 12; ++i) {
      EXPECT_EQ(*get("dir/to" + std::to_string(i)), "body" + std::to_string(i));
      EXPECT_EQ(code(get("from" + std::to_string(i))), Errc::not_found);
    }
    EXPECT_EQ(list().size(), 12u);
  };
  check();
  restart_without_index();
  check();
  RenameOptions keep{.no_replace = true};
  EXPECT_EQ(code(run(store_->rename_local(key("dir/to1"), key("dir/to2"), keep, level_))),
            Errc::already_exists);
}

TEST_F(StoreTest, ARenameTakesAttributesAlong) {
  RenameOptions options{.posix = PosixAttrs{.mode = 0100640, .uid = 7, .mtime_ns = 99}};
  for (int i = 0; i < 8; ++i) {  // on and between mountpaths
    const std::string from = "from" + std::to_string(i), to = "to" + std::to_string(i);
    ASSERT_TRUE(put(from, "body").ok());
    const auto renamed = run(store_->rename_local(key(from), key(to), options, level_));
    ASSERT_TRUE(renamed.ok() && renamed->posix);
    EXPECT_EQ(renamed->posix->mode, 0100640u);
  }
  restart_without_index();
  for (int i = 0; i < 8; ++i) {
    const auto info = head("to" + std::to_string(i));
    ASSERT_TRUE(info.ok() && info->posix);
    EXPECT_EQ(info->posix->uid, 7u);
    EXPECT_EQ(info->posix->mtime_ns, 99);
  }
}

TEST_F(StoreTest, OverwritingAReferenceIsAPlainObjectAgain) {
  for (int i = 0; i < 8; ++i) {
    const std::string from = "f" + std::to_string(i), to = "t" + std::to_string(i);
    ASSERT_TRUE(put(from, "old").ok());
    ASSERT_TRUE(run(store_->rename_local(key(from), key(to), {}, level_)).ok());
    ASSERT_TRUE(put(to, "new").ok());
    EXPECT_FALSE((*store_->resolve(key(to))).has_value());
  }
  restart_without_index();
  for (int i = 0; i < 8; ++i) EXPECT_EQ(*get("t" + std::to_string(i)), "new");
}

TEST_F(StoreTest, DetachedContentIsReadThroughItsName) {
  ASSERT_TRUE(put("x", "body").ok());
  const auto content = run(store_->detach_content(key("x"), {}, level_));
  ASSERT_TRUE(content.ok());
  EXPECT_EQ(*run(store_->detach_content(key("x"), {}, level_)), *content);
  EXPECT_EQ(*get("x"), "body");
  restart_without_index();
  EXPECT_EQ(*get("x"), "body");
}

TEST_F(StoreTest, CopiesHaveTheirOwnLife) {
  const std::string body = pattern(3'000'000, 4);
  PutOptions options{.user = {{"k", "v"}}};
  ASSERT_TRUE(put("a", body, options).ok());
  CopyOptions copy{.put = {.level = Durability::kNone}};
  ASSERT_TRUE(run(store_->copy_local(key("a"), key("b"), copy)).ok());
  ASSERT_TRUE(remove("a").ok());
  restart_cleanly();
  EXPECT_EQ(*get("b"), body);
  EXPECT_EQ(head("b")->user.at("k"), "v");
}

TEST_F(StoreTest, PatchesAndAppendsEqualTheOrdinaryFile) {
  std::string model = pattern(2'500'000, 5);
  ASSERT_TRUE(put("x", model).ok());
  const auto apply = [&](PatchOptions options, const std::string& bytes) {
    options.level = Durability::kNone;
    StringSource body(bytes);
    return run(store_->patch(key("x"), std::move(options), body)).ok();
  };
  ASSERT_TRUE(apply({.extents = {{10, 5}, {1'048'574, 4}}}, "12345abcd"));
  model.replace(10, 5, "12345").replace(1'048'574, 4, "abcd");
  ASSERT_TRUE(apply({.append = true}, "the end"));
  model += "the end";
  ASSERT_TRUE(apply({.truncate_to = 1'500'000, .extents = {{1'600'000, 1}}}, "z"));
  model.resize(1'500'000);
  model.resize(1'600'000, '\0');
  model += "z";
  restart_cleanly();  // so that the hashes are compared
  EXPECT_EQ(*get("x"), model);
  EXPECT_FALSE(apply({.extents = {{0, 5}}}, "too long"));
}

TEST_F(StoreTest, MultipartAcrossARestart) {
  auto upload = run(store_->create_upload(key("big"), {.level = Durability::kNone}, "user"));
  ASSERT_TRUE(upload.ok());
  const std::string one = pattern(5 << 20, 1), two = pattern(1'000'001, 2), three = "tail";
  std::vector<CompletedPart> parts;
  const auto send = [&](std::uint32_t number, const std::string& bytes) {
    StringSource body(bytes);
    auto part = run(store_->put_part(key("big"), *upload, number, {}, body));
    ASSERT_TRUE(part.ok());
    parts.push_back({number, part->etag});
  };
  send(1, one);
  send(2, two);
  restart_cleanly();
  send(3, three);
  EXPECT_EQ(run(store_->list_parts(key("big"), *upload, 1, 10))->parts.size(), 2u);
  EXPECT_EQ(run(store_->list_uploads(kBucket, "", "", "", 10))->uploads.size(), 1u);
  auto wrong = parts;
  wrong[1].etag = "no";
  EXPECT_EQ(code(run(store_->complete_upload(key("big"), *upload, wrong, {}))), Errc::invalid_argument);
  const auto done = run(store_->complete_upload(key("big"), *upload, parts, {}));
  ASSERT_TRUE(done.ok()) << done.error().what();
  EXPECT_TRUE(done->etag.ends_with("-3"));
  EXPECT_EQ(*run(store_->complete_upload(key("big"), *upload, parts, {})), *done);
  EXPECT_TRUE(run(store_->list_uploads(kBucket, "", "", "", 10))->uploads.empty());
  restart_cleanly();
  EXPECT_EQ(*get("big"), one + two + three);
}

TEST_F(StoreTest, WhatAnUploadReplacesIsNotInTheWayOfOtherObjects) {
  const std::string bytes = pattern(8192, 1);
  const auto complete = [this](std::string upload, std::string etag) -> Task<Status> {
    std::vector<CompletedPart> parts{{1, std::move(etag)}};
    Conditions none;
    CO_TRY(const auto info, co_await store_->complete_upload(key("big"), std::move(upload),
                                                             std::move(parts), std::move(none)));
    static_cast<void>(info);
    co_return Status{};
  };
  const auto overwrite = [this, &bytes](std::string name) -> Task<Status> {
    for (int i = 0; i < 10; ++i) {
      StringSource body(bytes);
      PutOptions options{.size = bytes.size()};
      ExpectedChecksums unknown;
      CO_TRY(const auto info,
             co_await store_->put(key(name), std::move(options), std::move(unknown), body));
      static_cast<void>(info);
    }
    co_return Status{};
  };
  ASSERT_TRUE(put("big", bytes).ok());
  for (int i = 0; i < 30; ++i) {
    const auto upload = run(store_->create_upload(key("big"), {}, "user"));
    StringSource body(bytes);
    const auto part = run(store_->put_part(key("big"), *upload, 1, {}, body));
    ASSERT_TRUE(part.ok());
    std::vector<Task<Status>> together;
    together.push_back(complete(*upload, part->etag));
    for (int k = 0; k < 8; ++k) together.push_back(overwrite("k" + std::to_string(k)));
    for (const Status& done : run(gather(std::move(together)))) {
      ASSERT_TRUE(done.ok()) << done.error().what();
    }
  }
}

TEST_F(StoreTest, ChecksumsThatAreAskedForAreComputedAndStored) {
  StringSource body("123456789");
  PutOptions options{.checksums = {{"crc32", ""}, {"sha1", "as sent"}}};
  const auto info = run(store_->put(key("k"), options, {}, body));
  ASSERT_TRUE(info.ok()) << info.error().what();
  using Sums = std::map<std::string, std::string>;
  EXPECT_EQ(info->checksums, (Sums{{"crc32", "y/Q5Jg=="}, {"sha1", "as sent"}}));
  EXPECT_EQ(run(store_->head(key("k"), {}))->checksums, info->checksums);
}

TEST_F(StoreTest, AnUploadGetsTheChecksumOfItsPartsChecksums) {
  const auto upload = run(store_->create_upload(key("big"), {.checksums = {{"crc32", ""}}}, "user"));
  std::vector<CompletedPart> parts;
  std::string raw;
  for (std::uint32_t number : {1u, 2u}) {
    StringSource body("123456789");
    const ExpectedChecksums expected{.md5 = std::nullopt, .named = {{"crc32", ""}}};
    const auto part = run(store_->put_part(key("big"), *upload, number, expected, body));
    ASSERT_TRUE(part.ok());
    EXPECT_EQ(part->checksums.at("crc32"), "y/Q5Jg==");
    raw += "\xcb\xf4\x39\x26";
    parts.push_back({number, part->etag});
  }
  const std::uint32_t sum = crc32(as_bytes(raw), 0);
  const std::string bytes{static_cast<char>(sum >> 24), static_cast<char>(sum >> 16),
                          static_cast<char>(sum >> 8), static_cast<char>(sum)};
  const auto done = run(store_->complete_upload(key("big"), *upload, parts, {}));
  ASSERT_TRUE(done.ok()) << done.error().what();
  EXPECT_EQ(done->checksums.at("crc32"), to_base64(as_bytes(bytes)) + "-2");
}

TEST_F(StoreTest, AbortedUploadsAreGone) {
  auto upload = run(store_->create_upload(key("big"), {}, "user"));
  EXPECT_TRUE(run(store_->abort_upload(key("big"), *upload)).ok());
  EXPECT_EQ(code(run(store_->abort_upload(key("big"), *upload))), Errc::not_found);
  EXPECT_EQ(code(run(store_->abort_upload(key("big"), "../../x"))), Errc::not_found);
}

TEST_F(StoreTest, ListsInPagesWithCommonPrefixes) {
  std::vector<std::string> all;
  for (int i = 0; i < 100; ++i) all.push_back("k" + std::to_string(100 + i));
  for (const auto& name : all) ASSERT_TRUE(put(name, "").ok());
  ASSERT_TRUE(put("dir/a", "").ok());
  ASSERT_TRUE(put("dir/b", "").ok());
  all.insert(all.begin(), "dir/");
  for (const std::uint32_t limit : {1u, 2u, 7u, 50u, 101u, 1000u}) {
    std::vector<std::string> seen;
    ListOptions page{.delimiter = "/", .limit = limit};
    while (true) {
      const auto got = run(store_->list(kBucket, page));
      ASSERT_TRUE(got.ok());
      for (const auto& entry : got->entries) seen.push_back(entry.key);
      if (!got->more) break;
      ASSERT_EQ(got->entries.size(), limit) << "only the last page may be short";
      page.after = got->next;
    }
    EXPECT_EQ(seen, all) << "in pages of " << limit;
  }
  EXPECT_TRUE(*store_->any_below(kBucket, "dir/"));
  EXPECT_FALSE(*store_->any_below(kBucket, "dirx"));
}

TEST_F(StoreTest, AForeignOrBusyMountpathIsRefused) {
  Store second(options(), clock_);
  EXPECT_EQ(code(second.open()), Errc::busy);
  store_->close();
  store_.reset();
  StoreOptions other = options();
  other.node_id = "t2";
  Store wrong(other, clock_);
  EXPECT_EQ(code(wrong.open()), Errc::invalid_argument);
}

TEST_F(StoreTest, VersionsRiseOverRestarts) {
  const Version before = *store_->next_version();
  restart_without_index();
  EXPECT_GT(*store_->next_version(), before);
}

TEST_F(StoreTest, ADestroyedBucketDoesNotComeBack) {
  ASSERT_TRUE(put("x", "body").ok());
  ASSERT_TRUE(run(store_->destroy_bucket(kBucket)).ok());
  EXPECT_EQ(code(head("x")), Errc::not_found);
  restart_without_index();
  EXPECT_EQ(code(head("x")), Errc::not_found);
  EXPECT_EQ(store_->usage(kBucket)->objects, 0u);
}

TEST_F(StoreTest, LevelFullToo) {
  level_ = Durability::kFull;
  ASSERT_TRUE(put("x", pattern(6'000'000, 6)).ok());
  ASSERT_TRUE(put("x", "y").ok());
  EXPECT_EQ(*get("x"), "y");
  EXPECT_TRUE(remove("x").ok());
  EXPECT_TRUE(run(store_->sync(key("x"))).ok());
}

TEST_F(StoreTest, OutOfSpaceIsAMarkThatRemovalsPass) {
  ASSERT_TRUE(put("x", "body").ok());
  store_->close();
  StoreOptions full = options();
  full.high_watermark = full.out_of_space = 1;  // every disk has that much in use
  store_ = std::make_unique<Store>(full, clock_);
  ASSERT_TRUE(store_->open().ok());
  EXPECT_EQ(code(put("y", "body")), Errc::no_space);
  EXPECT_EQ(*get("x"), "body");
  for (const MountpathInfo& info : store_->storage().mountpaths) EXPECT_NE(info.why, "");
  EXPECT_TRUE(remove("x").ok());
  EXPECT_EQ(code(get("x")), Errc::not_found);
}

}  // namespace
}  // namespace aisfs::store
