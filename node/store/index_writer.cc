// SPDX-License-Identifier: MIT
// The thread that commits an index's updates in groups.
#include "node/store/index_impl.h"

namespace aisfs::store {
namespace {

// Readers see what is queued, so nobody waits for a commit: gathering costs nothing but what a
// restart after kill -9 replays. A short while would write the same pages again and again, and
// with them lengthen every syncfs of the file system.
constexpr auto kGather = std::chrono::milliseconds(50);
// Less than that while is left to gather when so much is there: commits stay short.
constexpr std::size_t kGatherMax = 2048;
constexpr auto kRetry = std::chrono::seconds(1);

}  // namespace

void Index::Impl::enqueue(Update update) {
  std::size_t queued = 0;
  {
    std::unique_lock lock(overlay_mutex_);
    space_cv_.wait(lock, [this] { return queue_.size() < options_.pending_max; });
    update.sequence = ++enqueued_;
    if (update.kind == Update::Kind::kSet) {
      overlay_.set(update.bucket, update.key, {update.record, update.sequence});
    }
    queue_.push_back(std::move(update));
    queued = queue_.size();
  }
  if (queued != 1 && queued != kGatherMax) return;  // the writer knows
  const std::lock_guard lock(mutex_);
  woken_ = true;
  crowded_ = queued == kGatherMax;
  work_cv_.notify_one();
}

Status Index::Impl::flush() {
  std::uint64_t upto = 0;
  {
    const std::shared_lock lock(overlay_mutex_);
    upto = enqueued_;
  }
  std::unique_lock lock(mutex_);
  wanted_ = std::max(wanted_, upto);
  work_cv_.notify_one();
  done_cv_.wait(lock, [&] { return committed_ >= upto || failure_; });
  return committed_ >= upto ? Status{} : Status(*failure_);
}

Status Index::Impl::health() const {
  const std::lock_guard lock(mutex_);
  return failure_ ? Status(*failure_) : Status{};
}

void Index::Impl::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    work_cv_.notify_one();
  }
  if (writer_.joinable()) writer_.join();
}

void Index::Impl::run() {
  for (;;) {
    const bool last = wait_for_work();
    const std::vector<Update> batch = take_queue();
    if (!batch.empty()) {
      if (!commit_until_done(batch)) return;
      publish(batch);
    }
    if (last && batch.empty()) return;
  }
}

/// True when the index is being closed: what is queued now is the last.
bool Index::Impl::wait_for_work() {
  std::unique_lock lock(mutex_);
  work_cv_.wait(lock, [this] { return woken_ || stopping_; });
  const auto hurry = [this] { return wanted_ > committed_ || stopping_ || crowded_; };
  if (!hurry()) work_cv_.wait_for(lock, kGather, hurry);
  woken_ = crowded_ = false;
  return stopping_;
}

std::vector<Index::Impl::Update> Index::Impl::take_queue() {
  const std::unique_lock lock(overlay_mutex_);
  std::vector<Update> batch = std::exchange(queue_, {});
  space_cv_.notify_all();
  return batch;
}

/// False when the index is closed before it works.
bool Index::Impl::commit_until_done(const std::vector<Update>& batch) {
  for (;;) {
    auto done = commit(batch);
    if (done) return true;
    std::unique_lock lock(mutex_);
    failure_ = std::move(done).error().context("index " + options_.path);
    done_cv_.notify_all();
    if (work_cv_.wait_for(lock, kRetry, [this] { return stopping_; })) return false;
  }
}

Status Index::Impl::commit(const std::vector<Update>& batch) {
  return env_->write([&](lmdb::WriteTxn& txn) -> Status {
    batch_counters_.clear();
    batch_ids_ = node_ids_;
    batch_checkpoint_ = checkpoint_;
    for (const Update& update : batch) CHECK_OK(apply(txn, update));
    return save_meta(txn);
  });
}

Status Index::Impl::apply(lmdb::WriteTxn& txn, const Update& update) {
  switch (update.kind) {
    case Update::Kind::kSet: return apply_set(txn, update);
    case Update::Kind::kEraseBucket: return apply_erase_bucket(txn, update.bucket);
    case Update::Kind::kCheckpoint:
      batch_checkpoint_ = std::max(batch_checkpoint_, update.lsn);
      return {};
  }
  return {};
}

Status Index::Impl::apply_set(lmdb::WriteTxn& txn, const Update& update) {
  TRY(const auto old, names_.get(txn, update.bucket, update.key));
  const BucketCounters gone = old ? index_counts_of(*old) : BucketCounters{};
  const bool visible = update.record && !is_tombstone(*update.record);
  if (visible) {
    CHECK_OK(tombstones_.erase(txn, update.bucket, update.key));
    CHECK_OK(names_.put(txn, batch_ids_, update.bucket, update.key, *update.record));
    count(update.bucket, gone, index_counts_of(*update.record));
    return {};
  }
  if (old) CHECK_OK(names_.erase(txn, update.bucket, update.key));
  count(update.bucket, gone, {});
  if (!update.record) return tombstones_.erase(txn, update.bucket, update.key);
  return tombstones_.put(txn, batch_ids_, update.bucket, update.key, *update.record);
}

void Index::Impl::count(BucketId bucket, const BucketCounters& gone, const BucketCounters& come) {
  auto it = batch_counters_.find(bucket.value);
  if (it == batch_counters_.end()) {
    const auto old = counters_.find(bucket.value);  // only this thread changes it
    it = batch_counters_
             .emplace(bucket.value, old == counters_.end() ? BucketCounters{} : old->second)
             .first;
  }
  it->second.objects += come.objects - gone.objects;
  it->second.bytes += come.bytes - gone.bytes;
}

Status Index::Impl::apply_erase_bucket(lmdb::WriteTxn& txn, BucketId bucket) {
  CHECK_OK(names_.erase_bucket(txn, bucket));
  CHECK_OK(tombstones_.erase_bucket(txn, bucket));
  batch_counters_[bucket.value] = {};
  return {};
}

/// After the commit: readers that look now find it in the tables.
void Index::Impl::publish(const std::vector<Update>& batch) {
  {
    const std::unique_lock lock(overlay_mutex_);
    for (const Update& update : batch) {
      overlay_.committed(update.bucket, update.key, update.sequence);
    }
  }
  const std::lock_guard lock(mutex_);
  committed_ = batch.back().sequence;
  failure_.reset();
  for (const auto& [bucket, counts] : batch_counters_) counters_[bucket] = counts;
  checkpoint_ = batch_checkpoint_;
  node_ids_ = batch_ids_;
  done_cv_.notify_all();
}

}  // namespace aisfs::store
