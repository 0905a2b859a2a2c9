// SPDX-License-Identifier: MIT
#pragma once
#include <filesystem>

#include "common/async/runtime.h"
#include "common/async/scope.h"
#include "common/auth/cluster_key.h"
#include "node/control/embedded_store.h"

namespace aisfs::control {

/// A directory that goes with the test.
class TempDir {
 public:
  TempDir() {
    std::string path = "/tmp/aisfs-control-XXXXXX";
    AISFS_ASSERT(::mkdtemp(path.data()) != nullptr);
    path_ = path;
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A cluster's key of that hex digit.
inline auth::ClusterKey test_key(char digit = 'a') {
  auto key = auth::ClusterKey::parse(std::string(64, digit));
  AISFS_ASSERT(key.ok());
  return *std::move(key);
}

/// An embedded store in a temporary directory with its expiry running on shard 0.
class EmbeddedMaker {
 public:
  static constexpr int kHistoryMax = 50;

  explicit EmbeddedMaker(Runtime& runtime) : runtime_(runtime) { open(); }
  ~EmbeddedMaker() { stop(); }

  MetaStore& store() { return *store_; }
  template <class Change>
  void age_history(Change change) {
    for (int i = 0; i < 2 * kHistoryMax; ++i) change();
  }
  void open() {
    auto opened = EmbeddedStore::open(clock_, {.dir = dir_.path() + "/meta", .history_max = kHistoryMax});
    AISFS_ASSERT(opened.ok());
    store_ = *std::move(opened);
    runtime_.run_on(0, start(*this));
  }
  void stop() {
    if (!store_) return;
    runtime_.run_on(0, end(*this));
    store_.reset();
  }

 private:
  static Task<int> start(EmbeddedMaker& self) {
    self.scope_ = std::make_unique<TaskScope>(co_await asio::this_coro::executor);
    self.scope_->spawn(self.store_->run(self.clock_));
    co_return 0;
  }
  static Task<int> end(EmbeddedMaker& self) {
    self.scope_->cancel();
    try {
      co_await self.scope_->join();
    } catch (const boost::system::system_error&) {  // cancelled between two waits
    }
    self.scope_.reset();
    co_return 0;
  }

  Runtime& runtime_;
  TempDir dir_;
  RealClock clock_;
  std::unique_ptr<EmbeddedStore> store_;
  std::unique_ptr<TaskScope> scope_;
};

}  // namespace aisfs::control
