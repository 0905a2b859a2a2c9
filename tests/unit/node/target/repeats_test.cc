// SPDX-License-Identifier: MIT
// What is sent again because nobody said what became of it.
#include <atomic>
#include <future>

#include "tests/unit/node/target/target_fixture.h"

namespace aisfs::target {
namespace {

class RepeatsTest : public LocalTargetTest {
 protected:
  /// The next change happens and cannot be acknowledged: the node is fenced from then on.
  void lose_next_answer() {
    answer_lost_ = false;
    asked_ = 0;
    may_serve_ = [this]() -> Status {
      // First before the change, then before the answer to it.
      if (asked_++ == 0) return {};
      answer_lost_ = true;
      answer_lost_.notify_all();
      return Error(Errc::not_ready, "fenced");
    };
  }
  /// What others do at the owner before the change is sent again.
  template <class Change>
  void meanwhile(Change change) {
    answer_lost_.wait(false);
    change();
    EXPECT_TRUE(run(serve_again()).ok());
  }
  Result<ObjectInfo> put_there(const std::string& key, const std::string& body) {
    StringSource source(body);
    PutOptions options;
    ExpectedChecksums expected;
    return run(stores_.at(owner(key))
                   ->put(store::make_key(kId, name(key)), std::move(options), std::move(expected),
                         source));
  }
  Task<Status> remove_task(std::string key) {
    RemoveOptions options{.missing_ok = true};
    return cluster_.remove(alice(), name(key), std::move(options));
  }

  std::atomic<bool> answer_lost_ = false;

 private:
  Task<Status> serve_again() {  // on the shard that asks
    may_serve_ = nullptr;
    co_return Status{};
  }
  int asked_ = 0;
};

TEST_F(RepeatsTest, APutIsFoundDone) {
  lose_next_answer();
  auto sent = std::async(std::launch::async, [&] { return put("k", "mine"); });
  meanwhile([] {});
  const auto info = sent.get();
  ASSERT_TRUE(info.ok()) << info.error().what();
  EXPECT_EQ(info->content_version, head("k")->content_version);
}

TEST_F(RepeatsTest, APutUndoesNothingThatCameInBetween) {
  ASSERT_TRUE(put("k", "old").ok());
  lose_next_answer();
  auto sent = std::async(std::launch::async, [&] { return put("k", "mine"); });
  meanwhile([&] { EXPECT_TRUE(put_there("k", "their").ok()); });
  EXPECT_EQ(code(sent.get()), Errc::timed_out);
  EXPECT_EQ(get("k").value_or(""), "their");
}

TEST_F(RepeatsTest, ADeleteSparesWhatCameInBetween) {
  ASSERT_TRUE(put("k", "old").ok());
  lose_next_answer();
  auto sent = std::async(std::launch::async, [&] { return run(remove_task("k")); });
  meanwhile([&] { EXPECT_TRUE(put_there("k", "their").ok()); });
  EXPECT_EQ(code(sent.get()), Errc::timed_out);
  EXPECT_EQ(get("k").value_or(""), "their");
}

TEST_F(RepeatsTest, ADeleteIsFoundDone) {
  ASSERT_TRUE(put("k", "old").ok());
  lose_next_answer();
  auto sent = std::async(std::launch::async, [&] { return run(remove_task("k")); });
  meanwhile([] {});
  EXPECT_TRUE(sent.get().ok());
  EXPECT_EQ(code(head("k")), Errc::not_found);
}

}  // namespace
}  // namespace aisfs::target
