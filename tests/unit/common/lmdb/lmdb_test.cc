// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>
#include <thread>

#include "common/lmdb/table.h"
#include "tests/unit/node/store/temp_dir.h"

namespace aisfs::lmdb {
namespace {

class LmdbTest : public ::testing::Test {
 protected:
  std::unique_ptr<Env> open(std::uint64_t map_bytes = 1 << 20, Sync sync = Sync::kNone) {
    auto env = Env::open({.path = dir_.path() + "/env", .map_bytes = map_bytes, .sync = sync});
    EXPECT_TRUE(env.ok()) << env.error().what();
    return std::move(*env);
  }
  static std::string get(const Env& env, Table table, std::string_view key) {
    const auto txn = env.read();
    const auto value = table.get(*txn, key);
    return *value ? std::string(**value) : "<none>";
  }

  TempDir dir_;
};

TEST_F(LmdbTest, AChangeIsSeenWholeOrNotAtAll) {
  auto env = open();
  const Table table = *env->table("t");
  const auto both = [&](WriteTxn& txn) -> Status {
    CHECK_OK(table.put(txn, "a", "1"));
    return table.put(txn, "b", "2");
  };
  ASSERT_TRUE(env->write(both).ok());
  const auto fails = [&](WriteTxn& txn) -> Status {
    CHECK_OK(table.put(txn, "a", "changed"));
    return Error(Errc::busy, "on purpose");
  };
  EXPECT_EQ(env->write(fails).error().code(), Errc::busy);
  EXPECT_EQ(get(*env, table, "a"), "1");
  EXPECT_EQ(get(*env, table, "b"), "2");
  EXPECT_EQ(get(*env, table, "c"), "<none>");
}

TEST_F(LmdbTest, ASnapshotStaysAsItWas) {
  auto env = open();
  const Table table = *env->table("t");
  ASSERT_TRUE(env->write([&](WriteTxn& txn) { return table.put(txn, "a", "old"); }).ok());
  const auto before = env->read();
  ASSERT_TRUE(env->write([&](WriteTxn& txn) { return table.put(txn, "a", "new"); }).ok());
  EXPECT_EQ(**table.get(*before, "a"), "old");
  EXPECT_EQ(get(*env, table, "a"), "new");
}

TEST_F(LmdbTest, TheMapGrowsWhileOthersRead) {
  auto env = open(64 << 10);
  const Table table = *env->table("t");
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    while (!stop) {
      const auto txn = env->read();
      ASSERT_TRUE(txn.ok());
      ASSERT_TRUE(table.get(*txn, "key 0").ok());
    }
  });
  const std::string value(1000, 'v');
  for (int i = 0; i < 2000; ++i) {
    const auto put = [&](WriteTxn& txn) {
      return table.put(txn, "key " + std::to_string(i), value);
    };
    ASSERT_TRUE(env->write(put).ok());
  }
  stop = true;
  reader.join();
  EXPECT_EQ(*table.size(*env->read()), 2000u);
}

TEST_F(LmdbTest, CursorsWalkInByteOrder) {
  auto env = open();
  const Table table = *env->table("t");
  const auto fill = [&](WriteTxn& txn) -> Status {
    for (const char* key : {"b", "a", "\xff", "a\x01", "B"}) CHECK_OK(table.put(txn, key, key));
    return {};
  };
  ASSERT_TRUE(env->write(fill).ok());
  const auto txn = env->read();
  auto cursor = Cursor::open(*txn, table);
  std::vector<std::string> seen;
  for (bool on = *cursor->first(); on; on = *cursor->next()) seen.emplace_back(cursor->key());
  EXPECT_EQ(seen, (std::vector<std::string>{"B", "a", "a\x01", "b", "\xff"}));
  EXPECT_TRUE(*cursor->seek("a\x02"));
  EXPECT_EQ(cursor->key(), "b");
  EXPECT_TRUE(*cursor->prev());
  EXPECT_EQ(cursor->key(), "a\x01");
  EXPECT_FALSE(*cursor->seek("\xff\x01"));
}

TEST_F(LmdbTest, EraseAndClear) {
  auto env = open();
  const Table table = *env->table("t");
  const auto change = [&](WriteTxn& txn) -> Status {
    CHECK_OK(table.put(txn, "a", "1"));
    TRY(const bool was, table.erase(txn, "a"));
    EXPECT_TRUE(was);
    TRY(const bool again, table.erase(txn, "a"));
    EXPECT_FALSE(again);
    CHECK_OK(table.put(txn, "b", "1"));
    return table.clear(txn);
  };
  ASSERT_TRUE(env->write(change).ok());
  EXPECT_EQ(*table.size(*env->read()), 0u);
}

/// A process that dies right after a commit without sync loses nothing.
TEST_F(LmdbTest, WhatWasCommittedSurvivesTheProcess) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto env = open();
    const Table table = *env->table("t");
    const auto put = [&](WriteTxn& txn) { return table.put(txn, "a", "kept"); };
    ::_exit(env->write(put).ok() && ::kill(::getpid(), SIGKILL) == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  auto env = open();
  EXPECT_EQ(get(*env, *env->table("t"), "a"), "kept");
}

TEST_F(LmdbTest, AFileThatIsNoEnvironmentIsAnError) {
  ASSERT_TRUE(disk::make_dirs(dir_.root(), "env").ok());
  const auto fd = disk::open_beneath(dir_.root(), "env/data.mdb", 0102);
  ASSERT_TRUE(disk::pwrite_all(fd->get(), as_bytes(std::string(8192, 'x')), 0).ok());
  EXPECT_FALSE(Env::open({.path = dir_.path() + "/env"}).ok());
}

TEST_F(LmdbTest, ADiskThatFailsUnderTheMapIsAnErrorAndNotTheEnd) {
  auto env = open();
  const Table table = *env->table("t");
  const auto fill = [&](WriteTxn& txn) -> Status {
    for (int i = 0; i < 2000; ++i)
      CHECK_OK(table.put(txn, std::to_string(i), std::string(200, 'v')));
    return {};
  };
  ASSERT_TRUE(env->write(fill).ok());
  EXPECT_TRUE(env->health().ok());
  const std::string file = dir_.path() + "/env/data.mdb";
  std::filesystem::resize_file(file, 3 * 4096);  // what is behind is out of reach, as by an EIO
  {
    const auto txn = env->read();
    for (int i = 0; i < 2000; ++i) (void)table.get(*txn, std::to_string(i));
    auto cursor = *Cursor::open(*txn, table);
    for (auto on = cursor.first(); on && *on; on = cursor.next()) {
    }
  }
  ASSERT_FALSE(env->health().ok());
  EXPECT_EQ(env->health().error(), Errc::io);
  EXPECT_FALSE(env->write(fill).ok()) << "nothing is made of what is worth nothing";
}

TEST_F(LmdbTest, AClosedOneAnswersWithAnError) {
  auto env = open();
  env->close();
  const auto txn = env->read();
  ASSERT_FALSE(txn.ok());
  EXPECT_EQ(txn.error(), Errc::not_ready);
}

}  // namespace
}  // namespace aisfs::lmdb
