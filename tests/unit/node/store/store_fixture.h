// SPDX-License-Identifier: MIT
// A store on two fresh folders, driven from a test's thread.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "common/async/runtime.h"
#include "node/store/store.h"

namespace aisfs::store {

inline constexpr BucketId kBucket{42};

inline Key key(std::string name) { return make_key(kBucket, {native_bucket("b"), std::move(name)}); }

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    char name[] = "/tmp/aisfs-store-test-XXXXXX";
    dir_ = ::mkdtemp(name);
    std::filesystem::create_directories(dir_ + "/m1");
    std::filesystem::create_directories(dir_ + "/m2");
    runtime_.start();
    EXPECT_TRUE(start().ok());
  }
  ~StoreTest() override {
    store_.reset();
    runtime_.stop();
    std::filesystem::remove_all(dir_);
  }

  StoreOptions options() const {
    return {.cluster_uuid = "c", .node_id = "t1", .mountpaths = {dir_ + "/m1", dir_ + "/m2"},
            .intent_bytes = 1_MiB};
  }
  Status start() {
    store_ = std::make_unique<Store>(options(), clock_);
    return store_->open();
  }
  void restart_cleanly() {
    store_->close();
    store_.reset();
    ASSERT_TRUE(start().ok());
  }
  /// As after power loss: nothing of the index is believed.
  void restart_without_index() {
    store_.reset();
    std::filesystem::remove_all(dir_ + "/m1/%index");
    std::filesystem::remove_all(dir_ + "/m2/%index");
    ASSERT_TRUE(start().ok());
  }

  template <class T>
  T run(Task<T> task) {
    std::optional<T> out;  // a Result has no empty state for co_spawn to begin with
    auto keep = [](Task<T> t, std::optional<T>& to) -> Task<void> { to.emplace(co_await std::move(t)); };
    runtime_.run_on(0, keep(std::move(task), out));
    return *std::move(out);
  }

  Result<ObjectInfo> put(const std::string& name, const std::string& body, PutOptions options = {}) {
    options.level = level_;
    StringSource source(body);
    ExpectedChecksums expected;
    return run(store_->put(key(name), std::move(options), std::move(expected), source));
  }
  Result<std::string> get(const std::string& name, GetOptions options = {}) {
    return run(read(key(name), std::move(options)));
  }
  Result<ObjectInfo> head(const std::string& name) { return run(store_->head(key(name))); }
  Status remove(const std::string& name) {
    RemoveOptions remove_options;
    return run(store_->remove(key(name), std::move(remove_options), level_));
  }
  std::vector<std::string> list(ListOptions list_options = {}) {
    auto page = run(store_->list(kBucket, std::move(list_options)));
    EXPECT_TRUE(page.ok());
    std::vector<std::string> keys;
    if (page) {
      for (const auto& entry : page->entries) keys.push_back(entry.key);
    }
    return keys;
  }
  Errc code(const Status& st) { return st.ok() ? Errc::internal : st.error().code(); }
  template <class T>
  Errc code(const Result<T>& r) {
    return r.ok() ? Errc::internal : r.error().code();
  }

  Task<Result<std::string>> read(Key k, GetOptions get_options) {
    CO_TRY(auto stream, co_await store_->open_object(std::move(k), std::move(get_options),
                                                     VerifyRead::kFirst));
    co_return co_await read_all(*stream.body, 64_MiB);
  }

  std::string dir_;
  RealClock clock_;
  Runtime runtime_{2};
  std::unique_ptr<Store> store_;
  Durability level_ = Durability::kNone;
};

}  // namespace aisfs::store
