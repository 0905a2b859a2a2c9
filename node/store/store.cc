// SPDX-License-Identifier: MIT
#include "node/store/store.h"

#include <limits>

#include "common/async/gather.h"
#include "common/base/defer.h"
#include "common/client/merge.h"
#include "common/disk/posix.h"
#include "node/store/engine.h"
#include "node/store/file_walk.h"
#include "node/store/layout.h"
#include "node/store/list_merge.h"
#include "node/store/resilver.h"

namespace aisfs::store {
namespace {

constexpr Duration kMovesMax = std::chrono::seconds(30);

}  // namespace

Store::Store(StoreOptions options, Clock& clock)
    : engine_(std::make_unique<Engine>(std::move(options), clock)),
      resilver_(std::make_unique<Resilver>(*engine_)) {}
Store::~Store() = default;

Status Store::open() { return engine_->open(); }
void Store::close() { engine_->close(); }
std::vector<RecoveryReport> Store::recovery() const { return engine_->reports; }
std::uint64_t Store::saved_ceiling() const {
  auto least = std::numeric_limits<std::uint64_t>::max();
  const auto mountpaths = engine_->mounts.opened();
  for (const auto& mountpath : mountpaths) least = std::min(least, mountpath->saved_ceiling());
  return mountpaths.empty() ? 0 : least;
}
void Store::set_epoch(Epoch epoch) { engine_->versions.set_epoch(epoch); }
Result<Version> Store::next_version() { return engine_->versions.next(); }
Version Store::last_version() const { return engine_->versions.last_version(); }

namespace {

/// Whether no other mountpath knows something newer of the name: that it is gone, perhaps, which no
/// scan tells.
bool is_newest(const MountpathSet& set,
               const Mountpath& mountpath,
               BucketId bucket,
               std::string_view key,
               std::string_view record) {
  const auto here = peek_index_record(record);
  if (!here) return true;
  return std::none_of(set.readable.begin(), set.readable.end(), [&](const Mountpath* other) {
    if (other == &mountpath) return false;
    const auto there = other->index().peek(bucket, key);
    return there && *there && (*there)->meta_version > here->meta_version;
  });
}

Result<ScanPage> scan_one(const Engine& engine,
                          const MountpathSet& set,
                          const Mountpath& mountpath,
                          BucketId bucket,
                          ScanOptions options) {
  if (!set.settled) {
    options.only = [&](std::string_view key, std::string_view record) {
      return is_newest(set, mountpath, bucket, key, record);
    };
  } else {
    options.only = engine.without_copies(set, mountpath, bucket);
  }
  return mountpath.index().scan(bucket, options);
}

/// A page of each mountpath. While names move two of each: a name that was not seen in the first
/// round has gone to its place meanwhile, and is seen there in the second.
Result<std::vector<ScanPage>> scan_all(const Engine& engine,
                                       BucketId bucket,
                                       ScanOptions options,
                                       std::uint32_t wanted) {
  const MountpathSet& set = engine.mounts.now();
  if (const Lack* lack = set.lack_of(bucket)) return out_of_reach(*lack, "names of the bucket");
  options.limit = share_of(wanted, set.readable.size());
  std::vector<ScanPage> pages;
  for (int rounds = set.settled ? 1 : 2; rounds > 0; --rounds) {
    for (const Mountpath* mountpath : set.readable) {
      TRY(auto page, scan_one(engine, set, *mountpath, bucket, options));
      pages.push_back(std::move(page));
    }
  }
  if (&engine.mounts.now() == &set) return pages;
  return Error(Errc::not_ready, "the mountpaths have changed");
}

}  // namespace

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
    CO_TRY(auto pages, scan_all(*engine_, bucket, scan, wanted));
    append(whole, merge_pages(std::move(pages), wanted));
    scan.after = whole.next;
  } while (whole.more && whole.entries.size() < options.limit);
  co_return whole;
}

