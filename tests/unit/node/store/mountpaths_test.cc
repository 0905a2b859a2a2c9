// SPDX-License-Identifier: MIT
// Mountpaths that come, go, fail and come back, and what that means for names.
#include <set>
#include <thread>

#include "common/model/version_key.h"
#include "tests/unit/node/store/store_fixture.h"

namespace aisfs::store {
namespace {

namespace fs = std::filesystem;
using Emptying = Store::Emptying;

class MountpathsTest : public StoreTest {
 protected:
  static constexpr int kNames = 40;

  std::string m(int n) const { return dir_ + "/m" + std::to_string(n); }
  std::string make(int n) const {
    fs::create_directories(m(n));
    return m(n);
  }
  static std::string name(int i) { return "d" + std::to_string(i % 3) + "/k" + std::to_string(i); }
  void put_all(const std::string& body = "old ") {
    for (int i = 0; i < kNames; ++i) ASSERT_TRUE(put(name(i), body + name(i)).ok());
  }
  void expect_all(const std::string& body = "old ") {
    for (int i = 0; i < kNames; ++i) {
      const auto there = get(name(i));
      ASSERT_TRUE(there.ok()) << name(i) << ": " << there.error().what();
      EXPECT_EQ(*there, body + name(i));
    }
    EXPECT_EQ(list().size(), static_cast<std::size_t>(kNames));
  }
  /// Objects' files, by their names.
  std::set<std::string> files_on(int n) const {
    std::set<std::string> names;
    const fs::path objects = m(n) + "/@ais/b/%ob";
    if (!fs::exists(objects)) return names;
    for (const auto& entry : fs::recursive_directory_iterator(objects)) {
      if (entry.is_regular_file()) names.insert(fs::relative(entry.path(), objects));
    }
    return names;
  }
  void settle() {
    for (int round = 0; round < 10; ++round) {
      const auto done = run(store_->settle_names());
      if (done && *done) return;
    }
    FAIL() << "names do not settle: " << store_->storage().resilver.why;
  }
  Status attach(int n) { return run(store_->attach(m(n))); }
  Status enable(int n) { return run(store_->enable(m(n))); }
  Status disable(int n, Emptying how = Emptying::kFirst) { return run(store_->disable(m(n), how)); }
  Status detach(int n, Emptying how = Emptying::kFirst) { return run(store_->detach(m(n), how)); }
  std::string state_of(int n) const {
    for (const MountpathInfo& info : store_->storage().mountpaths) {
      if (info.path == m(n)) return info.state;
    }
    return "unknown";
  }
  /// Until the keeper has seen it.
  void wait_for_state(int n, const std::string& state) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (state_of(n) != state) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << state_of(n);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  void crash() { store_.reset(); }
  void lose_power() {
    store_.reset();
    for (const auto& entry : fs::directory_iterator(dir_)) fs::remove_all(entry.path() / "%index");
    ASSERT_TRUE(start().ok());
  }
  Status remove_missing(const std::string& key_name) {
    RemoveOptions options;
    options.missing_ok = true;
    return run(store_->remove(key(key_name), std::move(options), level_));
  }
};

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

TEST_F(MountpathsTest, WhatLiesOnOneThatIsOutOfReachIsNotKnown) {
  put_all();
  const auto out = files_on(2);
  ASSERT_GE(out.size(), 6u);
  ASSERT_TRUE(disable(2, Emptying::kSkip).ok());
  EXPECT_EQ(state_of(2), "disabled");
  EXPECT_TRUE(store_->lacks_anything());
  const auto check = [&] {
    for (int i = 0; i < kNames; ++i) {
      const bool lost = out.contains(name(i));
      EXPECT_EQ(store_->may_lack(key(name(i))), lost);
      EXPECT_EQ(code(get(name(i))), lost ? Errc::not_ready : Errc::internal) << name(i);
      EXPECT_EQ(code(head(name(i))), lost ? Errc::not_ready : Errc::internal);
      EXPECT_EQ(store_->states_of(key(name(i))).ok(), !lost);
      EXPECT_EQ(store_->resolve(key(name(i))).ok(), !lost);
    }
    EXPECT_EQ(code(run(store_->list(kBucket, {}))), Errc::not_ready);
    EXPECT_EQ(code(store_->any_below(kBucket, "no/")), Errc::not_ready);
    EXPECT_TRUE(run(store_->list(BucketId{77}, {})).ok()) << "it had nothing of that one";
  };
  check();
  restart_cleanly();
  check();
  lose_power();
  check();
}

TEST_F(MountpathsTest, WhatIsWrittenMeanwhileIsNewer) {
  put_all();
  const std::set<std::string> on_two = files_on(2);
  std::vector<std::string> out(on_two.begin(), on_two.end());
  ASSERT_GE(out.size(), 6u);
  ASSERT_TRUE(disable(2, Emptying::kSkip).ok());
  EXPECT_EQ(code(remove(out[0])), Errc::not_ready) << "whether it is there is not known";
  EXPECT_EQ(code(put(out[0], "x", {.conditions = {.must_not_exist = true}})), Errc::not_ready);
  AttrChange change{.mode = 0100600};
  EXPECT_EQ(code(run(store_->set_attrs(key(out[0]), change, {}, level_))), Errc::not_ready);
  ASSERT_TRUE(put(out[0], "new").ok());
  ASSERT_TRUE(remove_missing(out[1]).ok());
  const auto check = [&](bool back) {
    EXPECT_EQ(get(out[0]).value_or("?"), "new");
    EXPECT_EQ(code(get(out[1])), Errc::not_found);
    EXPECT_EQ(code(get(out[2])), back ? Errc::internal : Errc::not_ready);
  };
  check(false);
  lose_power();
  check(false);
  ASSERT_TRUE(enable(2).ok());
  EXPECT_FALSE(store_->lacks_anything());
  check(true);
  EXPECT_EQ(list().size(), std::size_t{kNames} - 1);
  settle();
  check(true);
  EXPECT_TRUE(files_on(2).contains(out[0]));
  lose_power();
  settle();
  check(true);
  EXPECT_EQ(list().size(), std::size_t{kNames} - 1);
}

TEST_F(MountpathsTest, OneThatIsNotThereAtAStartIsMissing) {
  put_all();
  const auto out = files_on(2);
  store_->close();
  crash();
  fs::rename(m(2), dir_ + "/pulled");
  make(2);  // the empty folder that it was mounted on
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(state_of(2), "missing");
  for (int i = 0; i < kNames; ++i) {
    EXPECT_EQ(code(get(name(i))), out.contains(name(i)) ? Errc::not_ready : Errc::internal);
  }
  EXPECT_TRUE(fs::is_empty(m(2))) << "nobody takes it for a new one";
  EXPECT_EQ(code(enable(2)), Errc::not_found) << "the disk is not there yet";
  for (int i = 0; i < kNames; i += 2) ASSERT_TRUE(put(name(i), "new").ok());
  store_->close();
  crash();
  fs::remove(m(2));
  fs::rename(dir_ + "/pulled", m(2));
  ASSERT_TRUE(start().ok()) << "it is back";
  EXPECT_EQ(state_of(2), "active");
  settle();
  for (int i = 0; i < kNames; ++i) {
    EXPECT_EQ(get(name(i)).value_or("?"), i % 2 == 0 ? "new" : "old " + name(i));
  }
  EXPECT_EQ(list().size(), std::size_t{kNames});
}

TEST_F(MountpathsTest, WithoutAnyOfThemThereIsNoStart) {
  put_all();
  store_->close();
  crash();
  fs::rename(m(1), dir_ + "/p1");
  fs::rename(m(2), dir_ + "/p2");
  EXPECT_FALSE(start().ok());
  crash();
  fs::rename(dir_ + "/p1", m(1));
  fs::rename(dir_ + "/p2", m(2));
  ASSERT_TRUE(start().ok());
  expect_all();
}

TEST_F(MountpathsTest, OneWhoseDiskIsPulledFails) {
  put_all();
  const auto out = files_on(2);
  fs::rename(m(2), dir_ + "/pulled");
  wait_for_state(2, "failed");
  for (int i = 0; i < kNames; ++i) {
    EXPECT_EQ(code(get(name(i))), out.contains(name(i)) ? Errc::not_ready : Errc::internal);
  }
  ASSERT_TRUE(put(*out.begin(), "new").ok());
  EXPECT_EQ(get(*out.begin()).value_or("?"), "new");
  fs::rename(dir_ + "/pulled", m(2));
  ASSERT_TRUE(enable(2).ok());
  settle();
  EXPECT_EQ(get(*out.begin()).value_or("?"), "new");
  EXPECT_EQ(list().size(), std::size_t{kNames});
  lose_power();
  EXPECT_EQ(list().size(), std::size_t{kNames});
}

TEST_F(MountpathsTest, TheLastOneStaysWhateverHappensToIt) {
  put_all();
  ASSERT_TRUE(detach(2).ok());
  settle();
  fs::rename(m(1), dir_ + "/pulled");
  wait_for_state(1, "failed");
  expect_all();  // its descriptors are as good as before
  fs::rename(dir_ + "/pulled", m(1));
}

TEST_F(MountpathsTest, WhatIsGivenUpIsNotFoundAndNeverComesBack) {
  put_all();
  const auto out = files_on(2);
  EXPECT_EQ(code(run(store_->give_up_mountpath(m(2)))), Errc::busy);
  ASSERT_TRUE(disable(2, Emptying::kSkip).ok());
  EXPECT_EQ(code(detach(2)), Errc::busy) << "not without a word about what it holds";
  ASSERT_TRUE(run(store_->give_up_mountpath(m(2))).ok());
  const auto check = [&] {
    for (int i = 0; i < kNames; ++i) {
      EXPECT_EQ(code(get(name(i))), out.contains(name(i)) ? Errc::not_found : Errc::internal);
    }
    EXPECT_EQ(list().size(), kNames - out.size());
  };
  check();
  EXPECT_EQ(code(enable(2)), Errc::not_found);
  EXPECT_EQ(code(attach(2)), Errc::invalid_argument);
  restart_cleanly();
  check();
  for (const auto& entry : fs::directory_iterator(m(2))) fs::remove_all(entry.path());
  ASSERT_TRUE(attach(2).ok()) << "as a new one";
  settle();
  check();
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
