// SPDX-License-Identifier: MIT
#include "common/base/shared_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace aisfs {
namespace {

using Model = std::map<std::string, int>;

Model contents(const SharedMap<int>& map) {
  Model found;
  for (const auto& [key, value] : map) found.emplace_hint(found.end(), key, value);
  return found;
}

std::string key(std::uint64_t number) { return "key-" + std::to_string(number); }

TEST(SharedMap, DoesWhatStdMapDoes) {
  std::mt19937 random(1);
  SharedMap<int> map;
  Model model;
  for (int i = 0; i < 20'000; ++i) {
    const std::string k = key(random() % 600);
    switch (random() % 4) {
      case 0:
        EXPECT_EQ(map.erase(k), model.erase(k));
        break;
      case 1:
        map[k] = model[k] = i;
        break;
      case 2:
        map.insert_or_assign(k, i);
        model.insert_or_assign(k, i);
        break;
      default:
        const auto found = std::as_const(map).find(k);
        ASSERT_EQ(found != std::as_const(map).end(), model.contains(k)) << k;
        if (model.contains(k)) {
          EXPECT_EQ(found->second, model[k]);
        }
    }
    ASSERT_EQ(map.size(), model.size());
  }
  EXPECT_EQ(contents(map), model);
}

TEST(SharedMap, AMapThatIsFilledInAnyOrderIsInOrder) {
  for (const bool ascending : {true, false}) {
    SharedMap<int> map;
    Model model;
    for (int i = 0; i < 500; ++i) {
      const int number = ascending ? 1000 + i : 2000 - i;
      map[key(static_cast<std::uint64_t>(number))] = number;
      model[key(static_cast<std::uint64_t>(number))] = number;
    }
    EXPECT_EQ(contents(map), model);
  }
}

TEST(SharedMap, ACopyDoesNotSeeChangesOfTheOther) {
  SharedMap<int> map;
  for (std::uint64_t i = 0; i < 300; ++i) map[key(i)] = 1;
  const SharedMap<int> before = map;
  const Model expected = contents(before);

  map.at(key(7)) = 2;
  for (auto& [k, value] : map) {
    if (k == key(9)) value = 3;
  }
  map.find(key(11))->second = 4;
  map.erase(key(200));
  map["new"] = 5;

  EXPECT_EQ(contents(before), expected);
  EXPECT_EQ(map.at(key(7)), 2);
  EXPECT_EQ(map.at(key(9)), 3);
  EXPECT_EQ(map.at(key(11)), 4);
  EXPECT_FALSE(map.contains(key(200)));
  EXPECT_EQ(map.size(), before.size());
  EXPECT_NE(map, before);
}

TEST(SharedMap, ACopyHasTheEntriesThatDidNotChange) {
  SharedMap<int> map;
  for (std::uint64_t i = 0; i < 300; ++i) map[key(i)] = 1;
  SharedMap<int> copy = map;
  copy.at(key(7)) = 2;
  const auto same = [&](std::uint64_t i) {
    return &std::as_const(map).at(key(i)) == &std::as_const(copy).at(key(i));
  };
  EXPECT_FALSE(same(7));
  for (std::uint64_t i = 8; i < 300; ++i) EXPECT_TRUE(same(i)) << i;
}

TEST(SharedMap, DifferencesAreThoseOfTheContents) {
  std::mt19937 random(2);
  SharedMap<int> before;
  for (int i = 0; i < 400; ++i) before[key(random() % 1000)] = 0;
  for (int round = 0; round < 200; ++round) {
    SharedMap<int> after = before;
    for (auto changes = random() % 6; changes > 0; --changes) {
      const std::string k = key(random() % 1000);
      if (random() % 2 == 0) {
        after.erase(k);
      } else {
        after[k] = static_cast<int>(random() % 3);
      }
    }
    Model made = contents(before);
    std::string last;
    SharedMap<int>::differences(before, after, [&](const auto* old, const auto* now) {
      const std::string& k = now == nullptr ? old->first : now->first;
      EXPECT_LT(last, k);
      last = k;
      EXPECT_EQ(made.contains(k), old != nullptr);
      if (now == nullptr) {
        made.erase(k);
      } else {
        made[k] = now->second;
      }
    });
    EXPECT_EQ(made, contents(after));
    EXPECT_EQ(before == after, contents(before) == contents(after));
    before = std::move(after);
  }
}

TEST(SharedMap, EqualMapsThatShareNothingAreEqual) {
  SharedMap<int> one, other;
  for (std::uint64_t i = 0; i < 200; ++i) one[key(i)] = 1;
  for (std::uint64_t i = 200; i > 0; --i) other[key(i - 1)] = 1;
  EXPECT_EQ(one, other);
  other[key(3)] = 2;
  EXPECT_NE(one, other);
}

TEST(SharedMap, ErasingByAKeyOfItsOwnAndByAPredicate) {
  SharedMap<int> map = {{"a", 1}, {"b", 2}, {"c", 3}};
  map.erase(map.begin()->first);
  EXPECT_EQ(contents(map), (Model{{"b", 2}, {"c", 3}}));
  map.erase_if([](const auto& entry) { return entry.second == 2; });
  EXPECT_EQ(contents(map), (Model{{"c", 3}}));
  map.clear();
  EXPECT_TRUE(map.empty());
  EXPECT_TRUE(map.begin() == map.end());
}

}  // namespace
}  // namespace aisfs
