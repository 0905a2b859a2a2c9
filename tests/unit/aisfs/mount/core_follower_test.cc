// SPDX-License-Identifier: MIT
#include "aisfs/mount/core_follower.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <latch>
#include <thread>
#include <vector>

namespace aisfs::mount {
namespace {

using namespace std::chrono_literals;

std::vector<int> cores_of_this_thread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

/// A thread that ran on the core and sleeps.
class Sleeper {
 public:
  explicit Sleeper(int core) : thread_([this, core] { sleep_on(core); }) { ready_.wait(); }
  ~Sleeper() {
    end_.count_down();
    thread_.join();
  }
  std::int32_t id() const { return id_; }

 private:
  void sleep_on(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    EXPECT_EQ(::sched_setaffinity(0, sizeof set, &set), 0);
    id_ = ::gettid();
    ready_.count_down();
    end_.wait();
  }
  std::int32_t id_ = 0;
  std::latch ready_{1}, end_{1};
  std::thread thread_;
};

/// Every test works on a thread of its own, whose cores it changes.
class Follower : public testing::Test {
 protected:
  template <class F>
  static void on_own_thread(F f) {
    std::thread(f).join();
  }
  /// A period's requests, in turn by the threads.
  void ask(CoreFollower& follower, const std::vector<std::int32_t>& threads, std::uint64_t bytes) {
    now_ += 1s;
    for (std::size_t i = 0; i < 64; ++i) follower.note(threads[i % threads.size()], bytes, now_);
    now_ += 1s;
    follower.note(threads.front(), bytes, now_);  // ends the period
  }
  TimePoint now_{1h};
};

TEST_F(Follower, GoesWhereTheOnlyOneWhoAsksRuns) {
  on_own_thread([this] {
    CoreFollower follower;
    for (const int core : cores_of_this_thread()) {
      const Sleeper asks(core);
      ask(follower, {asks.id()}, 100);
      EXPECT_EQ(cores_of_this_thread(), std::vector{core});
    }
  });
}

TEST_F(Follower, RunsAnywhereForSeveralAndForManyBytes) {
  on_own_thread([this] {
    const std::vector<int> all = cores_of_this_thread();
    const Sleeper one(all.front()), other(all.back()), third(all.back());
    CoreFollower follower;
    ask(follower, {one.id(), other.id()}, 100);
    EXPECT_EQ(cores_of_this_thread(), std::vector{all.front()});
    ask(follower, {one.id(), other.id(), third.id()}, 100);
    EXPECT_EQ(cores_of_this_thread(), all);
    ask(follower, {one.id()}, 100);
    EXPECT_EQ(cores_of_this_thread(), std::vector{all.front()});
    ask(follower, {one.id()}, 128 * 1024);
    EXPECT_EQ(cores_of_this_thread(), all);
  });
}

TEST_F(Follower, RequestsThatNobodyWaitsForDoNotCount) {
  on_own_thread([this] {
    const Sleeper asks(cores_of_this_thread().front());
    CoreFollower follower;
    ask(follower, {0, asks.id(), 0}, 100);
    EXPECT_EQ(cores_of_this_thread().size(), 1u);
  });
}

TEST_F(Follower, RestsAfterABurst) {
  on_own_thread([this] {
    const std::vector<int> all = cores_of_this_thread();
    const Sleeper asks(all.front());
    CoreFollower follower;
    ask(follower, {asks.id()}, 100);
    follower.rest(now_);
    EXPECT_EQ(cores_of_this_thread(), std::vector{all.front()});
    follower.rest(now_ + 1s);
    EXPECT_EQ(cores_of_this_thread(), all);
  });
}

TEST_F(Follower, AThreadThatCannotBeSeenIsNotFollowed) {
  on_own_thread([this] {
    const std::vector<int> all = cores_of_this_thread();
    CoreFollower follower;
    ask(follower, {0}, 100);  // of another pid namespace
    EXPECT_EQ(cores_of_this_thread(), all);
  });
}

}  // namespace
}  // namespace aisfs::mount
