// SPDX-License-Identifier: MIT
// Targets and a bucket whose objects are split.
#pragma once
#include <fstream>

#include "tests/unit/node/target/mirror_fixture.h"

namespace aisfs::target {

class SlicedFixture : public MirrorFixture {
 protected:
  SlicedFixture() {
    for (const char* id : {"t4", "t5", "t6"}) make_target(id);
    look_back();
    change([](ClusterMap& map) {
      for (const char* id : {"t4", "t5"}) map.nodes[id] = NodeInfo{.id = id};
    });
    split({.data = 2, .parity = 2, .least_bytes = kLeast});
  }

  static constexpr std::uint64_t kLeast = 1000;

  void split(ErasureProps erasure) {
    change([&](ClusterMap& map) {
      BucketProps& props = map.buckets.at(kName.uname()).props;
      props.erasure = erasure;
      if (erasure.enabled()) props.copies = erasure.parity + 1u;
      map.placement.since = map.epoch + 1;
    });
  }

  /// Bytes that no part of is equal to another.
  static std::string bytes(std::size_t size) {
    std::string text(size, '\0');
    std::uint64_t state = size + 1;
    for (char& c : text) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      c = static_cast<char>(state >> 56);
    }
    return text;
  }

  /// Looks of all targets until nothing is left to do.
  bool settle_slices() {
    for (int round = 0; round < 10; ++round) {
      bool all = true;
      for (auto& [id, target] : targets_) {
        if (id == cut_off_) continue;
        (void)run(target->slicer().settle_some());
        const auto done = run(target->slicer().settle());
        all = all && done && *done;
      }
      if (all) return true;
    }
    return false;
  }

  store::Key key_of(const std::string& key) { return store::make_key(kId, name(key)); }
  std::optional<store::Reference> reference(const std::string& key) {
    const auto found = stores_.at(owner(key))->resolve(key_of(key));
    return found ? *found : std::nullopt;
  }
  ec::SliceSet slices_at(const std::string& id, const std::string& key) {
    return slices_at(id, *reference(key));
  }
  ec::SliceSet slices_at(const std::string& id, const store::Reference& content) {
    std::vector<store::Reference> one{content};
    return run(stores_.at(id)->slices_here(kId, kName, std::move(one)))->front();
  }
  void drop(const std::string& id, const std::string& key) {
    const store::Reference content = *reference(key);
    EXPECT_TRUE(run(stores_.at(id)->drop_slices(kId, kName, content, slices_at(id, content))).ok());
  }
  /// A bit of each slice at this target.
  void damage(const std::string& id) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_ + "/" + id)) {
      if (!entry.is_regular_file() || entry.path().string().find("/%ec/") == std::string::npos) {
        continue;
      }
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(1000);
      const char old = static_cast<char>(file.get());
      file.seekp(1000);
      file.put(static_cast<char>(old ^ 1));
    }
  }
  std::vector<std::string> slice_holders(const std::string& key, std::size_t slices = 4) {
    std::vector<std::string> ids;
    for (const NodeInfo* holder : placement::holders_of(*maps_.current(), name(key), slices)) {
      ids.push_back(holder->id);
    }
    return ids;
  }
  /// One slice at each holder, all of them different, and none anywhere else.
  void expect_in_order(const std::string& key, std::size_t slices = 4) {
    const auto content = reference(key);
    ASSERT_TRUE(content) << key << " is in one piece";
    const auto holders = slice_holders(key, slices);
    ec::SliceSet seen;
    for (const auto& [id, _] : targets_) {
      const ec::SliceSet here = slices_at(id, *content);
      const bool holds = std::find(holders.begin(), holders.end(), id) != holders.end();
      EXPECT_EQ(here.count(), holds ? 1u : 0u) << key << " at " << id;
      EXPECT_TRUE((seen & here).none()) << key << ": slice " << ec::to_string(here) << " twice";
      seen |= here;
    }
    EXPECT_EQ(seen.count(), slices) << key;
  }
  Result<std::string> get_range(const std::string& key, ByteRange range) {
    const auto read = [](ObjectApi& api, Context c, ObjectName n,
                         GetOptions options) -> Task<Result<std::string>> {
      CO_TRY(ObjectStream stream, co_await api.get(std::move(c), std::move(n), std::move(options)));
      co_return co_await read_all(*stream.body, 16 << 20);
    };
    GetOptions options{.range = range};
    return run(read(cluster_, alice(), name(key), std::move(options)));
  }
  Result<std::string> get_all(const std::string& key) { return get_range(key, {}); }
};

}  // namespace aisfs::target
