// SPDX-License-Identifier: MIT
#include "node/store/op_gate.h"

namespace aisfs::store {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(1);

}  // namespace

bool OpGate::try_enter(std::uint64_t& turn) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  turn = turn_;
  ++inside_[turn];
  return true;
}

Task<OpGate::Pass> OpGate::enter() {
  std::uint64_t turn = 0;
  while (!try_enter(turn)) {
    auto wait = [this](Resume<Entered> resume) {
      {
        const std::lock_guard lock(mutex_);
        if (closed_) return waiting_.push_back(std::move(resume));
      }
      std::move(resume)({});
    };
    co_await suspend<Entered>(std::move(wait));
  }
  co_return Pass(this, turn);
}

void OpGate::leave(std::uint64_t turn) {
  const std::lock_guard lock(mutex_);
  const auto it = inside_.find(turn);
  if (--it->second == 0) inside_.erase(it);
}

bool OpGate::is_empty() const {
  const std::lock_guard lock(mutex_);
  return inside_.empty();
}

Task<Status> OpGate::close(Clock& clock, Deadline deadline) {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  while (!is_empty()) {
    Status slept = deadline.expired() ? Error(Errc::timed_out) : co_await clock.sleep(kLookEvery);
    if (slept) continue;
    open();
    co_return slept;
  }
  co_return Status{};
}

void OpGate::open() {
  std::deque<Resume<Entered>> waiting;
  {
    const std::lock_guard lock(mutex_);
    closed_ = false;
    waiting = std::exchange(waiting_, {});
  }
  for (Resume<Entered>& resume : waiting) std::move(resume)({});
}

std::uint64_t OpGate::begin_turn() {
  const std::lock_guard lock(mutex_);
  return ++turn_;
}

bool OpGate::has_older(std::uint64_t turn) const {
  const std::lock_guard lock(mutex_);
  return !inside_.empty() && inside_.begin()->first < turn;
}

}  // namespace aisfs::store
