// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "common/async/byte_stream.h"
#include "common/async/clock.h"
#include "common/async/gather.h"
#include "common/async/limiter.h"
#include "common/async/offload.h"
#include "common/async/runtime.h"
#include "common/async/scope.h"
#include "common/async/timeout.h"

namespace aisfs {
namespace {

using std::chrono::milliseconds;

/// `pool`: whose threads may still be at waking the caller when it has gone on already.
template <class T>
T run(Task<T> task, asio::thread_pool* pool = nullptr) {
  asio::io_context io;
  std::optional<T> out;
  asio::co_spawn(
      io,
      [](Task<T> t, std::optional<T>& o) -> Task<void> { o.emplace(co_await std::move(t)); }(
          std::move(task), out),
      [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
      });
  io.run();
  if (pool != nullptr) pool->join();
  return std::move(*out);
}

Task<Result<int>> sleep_then(int value, Duration d, bool& unwound) {
  asio::steady_timer timer(co_await asio::this_coro::executor, d);
  auto [ec] = co_await timer.async_wait(use_ec);
  unwound = true;
  if (ec) co_return Error(Errc::cancelled);
  co_return value;
}

Task<Result<int>> throwing() {
  co_await asio::post(asio::use_awaitable);
  throw std::runtime_error("boom");
}

TEST(Timeout, AQuickOperationWins) {
  bool unwound = false;
  EXPECT_EQ(*run(with_timeout(sleep_then(5, milliseconds(0), unwound),
                              Deadline::after(std::chrono::minutes(1)))),
            5);
}

TEST(Timeout, ASlowOperationIsCancelledAndWaitedFor) {
  bool unwound = false;
  const auto r = run(with_timeout(sleep_then(5, std::chrono::hours(1), unwound),
                                  Deadline::after(milliseconds(1))));
  EXPECT_EQ(r.error().code(), Errc::timed_out);
  EXPECT_TRUE(unwound);
}

TEST(Timeout, AnExceptionComesAtOnce) {
  EXPECT_THROW((void)run(with_timeout(throwing(), Deadline::after(std::chrono::hours(1)))),
               std::runtime_error);
}

TEST(Gather, ResultsAreInTheOrderOfTheOperations) {
  bool a = false, b = false;
  std::vector<Task<Result<int>>> ops;
  ops.push_back(sleep_then(1, milliseconds(5), a));
  ops.push_back(sleep_then(2, milliseconds(0), b));
  const auto results = run(gather(std::move(ops)));
  EXPECT_EQ(*results[0], 1);
  EXPECT_EQ(*results[1], 2);
}

TEST(Offload, RunsElsewhereAndComesBack) {
  asio::thread_pool pool(1);
  const auto here = std::this_thread::get_id();
  auto task = [](asio::thread_pool& p, std::thread::id caller) -> Task<bool> {
    auto blocking = [] { return std::this_thread::get_id(); };
    const auto there = co_await offload(p, blocking);
    co_return there != caller && std::this_thread::get_id() == caller;
  };
  EXPECT_TRUE(run(task(pool, here), &pool));
}

TEST(Limiter, NeverMoreThanItsPermitsAtOnce) {
  struct State {
    int running = 0;
    int most = 0;
  };
  auto worker = [](Limiter& limiter, State& s) -> Task<Result<int>> {
    auto permit = co_await limiter.acquire();
    s.most = std::max(s.most, ++s.running);
    co_await asio::post(asio::use_awaitable);
    --s.running;
    co_return 0;
  };
  auto all = [](auto one, State& s) -> Task<int> {
    Limiter limiter(co_await asio::this_coro::executor, 3);
    std::vector<Task<Result<int>>> ops;
    for (int i = 0; i < 20; ++i) ops.push_back(one(limiter, s));
    co_await gather(std::move(ops));
    co_return 0;
  };
  State state;
  run(all(worker, state));
  EXPECT_EQ(state.most, 3);
}

TEST(ReadAll, IsBounded) {
  StringSource fits(std::string(100000, 'x'));
  EXPECT_EQ(run(read_all(fits, 100000))->size(), 100000u);
  StringSource too_long(std::string(100001, 'x'));
  EXPECT_EQ(run(read_all(too_long, 100000)).error().code(), Errc::too_large);
}

/// Knows its length and judges the body when it is asked for more than that.
class CheckedAtTheEnd final : public BodySource {
 public:
  explicit CheckedAtTheEnd(std::string text) : inner_(std::move(text)) {}
  Task<Result<std::size_t>> read(MutableBytes into) override {
    CO_TRY(const std::size_t n, co_await inner_.read(into));
    if (n == 0) co_return Error(Errc::bad_checksum);
    co_return n;
  }
  std::optional<std::uint64_t> remaining() const override { return inner_.remaining(); }

 private:
  StringSource inner_;
};

TEST(ReadAll, GoesToTheEndOfABodyWhoseLengthIsKnown) {
  for (const std::size_t size : {0, 1, 4096, 65535, 65536, 200000}) {
    StringSource good(std::string(size, 'x'));
    EXPECT_EQ(run(read_all(good, 1 << 20))->size(), size);
    CheckedAtTheEnd bad(std::string(size, 'x'));
    EXPECT_EQ(run(read_all(bad, 1 << 20)).error().code(), Errc::bad_checksum) << size;
  }
}

TEST(FrameMemory, NoTwoFramesShareBytes) {
  std::vector<std::pair<unsigned char*, std::size_t>> frames;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t size = 1; size < 20'000; size += 97) {
      auto* frame = static_cast<unsigned char*>(allocate_frame(size));
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(frame) % __STDCPP_DEFAULT_NEW_ALIGNMENT__, 0u);
      std::memset(frame, static_cast<int>(size % 251), size);
      frames.emplace_back(frame, size);
    }
    for (const auto& [frame, size] : frames) {
      EXPECT_TRUE(std::all_of(frame, frame + size, [s = size](auto c) { return c == s % 251; }));
    }
    // Every other one, so that the next round meets kept ones and fresh ones.
    for (std::size_t i = frames.size(); i-- > 0;) {
      if (i % 2 == 0 && round < 2) continue;
      release_frame(frames[i].first, frames[i].second);
      frames.erase(frames.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  EXPECT_TRUE(frames.empty());
}

TEST(FrameMemory, AFrameMayEndOnAnotherThread) {
  constexpr std::size_t kFrames = 4000;  // more than a thread keeps
  std::vector<void*> frames(kFrames);
  std::thread([&] {
    for (void*& frame : frames) frame = allocate_frame(1000);
  }).join();
  std::thread([&] {
    for (void* frame : frames) release_frame(frame, 1000);
    for (void*& frame : frames) frame = allocate_frame(1000);
  }).join();
  for (void* frame : frames) release_frame(frame, 1000);
}

TEST(Runtime, ATaskStaysOnItsShard) {
  Runtime runtime(2);
  runtime.start();
  auto task = []() -> Task<std::size_t> {
    co_await asio::post(asio::use_awaitable);
    co_return Runtime::current_shard();
  };
  EXPECT_EQ(runtime.run_on(1, task()), 1u);
  EXPECT_EQ(runtime.run_on(0, task()), 0u);
  runtime.stop();
}

TEST(Clock, SleepsAtLeastAsLongAsAsked) {
  auto task = []() -> Task<bool> {
    RealClock clock;
    const TimePoint before = clock.now();
    const Status slept = co_await clock.sleep(milliseconds(2));
    co_return slept.ok() && clock.now() - before >= milliseconds(2);
  };
  EXPECT_TRUE(run(task()));
}

}  // namespace
}  // namespace aisfs
