// SPDX-License-Identifier: MIT
#include "common/client/remote_call.h"

#include <gtest/gtest.h>

#include "common/async/runtime.h"
#include "common/client/remote_admin.h"
#include "common/client/remote_node.h"

namespace aisfs {
namespace {

/// Keeps the last request and answers nothing.
class Recorder final : public Transport {
 public:
  Task<Result<http::ClientResponse>> send(NodeInfo, Context, http::ClientRequest request) override {
    last = std::move(request);
    co_return Error(Errc::not_ready);
  }
  http::ClientRequest last;
};

class SentOnceTest : public testing::Test {
 protected:
  ~SentOnceTest() override { runtime_.stop(); }

  template <class T>
  bool once(Task<T> task) {
    EXPECT_FALSE(runtime_.run_on(0, std::move(task)).ok());
    return wire_.last.once;
  }

  struct Started : Runtime {
    Started() : Runtime(1) { start(); }
  };
  Started runtime_;
  Recorder wire_;
  RemoteNode node_{wire_, NodeInfo{}};
  RemoteAdmin admin_{wire_, NodeInfo{}};
  const BucketName bucket_ = native_bucket("b");
  const ObjectName name_{bucket_, "k"};
  const Conditions if_absent_{.must_not_exist = true};
};

TEST_F(SentOnceTest, WhatMeetsItsOwnTracesTheSecondTime) {
  EXPECT_TRUE(once(node_.rename({}, name_, name_, {})));
  EXPECT_TRUE(once(node_.make_dir({}, bucket_, "d", {})));
  EXPECT_TRUE(once(node_.remove_dir({}, bucket_, "d")));
  EXPECT_TRUE(once(node_.rename_dir({}, bucket_, "d", "e", false)));
  EXPECT_TRUE(once(node_.abort_upload({}, name_, "u")));
  EXPECT_TRUE(once(node_.remove({}, name_, {})));
  EXPECT_TRUE(once(node_.set_attrs({}, name_, {}, if_absent_)));
  EXPECT_TRUE(once(node_.set_attrs({}, name_, {.xattr_must_not_exist = "user.x"}, {})));
  EXPECT_TRUE(once(node_.copy({}, name_, name_, {.destination_conditions = if_absent_})));
}

TEST_F(SentOnceTest, WhatChangesTheMap) {
  EXPECT_TRUE(once(admin_.create_bucket({}, bucket_, {})));
  EXPECT_TRUE(once(admin_.destroy_bucket({}, bucket_, false)));
  EXPECT_TRUE(once(admin_.set_bucket_props({}, bucket_, {})));
  EXPECT_TRUE(once(admin_.create_user({}, {})));
  EXPECT_TRUE(once(admin_.remove_user({}, "u")));
}

TEST_F(SentOnceTest, WhatMightUndoAChangeInBetween) {
  EXPECT_TRUE(once(node_.remove({}, name_, {.missing_ok = true})));
  EXPECT_TRUE(once(node_.set_attrs({}, name_, {}, {})));
  EXPECT_TRUE(once(node_.copy({}, name_, name_, {})));
  EXPECT_TRUE(once(node_.complete_upload({}, name_, "u", {}, {})));
}

TEST_F(SentOnceTest, NotWhatIsTheSameTwice) {
  EXPECT_FALSE(once(node_.head({}, name_, {})));
  EXPECT_FALSE(once(node_.list({}, bucket_, {})));
  EXPECT_FALSE(once(admin_.list_buckets({})));
}

}  // namespace
}  // namespace aisfs
