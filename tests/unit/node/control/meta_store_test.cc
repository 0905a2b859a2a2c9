// SPDX-License-Identifier: MIT
#include "tests/unit/node/control/embedded_maker.h"
#include "tests/unit/node/control/meta_store_suite.h"

namespace aisfs::control {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Embedded, MetaStoreSuite, EmbeddedMaker);

class EmbeddedStoreTest : public MetaStoreSuite<EmbeddedMaker> {};

TEST_F(EmbeddedStoreTest, ARestartKeepsKeysRevisionsHistoryAndLeases) {
  const auto lease = run(store().grant(std::chrono::seconds(60)));
  const auto first = put("a/1", "x", *lease);
  const auto last = put("a/2", "y");
  maker_.stop();
  maker_.open();
  EXPECT_EQ(list("a/").size(), 2u);
  EXPECT_EQ(put("a/3", "z").revision, last.revision + 1);
  EXPECT_EQ(watch("a/", first.revision, Duration::zero())->events.size(), 3u);
  EXPECT_EQ(*run(store().keep_alive(*lease)), std::chrono::seconds(60));
}

}  // namespace
}  // namespace aisfs::control
