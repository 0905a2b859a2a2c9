// SPDX-License-Identifier: MIT
#include "common/client/sendings.h"

#include <gtest/gtest.h>

#include <limits>

#include "common/client/remote_node.h"

namespace aisfs {
namespace {

class NoWire final : public Transport {
 public:
  Task<Result<http::ClientResponse>> send(NodeInfo, Context, http::ClientRequest) override {
    co_return Error(Errc::unreachable);
  }
};

constexpr auto kMax = std::numeric_limits<std::uint32_t>::max();

class SendingsTest : public testing::Test {
 protected:
  /// An answer of the owner.
  void hear(Version last) { wire_.versions().note("t1", last); }
  std::optional<Version> send(Sendings& sendings, Epoch epoch = 7) {
    const Context context{.epoch = epoch};
    return sendings.next(owner_, context).unless_newer;
  }
  static Error lost() { return Error(Errc::unreachable, "lost"); }

  NoWire wire_;
  RemoteNode owner_{wire_, NodeInfo{.id = "t1"}};
};

TEST_F(SendingsTest, TheFirstGoesAsItIs) {
  Sendings sendings(Replay::kGuarded);
  EXPECT_FALSE(send(sendings));
}

TEST_F(SendingsTest, AfterALostAnswerWithWhatWasKnownBefore) {
  hear({7, 100, 3});
  Sendings sendings(Replay::kGuarded);
  send(sendings);
  hear({7, 200, 3});
  EXPECT_TRUE(sendings.may_go_on(lost()));
  EXPECT_EQ(send(sendings), (Version{7, 100, kMax}));
  hear({7, 300, 3});
  EXPECT_TRUE(sendings.may_go_on(lost()));
  EXPECT_EQ(send(sendings, 8), (Version{7, 100, kMax}));
}

TEST_F(SendingsTest, ARefusalSaysThatNothingHappened) {
  hear({7, 100, 3});
  Sendings sendings(Replay::kGuarded);
  for (const Errc refusal : {Errc::stale_map, Errc::not_ready, Errc::overloaded}) {
    EXPECT_FALSE(send(sendings));
    EXPECT_TRUE(sendings.may_go_on(refusal));
  }
  EXPECT_FALSE(send(sendings));
  EXPECT_TRUE(sendings.may_go_on(lost().mark_never_sent()));
  hear({7, 200, 3});
  EXPECT_FALSE(send(sendings));
  EXPECT_TRUE(sendings.may_go_on(lost()));
  EXPECT_EQ(send(sendings), (Version{7, 200, kMax}));
}

TEST_F(SendingsTest, WhatFailedBeforeItWasSentDidNothing) {
  Sendings sendings(Replay::kGuarded);
  EXPECT_TRUE(sendings.may_go_on(lost()));
  EXPECT_FALSE(send(sendings));
  EXPECT_TRUE(sendings.may_go_on_unread(lost()));
  EXPECT_FALSE(send(sendings));
}

TEST_F(SendingsTest, AnotherEpochsVersionsSayNothing) {
  EXPECT_EQ(newest_before(7, {}), (Version{7, 0, kMax}));
  EXPECT_EQ(newest_before(7, {6, 100, 3}), (Version{7, 0, kMax}));
  EXPECT_EQ(newest_before(7, {8, 100, 3}), (Version{7, 0, kMax}));
  EXPECT_EQ(newest_before(7, {7, 100, 3}), (Version{7, 100, kMax}));
}

TEST_F(SendingsTest, WhenTheOwnerCannotTellNobodyGoesOn) {
  Sendings sendings(Replay::kGuarded);
  send(sendings);
  EXPECT_TRUE(sendings.may_go_on(Errc::timed_out));
  send(sendings);
  EXPECT_FALSE(sendings.may_go_on(Errc::timed_out));
}

TEST_F(SendingsTest, ARefusalIsNotToldOfWhatMayHaveHappened) {
  Sendings sendings(Replay::kGuarded);
  send(sendings);
  EXPECT_EQ(sendings.told(Errc::not_ready), Errc::not_ready);
  EXPECT_TRUE(sendings.may_go_on(lost()));
  EXPECT_EQ(sendings.told(Errc::not_ready), Errc::timed_out);
  EXPECT_EQ(sendings.told(Errc::permission_denied), Errc::permission_denied);
}

TEST_F(SendingsTest, WhoeverHasSentItBeforeKnowsBetter) {
  hear({7, 100, 3});
  const Context context{.epoch = 7, .unless_newer = Version{5, 1, kMax}};
  Sendings sendings(Replay::kGuarded);
  EXPECT_EQ(sendings.next(owner_, context).unless_newer, context.unless_newer);
  EXPECT_TRUE(sendings.may_go_on(lost()));
  EXPECT_EQ(sendings.next(owner_, context).unless_newer, context.unless_newer);
}

TEST_F(SendingsTest, OtherOperationsGoAsTheyAre) {
  for (const Replay replay : {Replay::kSafe, Replay::kAmbiguous}) {
    Sendings sendings(replay);
    send(sendings);
    EXPECT_EQ(sendings.may_go_on(lost()), replay == Replay::kSafe);
    EXPECT_FALSE(send(sendings));
  }
}

}  // namespace
}  // namespace aisfs
