// SPDX-License-Identifier: MIT
#include "node/store/committer.h"

#include "common/obs/log.h"

namespace aisfs::store {
namespace {

std::int64_t steady_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

// How long a barrier waits for those who were acknowledged a moment ago and will be back: a small
// part of what it takes itself.
constexpr int kCompanyShare = 8;
constexpr Duration kCompanyMax = std::chrono::milliseconds(2);

}  // namespace

Committer::Committer(disk::IoPool& pool, Sync sync, OnError on_error)
    : pool_(pool), sync_(std::move(sync)), on_error_(std::move(on_error)) {
  for (Lane* lane : {&intents_, &files_}) lane->thread = std::thread([this, lane] { loop(*lane); });
}

Committer::~Committer() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  for (Lane* lane : {&intents_, &files_}) lane->wake.notify_all();
  for (Lane* lane : {&intents_, &files_}) lane->thread.join();
}

Task<Status> Committer::run(Mutation& mutation) {
  if (suspect()) co_return why_suspect();
  auto begin = [this, &mutation](Resume<Status> resume) {
    mutation.done_ = std::move(resume);
    pool_.post([this, m = &mutation] { start(m); });
  };
  co_return co_await suspend<Status>(std::move(begin));
}

void Committer::start(Mutation* mutation) {
  if (Status staged = mutation->stage(); !staged) return finish(mutation, std::move(staged));
  if (mutation->barrier_before || mutation->barrier_after) return enqueue(mutation);
  finish(mutation, mutation->publish());
}

void Committer::enqueue(Mutation* mutation) {
  Lane& lane = lane_of(mutation->barrier);
  // Woken under the lock: once it is free the mutation may be done and all of this be gone.
  std::lock_guard lock(mutex_);
  lane.waiting.push_back(mutation);
  if (lane.waiting.size() >= lane.wanted) lane.wake.notify_one();
}

std::vector<Mutation*> Committer::take(Lane& lane, bool may_wait) {
  std::unique_lock lock(mutex_);
  const auto wanted = [&] { return stop_ || lane.flush || !lane.waiting.empty(); };
  if (may_wait) lane.wake.wait(lock, wanted);
  const auto count = static_cast<std::ptrdiff_t>(std::min(lane.waiting.size(), kBatchMax));
  std::vector<Mutation*> batch(lane.waiting.begin(), lane.waiting.begin() + count);
  lane.waiting.erase(lane.waiting.begin(), lane.waiting.begin() + count);
  return batch;
}

/// Without it those who come back find the next barrier begun, and wait for one more than they need.
void Committer::await_company(Lane& lane, std::size_t count, Duration barrier_took) {
  std::unique_lock lock(mutex_);
  lane.wanted = count;
  lane.wake.wait_for(lock, std::min(barrier_took / kCompanyShare, kCompanyMax),
                     [&] { return stop_ || lane.waiting.size() >= count; });
  lane.wanted = 1;
}

void Committer::loop(Lane& lane) {
  std::vector<Mutation*> published;  // visible, waiting for their second barrier
  std::size_t acknowledged = 0;      // by the last barrier
  Duration took{};
  while (true) {
    if (acknowledged > 0) await_company(lane, acknowledged, took);
    const std::vector<Mutation*> staged = take(lane, published.empty());
    const bool flush = take_flush(lane);
    if (staged.empty() && published.empty() && !flush) return;  // woken to end
    const auto begin = std::chrono::steady_clock::now();
    const Status synced = pass(lane.barrier);
    took = std::chrono::steady_clock::now() - begin;
    acknowledged = published.size();
    for (Mutation* mutation : published) {
      if (synced) mutation->settle();
      finish(mutation, synced);
    }
    published.clear();
    for (Mutation* mutation : staged) {
      Status status = synced.ok() ? mutation->publish() : synced;
      if (status.ok() && mutation->barrier_after) {
        published.push_back(mutation);
      } else {
        ++acknowledged;
        finish(mutation, std::move(status));
      }
    }
  }
}

bool Committer::take_flush(Lane& lane) {
  std::lock_guard lock(mutex_);
  return std::exchange(lane.flush, false);
}

bool Committer::is_flush_due(Duration age) const {
  const std::int64_t since = unflushed_since_.load();
  return since != 0 && steady_ns() - since >= age.count();
}

void Committer::flush() {
  {
    std::lock_guard lock(mutex_);
    files_.flush = true;
  }
  files_.wake.notify_one();
}

void Committer::note_unflushed() {
  std::int64_t none = 0;
  unflushed_since_.compare_exchange_strong(none, steady_ns());
}

Status Committer::pass(Barrier barrier) {
  if (suspect()) return why_suspect();
  // What is acknowledged from here on counts anew.
  if (barrier == Barrier::kFiles) unflushed_since_.store(0);
  Status synced = sync_(barrier);
  syncs_.fetch_add(1);
  if (!synced) mark_suspect(synced.error());
  return synced;
}

void Committer::mark_suspect(const Error& why) {
  {
    std::lock_guard lock(mutex_);
    if (!why_.empty()) return;
    why_ = why.what();
  }
  suspect_.store(true);
  LOG_ERROR("mountpath is suspect, writes to it fail", "why", why.what());
  if (on_error_) on_error_(why);
}

Error Committer::why_suspect() {
  std::lock_guard lock(mutex_);
  return Error(Errc::io, "mountpath is suspect after a failed sync (" + why_ +
                             "); check the disk, then enable it or restart the node");
}

void Committer::finish(Mutation* mutation, Status status) {
  if (mutation->flush_soon && status.ok()) note_unflushed();
  if (!status && on_error_) on_error_(status.error());
  auto done = std::move(mutation->done_);  // the mutation may be gone once its owner runs
  std::move(done)(std::move(status));
}

}  // namespace aisfs::store