Result<bool> Store::any_below(BucketId bucket, std::string_view prefix) {
  if (!engine_->ready) return Error(Errc::not_ready, "the target recovers its disks");
  const ScanOptions one{.prefix = std::string(prefix), .limit = 1, .summary = true};
  const MountpathSet& set = engine_->mounts.now();
  // Two rounds as for a listing.
  for (int rounds = set.settled ? 1 : 2; rounds > 0; --rounds) {
    for (const Mountpath* mountpath : set.readable) {
      TRY(const ScanPage page, scan_one(*engine_, set, *mountpath, bucket, one));
      if (!page.entries.empty()) return true;
    }
  }
  if (const Lack* lack = set.lack_of(bucket)) return out_of_reach(*lack, "names of the bucket");
  if (&engine_->mounts.now() != &set) return Error(Errc::not_ready, "the mountpaths have changed");
  return false;
}

namespace {

/// Of the objects on a mountpath those that are copies, more or less.
std::uint64_t copies_on(const MountpathSet& set, const Mountpath& mountpath) {
  std::uint64_t copies = 0;
  for (const auto& [bucket, kept] : set.copies) {
    const std::uint64_t objects = mountpath.index().counters(BucketId{bucket}).objects;
    const std::uint64_t each = std::clamp<std::uint64_t>(set.placing.size(), 1, kept);
    copies += objects - objects / each;
  }
  return copies;
}

}  // namespace

Result<Capacity> Store::capacity() {
  Capacity sum;
  std::vector<std::uint64_t> seen;  // two mountpaths may share a file system
  for (const Mountpath* readable : engine_->mounts.now().readable) {
    const auto mountpath = engine_->mounts.hold(*readable);
    if (!mountpath) continue;
    const BucketCounters counters = mountpath->index().counters();
    sum.objects += counters.objects - copies_on(engine_->mounts.now(), *mountpath);
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
  const MountpathSet& set = engine_->mounts.now();
  for (const Mountpath* mountpath : set.readable) {
    const BucketCounters counters = mountpath->index().counters(bucket);
    sum.objects += counters.objects;
    sum.used_bytes += counters.bytes;
  }
  // Each once, as soon as all copies are there.
  const auto copies = std::clamp<std::uint64_t>(set.placing.size(), 1, copies_kept(bucket));
  sum.objects /= copies;
  sum.used_bytes /= copies;
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
  // Nothing of it may be on its way from one mountpath to another.
  const bool moving = !engine_->mounts.now().settled;
  KeyLocks::Guard alone;
  if (moving) alone = co_await engine_->admin.lock(0);
  if (moving) CO_CHECK_OK(co_await engine_->gate.close(engine_->clock, Deadline::after(kMovesMax)));
  const Defer open([&] {
    if (moving) engine_->gate.open();
  });
  for (const auto& mountpath : engine_->mounts.opened()) {
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

}  // namespace

Task<Status> sync_mountpath(Mountpath& mountpath) {
  SyncMutation mutation;
  mutation.barrier_before = true;
  co_return co_await mountpath.committer().run(mutation);
}

Task<Status> Store::sync(Key key) {
  engine_->promise_all();
  const MountpathSet& set = engine_->mounts.now();
  if (set.keeps_copies(key.bucket)) co_return co_await sync_all();
  // Where it is, should it not have come to its place yet.
  CO_TRY(const Engine::Found found, engine_->find_anywhere(key));
  const auto mountpath = engine_->mounts.hold(*found.mountpath);
  if (!mountpath) co_return Error(Errc::not_ready, "a mountpath has failed");
  co_return co_await sync_mountpath(*mountpath);
}

Task<Status> Store::sync_all() {
  engine_->promise_all();
  const auto mountpaths = engine_->mounts.opened();
  std::vector<Task<Status>> barriers;
  for (const auto& mountpath : mountpaths) barriers.push_back(sync_mountpath(*mountpath));
  std::vector<Status> done = co_await gather(std::move(barriers));
  for (Status& one : done) CO_CHECK_OK(std::move(one));
  co_return Status{};
}

}  // namespace aisfs::store
