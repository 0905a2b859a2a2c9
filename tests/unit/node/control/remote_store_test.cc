// SPDX-License-Identifier: MIT
#include "node/control/remote_store.h"

#include <gmock/gmock.h>

#include "common/async/runtime.h"
#include "node/control/control_transport.h"

namespace aisfs::control {
namespace {

using ::testing::ElementsAre;

/// What is asked of which gateway, and how each fails.
class Gateways final : public Transport {
 public:
  Task<Result<http::ClientResponse>> send(NodeInfo node,
                                          Context,
                                          http::ClientRequest request) override {
    asked.push_back(node.id);
    once = request.once;
    co_return node.id == "a:1" ? first : Error(Errc::unsupported);
  }
  std::vector<std::string> asked;
  bool once = false;
  Error first{Errc::unreachable, "closed by the server before it answered"};
};

class RemoteStoreTest : public ::testing::Test {
 protected:
  RemoteStoreTest() { runtime_.start(); }
  ~RemoteStoreTest() override { runtime_.stop(); }

  template <class T>
  Errc why_not(Task<T> task) {
    gateways_.asked.clear();
    return runtime_.run_on(0, std::move(task)).error().code();
  }

  Runtime runtime_{1};
  Gateways gateways_;
  RemoteStore store_{gateways_, [] {
                       return std::vector{node_at({"a", 1}), node_at({"b", 1}), node_at({"a", 1})};
                     }};
};

TEST_F(RemoteStoreTest, WhatChangesTheStoreIsSentToNobodyElse) {
  EXPECT_EQ(why_not(store_.txn({})), Errc::unreachable);
  EXPECT_TRUE(gateways_.once);
  EXPECT_THAT(gateways_.asked, ElementsAre("a:1"));
  EXPECT_EQ(why_not(store_.grant(std::chrono::seconds(1))), Errc::unreachable);
  EXPECT_THAT(gateways_.asked, ElementsAre("a:1"));
  EXPECT_EQ(why_not(store_.revoke(1)), Errc::unreachable);
  EXPECT_THAT(gateways_.asked, ElementsAre("a:1"));
}

TEST_F(RemoteStoreTest, UnlessTheFirstHasSeenNothingOrHasNoStore) {
  gateways_.first = Error(Errc::unreachable, "refused").mark_never_sent();
  EXPECT_EQ(why_not(store_.txn({})), Errc::unreachable);
  EXPECT_THAT(gateways_.asked, ElementsAre("a:1", "b:1"));
  gateways_.first = Error(Errc::unsupported);
  EXPECT_EQ(why_not(store_.txn({})), Errc::unreachable);
  EXPECT_THAT(gateways_.asked, ElementsAre("a:1", "b:1"));
}

TEST_F(RemoteStoreTest, AReadGoesOnAtTheNext) {
  EXPECT_EQ(why_not(store_.get({})), Errc::unreachable);
  EXPECT_FALSE(gateways_.once);
  EXPECT_THAT(gateways_.asked, ElementsAre("a:1", "b:1"));
}

}  // namespace
}  // namespace aisfs::control
