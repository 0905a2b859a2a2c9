// SPDX-License-Identifier: MIT
// Renamed directories against a model: whatever was renamed, made and moved in whatever order, each
// object is found under its one name, and listings show what the model has.
#include <gtest/gtest.h>

#include <random>

#include "common/async/runtime.h"
#include "common/client/mapped_list.h"
#include "common/client/merge.h"
#include "common/placement/prefix_map.h"

namespace aisfs {
namespace {

constexpr BucketId kBucket{7};

/// A store that knows places, a map, and what users believe.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }
  const ClusterMap& map() const { return map_; }
  const std::map<std::string, int>& names() const { return names_; }

  /// A directory of up to three levels: few names, so that they meet.
  std::string some_dir() {
    std::string dir;
    for (std::size_t i = 0, depth = 1 + below(3); i < depth; ++i) {
      dir += std::string(1, static_cast<char>('a' + below(3))) + "/";
    }
    return dir;
  }

  void put() {
    const std::string name = some_dir() + std::string(below(3), 'x');  // or a directory's marker
    settle(name);
    stored_[placement::places_of(map_, kBucket, name).home] = names_[name] = ++last_;
  }

  void rename() {
    const std::string from = some_dir(), to = some_dir();
    if (from.starts_with(to) || to.starts_with(from)) return;
    if (!has_names(from) || has_names(to)) return;
    const std::string hidden = placement::hidden_prefix(std::to_string(++last_));
    if (!placement::rename_prefix(map_, kBucket, from, to, hidden)) return;
    std::map<std::string, int> next;
    for (const auto& [name, id] : names_) {
      next[name.starts_with(from) ? to + name.substr(from.size()) : name] = id;
    }
    names_ = std::move(next);
  }

  /// Moves some names of a mapping home, and ends it when nothing is left. False: nothing to do.
  bool rewrite(std::size_t which, std::size_t count) {
    if (map_.mappings.empty()) return false;
    const PrefixMapping mapping = map_.mappings[which % map_.mappings.size()];
    if (mapping.logical == mapping.physical) return placement::end_mapping(map_, mapping);
    if (placement::places_of(map_, kBucket, mapping.logical).home == mapping.physical) return false;
    std::vector<std::string> places;
    for (const auto& [place, id] : stored_) {
      const PrefixMapping* of = placement::mapping_at(map_, kBucket, place);
      if (of != nullptr && *of == mapping) places.push_back(place);
    }
    const bool all = places.size() <= count;
    if (!all) places.resize(count);
    for (const auto& place : places) settle(mapping.logical + place.substr(mapping.physical.size()));
    return !places.empty() || (all && placement::end_mapping(map_, mapping));
  }

  /// The id under a name, as a reader finds it; 0 for none.
  int read(const std::string& name) const {
    placement::Places places = placement::places_of(map_, kBucket, name);
    if (!places.home.empty()) places.sources.push_back(places.home);
    for (const std::string& place : places.sources) {
      if (const auto it = stored_.find(place); it != stored_.end()) return it->second;
    }
    return 0;
  }

  ListPage list(const ListOptions& options) const {
    const PhysicalList physical = [this](ListOptions o) { return answer(page(stored_, o)); };
    Runtime runtime(1);
    runtime.start();
    auto result = runtime.run_on(0, list_mapped(map_, kBucket, options, physical));
    runtime.stop();
    return *std::move(result);
  }

  /// What a listing of these names is.
  static ListPage page(const std::map<std::string, int>& names, const ListOptions& o) {
    ListPage page;
    for (const auto& [name, id] : names) {
      if (!name.starts_with(o.prefix) || (!o.after.empty() && name <= o.after)) continue;
      ListEntry entry{.key = name};
      const auto cut = o.delimiter.empty() ? std::string::npos
                                           : name.find(o.delimiter, o.prefix.size());
      if (cut != std::string::npos) entry = {name.substr(0, cut + o.delimiter.size()), true, {}};
      if (!page.entries.empty() && page.entries.back().key == entry.key) continue;
      if (page.entries.size() == o.limit) {
        page.more = true;
        const ListEntry& last = page.entries.back();
        page.next = last.is_prefix ? after_prefix(last.key) : last.key;
        return page;
      }
      page.entries.push_back(std::move(entry));
    }
    return page;
  }

  void expect_all_found() const {
    for (const auto& [name, id] : names_) ASSERT_EQ(read(name), id) << name;
    ASSERT_EQ(stored_.size(), names_.size());
  }

