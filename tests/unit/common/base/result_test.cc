// SPDX-License-Identifier: MIT
#include "common/base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace aisfs {
namespace {

Result<int> parse_positive(int n) {
  if (n <= 0) return Error(Errc::out_of_range, "not positive");
  return n;
}

Result<int> doubled(int n) {
  TRY(const int value, parse_positive(n));
  return 2 * value;
}

Status checked(int n) {
  CHECK_OK(doubled(n));
  return {};
}

TEST(Result, TryPassesTheValueOnOrTheErrorUp) {
  EXPECT_EQ(*doubled(4), 8);
  EXPECT_EQ(doubled(0).error().code(), Errc::out_of_range);
  EXPECT_TRUE(checked(1).ok());
  EXPECT_EQ(checked(-1).error().what(), "not positive");
}

TEST(Result, ContextGoesInFrontOfTheCause) {
  EXPECT_EQ(Error(Errc::io, "No space left").context("write").context("put b/k").what(),
            "put b/k: write: No space left");
  EXPECT_EQ(Error(Errc::io).context("write").what(), "write");
}

TEST(Result, HoldsWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> r = std::make_unique<int>(7);
  auto owned = *std::move(r);
  EXPECT_EQ(*owned, 7);
}

TEST(Result, EveryErrnoOfTheTableComesBackAsItsCode) {
  for (const Errc code : {Errc::not_found, Errc::already_exists, Errc::no_space, Errc::not_empty,
                          Errc::cross_device, Errc::name_too_long, Errc::not_permitted}) {
    EXPECT_EQ(errc_of_errno(info(code).posix), code) << info(code).name;
  }
  EXPECT_EQ(errc_of_errno(123456), Errc::io);
}

TEST(Result, EveryErrorHasAStatusAndAnErrno) {
  for (const ErrcInfo& row : kErrcInfo) {
    EXPECT_GE(row.http, 300) << row.name;
    EXPECT_LT(row.http, 600) << row.name;
    EXPECT_GT(row.posix, 0) << row.name;
  }
}

}  // namespace
}  // namespace aisfs
