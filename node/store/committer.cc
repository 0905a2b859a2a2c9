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

Committer::Committer(asio::thread_pool& pool, Sync sync) : pool_(pool), sync_(std::move(sync)) {
  thread_ = std::thread([this] { loop(); });
}

Committer::~Committer() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

Task<Status> Committer::run(Mutation& mutation) {
  if (suspect()) co_return why_suspect();
  auto begin = [this, &mutation](Resume<Status> resume) {
    mutation.done_ = std::move(resume);
    asio::post(pool_, [this, m = &mutation] { start(m); });
  };
  co_return co_await suspend<Status>(std::move(begin));
}

void Committer::start(Mutation* mutation) {
  if (Status staged = mutation->stage(); !staged) return finish(mutation, std::move(staged));
  if (mutation->barrier_before || mutation->barrier_after) return enqueue(mutation);
  finish(mutation, mutation->publish());
}

void Committer::enqueue(Mutation* mutation) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(mutation);
  }
  wake_.notify_one();
}

std::vector<Mutation*> Committer::take(bool may_wait) {
  std::unique_lock lock(mutex_);
  if (may_wait) wake_.wait(lock, [this] { return stop_ || flush_ || !waiting_.empty(); });
  const std::size_t count = std::min(waiting_.size(), kBatchMax);
  std::vector<Mutation*> batch(waiting_.begin(), waiting_.begin() + count);
  waiting_.erase(waiting_.begin(), waiting_.begin() + count);
  return batch;
}

/// Without it those who come back find the next barrier begun, and wait for three instead of two.
void Committer::await_company(std::size_t count, Duration barrier_took) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, std::min(barrier_took / kCompanyShare, kCompanyMax),
                 [&] { return stop_ || waiting_.size() >= count; });
}

void Committer::loop() {
  std::vector<Mutation*> published;  // visible, waiting for their second barrier
  std::size_t acknowledged = 0;      // by the last barrier
  Duration took{};
  while (true) {
    if (!published.empty() && acknowledged > 0) await_company(acknowledged, took);
    const std::vector<Mutation*> staged = take(published.empty());
    if (staged.empty() && published.empty() && !take_flush()) return;
    const auto begin = std::chrono::steady_clock::now();
    const Status synced = barrier();
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
        finish(mutation, std::move(status));
      }
    }
  }
}

/// False when the loop was woken to end.
bool Committer::take_flush() {
  std::lock_guard lock(mutex_);
  return std::exchange(flush_, false);
}

bool Committer::is_flush_due(Duration age) const {
  const std::int64_t since = unflushed_since_.load();
  return since != 0 && steady_ns() - since >= age.count();
}

void Committer::flush() {
  {
    std::lock_guard lock(mutex_);
    flush_ = true;
  }
  wake_.notify_one();
}

void Committer::note_unflushed() {
  std::int64_t none = 0;
  unflushed_since_.compare_exchange_strong(none, steady_ns());
}

Status Committer::barrier() {
  if (suspect()) return why_suspect();
  unflushed_since_.store(0);  // what is acknowledged from here on counts anew
  Status synced = sync_();
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
  LOG_ERROR("mountpath is suspect, writes to it fail until a restart", "why", why.what());
}

Error Committer::why_suspect() {
  std::lock_guard lock(mutex_);
  return Error(Errc::io, "mountpath is suspect after a failed sync (" + why_ +
                             "); check the disk, then restart the node");
}

void Committer::finish(Mutation* mutation, Status status) {
  if (mutation->flush_soon && status.ok()) note_unflushed();
  auto done = std::move(mutation->done_);  // the mutation may be gone once its owner runs
  std::move(done)(std::move(status));
}

}  // namespace aisfs::store