 private:
  static Task<Result<ListPage>> answer(ListPage page) { co_return page; }
  bool has_names(const std::string& dir) const {
    const auto it = names_.lower_bound(dir);
    return it != names_.end() && it->first.starts_with(dir);
  }
  void settle(const std::string& name) {
    const placement::Places places = placement::places_of(map_, kBucket, name);
    for (const std::string& source : places.sources) {
      const auto it = stored_.find(source);
      if (it == stored_.end() || source == places.home) continue;
      ASSERT_FALSE(stored_.contains(places.home)) << source << " would replace " << places.home;
      stored_[places.home] = it->second;
      stored_.erase(source);
    }
  }

  std::mt19937 random_;
  ClusterMap map_;
  std::map<std::string, int> stored_;  // by place
  std::map<std::string, int> names_;   // as users know them
  int last_ = 0;
};

class RenamedDirs : public testing::TestWithParam<unsigned> {};

TEST_P(RenamedDirs, EveryObjectIsFoundUnderItsOneName) {
  World world(GetParam());
  for (int step = 0; step < 400; ++step) {
    switch (world.below(4)) {
      case 0: world.rename(); break;
      case 1: world.rewrite(world.below(50), world.below(3)); break;
      default: world.put();
    }
    world.expect_all_found();
    if (HasFatalFailure()) return;
  }
  // Left to itself, everything goes home and nothing is mapped any more.
  for (bool more = true; more;) {
    more = false;
    for (std::size_t i = 0; i < world.map().mappings.size(); ++i) {
      more = world.rewrite(i, 1000) || more;
    }
  }
  EXPECT_TRUE(world.map().mappings.empty());
  world.expect_all_found();
}

TEST_P(RenamedDirs, ListingsShowWhatIsThere) {
  World world(GetParam());
  for (int step = 0; step < 60; ++step) {
    switch (world.below(4)) {
      case 0: world.rename(); break;
      case 1: world.rewrite(world.below(50), world.below(3)); break;
      default: world.put();
    }
    ListOptions options{.limit = static_cast<std::uint32_t>(1 + world.below(4))};
    if (world.below(2) == 0) options.delimiter = world.below(4) == 0 ? "x" : "/";
    if (world.below(2) == 0) options.prefix = world.some_dir();
    if (options.prefix.size() > 2 && world.below(3) == 0) options.prefix.pop_back();
    if (world.below(3) == 0) options.after = options.prefix;  // all but the marker
    std::vector<std::string> found, wanted;
    ListOptions rest = options;
    for (;;) {
      const ListPage page = world.list(rest);
      for (const ListEntry& entry : page.entries) found.push_back(entry.key);
      ASSERT_LE(page.entries.size(), options.limit);
      if (!page.more) break;
      ASSERT_GT(page.next, rest.after);
      rest.after = page.next;
    }
    options.limit = 10'000;
    for (const ListEntry& e : World::page(world.names(), options).entries) wanted.push_back(e.key);
    ASSERT_EQ(found, wanted) << "prefix " << options.prefix << " delimiter " << options.delimiter;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RenamedDirs, testing::Range(1U, 101U));

TEST(RenamedDirs, ARenameBackNeedsNoMoves) {
  ClusterMap map;
  ASSERT_TRUE(placement::rename_prefix(map, kBucket, "a/", "b/", "%renamed-1/").ok());
  EXPECT_EQ(placement::places_of(map, kBucket, "b/x").sources, std::vector<std::string>{"a/x"});
  EXPECT_EQ(placement::places_of(map, kBucket, "a/x").home, "%renamed-1/x");
  ASSERT_TRUE(placement::rename_prefix(map, kBucket, "b/", "a/", "%renamed-2/").ok());
  EXPECT_EQ(placement::places_of(map, kBucket, "a/x").home, "a/x");
}

TEST(RenamedDirs, HiddenPlacesAreNoNames) {
  ClusterMap map;
  ASSERT_TRUE(placement::rename_prefix(map, kBucket, "a/", "b/", "%renamed-1/").ok());
  EXPECT_EQ(placement::places_of(map, kBucket, "%renamed-1/x").home, "");
  EXPECT_EQ(placement::places_of(map, kBucket, "%renamed-2/x").home, "%renamed-2/x");
}

TEST(RenamedDirs, AreBounded) {
  ClusterMap map;
  Status last;
  std::size_t done = 0;
  while (last.ok() && done < 1000) {
    const std::string n = std::to_string(done++);
    last = placement::rename_prefix(map, kBucket, "a" + n + "/", "b" + n + "/",
                                    placement::hidden_prefix(n));
  }
  EXPECT_EQ(last.error().code(), Errc::overloaded);
  EXPECT_LE(map.mappings.size(), placement::kMappingsMax);
}

}  // namespace
}  // namespace aisfs
