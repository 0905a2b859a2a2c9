// SPDX-License-Identifier: MIT
#include "cachefs/names/name_cache.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace aisfs::cachefs {
namespace {

constexpr BucketId kBucket{7}, kOther{8};
const SeenName kFile{SeenName::Kind::kFile, 11, {1, 2, 3}};
const SeenName kDirectory{SeenName::Kind::kDirectory, 12, {}};

class NameCacheTest : public testing::Test {
 protected:
  NameCacheTest() {
    char name[] = "/tmp/aisfs-names-test-XXXXXX";
    folder_ = std::string(::mkdtemp(name)) + "/of/a/user";
  }
  ~NameCacheTest() override {
    cache_.reset();
    std::filesystem::remove_all(folder_.substr(0, folder_.find("/of/")));
  }

  void open(const std::string& cluster = "c1", std::size_t names_max = 1000) {
    cache_.reset();
    auto cache =
        NameCache::open({.folder = folder_, .cluster_uuid = cluster, .names_max = names_max});
    ASSERT_TRUE(cache.ok()) << cache.error().what();
    cache_ = *std::move(cache);
  }
  std::string label() const { return folder_ + "/label"; }

  std::string folder_;
  std::unique_ptr<NameCache> cache_;
};

TEST_F(NameCacheTest, NamesAreThereAtOnceAndAfterTheNextStart) {
  open();
  cache_->learn(kBucket, "a/b", kFile);
  cache_->learn(kBucket, "a", kDirectory);
  const std::string deep(1000, 'd'), deeper = deep.substr(1) + "e";
  cache_->learn(kBucket, deep, kFile);
  for (int start = 0; start < 2; ++start) {
    EXPECT_EQ(cache_->find(kBucket, "a/b"), kFile);
    EXPECT_EQ(cache_->find(kBucket, "a"), kDirectory);
    EXPECT_EQ(cache_->find(kBucket, deep), kFile);
    EXPECT_EQ(cache_->find(kBucket, deeper), std::nullopt);
    EXPECT_EQ(cache_->find(kOther, "a"), std::nullopt);
    open();
  }
  cache_->forget(kBucket, "a");
  EXPECT_EQ(cache_->find(kBucket, "a"), std::nullopt);
  open();
  EXPECT_EQ(cache_->find(kBucket, "a"), std::nullopt);
  EXPECT_EQ(cache_->find(kBucket, "a/b"), kFile);
}

TEST_F(NameCacheTest, AnotherClusterOrFormatBeginsAnew) {
  open();
  cache_->learn(kBucket, "a", kFile);
  open("c2");
  EXPECT_EQ(cache_->find(kBucket, "a"), std::nullopt);
  cache_->learn(kBucket, "a", kFile);
  cache_.reset();
  std::ofstream(label()) << "aisfs names 99\nc2\n";
  open("c2");
  EXPECT_EQ(cache_->find(kBucket, "a"), std::nullopt);
}

TEST_F(NameCacheTest, SurvivesItsProcessButNotTheMachineGoingDown) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto cache = NameCache::open({.folder = folder_, .cluster_uuid = "c1"});
    if (!cache) ::_exit(1);
    (*cache)->learn(kBucket, "a", kFile);
    (*cache)->flush();
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  open();
  EXPECT_EQ(cache_->find(kBucket, "a"), kFile);
  cache_.reset();
  std::ofstream(label()) << "aisfs names 1\nc1\nanother-boot\nopen\n";
  open();
  EXPECT_EQ(cache_->find(kBucket, "a"), std::nullopt);
}

TEST_F(NameCacheTest, WhatIsNoDatabaseBeginsAnew) {
  open();
  cache_->learn(kBucket, "a", kFile);
  cache_.reset();
  std::filesystem::resize_file(folder_ + "/lmdb/data.mdb", 100);
  open();
  EXPECT_EQ(cache_->find(kBucket, "a"), std::nullopt);
  cache_->learn(kBucket, "a", kFile);
  EXPECT_EQ(cache_->find(kBucket, "a"), kFile);
}

TEST_F(NameCacheTest, OneProcessHasAFolder) {
  open();
  const auto second = NameCache::open({.folder = folder_, .cluster_uuid = "c1"});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), Errc::busy);
}

TEST_F(NameCacheTest, IsBounded) {
  open("c1", 100);
  for (int i = 0; i < 1000; ++i) {
    cache_->learn(kBucket, std::to_string(i), kFile);
    if (i % 50 == 0) cache_->flush();
  }
  cache_->flush();
  EXPECT_LE(cache_->size(), 150u);
  EXPECT_GT(cache_->size(), 20u);
}

TEST_F(NameCacheTest, WhatOthersMayHavePutThereIsNotUsed) {
  const std::filesystem::path folder(folder_);
  std::filesystem::create_directories(folder.parent_path());
  const auto refused = [&] {
    const auto cache = NameCache::open({.folder = folder_, .cluster_uuid = "c1"});
    return !cache.ok() && cache.error() == Errc::permission_denied;
  };
  std::filesystem::permissions(folder.parent_path(), std::filesystem::perms(0777));
  EXPECT_TRUE(refused());
  std::filesystem::permissions(folder.parent_path(), std::filesystem::perms(0700));
  std::filesystem::create_directories(folder);
  std::filesystem::permissions(folder, std::filesystem::perms(0770));
  EXPECT_TRUE(refused());
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder.parent_path() / "elsewhere");
  std::filesystem::create_directory_symlink("elsewhere", folder);
  EXPECT_TRUE(refused());
  std::filesystem::remove(folder);
  open();
  EXPECT_EQ(cache_->size(), 0u);
}

}  // namespace
}  // namespace aisfs::cachefs
