// SPDX-License-Identifier: MIT
#include "node/target/closed_dirs.h"

namespace aisfs::target {
namespace {

// Some 20 MB of them. Beyond it all directories count as closed for a while.
constexpr std::size_t kClosingsMax = 100'000;

}  // namespace

ClosedDirs::View ClosedDirs::view(BucketId bucket, const std::string& dir) const {
  const TimePoint now = clock_.now();
  const std::lock_guard lock(mutex_);
  const auto it = dirs_.find({bucket.value, dir});
  if (it == dirs_.end()) return {now < all_until_, 0};
  const bool lately = it->second.closing != 0 && now - it->second.closed_at < kRequestLife;
  return {lately || now < all_until_, it->second.closing};
}

std::optional<ClosedDirs::Ticket> ClosedDirs::begin(BucketId bucket, std::string dir, View seen) {
  Name name{bucket.value, std::move(dir)};
  const std::lock_guard lock(mutex_);
  State& state = dirs_[name];
  // One that has been forgotten in between was seen two minutes ago: no difference.
  if (state.closing > seen.closing) return std::nullopt;
  ++state.making;
  return Ticket(*this, std::move(name));
}

void ClosedDirs::end(const Name& dir) {
  {
    const std::lock_guard lock(mutex_);
    const auto it = dirs_.find(dir);
    if (--it->second.making != 0) return;
    if (it->second.closing != 0) {
      ended_.notify();
    } else {
      dirs_.erase(it);
    }
  }
}

Task<bool> ClosedDirs::close(BucketId bucket, std::string dir, Deadline deadline) {
  const Name name{bucket.value, std::move(dir)};
  const TimePoint now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    forget_old(now);
    State& state = dirs_[name];
    state.closing = ++last_closing_;
    state.closed_at = now;
    closings_.emplace_back(now, name);
  }
  for (;;) {
    const auto seen = ended_.count();
    if (!is_making(name)) co_return true;
    if (deadline.expired()) co_return false;
    co_await ended_.wait(seen, deadline);
  }
}

bool ClosedDirs::is_making(const Name& dir) const {
  const std::lock_guard lock(mutex_);
  const auto it = dirs_.find(dir);
  return it != dirs_.end() && it->second.making != 0;
}

void ClosedDirs::forget_old(TimePoint now) {
  while (!closings_.empty()) {
    const auto& [at, dir] = closings_.front();
    const bool too_many = closings_.size() >= kClosingsMax;
    if (now - at < kRequestLife && !too_many) break;
    if (now - at < kRequestLife) all_until_ = now + kRequestLife;
    const auto it = dirs_.find(dir);
    // One that was closed again since has a later entry.
    const bool last =
        it != dirs_.end() && it->second.closing + closings_.size() == last_closing_ + 1;
    if (last) {
      it->second.closing = 0;
      if (it->second.making == 0) dirs_.erase(it);
    }
    closings_.pop_front();
  }
}

}  // namespace aisfs::target
