// SPDX-License-Identifier: MIT
// Mountpaths that come and go, and names that move between them.
#include "common/model/version_key.h"
#include "tests/unit/node/store/mountpaths_fixture.h"

namespace aisfs::store {
namespace {

TEST_F(MountpathsTest, ANewOneGetsItsShareOfTheNames) {
  put_all();
  make(3);
  ASSERT_TRUE(attach(3).ok());
  expect_all();
  EXPECT_TRUE(files_on(3).empty());
  EXPECT_EQ(code(attach(3)), Errc::already_exists);
  settle();
  expect_all();
  const auto moved = files_on(3);
  EXPECT_GT(moved.size(), 4u);
  for (const auto& one : files_on(1)) EXPECT_FALSE(moved.contains(one));
  EXPECT_EQ(files_on(1).size() + files_on(2).size() + moved.size(), std::size_t{kNames});
  EXPECT_EQ(store_->storage().resilver.names_moved, moved.size());
  restart_cleanly();  // the configuration does not name it
  EXPECT_EQ(state_of(3), "active");
  EXPECT_TRUE(store_->storage().settled);
  expect_all();
  lose_power();
  expect_all();
}

TEST_F(MountpathsTest, NamesChangeWhileTheyMove) {
  put_all();
  make(3);
  ASSERT_TRUE(attach(3).ok());
  for (int i = 0; i < kNames; i += 4) ASSERT_TRUE(put(name(i), "new").ok());
  for (int i = 1; i < kNames; i += 4) ASSERT_TRUE(remove(name(i)).ok());
  for (int i = 2; i < kNames; i += 4) {
    ASSERT_TRUE(run(store_->rename_local(key(name(i)), key("moved/" + name(i)), {}, level_)).ok());
  }
  AttrChange change{.mode = 0100600};
  for (int i = 3; i < kNames; i += 4) {
    ASSERT_TRUE(run(store_->set_attrs(key(name(i)), change, {}, level_)).ok());
  }
  const auto check = [&] {
    for (int i = 0; i < kNames; i += 4) {
      EXPECT_EQ(get(name(i)).value_or("?"), "new");
      EXPECT_EQ(code(get(name(i + 1))), Errc::not_found);
      EXPECT_EQ(code(get(name(i + 2))), Errc::not_found);
      EXPECT_EQ(head(name(i + 3))->posix->mode, 0100600u);
      EXPECT_EQ(get(name(i + 3)).value_or("?"), "old " + name(i + 3));
    }
    EXPECT_EQ(list().size(), std::size_t{kNames} * 3 / 4);
  };
  check();
  crash();
  ASSERT_TRUE(start().ok());
  check();
  lose_power();
  check();
  settle();
  check();
  lose_power();
  settle();
  check();
}

TEST_F(MountpathsTest, ARenamedNameKeepsItsContentWhereverThatMoves) {
  put_all();
  for (int i = 0; i < kNames; ++i) {
    ASSERT_TRUE(run(store_->rename_local(key(name(i)), key("to/" + name(i)), {}, level_)).ok());
  }
  const auto check = [&] {
    for (int i = 0; i < kNames; ++i) {
      const Key to = key("to/" + name(i));
      const auto content = store_->resolve(to);
      ASSERT_TRUE(content.ok());
      if (!*content) {
        EXPECT_EQ(get("to/" + name(i)).value_or("?"), "old " + name(i));
        continue;
      }
      auto stream =
          run(store_->open_content(kBucket, to.name.bucket, **content, {}, VerifyRead::kFirst));
      ASSERT_TRUE(stream.ok()) << stream.error().what();
      EXPECT_EQ(run(read_all(*stream->body, 1_MiB)).value_or("?"), "old " + name(i));
    }
  };
  check();
  make(3);
  ASSERT_TRUE(attach(3).ok());
  check();
  settle();
  check();
  ASSERT_TRUE(detach(1).ok());
  settle();
  check();
  lose_power();
  check();
}

TEST_F(MountpathsTest, VersionsMoveWithTheirName) {
  std::vector<std::string> ids;
  for (int i = 0; i < kNames; ++i) {
    Key k = key(name(i));
    k.versioning = Versioning::kEnabled;
    for (const char* body : {"one", "two"}) {
      StringSource source(body);
      const auto done = run(store_->put(k, {}, {}, source));
      ASSERT_TRUE(done.ok());
      if (source.remaining() == 0 && std::string_view(body) == "one")
        ids.push_back(version_id(*done));
    }
  }
  make(3);
  ASSERT_TRUE(attach(3).ok());
  const auto check = [&] {
    for (int i = 0; i < kNames; ++i) {
      EXPECT_EQ(get(name(i)).value_or("?"), "two");
      EXPECT_EQ(store_->states_of(key(name(i)))->size(), 2u) << name(i);
      const auto old =
          store_->find_version(key(version_key(name(i), ids[static_cast<std::size_t>(i)])));
      ASSERT_TRUE(old.ok()) << name(i);
      EXPECT_EQ(get(old->key.key()).value_or("?"), "one");
    }
  };
  check();
  settle();
  check();
  lose_power();
  check();
}

TEST_F(MountpathsTest, AnUploadGoesOnWhereItIs) {
  std::vector<std::string> uploads;
  const std::string part(kHashBlockBytes, 'p');
  const auto put_part = [&](int i, std::uint32_t number) {
    StringSource body(part);
    return run(
        store_->put_part(key(name(i)), uploads[static_cast<std::size_t>(i)], number, {}, body));
  };
  for (int i = 0; i < 8; ++i) {
    uploads.push_back(*run(store_->create_upload(key(name(i)), {}, "user")));
    ASSERT_TRUE(put_part(i, 1).ok());
  }
  make(3);
  ASSERT_TRUE(attach(3).ok());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(put_part(i, 2).ok());
  ASSERT_TRUE(detach(1).ok());
  settle();
  EXPECT_EQ(run(store_->list_uploads(kBucket, "", "", "", 100))->uploads.size(), 8u);
  for (int i = 4; i < 8; ++i) ASSERT_TRUE(put_part(i, 2).ok());
  for (int i = 0; i < 8; ++i) {
    const auto done = run(store_->complete_upload(
        key(name(i)), uploads[static_cast<std::size_t>(i)], {{.number = 1}, {.number = 2}}, {}));
    ASSERT_TRUE(done.ok()) << done.error().what();
    EXPECT_EQ(get(name(i)).value_or("?"), part + part);
  }
}

TEST_F(MountpathsTest, ABodyOnItsWayFollowsItsName) {
  std::vector<std::unique_ptr<Upload>> uploads;
  const std::string body(3 * kHashBlockBytes / 2, 'b');
  for (int i = 0; i < 12; ++i) {
    uploads.push_back(store_->begin_put(key(name(i)), {}));
    ASSERT_TRUE(run(uploads.back()->write(as_bytes(body))).ok());
  }
  make(3);
  ASSERT_TRUE(attach(3).ok());
  for (auto& upload : uploads) ASSERT_TRUE(run(upload->commit()).ok());
  EXPECT_FALSE(files_on(3).empty());
  settle();
  for (int i = 0; i < 12; ++i) EXPECT_EQ(get(name(i)).value_or("?"), body);
}

TEST_F(MountpathsTest, ADetachedOneIsEmptiedAndForgotten) {
  put_all();
  ASSERT_TRUE(remove(name(0)).ok());
  ASSERT_TRUE(put(name(0), "old " + name(0)).ok());
  ASSERT_TRUE(detach(1).ok());
  EXPECT_EQ(state_of(1), "detaching");
  expect_all();
  settle();
  EXPECT_EQ(state_of(1), "unknown");
  EXPECT_TRUE(files_on(1).empty());
  expect_all();
  EXPECT_EQ(code(detach(2)), Errc::precondition_failed) << "the last one";
  restart_cleanly();  // the configuration still names it
  EXPECT_EQ(state_of(1), "unknown");
  expect_all();
  ASSERT_TRUE(attach(1).ok());
  settle();
  EXPECT_FALSE(files_on(1).empty());
  expect_all();
}

TEST_F(MountpathsTest, ADisabledOneIsEmptiedAndStaysKnown) {
  put_all();
  ASSERT_TRUE(disable(2).ok());
  ASSERT_TRUE(enable(2).ok()) << "taken back while it is emptied";
  ASSERT_TRUE(disable(2).ok());
  settle();
  EXPECT_EQ(state_of(2), "disabled");
  EXPECT_FALSE(store_->lacks_anything());
  restart_cleanly();
  EXPECT_EQ(state_of(2), "disabled");
  for (int i = 0; i < kNames; i += 2) ASSERT_TRUE(remove(name(i)).ok());
  ASSERT_TRUE(enable(2).ok());
  settle();
  EXPECT_EQ(state_of(2), "active");
  EXPECT_EQ(list().size(), std::size_t{kNames} / 2);
  EXPECT_FALSE(files_on(2).empty());
}

TEST_F(MountpathsTest, AMoveThatWasCutLeavesTheNewest) {
  level_ = Durability::kFull;
  put_all();
  make(3);
  ASSERT_TRUE(run(store_->sync_all()).ok());
  // What power loss brings back: all that was forgotten since.
  for (const int n : {1, 2}) {
    ASSERT_EQ(std::system(
                  ("cp -a --preserve=xattr " + m(n) + "/@ais " + dir_ + "/kept" + std::to_string(n))
                      .c_str()),
              0);
  }
  ASSERT_TRUE(attach(3).ok());
  for (int i = 0; i < kNames; i += 3) ASSERT_TRUE(put(name(i), "new").ok());
  for (int i = 1; i < kNames; i += 3) ASSERT_TRUE(remove(name(i)).ok());
  const auto page = run(store_->settle_names());
  ASSERT_TRUE(page.ok());
  crash();
  for (const int n : {1, 2}) {
    const std::string kept = dir_ + "/kept" + std::to_string(n);
    ASSERT_EQ(std::system(("cp -a -n --preserve=xattr " + kept + "/. " + m(n) + "/@ais/").c_str()),
              0);
    fs::remove_all(kept);
  }
  lose_power();
  const auto check = [&] {
    for (int i = 0; i < kNames; ++i) {
      const auto there = get(name(i));
      if (i % 3 == 1) {
        EXPECT_EQ(code(there), Errc::not_found) << name(i);
      } else {
        EXPECT_EQ(there ? *there : there.error().what(), i % 3 == 0 ? "new" : "old " + name(i));
      }
    }
    EXPECT_EQ(list().size(), std::size_t{kNames} - kNames / 3);
  };
  check();
  settle();
  check();
}

}  // namespace
}  // namespace aisfs::store
