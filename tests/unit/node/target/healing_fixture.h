// SPDX-License-Identifier: MIT
// Targets whose files are damaged behind their backs.
#pragma once
#include <fstream>
#include <limits>

#include "tests/unit/node/store/damage.h"
#include "tests/unit/node/target/mirror_fixture.h"

namespace aisfs::target {

using Verdict = Healer::Verdict;

class HealingFixture : public MirrorFixture {
 protected:
  std::string file(const std::string& id, const std::string& key) {
    return store::file_of(dir_ + "/" + id, key);
  }
  Verdict check(const std::string& id, const std::string& key) {
    const auto checked = run(targets_.at(id)->healer().check(store::make_key(kId, name(key))));
    EXPECT_TRUE(checked.ok());
    return checked ? checked->verdict : Verdict::kGood;
  }
  void settle_healer(const std::string& id) {
    EXPECT_TRUE(run(settle_of(targets_.at(id)->healer())).ok());
  }
  std::vector<DamagedName> damages(const std::string& id) {
    return targets_.at(id)->healer().damages();
  }
  static Task<Status> settle_of(Healer& healer) {
    co_await healer.settle();
    co_return Status{};
  }
  /// All targets start again: what was verified is forgotten.
  void forget_verified() { start_again({}); }
  /// That, and of one target power was lost: its start reads all files.
  void forget_index(const std::string& id) { start_again(id); }
  /// A restart of this target looks back at nothing.
  void all_copies_are_known(const std::string& id) {
    std::ofstream(dir_ + "/" + id + "/state/replicated") << std::numeric_limits<std::int64_t>::max();
  }
  void start_again(const std::string& without_index) {
    targets_.clear();
    for (auto& [id, store] : stores_) store->close();  // no intent is left to make a file anew
    stores_.clear();
    for (const char* mp : {"/m1/%index", "/m2/%index"}) {
      if (!without_index.empty()) std::filesystem::remove_all(dir_ + "/" + without_index + mp);
    }
    for (const char* id : {"t1", "t2", "t3"}) make_target(id);
    look_back();
  }
};

}  // namespace aisfs::target
