// SPDX-License-Identifier: MIT
#include "common/client/retry.h"

#include <gtest/gtest.h>

#include "common/wire/error_text.h"

namespace aisfs {
namespace {

TEST(MayRetry, RefusalsAlwaysAmbiguitiesOnlyWhenSafe) {
  EXPECT_TRUE(may_retry(Errc::stale_map, Replay::kAmbiguous));
  EXPECT_TRUE(may_retry(Errc::not_ready, Replay::kAmbiguous));
  EXPECT_TRUE(may_retry(Errc::overloaded, Replay::kAmbiguous));
  EXPECT_FALSE(may_retry(Errc::unreachable, Replay::kAmbiguous));
  EXPECT_FALSE(may_retry(Errc::timed_out, Replay::kAmbiguous));
  EXPECT_TRUE(may_retry(Errc::unreachable, Replay::kSafe));
  EXPECT_TRUE(may_retry(Errc::timed_out, Replay::kSafe));
  EXPECT_TRUE(may_retry(Errc::unreachable, Replay::kGuarded));
  EXPECT_TRUE(may_retry(Errc::timed_out, Replay::kGuarded));
}

TEST(MayRetry, WhatWasNeverSentMayBeSentAgain) {
  const Error refused = Error(Errc::unreachable, "no route").mark_never_sent();
  EXPECT_TRUE(may_retry(refused, Replay::kAmbiguous));
  EXPECT_TRUE(may_retry(Error(refused).context("a step"), Replay::kAmbiguous));
}

TEST(MayRetry, WhatAnotherNodeCouldNotSendIsAmbiguousHere) {
  const Error there =
      Error(Errc::unreachable, "connect to 127.0.0.1:1: Connection refused").mark_never_sent();
  const Error here = wire::decode_error(wire::encode_error(there), 503);
  EXPECT_EQ(here.what(), there.what());
  EXPECT_FALSE(here.never_sent());
  EXPECT_FALSE(may_retry(here, Replay::kAmbiguous));
}

TEST(MayRetry, NeverForFinalAnswers) {
  for (const Errc code : {Errc::not_found, Errc::precondition_failed, Errc::no_space, Errc::io,
                          Errc::corrupt, Errc::permission_denied, Errc::bad_checksum}) {
    EXPECT_FALSE(may_retry(code, Replay::kSafe)) << info(code).name;
  }
}

TEST(Backoff, GrowsToItsCapAndNeverSpins) {
  Backoff backoff;
  for (int i = 0; i < 20; ++i) {
    const Duration wait = backoff.next();
    EXPECT_GE(wait, Backoff::kFirst / 4);
    EXPECT_LE(wait, Backoff::kCap);
  }
  EXPECT_GE(backoff.next(), Backoff::kCap / 4);
}

}  // namespace
}  // namespace aisfs
