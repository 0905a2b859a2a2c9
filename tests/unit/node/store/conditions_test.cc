// SPDX-License-Identifier: MIT
#include "node/store/conditions.h"

#include <gtest/gtest.h>

namespace aisfs::store {
namespace {

Errc outcome(const Conditions& c, const ObjectInfo* there, Access access) {
  const Status st = check_conditions(c, there, access);
  return st.ok() ? Errc::internal : st.error().code();
}
constexpr Errc kFine = Errc::internal;

TEST(Conditions, OfSomethingThatIsNotThere) {
  EXPECT_EQ(outcome({}, nullptr, Access::kWrite), kFine);
  EXPECT_EQ(outcome({.must_not_exist = true}, nullptr, Access::kWrite), kFine);
  EXPECT_EQ(outcome({.must_exist = true}, nullptr, Access::kWrite), Errc::not_found);
  EXPECT_EQ(outcome({.if_match = {"e"}}, nullptr, Access::kWrite), Errc::not_found);
  EXPECT_EQ(outcome({.if_none_match = {"e"}}, nullptr, Access::kWrite), kFine);
  EXPECT_EQ(outcome({.if_ino = 3}, nullptr, Access::kWrite), Errc::precondition_failed);
  EXPECT_EQ(outcome({.if_size = 0}, nullptr, Access::kWrite), kFine);
}

TEST(Conditions, EtagsAndTimesInTheOrderOfTheRfc) {
  ObjectInfo there{.modified_ns = 100'500'000'000, .etag = "e"};
  const auto at = [](std::int64_t s) { return s * 1'000'000'000; };
  EXPECT_EQ(outcome({.if_match = {"x", "e"}}, &there, Access::kRead), kFine);
  EXPECT_EQ(outcome({.if_match = {"x"}}, &there, Access::kRead), Errc::precondition_failed);
  EXPECT_EQ(outcome({.if_none_match = {"e"}}, &there, Access::kRead), Errc::not_modified);
  EXPECT_EQ(outcome({.if_none_match = {"e"}}, &there, Access::kWrite), Errc::precondition_failed);
  EXPECT_EQ(outcome({.if_modified_since_ns = at(100)}, &there, Access::kRead), Errc::not_modified);
  EXPECT_EQ(outcome({.if_modified_since_ns = at(99)}, &there, Access::kRead), kFine);
  EXPECT_EQ(outcome({.if_unmodified_since_ns = at(99)}, &there, Access::kRead),
            Errc::precondition_failed);
  EXPECT_EQ(outcome({.if_match = {"e"}, .if_unmodified_since_ns = at(99)}, &there, Access::kRead), kFine);
  EXPECT_EQ(outcome({.if_none_match = {"x"}, .if_modified_since_ns = at(200)}, &there, Access::kRead),
            kFine);
}

TEST(Conditions, OfTheVersionThatIsThere) {
  ObjectInfo there{.ino = 5, .content_version = {1, 2, 3}, .meta_version = {1, 3, 3}, .size = 10};
  EXPECT_EQ(outcome({.if_content_version = Version{1, 2, 3}}, &there, Access::kWrite), kFine);
  EXPECT_EQ(outcome({.if_meta_version = Version{1, 2, 3}}, &there, Access::kWrite),
            Errc::precondition_failed);
  EXPECT_EQ(outcome({.must_not_exist = true}, &there, Access::kWrite), Errc::already_exists);
  EXPECT_EQ(outcome({.if_ino = 6}, &there, Access::kWrite), Errc::precondition_failed);
  EXPECT_EQ(outcome({.if_size = 9}, &there, Access::kWrite), Errc::precondition_failed);
}

}  // namespace
}  // namespace aisfs::store
