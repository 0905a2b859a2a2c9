// SPDX-License-Identifier: MIT
// What a PUT or DELETE at level full is after power loss that took every file operation since the
// last barrier, or a part of them: the log of intents is all that is left.
#include "node/store/roll_forward.h"

#include <fcntl.h>

#include "common/disk/posix.h"
#include "node/store/log_records.h"
#include "tests/unit/node/store/store_fixture.h"

namespace aisfs::store {
namespace {

namespace fs = std::filesystem;

class RollForwardTest : public StoreTest {
 protected:
  RollForwardTest() { level_ = Durability::kFull; }

  std::string mountpath_of(const std::string& name) const {
    const std::string m1 = dir_ + "/m1";
    return fs::exists(m1 + "/@ais/b/%ob/" + name) ? m1 : dir_ + "/m2";
  }
  std::string path_of(const std::string& name) const {
    return mountpath_of(name) + "/@ais/b/%ob/" + name;
  }
  void crash() { store_.reset(); }
  /// Power is back: nothing of the index is believed.
  void recover() {
    for (const char* m : {"/m1", "/m2"}) fs::remove_all(dir_ + m + "/%index");
    ASSERT_TRUE(start().ok());
  }
  std::uint64_t rolled_forward() const {
    std::uint64_t sum = 0;
    for (const auto& report : store_->recovery()) sum += report.rolled_forward;
    return sum;
  }
  static void copy_with_xattrs(const std::string& from, const std::string& to) {
    ASSERT_EQ(std::system(("cp -p --preserve=xattr '" + from + "' '" + to + "'").c_str()), 0);
  }
  /// The work file that the newest intent of a large body names.
  static std::string work_path_in(const std::string& mountpath) {
    const UniqueFd root = *disk::open_root(mountpath);
    const auto log = IntentLog::open({.root = root.get(), .segment_bytes = 0});
    std::string path;
    const auto visit = [&](const LogRecord& record) -> Status {
      if (record.type != LogType::kStagedPut) return {};
      TRY(const auto put, wire::decode<StagedPutRecord>(record.payload));
      if (!put.work_path.empty()) path = put.work_path;
      return {};
    };
    EXPECT_TRUE((*log)->replay(visit).ok());
    return mountpath + "/" + path;
  }
  /// The large object "x", published, and then its name was not durable.
  void lose_name_of_large(const std::string& body) {
    ASSERT_TRUE(put("x", body).ok());
    const std::string path = path_of("x"), mountpath = mountpath_of("x");
    crash();
    fs::rename(path, work_path_in(mountpath));
  }

