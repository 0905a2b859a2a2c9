// SPDX-License-Identifier: MIT
#include "aisfs/read/reader.h"

#include <gtest/gtest.h>

#include "common/async/runtime.h"
#include "tests/kit/fake_cluster.h"

namespace aisfs::read {
namespace {

TEST(ReadaheadAdvisor, DoublesWhileSequentialUpToTheLimit) {
  ReadaheadAdvisor advisor(4_MiB);
  std::uint64_t last = 0;
  for (std::uint64_t at = 0; at < 8; ++at) {
    const ByteRange wanted = advisor.on_read({at * 128_KiB, 128_KiB});
    EXPECT_EQ(wanted.offset, at * 128_KiB);
    EXPECT_GE(wanted.length, last);
    last = wanted.length;
  }
  EXPECT_EQ(last, 4_MiB + 128_KiB);
}

TEST(ReadaheadAdvisor, StopsAfterTwoJumps) {
  ReadaheadAdvisor advisor(4_MiB);
  advisor.on_read({0, 4_KiB});
  advisor.on_read({100_MiB, 4_KiB});
  EXPECT_EQ(advisor.on_read({50_MiB, 4_KiB}).length, 0u);
  EXPECT_FALSE(advisor.sequential());
}

TEST(ReadaheadAdvisor, ReadsALittleOutOfOrderAreSequential) {
  ReadaheadAdvisor advisor(4_MiB);
  advisor.on_read({0, 128_KiB});
  advisor.on_read({256_KiB, 128_KiB});
  advisor.on_read({128_KiB, 128_KiB});
  EXPECT_TRUE(advisor.sequential());
}

class Reading : public testing::Test {
 protected:
  Reading() {
    cluster.add_bucket("b");
    for (std::size_t i = 0; i < 9_MiB; ++i) bytes.push_back(static_cast<char>(i * 7 + i / 4096));
    info = cluster.store("b", "x", bytes);
  }
  /// Reads [0, size) in steps, on a shard; the whole text, or nothing on an error.
  Task<std::string> read_all_of(std::uint64_t step) {
    TaskScope scope(co_await asio::this_coro::executor);
    std::string out;
    {
      Pinned pinned{{native_bucket("b"), "x"}, info.content_version, info.size};
      auto reader = std::make_shared<Reader>(cluster, scope, budget, std::move(pinned));
      while (out.size() < info.size) {
        const Context context;
        auto part = co_await reader->read({out.size(), step}, context);
        if (!part || part->empty()) break;
        out += *part;
      }
    }
    co_await scope.join();
    co_return out;
  }

  tests::FakeCluster cluster;
  std::string bytes;
  ObjectInfo info;
  Budget budget{64_MiB};
};

TEST_F(Reading, SequentialReadsGetTheBytesInFewRequests) {
  Runtime runtime(1);
  runtime.start();
  EXPECT_EQ(runtime.run_on(0, read_all_of(100'000)), bytes);
  EXPECT_LE(cluster.calls("get"), 9u);
  EXPECT_EQ(budget.used(), 0u);
}

TEST_F(Reading, WithoutMemoryItStillReads) {
  budget.take(64_MiB);
  Runtime runtime(1);
  runtime.start();
  EXPECT_EQ(runtime.run_on(0, read_all_of(500'000)), bytes);
}

TEST_F(Reading, APinnedVersionThatIsGoneIsAnError) {
  cluster.store("b", "x", "new");
  cluster.state().drop_superseded();
  Runtime runtime(1);
  runtime.start();
  EXPECT_EQ(runtime.run_on(0, read_all_of(100'000)), "");
}

}  // namespace
}  // namespace aisfs::read
