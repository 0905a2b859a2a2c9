// SPDX-License-Identifier: MIT
// Buckets and their properties in messages: all of them arrive, from the release before as well.
#include "common/client/messages.h"

#include <gtest/gtest.h>

namespace aisfs::wire {
namespace {

BucketProps all_props() {
  BucketProps props{.copies = 3, .versioning = Versioning::kEnabled};
  props.s3 = {{"location", "here"}};
  props.erasure = {.data = 4, .parity = 2};
  props.disk_copies = 2;
  return props;
}

BucketProps props_of_version_3() {
  BucketProps props = all_props();
  props.disk_copies = 1;
  return props;
}

Bucket bucket_of(const char* name, BucketProps props) {
  return {.id = BucketId{7}, .name = native_bucket(name), .props = std::move(props)};
}

/// A message as the release before sent it.
template <class T>
struct Version3 {
  static constexpr std::uint16_t kVersion = 3, kCompat = 1;
  T message;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    message.fields(ar, version);
  }
};

TEST(BucketMessages, HaveAllProperties) {
  const auto request =
      decode<BucketPropsRequest>(encode(BucketPropsRequest{native_bucket("b"), all_props()}));
  ASSERT_TRUE(request.ok()) << request.error().what();
  EXPECT_EQ(request->props, all_props());
  const Bucket one = bucket_of("one", all_props()), two = bucket_of("two", {.disk_copies = 4});
  EXPECT_EQ(decode<BucketReply>(encode(BucketReply{one}))->bucket, one);
  const std::vector<Bucket> both = {one, two};
  EXPECT_EQ(decode<BucketsReply>(encode(BucketsReply{both}))->buckets, both);
}

TEST(BucketMessages, OfTheThirdVersionAreReadAndRead) {
  const Version3<BucketPropsRequest> request{{native_bucket("b"), all_props()}};
  EXPECT_EQ(decode<BucketPropsRequest>(encode(request))->props, props_of_version_3());
  const Bucket now = bucket_of("b", all_props()), old = bucket_of("b", props_of_version_3());
  EXPECT_EQ(decode<BucketReply>(encode(Version3<BucketReply>{{now}}))->bucket, old);
  EXPECT_EQ(decode<Version3<BucketReply>>(encode(BucketReply{now}))->message.bucket, old);
  const std::vector<Bucket> two_now = {now, now}, two_old = {old, old};
  EXPECT_EQ(decode<BucketsReply>(encode(Version3<BucketsReply>{{two_now}}))->buckets, two_old);
  EXPECT_EQ(decode<Version3<BucketsReply>>(encode(BucketsReply{two_now}))->message.buckets,
            two_old);
}

}  // namespace
}  // namespace aisfs::wire