  const std::string large_ = std::string(300'000, 'l');
};

TEST_F(RollForwardTest, ASmallBodyWhoseFileIsTorn) {
  ASSERT_TRUE(put("x", "promised").ok());
  const std::string path = path_of("x");
  crash();
  fs::resize_file(path, 0);  // XFS: the name and the xattr are there, the content is not
  recover();
  EXPECT_EQ(rolled_forward(), 1U);
  EXPECT_EQ(*get("x"), "promised");
}

TEST_F(RollForwardTest, ASmallBodyWhoseFileHasOtherBytes) {
  ASSERT_TRUE(put("x", "promised").ok());
  const std::string path = path_of("x");
  crash();
  fs::resize_file(path, 0);
  fs::resize_file(path, 8);  // as long as it should be, and zero
  recover();
  EXPECT_EQ(*get("x"), "promised");
}

TEST_F(RollForwardTest, ASmallBodyWhoseFileNeverCame) {
  ASSERT_TRUE(put("d/e/x", "promised").ok());
  const std::string folder = mountpath_of("d/e/x") + "/@ais";
  crash();
  fs::remove_all(folder);
  recover();
  EXPECT_EQ(*get("d/e/x"), "promised");
  EXPECT_EQ(list(), (std::vector<std::string>{"d/e/x"}));
}

TEST_F(RollForwardTest, AnOverwriteThatWasNotDurableAndItsOldFileWrittenInto) {
  ASSERT_TRUE(put("x", "version 1").ok());
  const std::string path = path_of("x");
  copy_with_xattrs(path, dir_ + "/old");
  ASSERT_TRUE(put("x", "version 2").ok());
  ASSERT_TRUE(put("x", "version 3").ok());
  crash();
  fs::rename(dir_ + "/old", path);
  {
    const UniqueFd fd(::open(path.c_str(), O_WRONLY));
    ASSERT_EQ(::pwrite(fd.get(), "garbage", 7, 0), 7);
  }
  recover();
  EXPECT_EQ(*get("x"), "version 3");
}

TEST_F(RollForwardTest, AttributesThatChangedSinceStay) {
  ASSERT_TRUE(put("x", "promised").ok());
  level_ = Durability::kNone;
  AttrChange change{.mode = 0100600};
  ASSERT_TRUE(run(store_->set_attrs(key("x"), change, {}, level_)).ok());
  const std::string path = path_of("x");
  crash();
  {
    const UniqueFd fd(::open(path.c_str(), O_WRONLY));
    ASSERT_EQ(::pwrite(fd.get(), "garbage", 7, 0), 7);
  }
  recover();
  EXPECT_EQ(*get("x"), "promised");
  EXPECT_EQ(head("x")->posix->mode, 0100600U);
}

TEST_F(RollForwardTest, LongMetadataAreInTheRecord) {
  PutOptions options{.user = {{"long", std::string(2000, 'u')}}};
  ASSERT_TRUE(put("x", "promised", options).ok());
  const std::string folder = mountpath_of("x") + "/@ais";
  crash();
  fs::remove_all(folder);
  recover();
  EXPECT_EQ(*get("x"), "promised");
  EXPECT_EQ(head("x")->user.at("long").size(), 2000U);
}

TEST_F(RollForwardTest, ALargeBodyGetsItsName) {
  lose_name_of_large(large_);
  recover();
  EXPECT_EQ(rolled_forward(), 1U);
  EXPECT_EQ(*get("x"), large_);
}

TEST_F(RollForwardTest, ALargeBodyIsExchangedWithTheOldFile) {
  ASSERT_TRUE(put("x", "old").ok());
  const std::string path = path_of("x"), mountpath = mountpath_of("x");
  copy_with_xattrs(path, dir_ + "/old");
  ASSERT_TRUE(put("x", large_).ok());
  crash();
  fs::rename(path, work_path_in(mountpath));
  fs::rename(dir_ + "/old", path);
  recover();
  EXPECT_EQ(*get("x"), large_);
}

TEST_F(RollForwardTest, ALargeBodyThatIsNotWholeWasNeverAcknowledged) {
  ASSERT_TRUE(put("x", "old").ok());
  const std::string path = path_of("x"), mountpath = mountpath_of("x");
  copy_with_xattrs(path, dir_ + "/old");
  ASSERT_TRUE(put("x", large_).ok());
  crash();
  const std::string work = work_path_in(mountpath);
  fs::rename(path, work);
  fs::rename(dir_ + "/old", path);
  {
    const UniqueFd fd(::open(work.c_str(), O_WRONLY));
    ASSERT_EQ(::pwrite(fd.get(), "?", 1, 4096), 1);
  }
  recover();
  EXPECT_EQ(*get("x"), "old");
  EXPECT_FALSE(fs::exists(work));
}

TEST_F(RollForwardTest, KilledBetweenTheIntentAndTheName) {
  lose_name_of_large(large_);
  ASSERT_TRUE(start().ok());  // the index is believed
  EXPECT_EQ(*get("x"), large_);
  EXPECT_EQ(head("x")->size, large_.size());
}

TEST_F(RollForwardTest, WhatWasDeletedStaysSo) {
  ASSERT_TRUE(put("x", "promised").ok());
  ASSERT_TRUE(put("y", large_).ok());
  const std::string x = path_of("x"), y = path_of("y");
  copy_with_xattrs(x, dir_ + "/x");
  copy_with_xattrs(y, dir_ + "/y");
  ASSERT_TRUE(remove("x").ok());
  ASSERT_TRUE(remove("y").ok());
  crash();
  for (const char* m : {"/m1", "/m2"})
    fs::remove_all(dir_ + m + "/%log");  // its tail was not synced
  fs::rename(dir_ + "/x", x);
  fs::rename(dir_ + "/y", y);
  recover();
  EXPECT_EQ(rolled_forward(), 0U);
  EXPECT_TRUE(list().empty());
  crash();
  recover();  // the tombstones are in the log now
  EXPECT_TRUE(list().empty());
}

TEST_F(RollForwardTest, WhatIsNewerStays) {
  ASSERT_TRUE(put("x", "promised").ok());
  level_ = Durability::kData;
  ASSERT_TRUE(put("x", "newer").ok());
  crash();
  recover();
  EXPECT_EQ(rolled_forward(), 0U);
  EXPECT_EQ(*get("x"), "newer");
}

TEST_F(RollForwardTest, WhatWasRenamedIsNotAtItsOldName) {
  ASSERT_TRUE(put("a", "promised").ok());
  RenameOptions options;
  level_ = Durability::kNone;
  ASSERT_TRUE(run(store_->rename_local(key("a"), key("b"), options, level_)).ok());
  crash();
  recover();
  EXPECT_EQ(list(), (std::vector<std::string>{"b"}));
  EXPECT_EQ(*get("b"), "promised");
}

TEST_F(RollForwardTest, ABucketThatWasDestroyedDoesNotComeBack) {
  ASSERT_TRUE(put("x", "promised").ok());
  ASSERT_TRUE(run(store_->destroy_bucket(kBucket)).ok());
  crash();
  recover();
  EXPECT_TRUE(list().empty());
}

TEST_F(RollForwardTest, OnceCarriedOutIntentsAreGone) {
  ASSERT_TRUE(put("x", "promised").ok());
  const std::string path = path_of("x");
  crash();
  fs::remove(path);
  recover();
  EXPECT_EQ(rolled_forward(), 1U);
  crash();
  fs::remove(path);
  recover();
  EXPECT_EQ(rolled_forward(), 0U);
  EXPECT_TRUE(list().empty());
}

TEST_F(RollForwardTest, WithoutAnIntentLogTheSecondBarrierStays) {
  StoreOptions none = options();
  none.intent_bytes = 0;
  store_.reset();
  store_ = std::make_unique<Store>(none, clock_);
  ASSERT_TRUE(store_->open().ok());
  ASSERT_TRUE(put("x", "promised").ok());
  EXPECT_FALSE(fs::exists(mountpath_of("x") + "/%intent/0"));
  ASSERT_TRUE(remove("x").ok());
  ASSERT_TRUE(put("y", large_).ok());
  crash();
  recover();
  EXPECT_EQ(list(), (std::vector<std::string>{"y"}));
}

TEST_F(RollForwardTest, MoreThanTheIntentLogHoldsIsDurableAllTheSame) {
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(put("x", std::string(60'000, 'a' + i % 26)).ok());
  ASSERT_TRUE(put("y", std::string(5'000'000, 'y')).ok());
  crash();
  recover();
  EXPECT_EQ(*get("x"), std::string(60'000, 'a' + 49 % 26));
  EXPECT_EQ(get("y")->size(), 5'000'000U);
}

}  // namespace
}  // namespace aisfs::store
