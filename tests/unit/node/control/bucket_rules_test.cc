// SPDX-License-Identifier: MIT
// What properties a bucket may have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/control/ops/rights.h"

namespace aisfs::control::ops {
namespace {

TEST(BucketRules, CopiesOnDisksAreOneToEight) {
  EXPECT_TRUE(check_props({}).ok());
  EXPECT_TRUE(check_props({.disk_copies = 8}).ok());
  for (const std::uint32_t wrong : {0u, 9u}) {
    const Status checked = check_props({.disk_copies = wrong});
    ASSERT_FALSE(checked.ok()) << wrong;
    EXPECT_EQ(checked.error().code(), Errc::invalid_argument);
    EXPECT_THAT(checked.error().what(),
                testing::HasSubstr("disk_copies of a bucket must be 1 to 8"));
  }
}

}  // namespace
}  // namespace aisfs::control::ops
