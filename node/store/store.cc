// SPDX-License-Identifier: MIT
#include "node/store/store.h"

#include <limits>

#include "common/async/gather.h"
#include "common/client/merge.h"
#include "common/disk/posix.h"
#include "node/store/engine.h"
#include "node/store/file_walk.h"
#include "node/store/layout.h"
#include "node/store/list_merge.h"

namespace aisfs::store {

Store::Store(StoreOptions options, Clock& clock)
    : engine_(std::make_unique<Engine>(std::move(options), clock)) {}
Store::~Store() = default;

Status Store::open() { return engine_->open(); }
void Store::close() { engine_->close(); }
std::vector<RecoveryReport> Store::recovery() const { return engine_->reports; }
std::uint64_t Store::saved_ceiling() const {
  auto least = std::numeric_limits<std::uint64_t>::max();
  for (const auto& mountpath : engine_->mountpaths) {
    least = std::min(least, mountpath->saved_ceiling());
  }
  return engine_->mountpaths.empty() ? 0 : least;
}
void Store::set_epoch(Epoch epoch) { engine_->versions.set_epoch(epoch); }
Result<Version> Store::next_version() { return engine_->versions.next(); }
Version Store::last_version() const { return engine_->versions.last_version(); }

Task<Result<ListPage>> Store::list(BucketId bucket, ListOptions options) {
  if (!engine_->ready) co_return Error(Errc::not_ready, "the target recovers its disks");
  ScanOptions scan{.prefix = options.prefix,
                   .after = options.after,
                   .delimiter = options.delimiter,
                   .summary = !options.attributes,
                   .versions = options.versions};
  ListPage whole;
  do {
    const auto wanted = options.limit - static_cast<std::uint32_t>(whole.entries.size());
    scan.limit = share_of(wanted, engine_->mountpaths.size());
    std::vector<ScanPage> pages;
    for (const auto& mountpath : engine_->mountpaths) {
      CO_TRY(auto page, mountpath->index().scan(bucket, scan));
      pages.push_back(std::move(page));
    }
    append(whole, merge_pages(std::move(pages), wanted));
    scan.after = whole.next;
  } while (whole.more && whole.entries.size() < options.limit);
  co_return whole;
}

Result<bool> Store::any_below(BucketId bucket, std::string_view prefix) {
  if (!engine_->ready) return Error(Errc::not_ready, "the target recovers its disks");
  for (const auto& mountpath : engine_->mountpaths) {
    TRY(const bool any, mountpath->index().any_below(bucket, prefix));
    if (any) return true;
  }
  return false;
}

Result<Capacity> Store::capacity() {
  Capacity sum;
  std::vector<std::uint64_t> seen;  // two mountpaths may share a file system
  for (const auto& mountpath : engine_->mountpaths) {
    const BucketCounters counters = mountpath->index().counters();
    sum.objects += counters.objects;
    sum.used_bytes += counters.bytes;
    const std::uint64_t id = mountpath->facts().file_system;
    if (std::find(seen.begin(), seen.end(), id) != seen.end()) continue;
    seen.push_back(id);
    TRY(const auto space, disk::space_of(mountpath->root()));
    sum.total_bytes += space.total_bytes;
    sum.available_bytes += space.available_bytes;
  }
  return sum;
}

Result<Capacity> Store::usage(BucketId bucket) {
  Capacity sum;
  for (const auto& mountpath : engine_->mountpaths) {
    const BucketCounters counters = mountpath->index().counters(bucket);
    sum.objects += counters.objects;
    sum.used_bytes += counters.bytes;
  }
  return sum;
}

namespace {

/// The log says that the bucket is gone before its folder goes, so nothing of it is believed.
Status destroy_on(Mountpath& mp, BucketId bucket) {
  const auto buckets = mp.buckets();
  const auto known = buckets.find(bucket);
  if (known == buckets.end()) return {};
  TRY(const auto effect, mp.announce(LogType::kBucketDestroyed, BucketDestroyedRecord{bucket}));
  CHECK_OK(mp.log().sync(effect.end()));
  const std::string to = layout::deleted_path(bucket);
  Status moved = disk::rename_beneath(mp.root(), dir_of(known->second), to);
  if (!moved && moved.error().code() != Errc::not_found) return moved;
  mp.index().erase_bucket(bucket);
  CHECK_OK(mp.index().flush());  // it is queued: nobody may see the objects after the answer
  CHECK_OK(remove_tree(mp.root(), to));
  mp.remove_spares(mp.spares().take_all());
  return mp.forget_bucket(bucket);
}

}  // namespace

Task<Status> Store::destroy_bucket(BucketId bucket) {
  for (const auto& mountpath : engine_->mountpaths) {
    auto destroy = [&mountpath, bucket] { return destroy_on(*mountpath, bucket); };
    CO_CHECK_OK(co_await mountpath->pool().run(std::move(destroy)));
  }
  co_return Status{};
}

namespace {
/// A barrier without a change.
class SyncMutation final : public Mutation {
 public:
  Status publish() override { return {}; }
};

Task<Status> sync_mountpath(Mountpath& mountpath) {
  SyncMutation mutation;
  mutation.barrier_before = true;
  co_return co_await mountpath.committer().run(mutation);
}

}  // namespace

Task<Status> Store::sync(Key key) {
  engine_->promise_all();
  return sync_mountpath(engine_->mountpath_of(key));
}

Task<Status> Store::sync_all() {
  engine_->promise_all();
  std::vector<Task<Status>> barriers;
  for (const auto& mountpath : engine_->mountpaths) barriers.push_back(sync_mountpath(*mountpath));
  std::vector<Status> done = co_await gather(std::move(barriers));
  for (Status& one : done) CO_CHECK_OK(std::move(one));
  co_return Status{};
}

}  // namespace aisfs::store
