// SPDX-License-Identifier: MIT
#include "node/control/node_maps.h"

#include <gtest/gtest.h>

#include <thread>

namespace aisfs::control {
namespace {

ClusterMap map_of(Epoch epoch) {
  ClusterMap map;
  map.uuid = "c";
  map.epoch = epoch;
  return map;
}

TEST(NodeMaps, AnInstalledMapIsSeenByAllThreadsAtOnce) {
  NodeMapSource maps;
  EXPECT_EQ(maps.current()->epoch, 0U);
  std::atomic<Epoch> installed = 0;
  std::atomic<int> stale = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      for (Epoch known = 0; known < 200;) {
        known = installed;
        if (maps.current()->epoch < known) ++stale;
      }
    });
  }
  for (Epoch epoch = 1; epoch <= 200; ++epoch) {
    ASSERT_TRUE(maps.install(map_of(epoch)).ok());
    installed = epoch;
  }
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(stale, 0);
}

TEST(NodeMaps, TwoSourcesInOneThreadAreNotMixedUp) {
  NodeMapSource one, other;
  ASSERT_TRUE(one.install(map_of(7)).ok());
  ASSERT_TRUE(other.install(map_of(9)).ok());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(one.current()->epoch, 7U);
    EXPECT_EQ(other.current()->epoch, 9U);
  }
}

}  // namespace
}  // namespace aisfs::control
