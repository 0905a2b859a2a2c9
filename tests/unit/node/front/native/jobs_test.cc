// SPDX-License-Identifier: MIT
// Jobs as AIStore's clients start, stop and look at them.
#include <gmock/gmock.h>

#include "tests/unit/node/front/native/native_fixture.h"

namespace aisfs::native {
namespace {

using testing::HasSubstr;

class NativeJobs : public NativeTest {
 protected:
  NativeJobs() : NativeTest(2) {}

  http::Client::Whole act_on_cluster(std::string action, std::string value) {
    return act(Method::kPut, "/v1/cluster",
               R"({"action":")" + action + R"(","name":"","value":)" + value + "}");
  }
  http::Client::Whole act_on_bucket(Method method,
                                    std::string action,
                                    std::string value,
                                    std::string query = "") {
    return act(method, "/v1/buckets/b" + query,
               R"({"action":")" + action + R"(","name":"","value":)" + value + "}");
  }
  http::Client::Whole ask(std::string what, std::string body) {
    return call({.target = "/v1/cluster?what=" + what, .body = std::move(body)});
  }
  static std::string by_id(const std::string& id) { return R"({"ID":")" + id + "\"}"; }
  std::string start_copy() {
    return act_on_bucket(Method::kPost, "copy-bck", "{}", "?bck_to=ais/@%23/c/").body;
  }
  JobSpec last() { return cluster_.jobs().all().back().spec; }
};

TEST_F(NativeJobs, ACopyOfABucketIsAJob) {
  const auto begun = act_on_bucket(
      Method::kPost, "copy-bck",
      R"({"ext":{"jpg":"png"},"prepend":"p/","prefix":"x","dry_run":true,"num-workers":3})",
      "?bck_to=ais/@%23/c/");
  EXPECT_EQ(begun.head.status, 200) << begun.body;
  EXPECT_EQ(begun.body, "job1");
  EXPECT_EQ(last().bucket, native_bucket("b"));
  EXPECT_EQ(last().to, native_bucket("c"));
  EXPECT_EQ(last().prefix, "x");
  EXPECT_EQ(last().prepend, "p/");
  EXPECT_EQ(last().extensions.at("jpg"), "png");
  EXPECT_TRUE(last().dry_run);
}

TEST_F(NativeJobs, SoAreARenameAndListsAndTemplates) {
  EXPECT_EQ(act_on_bucket(Method::kPost, "move-bck", "null", "?bck_to=ais/@%23/c/").body, "job1");
  EXPECT_EQ(last().kind, "move-bck");
  EXPECT_EQ(act_on_bucket(Method::kPost, "copy-listrange",
                          R"({"objnames":["x","y"],"tobck":{"name":"c","provider":"ais"}})")
                .body,
            "job2");
  EXPECT_EQ(last().names, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(last().to, native_bucket("c"));
  EXPECT_EQ(act_on_bucket(Method::kDelete, "delete-listrange", R"({"template":"a-{0..9}"})").body,
            "job3");
  EXPECT_EQ(last().name_template, "a-{0..9}");
}

TEST_F(NativeJobs, WhatANativeBucketCannotHaveIsTheClientsMistake) {
  for (const char* action : {"prefetch-listrange", "evict-listrange"}) {
    const Method method =
        std::string_view(action).starts_with("evict") ? Method::kDelete : Method::kPost;
    const auto refused = act_on_bucket(method, action, R"({"objnames":["x"]})");
    EXPECT_EQ(refused.head.status, 400) << action;
    EXPECT_THAT(refused.body, HasSubstr("native bucket"));
  }
  EXPECT_EQ(
      act_on_bucket(Method::kPost, "copy-bck", R"({"synchronize":true})", "?bck_to=ais/@%23/c/")
          .head.status,
      400);
  EXPECT_EQ(act_on_bucket(Method::kDelete, "delete-listrange", R"({"objnames":"x"})").head.status,
            400);
  EXPECT_TRUE(cluster_.jobs().all().empty());
}

TEST_F(NativeJobs, StartTakesKindsThatCanBeStarted) {
  EXPECT_EQ(act_on_cluster("start", R"({"Kind":"cleanup-store"})").body, "job1");
  EXPECT_EQ(act_on_cluster("start", R"({"Kind":"resilver","DaemonID":"t1"})").body, "job2");
  EXPECT_EQ(last().node, "t1");
  for (const char* kind : {"copy-bck", "nonsense", ""}) {
    const auto refused = act_on_cluster("start", R"({"Kind":")" + std::string(kind) + "\"}");
    EXPECT_EQ(refused.head.status, 400) << kind;
  }
}

TEST_F(NativeJobs, StopNeedsAnIdOrAKindThatThereIs) {
  const std::string id = start_copy();
  EXPECT_EQ(act_on_cluster("stop", "{}").head.status, 400);
  EXPECT_EQ(act_on_cluster("stop", by_id("nothere")).head.status, 404);
  EXPECT_EQ(act_on_cluster("stop", R"({"Kind":"scrub"})").head.status, 404);
  EXPECT_EQ(act_on_cluster("stop", by_id(id)).head.status, 200);
  EXPECT_TRUE(cluster_.jobs().all()[0].stopping);
}

TEST_F(NativeJobs, TheStatusHasAnEndWhenTheJobHas) {
  const std::string id = start_copy();
  auto status = parsed(ask("status", by_id(id)));
  EXPECT_EQ(status.at("kind").as_string(), "copy-bck");
  EXPECT_EQ(status.at("uuid").as_string(), id);
  EXPECT_EQ(status.at("end_time"), 0);
  EXPECT_EQ(status.at("aborted").as_bool(), false);
  cluster_.jobs().edit(id, [](Job& job) {
    job.state = JobState::kStopped;
    job.error = "it was told to stop";
    job.ended_ns = 77;
  });
  status = parsed(ask("status", by_id(id)));
  EXPECT_EQ(status.at("end_time"), 77);
  EXPECT_EQ(status.at("aborted").as_bool(), true);
  EXPECT_EQ(status.at("err").as_string(), "it was told to stop");
  EXPECT_EQ(parsed(ask("status", R"({"Kind":"copy-bck"})")).at("uuid").as_string(), id);
  EXPECT_EQ(ask("status", by_id("nothere")).head.status, 404);
}

TEST_F(NativeJobs, ListsOfJobs) {
  const std::string first = start_copy(), second = start_copy();
  cluster_.jobs().edit(first, [](Job& job) {
    job.state = JobState::kFinished;
    job.ended_ns = 77;
  });
  EXPECT_EQ(parsed(ask("status_all", "{}")).as_array().size(), 2u);
  EXPECT_EQ(parsed(ask("status_all", R"({"OnlyRunning":true})")).as_array().size(), 1u);
  const auto running = parsed(ask("running_all", "{}")).as_array();
  ASSERT_EQ(running.size(), 1u);
  EXPECT_EQ(running[0].as_string(), "copy-bck[" + second + "]");
}

TEST_F(NativeJobs, EachTargetTellsHowFarItIs) {
  const std::string id = start_copy();
  cluster_.jobs().edit(id, [](Job& job) {
    job.targets["t0"] = {.done = true, .counts = {.objects = 5, .bytes = 4096}};
  });
  const auto stats = parsed(ask("qryxstats", by_id(id))).as_object();
  ASSERT_EQ(stats.size(), 2u);
  const auto& told = stats.at("t0").as_array().at(0).as_object();
  EXPECT_EQ(told.at("stats").as_object().at("loc-objs").as_string(), "5");
  EXPECT_EQ(told.at("stats").as_object().at("loc-bytes").as_string(), "4096");
  EXPECT_EQ(told.at("src-bck").as_object().at("name").as_string(), "b");
  EXPECT_EQ(told.at("dst-bck").as_object().at("provider").as_string(), "ais");
  EXPECT_EQ(told.at("end-time").as_string(), "0001-01-01T00:00:00Z");
  EXPECT_TRUE(told.at("is_idle").as_bool());
  // One that has said nothing yet is there, or the job would seem to be over.
  EXPECT_FALSE(stats.at("t1").as_array().at(0).as_object().at("is_idle").as_bool());
  const auto own = parsed(call({.target = "/v1/daemon?what=getxstats", .body = by_id(id)}));
  EXPECT_EQ(own.as_array().size(), 1u);
  EXPECT_EQ(ask("qryxstats", by_id("nothere")).head.status, 404);
}

TEST_F(NativeJobs, NobodyWithoutAnIdentityGetsAnything) {
  const auto refused = call({.target = "/v1/cluster?what=status_all", .body = "{}", .user = ""});
  EXPECT_EQ(refused.head.status, 401);
  EXPECT_EQ(call({.method = Method::kPost, .target = "/v1/x/start_job", .body = "", .user = ""})
                .head.status,
            401);
}

}  // namespace
}  // namespace aisfs::native
