// SPDX-License-Identifier: MIT
// A store whose mountpaths change.
#pragma once
#include <set>
#include <thread>

#include "tests/unit/node/store/store_fixture.h"

namespace aisfs::store {

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

}  // namespace aisfs::store
